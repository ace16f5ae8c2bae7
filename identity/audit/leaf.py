"""What an entry of the audit log says in the tree: the canonical bytes of its leaf.

Owns the form of a leaf, in Python and in SQL, which are held against each other by a test. A leaf
tells nothing about a person: whom an entry concerns and its details stand in it as marks, which
only who has the database and its keys can compute. See docs/reference/audit-log.md.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from identity.audit.merkle import hash_leaf

LEAF_VERSION = "1"
"""Of the form; a changed form has another one, and old leaves keep theirs."""

ENTRY_ID_BYTES = 8
"""An entry's number in a mark: big-endian, signed, as PostgreSQL's int8send writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An entry as it is stored.

    Attributes:
        entry_id: Its number.
        occurred_at: When.
        caller: Who, as `role:name`.
        action: What.
        outcome: How it ended.
        citizen_key: Blind index of whom it concerns.
        msisdn_key: Blind index of the number it concerns.
        purpose: What for.
        legal_basis: The article of law.
        case_id: The agency's own file.
        shown_from: From when on the citizen can see it.
        fields: What was given away, by commas.
        details: As PostgreSQL writes them.
    """

    entry_id: int
    occurred_at: datetime
    caller: str
    action: str
    outcome: str
    citizen_key: bytes | None
    msisdn_key: bytes | None
    purpose: str | None
    legal_basis: str | None
    case_id: str | None
    shown_from: datetime | None
    fields: str | None
    details: str


def leaf_of(row: EntryRow, details_key: bytes) -> Mapping[str, str]:
    """What the leaf of an entry says, by the names of its parts.

    Args:
        row: The entry.
        details_key: What the mark of the details is keyed with.
    """
    said = {
        "action": row.action,
        "at": _instant(row.occurred_at),
        "caller": row.caller,
        "case_id": row.case_id,
        "citizen": _mark(row.entry_id, row.citizen_key),
        "details": _details_mark(row, details_key),
        "entry_id": str(row.entry_id),
        "fields": row.fields,
        "legal_basis": row.legal_basis,
        "msisdn": _mark(row.entry_id, row.msisdn_key),
        "outcome": row.outcome,
        "purpose": row.purpose,
        "shown_from": None if row.shown_from is None else _instant(row.shown_from),
        "version": LEAF_VERSION,
    }
    return {name: value for name, value in said.items() if value is not None}


def leaf_bytes(leaf: Mapping[str, str]) -> bytes:
    """Its canonical bytes: JSON by RFC 8785, which for strings under ASCII names is this."""
    return json.dumps(leaf, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf_hash_of(row: EntryRow, details_key: bytes) -> bytes:
    """The hash of an entry's leaf: 32 bytes."""
    return hash_leaf(leaf_bytes(leaf_of(row, details_key)))


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _number(entry_id: int) -> bytes:
    return entry_id.to_bytes(ENTRY_ID_BYTES, "big", signed=True)


def _mark(entry_id: int, key: bytes | None) -> str | None:
    return None if key is None else hashlib.sha256(_number(entry_id) + key).hexdigest()


def _details_mark(row: EntryRow, details_key: bytes) -> str | None:
    if row.details == "{}":
        return None
    content = details_key + _number(row.entry_id) + row.details.encode()
    return hashlib.sha256(content).hexdigest()


def _sql_instant(column: str) -> str:
    form = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    return f"to_json(to_char({column} AT TIME ZONE 'UTC', '{form}'))"


def _sql_mark(column: str) -> str:
    return f"to_json(encode(sha256(int8send(entry_id) || {column}), 'hex'))"


_SQL_PARTS = {
    "action": "to_json(action)",
    "at": _sql_instant("occurred_at"),
    "caller": "to_json(caller)",
    "case_id": "to_json(case_id)",
    "citizen": _sql_mark("citizen_key"),
    "details": (
        "CASE WHEN CAST(details AS text) <> '{}' THEN to_json(encode(sha256("
        "CAST(:details_key AS bytea) || int8send(entry_id)"
        " || convert_to(CAST(details AS text), 'UTF8')"
        "), 'hex')) END"
    ),
    "entry_id": "to_json(CAST(entry_id AS text))",
    "fields": "to_json(fields)",
    "legal_basis": "to_json(legal_basis)",
    "msisdn": _sql_mark("msisdn_key"),
    "outcome": "to_json(outcome)",
    "purpose": "to_json(purpose)",
    "shown_from": _sql_instant("shown_from"),
    "version": f"""'"{LEAF_VERSION}"'""",
}

# A part that is null makes its whole string null, which concat_ws passes over.
_SQL_LEAF = ", ".join(
    f"""'"{name}"\\:' || CAST({value} AS text)""" for name, value in _SQL_PARTS.items()
)

LEAF_HASH_SQL = (
    r"sha256(CAST('\x00' AS bytea) ||"
    f" convert_to('{{' || concat_ws(',', {_SQL_LEAF}) || '}}', 'UTF8'))"
)
"""The hash of an entry's leaf over the columns of `audit_entry`, with `:details_key`. Set-based: an
import writes millions of entries, and none of them must travel to be sealed."""
