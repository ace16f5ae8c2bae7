"""Keep people's requests, objections and secrets, and find what is theirs.

Values that were sealed before stay as they are: they open without a secret, and are deleted when
their person is erased.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"
_TABLES = ("restriction", "data_request", "citizen_secret")
_KINDS = "'export', 'objection', 'withdrawal', 'restriction', 'release', 'erasure'"


def upgrade() -> None:
    """Apply."""
    _create_restriction()
    _create_data_request()
    op.create_table(
        "citizen_secret",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_citizen_secret"),
        postgresql_partition_by=_BY_CITIZEN,
    )
    for table in _TABLES:
        _create_partitions(table)
    _index_requests()
    _index_people()


def downgrade() -> None:
    """Undo; whatever was sealed with a secret cannot be opened any more."""
    op.drop_index("ix_request_created_at", "request")
    op.drop_index("ix_dispute_claimant_key", "dispute")
    op.drop_index("ix_dispute_holder_key", "dispute")
    op.drop_index("ix_subscription_ended_of_citizen", "subscription")
    op.drop_index("ix_verification_citizen_key", "verification")
    for table in _TABLES:
        op.drop_table(table)


def _create_restriction() -> None:
    op.create_table(
        "restriction",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "objected_purposes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="of agencies' contacts",
        ),
        sa.Column("is_restricted", sa.Boolean(), nullable=False, comment="processing is suspended"),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_restriction"),
        postgresql_partition_by=_BY_CITIZEN,
    )


def _create_data_request() -> None:
    op.create_table(
        "data_request",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("data_request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("acknowledge_by", _INSTANT, nullable=False),
        sa.Column("act_by", _INSTANT, nullable=False),
        sa.Column("acknowledged_at", _INSTANT),
        sa.Column("closed_at", _INSTANT),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text(), comment="why it was refused; names no person"),
        sa.Column(
            "proof",
            postgresql.JSONB(),
            comment="of an erasure: digest of the secret and counts, no data",
        ),
        sa.PrimaryKeyConstraint("citizen_key", "data_request_id", name="pk_data_request"),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name="ck_data_request_kind"),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name="ck_data_request_outcome"),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)", name="ck_data_request_closed_at"
        ),
        sa.CheckConstraint(
            "(outcome = 'refused') = (reason IS NOT NULL)", name="ck_data_request_reason"
        ),
        postgresql_partition_by=_BY_CITIZEN,
    )


def _index_requests() -> None:
    op.create_index(
        "uq_data_request_open_erasure",
        "data_request",
        ["citizen_key"],
        unique=True,
        postgresql_where=sa.text("kind = 'erasure' AND closed_at IS NULL"),
    )
    op.create_index("ix_data_request_data_request_id", "data_request", ["data_request_id"])
    op.create_index(
        "ix_data_request_open",
        "data_request",
        ["act_by"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_data_request_late",
        "data_request",
        ["act_by"],
        postgresql_where=sa.text("closed_at > act_by OR acknowledged_at > acknowledge_by"),
    )


def _index_people() -> None:
    """Ways to everything of one person that nothing else asks for by the person."""
    op.create_index("ix_verification_citizen_key", "verification", ["citizen_key"])
    op.create_index(
        "ix_subscription_ended_of_citizen",
        "subscription",
        ["citizen_key"],
        postgresql_where=sa.text("service_state = 'terminated'"),
    )
    op.create_index("ix_dispute_holder_key", "dispute", ["holder_key"])
    op.create_index("ix_dispute_claimant_key", "dispute", ["claimant_key"])
    op.create_index("ix_request_created_at", "request", ["created_at"], postgresql_using="brin")


def _create_partitions(table: str) -> None:
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{index} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )
