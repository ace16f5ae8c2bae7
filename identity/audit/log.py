"""The audit log: what was decided, changed and read, by whom, why.

Owns the one append-only table and how entries get into it: always in the caller's transaction, so
an effect without its entry cannot be committed. Entries hold keyed digests, never personal data.
Not partitioned by citizen or subscription: its own order is what it is for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

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
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)

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
    Column("details", JSONB, nullable=False, comment="codes and counts, no data"),
    Index("ix_audit_entry_citizen", "citizen_key", "entry_id"),
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
    "details": "jsonb",
}

_NAMES = ", ".join(_COLUMNS)
_ARRAYS = ", ".join(f"CAST(:{column} AS {kind}[])" for column, kind in _COLUMNS.items())

# One statement for any number of entries: a row each through the driver costs several times as
# much, and every read of the service waits for it.
_APPEND = text(
    f"INSERT INTO audit_entry ({_NAMES}) SELECT {_NAMES} "  # noqa: S608 - names of our own, no input
    f"FROM unnest({_ARRAYS}) WITH ORDINALITY AS entry ({_NAMES}, place) ORDER BY place"
)


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries in the connection's transaction, in their order."""
    if entries:
        connection.execute(_APPEND, {column: _column(entries, column) for column in _COLUMNS})


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
