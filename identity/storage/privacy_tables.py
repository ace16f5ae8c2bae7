"""The schema of rights over one's data: requests, objections, and a secret for each person.

Owns these tables; `tables.py` has the registry itself, and the metadata. Everything is keyed by the
citizen. Of a person who was erased what stays here is that it was asked for and done.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"

# What a citizen does not want done with the data. Nobody else has a row.
restriction = Table(
    "restriction",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("objected_purposes", ARRAY(Text), nullable=False, comment="of agencies' contacts"),
    Column("is_restricted", Boolean, nullable=False, comment="processing is suspended"),
    Column("changed_at", _Instant, nullable=False),
    PrimaryKeyConstraint("citizen_key"),
    postgresql_partition_by=_BY_CITIZEN,
)

data_request = Table(
    "data_request",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("data_request_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("opened_at", _Instant, nullable=False),
    Column("acknowledge_by", _Instant, nullable=False),
    Column("act_by", _Instant, nullable=False),
    Column("acknowledged_at", _Instant),
    Column("closed_at", _Instant),
    Column("outcome", Text),
    Column("reason", Text, comment="why it was refused; names no person"),
    Column("proof", JSONB, comment="of an erasure: digest of the secret and counts, no data"),
    PrimaryKeyConstraint("citizen_key", "data_request_id"),
    CheckConstraint(
        "kind IN ('export', 'objection', 'withdrawal', 'restriction', 'release', 'erasure')",
        name="kind",
    ),
    CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_at"),
    CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name="reason"),
    # An erasure happens once: a second request finds the first.
    Index(
        "uq_data_request_open_erasure",
        "citizen_key",
        unique=True,
        postgresql_where=text("kind = 'erasure' AND closed_at IS NULL"),
    ),
    Index("ix_data_request_data_request_id", "data_request_id"),
    Index("ix_data_request_open", "act_by", postgresql_where=text("closed_at IS NULL")),
    Index(
        "ix_data_request_late",
        "act_by",
        postgresql_where=text("closed_at > act_by OR acknowledged_at > acknowledge_by"),
    ),
    postgresql_partition_by=_BY_CITIZEN,
)

# 32 random octets for each person of whom something is sealed that nobody but this service has.
# Without the row nothing that was sealed with it opens again, whoever has the key ring.
citizen_secret = Table(
    "citizen_secret",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("citizen_key"),
    postgresql_partition_by=_BY_CITIZEN,
)
