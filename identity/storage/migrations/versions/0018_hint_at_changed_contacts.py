"""Keep whose contacts have changed, who cares and who was told; find reads under an embargo."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "contact_interest",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", "agency", name="pk_contact_interest"),
        postgresql_partition_by="HASH (citizen_key)",
    )
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE contact_interest_p{index} PARTITION OF contact_interest"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )
    op.create_index("ix_contact_interest_until", "contact_interest", ["until"])
    _create_feed()
    op.create_index(
        "ix_audit_entry_withheld",
        "audit_entry",
        ["citizen_key", "shown_from"],
        postgresql_where=sa.text("shown_from IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo; agencies must ask about everybody again."""
    op.drop_index("ix_audit_entry_withheld", "audit_entry")
    for table in ("contact_feed", "contact_hint", "contact_change", "contact_interest"):
        op.drop_table(table)


def _create_feed() -> None:
    op.create_table(
        "contact_change",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name="pk_contact_change"),
    )
    op.create_table(
        "contact_hint",
        sa.Column(
            "position",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="committed in this order",
        ),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("hinted_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_contact_hint"),
    )
    op.create_index("ix_contact_hint_agency", "contact_hint", ["agency", "position"])
    op.create_table(
        "contact_feed",
        sa.Column("only_row", sa.SmallInteger(), nullable=False, server_default=sa.text("1")),
        sa.Column(
            "pruned_position", sa.BigInteger(), nullable=False, comment="nothing up to it is kept"
        ),
        sa.PrimaryKeyConstraint("only_row", name="pk_contact_feed"),
        sa.CheckConstraint("only_row = 1", name="ck_contact_feed_only_row"),
    )
