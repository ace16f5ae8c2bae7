"""The schema of what citizens choose: locks, changes that wait, fallbacks, and the history.

Owns these tables; `tables.py` has the primary number itself, and the metadata. Everything is keyed
by the citizen.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"

# One row for each citizen who ever chose something. Whoever changes a choice holds it, so choices
# of one citizen come one after the other, and their history has no gap.
citizen_choice = Table(
    "citizen_choice",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False, server_default=text("0"), comment="of history"),
    Column("has_chosen", Boolean, nullable=False, server_default=text("false")),
    Column("is_locked", Boolean, nullable=False, server_default=text("false")),
    Column("unlocked_until", _Instant),
    Column("change_id", Uuid, comment="of the change that waits; null without one"),
    Column("subscription_id", Uuid, comment="what it will make the primary number"),
    Column("asked_at", _Instant),
    Column("effective_at", _Instant),
    PrimaryKeyConstraint("citizen_key"),
    CheckConstraint(
        "num_nulls(change_id, subscription_id, asked_at, effective_at) IN (0, 4)", name="pending"
    ),
    CheckConstraint("is_locked OR unlocked_until IS NULL", name="unlocked_until"),
    Index(
        "ix_citizen_choice_effective_at",
        "effective_at",
        "citizen_key",
        postgresql_where=text("effective_at IS NOT NULL"),
    ),
    postgresql_partition_by=_BY_CITIZEN,
)

choice_event = Table(
    "choice_event",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="from 1, without gaps"),
    Column("happened_at", _Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("caller", Text, comment="null for what followed from something else"),
    Column("subscription_id", Uuid, comment="the number that it is about"),
    Column("cause", Text, comment="why a number was cleared"),
    Column("change_id", Uuid),
    Column("verification_id", Uuid, comment="the fresh verification that it took, used once"),
    PrimaryKeyConstraint("citizen_key", "sequence"),
    UniqueConstraint("citizen_key", "verification_id", name="uq_choice_event_verification"),
    CheckConstraint("sequence > 0", name="sequence"),
    postgresql_partition_by=_BY_CITIZEN,
)

# In the order of their ranks the numbers that stand in for the primary one. A number that is the
# citizen's no more goes by itself.
fallback_number = Table(
    "fallback_number",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("msisdn_sealed", LargeBinary, nullable=False),
    Column("verified_at", _Instant, nullable=False),
    Column("set_at", _Instant, nullable=False),
    PrimaryKeyConstraint("citizen_key", "rank"),
    UniqueConstraint("citizen_key", "subscription_id", name="uq_fallback_number_subscription"),
    ForeignKeyConstraint(
        ["citizen_key", "subscription_id"],
        ["holding.citizen_key", "holding.subscription_id"],
        ondelete="CASCADE",
    ),
    CheckConstraint("rank > 0", name="rank"),
    postgresql_partition_by=_BY_CITIZEN,
)
