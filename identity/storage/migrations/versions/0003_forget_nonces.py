"""Keep a keyed digest of a session's nonce instead of the nonce, and whom the session is for.

Sessions that are open while this runs cannot be completed: their nonces were drawn, and are now
derived. They are ended; their callers start others, as after any session that ran out. Sessions of
before name no citizen, and no citizen has this key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "verification",
        sa.Column(
            "citizen_key",
            sa.LargeBinary(),
            nullable=False,
            server_default="",
            comment="whom it was opened for",
        ),
    )
    op.add_column(
        "verification",
        sa.Column(
            "nonce_digest",
            sa.LargeBinary(),
            nullable=False,
            server_default="",
            comment="keyed; the nonce is not stored",
        ),
    )
    op.add_column(
        "verification",
        sa.Column(
            "nonce_expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="1970-01-01T00:00:00Z",
        ),
    )
    op.execute("UPDATE verification SET expires_at = created_at WHERE state = 'pending'")
    for column in ("citizen_key", "nonce_digest", "nonce_expires_at"):
        op.alter_column("verification", column, server_default=None)
    op.drop_column("verification", "nonce_sealed")
    op.create_index("ix_verification_nonce_digest", "verification", ["nonce_digest"])


def downgrade() -> None:
    """Undo. Open sessions end here as well: their nonces are not stored to be sealed."""
    op.drop_index("ix_verification_nonce_digest", "verification")
    op.add_column(
        "verification",
        sa.Column("nonce_sealed", sa.LargeBinary(), nullable=False, server_default=""),
    )
    op.alter_column("verification", "nonce_sealed", server_default=None)
    op.execute("UPDATE verification SET expires_at = created_at WHERE state = 'pending'")
    for column in ("nonce_expires_at", "nonce_digest", "citizen_key"):
        op.drop_column("verification", column)
