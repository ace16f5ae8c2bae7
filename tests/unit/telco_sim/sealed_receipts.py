"""Receipts for tests of the simulator, made by hand of a log with three entries.

Owns the making of them. Judges nothing.
"""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FIRST = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
SECOND = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
FIRST_KEY = FIRST.public_key().public_bytes_raw()
SECOND_KEY = SECOND.public_key().public_bytes_raw()
ORIGIN = f"subid-audit-{hashlib.sha256(FIRST_KEY).hexdigest()[:16]}"
LEAF = {
    "action": "get_contact",
    "caller": "agency:agency",
    "entry_id": "7",
    "outcome": "available",
    "version": "1",
}


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def sealed_receipt(leaf: Mapping[str, str], *, is_rotated: bool = False) -> str:
    """A receipt of the last of three entries, as the log signs it."""
    said = json.dumps(leaf, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    hashed = hashlib.sha256(b"\x00" + said.encode()).digest()
    others = b"\x07" * 32
    root = hashlib.sha256(b"\x01" + others + hashed).digest()
    body = f"{ORIGIN}\n3\n{text_of(root)}\ntime 1777627800\n"
    keys = [{"number": 1, "public_key": text_of(FIRST_KEY), "handover": None}]
    if is_rotated:
        names = f"{text_of(FIRST_KEY)}\n{text_of(SECOND_KEY)}\n"
        handover = FIRST.sign(f"subid-audit-handover/v1\n{ORIGIN}\n{names}".encode())
        keys.append({"number": 2, "public_key": text_of(SECOND_KEY), "handover": text_of(handover)})
    signature = (SECOND if is_rotated else FIRST).sign(body.encode())
    document = {
        "format": "subid.audit.receipt",
        "version": 1,
        "leaf": dict(leaf),
        "leaf_index": 2,
        "inclusion_proof": [text_of(others)],
        "checkpoint": f"{body}\n— {ORIGIN} {text_of(b'hash' + signature)}\n",
        "keys": keys,
    }
    return json.dumps(document)
