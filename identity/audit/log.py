"""The audit log: what was decided, changed and read, by whom, why.

Owns the one append-only table and how entries get into it: always in the caller's transaction, so
an effect without its entry cannot be committed. Entries hold keyed digests, never personal data.
Not partitioned by citizen or subscription: its own order is what it is for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    RowMapping,
    SmallInteger,
    Table,
    Text,
    TextClause,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)


class TransactionID(UserDefinedType[str]):
    """A transaction's number, which a server never gives again: PostgreSQL's xid8."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The name of the type."""
        return "xid8"


audit_entry = Table(
    "audit_entry",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("caller", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("citizen_key", LargeBinary),
    Column("msisdn_key", LargeBinary),
    Column("purpose", Text),
    Column("legal_basis", Text),
    Column("case_id", Text, comment="the agency's own file"),
    Column("shown_from", DateTime(timezone=True), comment="a court's embargo; null without one"),
    Column("fields", Text, comment="what was given away, by commas"),
    Column("details", JSONB, nullable=False, comment="codes and counts, no data"),
    # The order in which entries are sealed (identity.audit.sealing).
    Column(
        "era",
        SmallInteger,
        nullable=False,
        server_default=text("1"),
        comment="of the server whose transactions are counted",
    ),
    Column(
        "transaction_id",
        TransactionID,
        nullable=False,
        server_default=text("pg_current_xact_id()"),
        comment="which wrote it",
    ),
    Index("ix_audit_entry_citizen", "citizen_key", "entry_id"),
    Index("ix_audit_entry_order", "era", "transaction_id", "entry_id"),
    Index(
        "ix_audit_entry_withheld",
        "citizen_key",
        "shown_from",
        postgresql_where=text("shown_from IS NOT NULL"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened.

    Attributes:
        occurred_at: When.
        caller: Who, as `role:name`.
        action: What, such as `get_contact`.
        outcome: How it ended, such as `available` or `verified`.
        citizen_key: Blind index of whom it concerns.
        msisdn_key: Blind index of the number it concerns.
        purpose: For reads by agencies: what for.
        legal_basis: For reads by agencies: the article of law.
        case_id: For reads by agencies: their own file.
        shown_from: From when on the citizen can see it; None at once.
        fields: What was given away, in order, by commas.
        details: Codes and counts; never personal data.
    """

    occurred_at: datetime
    caller: str
    action: str
    outcome: str
    citizen_key: bytes | None = None
    msisdn_key: bytes | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    case_id: str | None = None
    shown_from: datetime | None = None
    fields: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


_COLUMNS = {
    "occurred_at": "timestamptz",
    "caller": "text",
    "action": "text",
    "outcome": "text",
    "citizen_key": "bytea",
    "msisdn_key": "bytea",
    "purpose": "text",
    "legal_basis": "text",
    "case_id": "text",
    "shown_from": "timestamptz",
    "fields": "text",
    "details": "jsonb",
}

_NAMES = ", ".join(_COLUMNS)

_APART = frozenset({"citizen_key", "outcome", "fields"})
_ALIKE = [name for name in _COLUMNS if name not in _APART]
_ALIKE_NAMES = ", ".join(_ALIKE)
_ALIKE_VALUES = ", ".join(f"CAST(:{name} AS {_COLUMNS[name]})" for name in _ALIKE)

# In the order of the keys, which is how the index of citizens takes them best.
_APPEND_ALIKE = text(
    f"INSERT INTO audit_entry ({_ALIKE_NAMES}, citizen_key, outcome, fields)"  # noqa: S608 - as above
    f" SELECT {_ALIKE_VALUES}, citizen_key, outcome, fields"
    " FROM (SELECT substr(CAST(:keys AS bytea), place * :key_bytes + 1, :key_bytes),"
    "  (CAST(:outcomes AS text[]))[1 + get_byte(CAST(:kinds AS bytea), place)],"
    "  (CAST(:kinds_fields AS text[]))[1 + get_byte(CAST(:kinds AS bytea), place)]"
    "  FROM generate_series(0, :last) AS place) AS person (citizen_key, outcome, fields)"
    " ORDER BY citizen_key"
)


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries in the connection's transaction, in their order."""
    if not entries:
        return
    columns = {name: _column(entries, name) for name in _COLUMNS}
    shared = {name for name, values in columns.items() if values.count(values[0]) == len(values)}
    # The key is in any case what one entry differs from another by; something must be an array.
    shared.discard("citizen_key")
    given = {name: values[0] if name in shared else values for name, values in columns.items()}
    connection.execute(_statement(frozenset(shared)), given)


@lru_cache(maxsize=256)
def _statement(shared: frozenset[str]) -> TextClause:
    """One statement for any number of entries.

    A row each through the driver costs several times as much, and every read of the service waits
    for it. What all of a batch share, such as caller and grounds, goes once: to write a thousand
    copies down costs more than all the rest.

    Args:
        shared: The columns that have one value in all entries.
    """
    single = {name: f"CAST(:{name} AS {_COLUMNS[name]})" for name in shared}
    many = [name for name in _COLUMNS if name not in shared]
    values = ", ".join(single.get(name, name) for name in _COLUMNS)
    arrays = ", ".join(f"CAST(:{name} AS {_COLUMNS[name]}[])" for name in many)
    return text(
        f"INSERT INTO audit_entry ({_NAMES}) SELECT {values} "  # noqa: S608 - names of our own, no input
        f"FROM unnest({arrays}) WITH ORDINALITY AS entry ({', '.join(many)}, place) ORDER BY place"
    )


def append_alike(
    connection: Connection,
    like: AuditEntry,
    keys: Sequence[bytes],
    ends: Sequence[tuple[str, str | None]],
) -> None:
    """Append an entry for each of many people that one access was about.

    Of each person a key and a byte are sent, and nothing that all have in common: a matching has a
    hundred million.

    Args:
        connection: The transaction.
        like: What the entries have in common.
        keys: Blind index of each person.
        ends: Of each how it ended and what was given away; at most 256 different ones.
    """
    if not keys:
        return
    kinds = {end: number for number, end in enumerate(dict.fromkeys(ends))}
    given = {name: getattr(like, name) for name in _ALIKE}
    packed = {
        "details": json.dumps(like.details),
        "keys": b"".join(keys),
        "key_bytes": len(keys[0]),
        "kinds": bytes(map(kinds.__getitem__, ends)),
        "outcomes": [outcome for outcome, _ in kinds],
        "kinds_fields": [fields for _, fields in kinds],
        "last": len(keys) - 1,
    }
    connection.execute(_APPEND_ALIKE, given | packed)


def read_about_citizen(connection: Connection, citizen_key: bytes) -> tuple[AuditEntry, ...]:
    """Every entry that concerns one citizen, oldest first."""
    query = (
        select(audit_entry)
        .where(audit_entry.c.citizen_key == citizen_key)
        .order_by(audit_entry.c.entry_id)
    )
    return tuple(_entry(row) for row in connection.execute(query).mappings())


def _column(entries: Sequence[AuditEntry], name: str) -> list[object]:
    if name == "details":
        return [json.dumps(entry.details) if entry.details else "{}" for entry in entries]
    return [getattr(entry, name) for entry in entries]


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(**{name: row[name] for name in AuditEntry.__dataclass_fields__})
