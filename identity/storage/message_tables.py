"""The schema of messages to citizens: each from its writing until it was delivered, or was not.

Owns these tables; `tables.py` has the metadata. A message belongs to a person: it is keyed by the
citizen, and follows them from number to number while it waits.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)

message_order = Sequence("message_order", metadata=metadata, data_type=BigInteger)

message = Table(
    "message",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column(
        "position",
        BigInteger,
        message_order,
        server_default=message_order.next_value(),
        nullable=False,
    ),
    Column(
        "priority", SmallInteger, nullable=False, comment="0 safety, 1 tidings, 2 legal, 3 service"
    ),
    Column("template", Text, nullable=False, comment="an agency's, or a kind of tidings"),
    Column("text_sealed", LargeBinary, nullable=False, comment="the words by language, filled"),
    # Who wrote it and why; all null of tidings, which the service writes itself.
    Column("agency", Text),
    Column("purpose", Text),
    Column("legal_basis", Text),
    Column("case_id", Text),
    # Where it goes; all null where it could go nowhere.
    Column("msisdn_key", LargeBinary),
    Column("subscription_id", Uuid),
    Column("operator_id", Text),
    Column("state", Text, nullable=False),
    Column("lease_id", Uuid),
    Column("lease_expires_at", _Instant),
    Column("created_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False, comment="handed to nobody from then on"),
    Column("handed_at", _Instant, comment="first leased"),
    Column("done_at", _Instant),
    Column("failure", Text, comment="a code"),
    PrimaryKeyConstraint("citizen_key", "message_id"),
    CheckConstraint(
        "state IN ('pending', 'leased', 'delivered', 'failed', 'expired')", name="state"
    ),
    CheckConstraint("(state IN ('pending', 'leased')) = (done_at IS NULL)", name="done_at"),
    CheckConstraint("(state = 'leased') = (lease_id IS NOT NULL)", name="lease_id"),
    CheckConstraint("(state = 'leased') = (lease_expires_at IS NOT NULL)", name="lease_expires_at"),
    CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
    CheckConstraint("num_nulls(agency, purpose, legal_basis) IN (0, 3)", name="agency"),
    CheckConstraint("num_nulls(msisdn_key, subscription_id, operator_id) IN (0, 3)", name="number"),
    CheckConstraint("operator_id IS NOT NULL OR done_at IS NOT NULL", name="operator_id"),
    CheckConstraint("priority BETWEEN 0 AND 3", name="priority"),
    # Who is next: `message_queue.py`.
    Index(
        "ix_message_ready",
        "operator_id",
        "priority",
        "position",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_message_out",
        "operator_id",
        "lease_expires_at",
        postgresql_where=text("state = 'leased' AND lease_expires_at < expires_at"),
    ),
    Index(
        "ix_message_expires_at",
        "expires_at",
        postgresql_where=text("state IN ('pending', 'leased')"),
    ),
    Index("ix_message_message_id", "message_id"),
    Index(
        "ix_message_agency",
        "agency",
        "created_at",
        "message_id",
        postgresql_where=text("agency IS NOT NULL"),
    ),
    postgresql_partition_by="HASH (citizen_key)",
)

# What agencies may write, as the regulator has approved it. Never changed: what was sent by it was
# sent in these words. Some thousand rows.
notification_template = Table(
    "notification_template",
    metadata,
    Column("agency", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("text_vi", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("length_max", Integer, nullable=False, comment="UTF-16 units, filled"),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", _Instant, nullable=False),
    PrimaryKeyConstraint("agency", "name"),
    CheckConstraint("urgency IN ('service', 'legal', 'safety')", name="urgency"),
    CheckConstraint("length_max > 0", name="length_max"),
)
