"""The schema of agencies: who is registered, what each may ask, what it has asked today.

Owns these tables; `tables.py` has the metadata. A country has some thousand agencies, so nothing
here is partitioned. What was read about whom stands in the audit log.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)

agency = Table(
    "agency",
    metadata,
    Column("name", Text, nullable=False, comment="as in its certificate"),
    Column("is_active", Boolean, nullable=False),
    Column("registered_at", _Instant, nullable=False),
    Column("changed_at", _Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    PrimaryKeyConstraint("name"),
)

agency_grant = Table(
    "agency_grant",
    metadata,
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("legal_bases", ARRAY(Text), nullable=False),
    Column("rights", ARRAY(Text), nullable=False),
    Column("people_per_day_max", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "purpose"),
    ForeignKeyConstraint(["name"], ["agency.name"], ondelete="CASCADE"),
    CheckConstraint("people_per_day_max >= 0", name="people_per_day_max"),
)

# One row for each day in which an agency asked for a purpose: never more than the grant allows.
agency_use = Table(
    "agency_use",
    metadata,
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("day", Date, nullable=False, comment="of Viet Nam"),
    Column("people_count", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "purpose", "day"),
    CheckConstraint("people_count >= 0", name="people_count"),
)
