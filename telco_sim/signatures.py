"""How an operator signs what it acknowledges.

Owns the text that is signed, written down from the contract's words, and the ways to sign that it
allows. Shares nothing with the service, which writes the same text down for itself.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from subid.v1.enforcement_service_pb2 import AcknowledgeDirectivesRequest, Acknowledgement

_METHOD = "subid.v1.AcknowledgeDirectives"
_SALT_BYTES = 32
"""As long as a SHA-256 digest: the contract's words for RSASSA-PSS."""


class UnsuitableKeyError(Exception):
    """A private key of a kind that the contract does not take."""


def sign(request: AcknowledgeDirectivesRequest, *, private_key: bytes) -> None:
    """Sign a request in its place.

    Args:
        request: All of it but the signature.
        private_key: The key of the caller's certificate, in PEM.

    Raises:
        UnsuitableKeyError: It is none of ECDSA, Ed25519 and RSA.
    """
    text = signed_text(request)
    key = load_pem_private_key(private_key, password=None)
    match key:
        case EllipticCurvePrivateKey():
            request.signature = key.sign(text, ECDSA(SHA256()))
        case Ed25519PrivateKey():
            request.signature = key.sign(text)
        case RSAPrivateKey():
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=_SALT_BYTES)
            request.signature = key.sign(text, pss, SHA256())
        case _:
            raise UnsuitableKeyError(type(key).__name__)


def signed_text(request: AcknowledgeDirectivesRequest) -> bytes:
    """Return what is signed: a line for each part, each ended by a line feed."""
    lines = [_METHOD, request.request_id, request.lease_id]
    lines += [_line(each) for each in request.acknowledgements]
    return "".join(f"{line}\n" for line in lines).encode()


def _line(acknowledgement: Acknowledgement) -> str:
    has_time = acknowledgement.HasField("execute_time")
    executed_ns = str(acknowledgement.execute_time.ToNanoseconds()) if has_time else ""
    digest = hashlib.sha256(acknowledgement.failure.encode()).hexdigest()
    parts = (acknowledgement.directive_id, str(int(acknowledgement.outcome)), executed_ns, digest)
    return " ".join(parts)
