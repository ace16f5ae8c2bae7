"""How an operator signs its acknowledgements, written from the contract alone.

Owns the lines and the three kinds of signature, apart from the service's own code: a mistake in one
must not hide in the other.
"""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from subid.v1 import enforcement_service_pb2 as pb


def text_of(request: pb.AcknowledgeDirectivesRequest) -> bytes:
    """What is signed."""
    text = f"subid.v1.AcknowledgeDirectives\n{request.request_id}\n{request.lease_id}\n"
    for each in request.acknowledgements:
        executed = each.execute_time.ToNanoseconds() if each.HasField("execute_time") else ""
        digest = sha256(each.failure.encode()).hexdigest()
        text += f"{each.directive_id} {each.outcome:d} {executed} {digest}\n"
    return text.encode()


def signature_by(key_pem: bytes, content: bytes) -> bytes:
    """A signature over any content."""
    key = load_pem_private_key(key_pem, password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(content, ec.ECDSA(SHA256()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(content, padding.PSS(padding.MGF1(SHA256()), salt_length=32), SHA256())


def signed(
    request: pb.AcknowledgeDirectivesRequest, key_pem: bytes
) -> pb.AcknowledgeDirectivesRequest:
    """The same request with a signature of its own."""
    copy = pb.AcknowledgeDirectivesRequest()
    copy.CopyFrom(request)
    copy.signature = signature_by(key_pem, text_of(request))
    return copy
