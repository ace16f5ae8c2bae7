"""Keep messages to citizens, the templates of agencies, and who was asked to confirm a number."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)
_COMES_BACK = "state = 'leased' AND lease_expires_at < expires_at"


def upgrade() -> None:
    """Apply."""
    _create_message()
    _create_template()
    op.add_column(
        "primary_number",
        sa.Column("asked_at", _INSTANT, comment="when the citizen was asked last to confirm it"),
    )
    op.create_index(
        "ix_primary_number_unasked",
        "primary_number",
        ["confirmed_at", "citizen_key"],
        postgresql_where=sa.text("asked_at IS NULL OR asked_at < confirmed_at"),
    )


def downgrade() -> None:
    """Undo; messages are gone, those that wait too."""
    op.drop_index("ix_primary_number_unasked", "primary_number")
    op.drop_column("primary_number", "asked_at")
    op.drop_table("notification_template")
    op.drop_table("message")
    op.execute("DROP SEQUENCE message_order")


def _create_message() -> None:
    op.execute("CREATE SEQUENCE message_order AS bigint")
    op.create_table(
        "message",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("nextval('message_order')"),
        ),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            nullable=False,
            comment="0 safety, 1 tidings, 2 legal, 3 service",
        ),
        sa.Column(
            "template", sa.Text(), nullable=False, comment="an agency's, or a kind of tidings"
        ),
        sa.Column(
            "text_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="the words by language, filled",
        ),
        sa.Column("agency", sa.Text()),
        sa.Column("purpose", sa.Text()),
        sa.Column("legal_basis", sa.Text()),
        sa.Column("case_id", sa.Text()),
        sa.Column("msisdn_key", sa.LargeBinary()),
        sa.Column("subscription_id", sa.Uuid()),
        sa.Column("operator_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Uuid()),
        sa.Column("lease_expires_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False, comment="handed to nobody from then on"),
        sa.Column("handed_at", _INSTANT, comment="first leased"),
        sa.Column("done_at", _INSTANT),
        sa.Column("failure", sa.Text(), comment="a code"),
        sa.PrimaryKeyConstraint("citizen_key", "message_id", name="pk_message"),
        *_message_checks(),
        postgresql_partition_by="HASH (citizen_key)",
    )
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE message_p{index} PARTITION OF message"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )
    _index_message()


def _message_checks() -> list[sa.CheckConstraint]:
    conditions = {
        "state": "state IN ('pending', 'leased', 'delivered', 'failed', 'expired')",
        "done_at": "(state IN ('pending', 'leased')) = (done_at IS NULL)",
        "lease_id": "(state = 'leased') = (lease_id IS NOT NULL)",
        "lease_expires_at": "(state = 'leased') = (lease_expires_at IS NOT NULL)",
        "failure": "(state = 'failed') = (failure IS NOT NULL)",
        "agency": "num_nulls(agency, purpose, legal_basis) IN (0, 3)",
        "number": "num_nulls(msisdn_key, subscription_id, operator_id) IN (0, 3)",
        "operator_id": "operator_id IS NOT NULL OR done_at IS NOT NULL",
        "priority": "priority BETWEEN 0 AND 3",
    }
    return [
        sa.CheckConstraint(condition, name=f"ck_message_{name}")
        for name, condition in conditions.items()
    ]


def _index_message() -> None:
    indexes = {
        "ready": (["operator_id", "priority", "position"], "state = 'pending'"),
        "out": (["operator_id", "lease_expires_at"], _COMES_BACK),
        "expires_at": (["expires_at"], "state IN ('pending', 'leased')"),
        "agency": (["agency", "created_at", "message_id"], "agency IS NOT NULL"),
    }
    for name, (columns, where) in indexes.items():
        op.create_index(f"ix_message_{name}", "message", columns, postgresql_where=sa.text(where))
    op.create_index("ix_message_message_id", "message", ["message_id"])


def _create_template() -> None:
    op.create_table(
        "notification_template",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("length_max", sa.Integer(), nullable=False, comment="UTF-16 units, filled"),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("agency", "name", name="pk_notification_template"),
        sa.CheckConstraint(
            "urgency IN ('service', 'legal', 'safety')", name="ck_notification_template_urgency"
        ),
        sa.CheckConstraint("length_max > 0", name="ck_notification_template_length_max"),
    )
