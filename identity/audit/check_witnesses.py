"""Verify what is stored of witnesses: whose keys they are, and every co-signature.

Owns that a key of a witness counts if an entry of the log says that it was registered: the list of
witnesses itself is a table that anybody who administers the database can write into.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, text

from identity.audit.checkpoint import (
    Cosignature,
    NoteRefusedError,
    TreeHead,
    VerifierKey,
    verify_cosignature,
)
from identity.audit.faults import Fault, FaultError, FaultKind

REGISTERED = "register_witness"
"""The action of the entry that says which key a witness has from now on."""

ROWS_AT_ONCE = 5_000
"""Rows that are held in memory."""

_REGISTERED = text(
    "SELECT details->>'witness' AS caller, details->>'key' AS verifier_key FROM audit_entry"
    " WHERE action = :action ORDER BY era, transaction_id, entry_id"
)
_LISTED = text("SELECT caller, verifier_key FROM audit_witness")
_COSIGNATURES = text(
    "SELECT c.tree_size, c.signed_at, c.witness, c.key_hash, c.cosigned_at, c.signature,"
    " h.root_hash FROM audit_cosignature AS c LEFT JOIN audit_head AS h"
    " USING (tree_size, signed_at) ORDER BY c.tree_size, c.signed_at, c.witness"
)


def refuse_witnesses(connection: Connection, origin: str) -> None:
    """Refuse a list of witnesses that was changed, and a co-signature that is none.

    Args:
        connection: The transaction of the check, in which the entries were found to be right.
        origin: The log.

    Raises:
        FaultError: The first that is wrong.
    """
    registered = connection.execute(_REGISTERED, {"action": REGISTERED}).all()
    last, listed = (_by_caller(each) for each in (registered, connection.execute(_LISTED)))
    for caller in sorted(last.keys() | listed.keys()):
        if last.get(caller) != listed.get(caller):
            raise _fault(f"the key of the witness {caller} is not the one that was registered")
    keys = {(key.name, key.key_hash): key for key in _parsed(each[1] for each in registered)}
    options = {"yield_per": ROWS_AT_ONCE}
    with connection.execute(_COSIGNATURES, execution_options=options) as result:
        for row in result.mappings():
            _refuse_cosignature(origin, row, keys)


def _refuse_cosignature(
    origin: str, row: Mapping[Any, Any], keys: Mapping[tuple[str, bytes], VerifierKey]
) -> None:
    named, place = f"the co-signature of {row['witness']}", row["tree_size"] - 1
    key = keys.get((row["witness"], row["key_hash"]))
    if row["root_hash"] is None:
        raise _fault(f"{named} is under no head of {row['tree_size']} entries", place)
    if key is None:
        raise _fault(f"{named} is by a key that was never registered", place)
    signed_at, cosigned_at = (row[each].astimezone(UTC) for each in ("signed_at", "cosigned_at"))
    head = TreeHead(
        origin=origin, size=row["tree_size"], root=row["root_hash"], signed_at=signed_at
    )
    cosignature = Cosignature(
        witness=key.name,
        key_hash=key.key_hash,
        signed_at=cosigned_at,
        signature=row["signature"],
    )
    try:
        verify_cosignature(head, cosignature, key)
    except NoteRefusedError as error:
        raise _fault(f"{named} does not count: {error}", place) from error


def _by_caller(rows: Iterable[Any]) -> dict[str, str]:
    return {row[0]: row[1] for row in rows}


def _parsed(texts: Iterable[str]) -> Iterable[VerifierKey]:
    try:
        return [VerifierKey.parse(each) for each in texts]
    except NoteRefusedError as error:
        raise _fault(f"a witness was registered with no key: {error}") from error


def _fault(says: str, leaf_index: int | None = None) -> FaultError:
    is_of_leaf = leaf_index is not None and leaf_index >= 0
    place = leaf_index if is_of_leaf else None
    return FaultError(Fault(kind=FaultKind.COSIGNATURE, says=says, leaf_index=place))
