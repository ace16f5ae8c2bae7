"""Receipts: one entry of the audit log with everything that proves it, for anybody to keep.

Owns their form (docs/reference/audit-log.md) and their check, which asks nobody: a receipt and the
public key are enough. Reads no database.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity.audit.checkpoint import (
    NoteRefusedError,
    SignedHead,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_head,
    parse_note,
)
from identity.audit.key_chain import ChainedKey, refuse_unchained
from identity.audit.leaf import LEAF_VERSION, leaf_bytes
from identity.audit.merkle import HASH_BYTES, hash_leaf, is_included

RECEIPT_FORMAT = "subid.audit.receipt"
RECEIPT_VERSION = 1

RECEIPT_LENGTH_MAX = 1024 * 1024
"""Characters; a receipt has some 3,000."""

_NAMES = frozenset(
    {"format", "version", "leaf", "leaf_index", "inclusion_proof", "checkpoint", "keys"}
)
_PROOF_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry and its proof.

    Attributes:
        leaf: What the leaf says.
        leaf_index: Its place, from 0 on.
        inclusion_proof: Hashes of 32 bytes.
        checkpoint: The signed head.
        keys: The keys of the log up to that which signed.
    """

    leaf: Mapping[str, str]
    leaf_index: int
    inclusion_proof: Sequence[bytes]
    checkpoint: str
    keys: Sequence[ChainedKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedEntry:
    """What a receipt has proved.

    Attributes:
        leaf: What the leaf says.
        leaf_index: Its place.
        head: The head that holds it.
        witnesses: Names of the witnesses asked for, all of which have co-signed.
    """

    leaf: Mapping[str, str]
    leaf_index: int
    head: TreeHead
    witnesses: Sequence[str]


def format_receipt(receipt: Receipt) -> str:
    """The text form: JSON."""
    document = {
        "format": RECEIPT_FORMAT,
        "version": RECEIPT_VERSION,
        "leaf": dict(receipt.leaf),
        "leaf_index": receipt.leaf_index,
        "inclusion_proof": [_encoded(each) for each in receipt.inclusion_proof],
        "checkpoint": receipt.checkpoint,
        "keys": [
            {
                "number": key.number,
                "public_key": _encoded(key.public_key),
                "handover": None if key.handover is None else _encoded(key.handover),
            }
            for key in receipt.keys
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def parse_receipt(text: str) -> Receipt:
    """Read what `format_receipt` made; nothing is believed yet.

    Raises:
        NoteRefusedError: It is no receipt.
    """
    if len(text) > RECEIPT_LENGTH_MAX:
        raise NoteRefusedError("not a receipt: too long")
    try:
        return _receipt(json.loads(text, object_pairs_hook=_each_once))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoteRefusedError("not a receipt of this form") from error


def verify_receipt(
    receipt: Receipt, trusted: VerifierKey, *, witnesses: Sequence[VerifierKey] = ()
) -> ProvedEntry:
    """What a receipt proves to who trusts a key of the log.

    Args:
        receipt: The receipt.
        trusted: A key of the log, from somewhere else: the one that signed, or an older one.
        witnesses: Keys of witnesses that must all have co-signed.

    Raises:
        NoteRefusedError: It proves nothing.
    """
    signed = parse_note(receipt.checkpoint)
    head = check_signed_head(signed, receipt.keys, trusted)
    if not is_included(
        hash_leaf(leaf_bytes(receipt.leaf)),
        receipt.leaf_index,
        head.size,
        proof=receipt.inclusion_proof,
        root=head.root,
    ):
        raise NoteRefusedError("the entry is not in the tree that was signed")
    seen_by = [check_cosignature(signed, key).witness for key in witnesses]
    return ProvedEntry(
        leaf=receipt.leaf, leaf_index=receipt.leaf_index, head=head, witnesses=seen_by
    )


def check_signed_head(
    signed: SignedHead, keys: Sequence[ChainedKey], trusted: VerifierKey
) -> TreeHead:
    """The head, if a key to which the trusted one leads has signed it.

    Raises:
        NoteRefusedError: It has not.
    """
    return check_head(signed, signing_key(signed, keys, trusted))


def signing_key(
    signed: SignedHead, keys: Sequence[ChainedKey], trusted: VerifierKey
) -> VerifierKey:
    """The key that a head must be signed by: one that it names, and the trusted one leads to.

    Raises:
        NoteRefusedError: The trusted key does not lead there.
    """
    origin = signed.head.origin
    if trusted.name != origin or trusted.is_witness:
        raise NoteRefusedError("the trusted key is another log's")
    named = {(name, each[:4]) for name, each in signed.signatures}
    for key in keys:
        verifier = VerifierKey(name=origin, public_key=key.public_key)
        if (origin, verifier.key_hash) in named:
            led_to = refuse_unchained(origin, keys, trusted=trusted.public_key, number=key.number)
            # The key that the chain leads to, whatever key brought its number here.
            return VerifierKey(name=origin, public_key=led_to.public_key)
    return trusted


def _receipt(document: Mapping[str, Any]) -> Receipt:
    form = (document["format"], document["version"])
    if form != (RECEIPT_FORMAT, RECEIPT_VERSION) or document.keys() != _NAMES:
        raise ValueError("another form")
    leaf, index, proof = document["leaf"], document["leaf_index"], document["inclusion_proof"]
    if not all(isinstance(each, str) for each in leaf.values()) or type(index) is not int:
        raise ValueError("not a leaf and its place")
    if leaf["version"] != LEAF_VERSION or len(proof) > _PROOF_LENGTH_MAX:
        raise ValueError("another form of leaf, or a proof for no tree")
    return Receipt(
        leaf=leaf,
        leaf_index=index,
        inclusion_proof=[_decoded(each, length=HASH_BYTES) for each in proof],
        checkpoint=str(document["checkpoint"]),
        keys=[_key(each) for each in document["keys"]],
    )


def _key(document: Mapping[str, Any]) -> ChainedKey:
    number, handover = document["number"], document["handover"]
    if type(number) is not int:
        raise ValueError("not a key's number")
    return ChainedKey(
        number=number,
        public_key=_decoded(document["public_key"], length=32),
        handover=None if handover is None else _decoded(handover, length=64),
    )


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """What is said twice could be read in two ways."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decoded(text: str, *, length: int) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(value) != length or _encoded(value) != text:
        raise ValueError("not canonical, or of another length")
    return value
