"""Keep how and when numbers ended, which records were merged, and counts of anomalies. Only adds.

Numbers that have ended already are not quarantined: how they ended was not kept.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "citizen",
        sa.Column(
            "is_merged",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="retired: the person's records stand under another personal ID",
        ),
    )
    op.add_column(
        "subscription",
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="last served; null for what was registered only",
        ),
    )
    op.add_column(
        "subscription",
        sa.Column(
            "ended_by", sa.Text(), nullable=True, comment="how; null where that was not kept"
        ),
    )
    op.add_column(
        "quality_day",
        sa.Column(
            "anomaly_counts",
            JSONB(),
            nullable=True,
            comment="counts by kind, no data; of all provinces only, where they were counted",
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("quality_day", "anomaly_counts")
    op.drop_column("subscription", "ended_by")
    op.drop_column("subscription", "ended_at")
    op.drop_column("citizen", "is_merged")
