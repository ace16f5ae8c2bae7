"""Hold guessing back: count matching that fails and false answers; keep when a device changed.

When a device changed before is taken from what operators reported: the instant at which they did,
which is never earlier than the change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)

TAKE_REPORTED_CHANGES = """
UPDATE subscription SET device_changed_at = reported.at
  FROM (SELECT msisdn_key, max(occurred_at) AS at FROM audit_entry
         WHERE action = 'report_device_change' AND outcome = 'applied' GROUP BY msisdn_key)
       AS reported
 WHERE subscription.msisdn_key = reported.msisdn_key
   AND subscription.service_state <> 'terminated' AND subscription.created_at <= reported.at
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "match_watch",
        sa.Column("name", sa.Text(), nullable=False, comment="of the agency"),
        sa.Column("day", sa.Date(), nullable=False, comment="of Viet Nam"),
        sa.Column("people_count", sa.BigInteger(), nullable=False),
        sa.Column("failed_count", sa.BigInteger(), nullable=False, comment="unknown or different"),
        sa.Column("stopped_at", _INSTANT, comment="until the regulator lets it go on"),
        sa.PrimaryKeyConstraint("name", name="pk_match_watch"),
        sa.CheckConstraint(
            "0 <= failed_count AND failed_count <= people_count", name="ck_match_watch_counts"
        ),
    )
    op.create_table(
        "kyc_guess",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="of Viet Nam"),
        sa.Column("false_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("msisdn_key", name="pk_kyc_guess"),
        sa.CheckConstraint("false_count >= 0", name="ck_kyc_guess_false_count"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE kyc_guess_p{index} PARTITION OF kyc_guess"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )
    op.add_column("subscription", sa.Column("device_changed_at", _INSTANT))
    op.execute(TAKE_REPORTED_CHANGES)


def downgrade() -> None:
    """Undo; counts, stops and when devices changed are gone."""
    op.drop_column("subscription", "device_changed_at")
    for table in ("kyc_guess", "match_watch"):
        op.drop_table(table)
