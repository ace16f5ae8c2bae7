"""Owe the population authority what changes of its people's numbers.

What is verified already is owed at once, with what is known of it. Numbers that were disowned
without ever having been verified are not: whose word that was cannot be told from the case, which
outlives a transfer.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "subscriber_sequence",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_subscriber_sequence"),
        postgresql_partition_by="HASH (citizen_key)",
    )
    _create_partitions("subscriber_sequence")
    op.execute("CREATE SEQUENCE subscriber_update_order AS bigint")
    _create_subscriber_update()
    _create_partitions("subscriber_update")
    _create_indexes()
    _owe_what_is_verified()


def downgrade() -> None:
    """Undo."""
    op.drop_table("subscriber_update")
    op.execute("DROP SEQUENCE subscriber_update_order")
    op.drop_table("subscriber_sequence")


def _create_subscriber_update() -> None:
    op.create_table(
        "subscriber_update",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="of this citizen"),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("nextval('subscriber_update_order')"),
            nullable=False,
            comment="the order of handing out",
        ),
        sa.Column("link_state", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=True),
        sa.Column("disowned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("primary_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_sequence", sa.BigInteger(), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "acknowledged_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.PrimaryKeyConstraint("citizen_key", "subscription_id", name="pk_subscriber_update"),
        *_checks(),
        postgresql_partition_by="HASH (citizen_key)",
    )


def _checks() -> list[sa.CheckConstraint]:
    checks = {
        "acknowledged_sequence": "acknowledged_sequence <= sequence",
        "leased_sequence": "leased_sequence <= sequence",
        "lease": "(leased_sequence IS NULL) = (lease_id IS NULL)"
        " AND (lease_id IS NULL) = (lease_expires_at IS NULL)",
        "link_state": "link_state IN ('linked', 'mismatched', 'not_found', 'deceased')",
        "ended_by": "ended_by IN ('released', 'ported_out', 'terminated', 'transferred')",
        "no_primary_after_the_end": "ended_by IS NULL OR primary_since IS NULL",
    }
    return [
        sa.CheckConstraint(condition, name=f"ck_subscriber_update_{name}")
        for name, condition in checks.items()
    ]


def _create_indexes() -> None:
    table = "subscriber_update"
    keys = ["citizen_key", "sequence"]
    op.create_index("uq_subscriber_update_sequence", table, keys, unique=True)
    op.create_index(
        "uq_subscriber_update_primary",
        table,
        ["citizen_key"],
        unique=True,
        postgresql_where=sa.text("primary_since IS NOT NULL"),
    )
    op.create_index(
        "ix_subscriber_update_open",
        table,
        ["position"],
        postgresql_where=sa.text("acknowledged_sequence < sequence"),
    )
    op.create_index("ix_subscriber_update_subscription", table, ["subscription_id"])


def _owe_what_is_verified() -> None:
    op.execute(
        "INSERT INTO subscriber_update (citizen_key, subscription_id, msisdn_key, sequence,"
        " link_state, verified_at, policy_version, disowned_at, primary_since, changed_at)"
        " SELECT s.citizen_key, s.subscription_id, s.msisdn_key,"
        " row_number() OVER (PARTITION BY s.citizen_key ORDER BY s.verified_at, s.subscription_id),"
        " s.link_state, s.verified_at, v.verdict ->> 'policy_version', c.opened_at, p.set_at,"
        " s.updated_at"
        " FROM subscription s"
        " LEFT JOIN primary_number p"
        " ON p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id"
        " LEFT JOIN LATERAL (SELECT verdict FROM verification"
        "  WHERE verification.msisdn_key = s.msisdn_key"
        "  AND verification.subscription_id = s.subscription_id"
        "  AND verification.decided_at = s.verified_at"
        "  AND verification.verdict ->> 'state' = 'verified' LIMIT 1) v ON true"
        # A verification closes the case, so this one is the verified holder's own word.
        " LEFT JOIN LATERAL (SELECT opened_at FROM enforcement_case"
        "  WHERE enforcement_case.msisdn_key = s.msisdn_key"
        "  AND enforcement_case.subscription_id = s.subscription_id"
        "  AND enforcement_case.cause = 'disowned' AND enforcement_case.state = 'open'"
        "  LIMIT 1) c ON true"
        " WHERE s.service_state <> 'terminated' AND s.link_state = 'linked'"
        " AND s.verified_at IS NOT NULL"
        " ORDER BY s.citizen_key, s.verified_at, s.subscription_id"
    )
    op.execute(
        "INSERT INTO subscriber_sequence (citizen_key, last_sequence)"
        " SELECT citizen_key, max(sequence) FROM subscriber_update GROUP BY citizen_key"
    )


def _create_partitions(table: str) -> None:
    for remainder in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{remainder} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {remainder})"
        )
