"""Acknowledgements signed as the contract says, for tests that act as operators.

Owns a reading of the contract's words that is nobody else's: neither the service's nor the
simulator's.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TypeVar

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from subid.v1 import enforcement_service_pb2 as pb

_Request = TypeVar("_Request", bound=pb.AcknowledgeDirectivesRequest)
LINE_FEED = b"\n"


def signed(request: _Request, private_key: bytes) -> _Request:
    """The request with its signature, by an elliptic key in PEM."""
    key = serialization.load_pem_private_key(private_key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    text = LINE_FEED.join([*lines(request), b""])
    request.signature = key.sign(text, ec.ECDSA(hashes.SHA256()))
    return request


def lines(request: pb.AcknowledgeDirectivesRequest) -> Iterator[bytes]:
    """What is signed, line by line."""
    yield b"subid.v1.AcknowledgeDirectives"
    yield request.request_id.encode()
    yield request.lease_id.encode()
    for each in request.acknowledgements:
        at = each.execute_time
        nanoseconds = 1_000_000_000 * at.seconds + at.nanos
        when = f"{nanoseconds}" if each.HasField("execute_time") else ""
        digest = sha256(each.failure.encode("utf-8")).hexdigest()
        yield f"{each.directive_id} {each.outcome} {when} {digest}".encode()
