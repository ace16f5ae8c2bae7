"""Keep what citizens choose: locks, changes that wait, fallbacks, history, and confirmations.

A primary number of before is the first line of its citizen's history; it was last confirmed when it
was set or its holder verified, whichever came later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"


def upgrade() -> None:
    """Apply."""
    _create_choices()
    _create_fallbacks()
    op.add_column("primary_number", sa.Column("confirmed_at", _INSTANT))
    op.execute("UPDATE primary_number SET confirmed_at = greatest(set_at, verified_at)")
    op.alter_column("primary_number", "confirmed_at", nullable=False)
    op.execute(
        "INSERT INTO citizen_choice (citizen_key, sequence, has_chosen)"
        " SELECT citizen_key, 1, true FROM primary_number"
    )
    op.create_foreign_key(
        "fk_primary_number_citizen_choice",
        "primary_number",
        "citizen_choice",
        ["citizen_key"],
        ["citizen_key"],
    )
    op.execute(
        "INSERT INTO choice_event (citizen_key, sequence, happened_at, kind, subscription_id)"
        " SELECT citizen_key, 1, set_at, 'set', subscription_id FROM primary_number"
    )


def downgrade() -> None:
    """Undo; the history is gone."""
    op.drop_constraint("fk_primary_number_citizen_choice", "primary_number")
    op.drop_column("primary_number", "confirmed_at")
    for name in ("fallback_number", "choice_event", "citizen_choice"):
        op.drop_table(name)


def _create_choices() -> None:
    op.create_table(
        "citizen_choice",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="of history",
        ),
        sa.Column("has_chosen", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("is_locked", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("unlocked_until", _INSTANT),
        sa.Column("change_id", sa.Uuid(), comment="of the change that waits; null without one"),
        sa.Column("subscription_id", sa.Uuid(), comment="what it will make the primary number"),
        sa.Column("asked_at", _INSTANT),
        sa.Column("effective_at", _INSTANT),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_citizen_choice"),
        sa.CheckConstraint(
            "num_nulls(change_id, subscription_id, asked_at, effective_at) IN (0, 4)",
            name="ck_citizen_choice_pending",
        ),
        sa.CheckConstraint(
            "is_locked OR unlocked_until IS NULL", name="ck_citizen_choice_unlocked_until"
        ),
        postgresql_partition_by=_BY_CITIZEN,
    )
    op.create_table(
        "choice_event",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="from 1, without gaps"),
        sa.Column("happened_at", _INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), comment="null for what followed from something else"),
        sa.Column("subscription_id", sa.Uuid(), comment="the number that it is about"),
        sa.Column("cause", sa.Text(), comment="why a number was cleared"),
        sa.Column("change_id", sa.Uuid()),
        sa.Column(
            "verification_id", sa.Uuid(), comment="the fresh verification that it took, used once"
        ),
        sa.PrimaryKeyConstraint("citizen_key", "sequence", name="pk_choice_event"),
        sa.UniqueConstraint("citizen_key", "verification_id", name="uq_choice_event_verification"),
        sa.CheckConstraint("sequence > 0", name="ck_choice_event_sequence"),
        postgresql_partition_by=_BY_CITIZEN,
    )
    for name in ("citizen_choice", "choice_event"):
        _create_partitions(name)
    op.create_index(
        "ix_citizen_choice_effective_at",
        "citizen_choice",
        ["effective_at", "citizen_key"],
        postgresql_where=sa.text("effective_at IS NOT NULL"),
    )


def _create_fallbacks() -> None:
    op.create_table(
        "fallback_number",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("msisdn_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("verified_at", _INSTANT, nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", "rank", name="pk_fallback_number"),
        sa.UniqueConstraint(
            "citizen_key", "subscription_id", name="uq_fallback_number_subscription"
        ),
        sa.ForeignKeyConstraint(
            ["citizen_key", "subscription_id"],
            ["holding.citizen_key", "holding.subscription_id"],
            name="fk_fallback_number_holding",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("rank > 0", name="ck_fallback_number_rank"),
        postgresql_partition_by=_BY_CITIZEN,
    )
    _create_partitions("fallback_number")


def _create_partitions(table: str) -> None:
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{index} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )
