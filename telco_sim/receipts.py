"""Receipts of the audit log, checked by whoever holds them.

Owns the check of a receipt as a stranger to the service makes it, after docs/reference/audit-log.md
and RFC 9162: it knows the tree's definition only, and computes the root top down. It refuses to
know what an entry is about.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from subid.v1.audit_service_pb2 import (
    GetReceiptRequest,
    GetReceiptResponse,
    GetTreeHeadRequest,
    GetTreeHeadResponse,
)
from telco_sim.wire import Caller

_SIGNATURE_BYTES = 64


class ReceiptError(ValueError):
    """A receipt that proves nothing."""


@dataclass(frozen=True, slots=True)
class ReceiptDesk:
    """Where a caller asks for receipts."""

    caller: Caller

    def first_key(self) -> bytes:
        """Read the key that the log began with.

        Raises:
            Refusal: The service said no.
        """
        response: GetTreeHeadResponse = self.caller.ask(
            self.caller.audit.GetTreeHead, GetTreeHeadRequest()
        )
        return next((each.public_key for each in response.keys), b"")

    def receipt(self, entry_id: int, *, personal_id: str = "") -> str:
        """Ask for a receipt; for the citizen app, of an entry about a citizen.

        Raises:
            Refusal: The service said no.
        """
        request = GetReceiptRequest(entry_id=entry_id, personal_id=personal_id)
        response: GetReceiptResponse = self.caller.ask(self.caller.audit.GetReceipt, request)
        return response.receipt


def open_receipt(receipt: str, first_key: bytes) -> Mapping[str, str]:
    """Return what a receipt proves of an entry.

    Args:
        receipt: JSON.
        first_key: The key that the log began with, 32 bytes.

    Raises:
        ReceiptError: It proves nothing.
    """
    try:
        return _open(json.loads(receipt), first_key)
    except (ValueError, LookupError, TypeError, StopIteration, InvalidSignature) as error:
        raise ReceiptError(f"it proves nothing: {type(error).__name__}") from error


def _open(document: Mapping[str, Any], first_key: bytes) -> Mapping[str, str]:
    signed_text, _, signatures = document["checkpoint"].partition("\n\n")
    origin, size, root, _time = signed_text.split("\n")
    _check_signature(f"{signed_text}\n", signatures, _last_key(document, origin, first_key))
    leaf: Mapping[str, str] = document["leaf"]
    content = json.dumps(leaf, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path = [base64.b64decode(each) for each in document["inclusion_proof"]]
    computed = _root(
        hashlib.sha256(b"\x00" + content.encode()).digest(), document["leaf_index"], int(size), path
    )
    if computed != base64.b64decode(root):
        raise ReceiptError("the entry is not in the tree")
    return leaf


def _root(leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of a size, by the definition of a path: its last hash is next to the top.

    RFC 9162, 2.1.3.1: PATH(m, D_n) = PATH(m, D[0:k]) : MTH(D[k:n]) for m < k, and so on.
    """
    if not 0 <= place < size or (size == 1) != (not path):
        raise ReceiptError("the path is not one of this place")
    if size == 1:
        return leaf
    half = 1
    while half * 2 < size:
        half *= 2
    if place < half:
        pair = _root(leaf, place, half, path[:-1]) + path[-1]
    else:
        pair = path[-1] + _root(leaf, place - half, size - half, path[:-1])
    return hashlib.sha256(b"\x01" + pair).digest()


def _last_key(document: Mapping[str, Any], origin: str, first_key: bytes) -> bytes:
    """The key that signed: each is handed over to by the one before, the first is known."""
    if origin != f"subid-audit-{hashlib.sha256(first_key).hexdigest()[:16]}":
        raise ReceiptError("another log")
    known = first_key
    for number, each in enumerate(document["keys"], start=1):
        following = base64.b64decode(each["public_key"])
        if number == 1 and following != first_key:
            raise ReceiptError("another first key")
        if number > 1:
            names = "".join(f"{base64.b64encode(key).decode()}\n" for key in (known, following))
            statement = f"subid-audit-handover/v1\n{origin}\n{names}"
            handover = base64.b64decode(each["handover"])
            Ed25519PublicKey.from_public_bytes(known).verify(handover, statement.encode())
        known = following
    return known


def _check_signature(text: str, signatures: str, key: bytes) -> None:
    origin = text.partition("\n")[0]
    own = next(line for line in signatures.split("\n") if line.startswith(f"— {origin} "))
    signature = base64.b64decode(own.rpartition(" ")[2])[-_SIGNATURE_BYTES:]
    Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
