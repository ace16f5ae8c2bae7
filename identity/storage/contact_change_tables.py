"""The schema of the feed of changed contacts: what has changed, who cares, and who is told.

Owns these tables; `tables.py` has the metadata. None holds personal data.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"

# About whom an agency has asked, known or not, and until when it is told of them.
contact_interest = Table(
    "contact_interest",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("agency", Text, nullable=False),
    Column("until", _Instant, nullable=False),
    PrimaryKeyConstraint("citizen_key", "agency"),
    Index("ix_contact_interest_until", "until"),
    postgresql_partition_by=_BY_CITIZEN,
)

# Whose contact has changed, until it is passed on: nearly always empty, so not partitioned.
contact_change = Table(
    "contact_change",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), nullable=False),
    Column("citizen_key", LargeBinary, nullable=False),
    Column(
        "is_wish",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="what the citizen wants of agencies has changed",
    ),
    PrimaryKeyConstraint("change_id"),
)

# What agencies are told. Not partitioned: its own order is what it is for. Pruned by age.
contact_hint = Table(
    "contact_hint",
    metadata,
    Column(
        "position",
        BigInteger,
        Identity(always=True),
        nullable=False,
        comment="committed in this order",
    ),
    Column("agency", Text, nullable=False),
    Column("citizen_key", LargeBinary, nullable=False),
    Column("hinted_at", _Instant, nullable=False),
    PrimaryKeyConstraint("position"),
    Index("ix_contact_hint_agency", "agency", "position"),
)

contact_feed = Table(
    "contact_feed",
    metadata,
    Column("only_row", SmallInteger, nullable=False, server_default=text("1")),
    Column("pruned_position", BigInteger, nullable=False, comment="nothing up to it is kept"),
    PrimaryKeyConstraint("only_row"),
    CheckConstraint("only_row = 1", name="only_row"),
)
