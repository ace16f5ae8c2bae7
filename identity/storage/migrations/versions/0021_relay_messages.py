"""Keep what stands for a number towards an agency that may not have the number."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "relay",
        sa.Column(
            "token_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed; the token is not stored",
        ),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_relay"),
    )
    op.create_index("ix_relay_expires_at", "relay", ["expires_at"])


def downgrade() -> None:
    """Undo; every token ends."""
    op.drop_table("relay")
