"""Hold abuse back: count attempts that fail, know photographs again, watch look-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "verification_attempt",
        sa.Column(
            "subject_key", sa.LargeBinary(), nullable=False, comment="of a citizen or of a number"
        ),
        sa.Column(
            "channel", sa.Text(), nullable=False, comment="the citizen apps, or one operator"
        ),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("subject_key", "channel", name="pk_verification_attempt"),
        sa.CheckConstraint("failed_count >= 0", name="ck_verification_attempt_failed_count"),
    )
    _add_probes()
    op.create_table(
        "lookup_watch",
        sa.Column("caller", sa.Text(), nullable=False, comment="role and name"),
        sa.Column(
            "shard",
            sa.SmallInteger(),
            nullable=False,
            comment="so that one call waits for few others",
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="of Viet Nam"),
        sa.Column("asked_count", sa.BigInteger(), nullable=False),
        sa.Column("unknown_count", sa.BigInteger(), nullable=False),
        sa.Column("sequential_count", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", _INSTANT, comment="until the regulator lets it go on"),
        sa.PrimaryKeyConstraint("caller", "shard", name="pk_lookup_watch"),
        sa.CheckConstraint(
            "0 <= unknown_count AND unknown_count <= asked_count"
            " AND 0 <= sequential_count AND sequential_count <= asked_count",
            name="ck_lookup_watch_counts",
        ),
    )
    for table in ("probe_mark", "probe_conflict"):
        _add_partitions(table)


def _add_probes() -> None:
    op.create_table(
        "probe_mark",
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="keyed digest"),
        sa.Column(
            "photograph_id",
            sa.Uuid(),
            nullable=False,
            comment="one for the marks of one photograph",
        ),
        sa.Column(
            "is_exact",
            sa.Boolean(),
            nullable=False,
            comment="of the bytes; else of a part of the look",
        ),
        sa.Column(
            "citizen_key", sa.LargeBinary(), nullable=False, comment="whom it was presented for"
        ),
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("mark", "photograph_id", name="pk_probe_mark"),
        postgresql_partition_by="HASH (mark)",
    )
    op.create_index("ix_probe_mark_citizen_key", "probe_mark", ["citizen_key"])
    op.create_index("ix_probe_mark_used_at", "probe_mark", ["used_at"])
    op.create_table(
        "probe_conflict",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False, comment="one of the two"),
        sa.Column("verification_id", sa.Uuid(), nullable=False, comment="in which it was found"),
        sa.Column("found_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", "verification_id", name="pk_probe_conflict"),
        postgresql_partition_by="HASH (citizen_key)",
    )


def _add_partitions(table: str) -> None:
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{index} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )


def downgrade() -> None:
    """Undo; failures, marks of photographs, flags, counts and stops are gone."""
    for table in ("lookup_watch", "probe_conflict", "probe_mark", "verification_attempt"):
        op.drop_table(table)
