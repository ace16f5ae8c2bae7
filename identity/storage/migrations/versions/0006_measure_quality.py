"""Keep how good the data were on each day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "quality_day",
        sa.Column("day", sa.Date(), nullable=False, comment="in Viet Nam, UTC+7"),
        sa.Column("operator_id", sa.Text(), nullable=False, comment="empty: all operators"),
        sa.Column("province_code", sa.Text(), nullable=False, comment="empty: all; 00: not known"),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "row_counts", postgresql.JSONB(), nullable=False, comment="counts by name, no data"
        ),
        sa.Column(
            "book_counts",
            postgresql.JSONB(),
            nullable=True,
            comment="counts by name; of all provinces only",
        ),
        sa.PrimaryKeyConstraint("day", "operator_id", "province_code", name="pk_quality_day"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("quality_day")
