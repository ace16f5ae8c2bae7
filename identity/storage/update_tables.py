"""The schema of what the population authority is owed.

Owns these tables; `tables.py` has the registry itself, and the metadata. Neither holds personal
data: personal ID and number are looked up when an update is handed out.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    Uuid,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"

# How far each citizen's updates are numbered, and the citizen's place among those of whom something
# is owed. Its row is the lock on all of the citizen's updates.
subscriber_sequence = Table(
    "subscriber_sequence",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column(
        "settled_sequence",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="nothing up to it is owed any more",
    ),
    Column("position", BigInteger, comment="of the oldest update that is open"),
    Column("waits_until", _Instant, comment="nothing is handed out before"),
    PrimaryKeyConstraint("citizen_key"),
    CheckConstraint("settled_sequence <= last_sequence", name="settled_sequence"),
    # Who is next: `update_queue.py`.
    Index(
        "ix_subscriber_sequence_ready",
        "position",
        postgresql_where=text("settled_sequence < last_sequence AND waits_until IS NULL"),
    ),
    Index(
        "ix_subscriber_sequence_out",
        "waits_until",
        postgresql_where=text("settled_sequence < last_sequence AND waits_until IS NOT NULL"),
    ),
    postgresql_partition_by=_BY_CITIZEN,
)

subscriber_update_order = Sequence(
    "subscriber_update_order", metadata=metadata, data_type=BigInteger
)

# The newest word on each citizen and subscription, and how far it has come. Changes that were not
# pulled in time become one, so the table grows with what is verified and not with time.
subscriber_update = Table(
    "subscriber_update",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="of this citizen"),
    Column(
        "position",
        BigInteger,
        subscriber_update_order,
        server_default=subscriber_update_order.next_value(),
        nullable=False,
        comment="the order of handing out",
    ),
    Column("link_state", Text, nullable=False),
    Column("verified_at", _Instant),
    Column("policy_version", Text),
    Column("disowned_at", _Instant),
    Column("primary_since", _Instant),
    Column("ended_by", Text),
    Column("changed_at", _Instant, nullable=False),
    Column("leased_sequence", BigInteger),
    Column("lease_id", Uuid),
    Column("lease_expires_at", _Instant),
    Column("acknowledged_sequence", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("citizen_key", "subscription_id"),
    CheckConstraint("acknowledged_sequence <= sequence", name="acknowledged_sequence"),
    CheckConstraint("leased_sequence <= sequence", name="leased_sequence"),
    CheckConstraint(
        "(leased_sequence IS NULL) = (lease_id IS NULL)"
        " AND (lease_id IS NULL) = (lease_expires_at IS NULL)",
        name="lease",
    ),
    CheckConstraint(
        "link_state IN ('linked', 'mismatched', 'not_found', 'deceased')", name="link_state"
    ),
    CheckConstraint(
        "ended_by IN ('released', 'ported_out', 'terminated', 'transferred')", name="ended_by"
    ),
    CheckConstraint("ended_by IS NULL OR primary_since IS NULL", name="no_primary_after_the_end"),
    Index("uq_subscriber_update_sequence", "citizen_key", "sequence", unique=True),
    # Citizens have one primary number, and so they are told.
    Index(
        "uq_subscriber_update_primary",
        "citizen_key",
        unique=True,
        postgresql_where=text("primary_since IS NOT NULL"),
    ),
    Index(
        "ix_subscriber_update_open",
        "citizen_key",
        "position",
        postgresql_where=text("acknowledged_sequence < sequence"),
    ),
    # When what is out of a citizen comes back.
    Index(
        "ix_subscriber_update_leased",
        "citizen_key",
        postgresql_where=text("lease_expires_at IS NOT NULL"),
    ),
    Index("ix_subscriber_update_subscription", "subscription_id"),
    postgresql_partition_by=_BY_CITIZEN,
)
