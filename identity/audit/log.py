"""The audit log: what was decided, changed and read, by whom, why.

Owns the one append-only table and how entries get into it: always in the caller's transaction, so
an effect without its entry cannot be committed. Entries hold keyed digests, never personal data.
Not partitioned by citizen or subscription: its own order is what it is for.
"""

from collections.abc import Iterable, Mapping
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
    insert,
    select,
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


def append(connection: Connection, entries: Iterable[AuditEntry]) -> None:
    """Append entries in the connection's transaction, in their order."""
    rows = [_row(entry) for entry in entries]
    if rows:
        connection.execute(insert(audit_entry), rows)


def read_about_citizen(connection: Connection, citizen_key: bytes) -> tuple[AuditEntry, ...]:
    """Every entry that concerns one citizen, oldest first."""
    query = (
        select(audit_entry)
        .where(audit_entry.c.citizen_key == citizen_key)
        .order_by(audit_entry.c.entry_id)
    )
    return tuple(_entry(row) for row in connection.execute(query).mappings())


def _row(entry: AuditEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__}


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(**{name: row[name] for name in AuditEntry.__dataclass_fields__})
