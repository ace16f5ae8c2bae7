"""Know which sealing keys were ever used. Only adds.

Until now nothing rotated keys, so the one that sealed the registry's own constant is the one that
sealed everything; whatever else a ring holds is written down by the next start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sealing_key",
        sa.Column("key_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "key_check",
            sa.LargeBinary(),
            nullable=False,
            comment="a constant, sealed with this key",
        ),
        sa.Column(
            "last_active_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when somebody last said that new values are sealed with it",
        ),
        sa.Column(
            "retired_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="no value used it any more",
        ),
        sa.CheckConstraint("key_id BETWEEN 1 AND 4294967295", name=op.f("ck_sealing_key_key_id")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_sealing_key")),
    )
    op.execute(
        "INSERT INTO sealing_key (key_id, key_check, last_active_at)"
        " SELECT ('x' || lpad(encode(substring(key_check_sealed from 2 for 4), 'hex'), 16, '0'))"
        "::bit(64)::bigint, key_check_sealed, now() FROM registry"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("sealing_key")
