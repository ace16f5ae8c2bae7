"""Tell changes of what a citizen wants from changes of their numbers, until they are passed on."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "contact_change",
        sa.Column(
            "is_wish",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="what the citizen wants of agencies has changed",
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("contact_change", "is_wish")
