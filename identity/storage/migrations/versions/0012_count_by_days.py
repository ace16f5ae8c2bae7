"""Find what happened within some days without reading what came before. Adds and drops indexes.

Orders are made in the order of time and few pages hold two days of them, so that the bounds of each
32 pages (BRIN) are enough: an order costs nothing more to write, lease or execute. Orders of a
number are looked up by the whole key of its subscription, in the one partition that has them.

Adds when an order was first handed out, and when it was overtaken; of those that are by now nobody
knows, and they stay counted nowhere.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "directive",
        sa.Column(
            "handed_at",
            sa.DateTime(timezone=True),
            comment="first leased: it was not executed before",
        ),
    )
    op.add_column(
        "directive",
        sa.Column(
            "superseded_at",
            sa.DateTime(timezone=True),
            comment="null too where it was before this was kept",
        ),
    )
    op.create_check_constraint(
        "ck_directive_superseded_at",
        "directive",
        "superseded_at IS NULL OR state = 'superseded'",
    )
    op.create_index(
        "ix_directive_created_at",
        "directive",
        ["created_at"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
    )
    is_closed = sa.text("closed_at IS NOT NULL")
    op.create_index(
        "ix_enforcement_case_closed_at",
        "enforcement_case",
        ["closed_at"],
        postgresql_where=is_closed,
    )
    op.create_index(
        "ix_enforcement_case_wave_id",
        "enforcement_case",
        ["wave_id", "msisdn_key"],
        postgresql_where=sa.text("wave_id IS NOT NULL"),
    )
    op.create_index("ix_reconciliation_finished_at", "reconciliation", ["finished_at"])
    op.drop_index("ix_complaint_filed_at", "complaint")
    op.create_index("ix_complaint_filed_at", "complaint", ["filed_at", "operator_id"])
    op.drop_index("ix_directive_subscription", "directive")


def downgrade() -> None:
    """Undo."""
    op.create_index("ix_directive_subscription", "directive", ["subscription_id"])
    op.drop_index("ix_complaint_filed_at", "complaint")
    op.create_index("ix_complaint_filed_at", "complaint", ["operator_id", "filed_at"])
    op.drop_index("ix_reconciliation_finished_at", "reconciliation")
    op.drop_index("ix_enforcement_case_wave_id", "enforcement_case")
    op.drop_index("ix_enforcement_case_closed_at", "enforcement_case")
    op.drop_index("ix_directive_created_at", "directive")
    op.drop_column("directive", "superseded_at")
    op.drop_column("directive", "handed_at")
