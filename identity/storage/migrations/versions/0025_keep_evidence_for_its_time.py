"""Let evidence be erased when its time is over, and its verdict stay.

Evidence that is there keeps standing; what is new is that it need not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_CHECK = "ck_verification_verdict_with_evidence"
_INDEX = "ix_verification_evidence_kept"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "verification",
        sa.Column(
            "evidence_erased_at",
            sa.DateTime(timezone=True),
            comment="by the policy's clock; the verdict stays",
        ),
    )
    op.drop_constraint(_CHECK, "verification")
    # What an undone migration left: see below.
    op.execute(
        "UPDATE verification SET evidence_sealed = NULL, evidence_erased_at = decided_at"
        " WHERE evidence_sealed = ''"
    )
    op.create_check_constraint(
        _CHECK,
        "verification",
        "(state = 'completed') = (verdict IS NOT NULL"
        " AND (evidence_sealed IS NOT NULL) <> (evidence_erased_at IS NOT NULL))",
    )
    op.create_index(
        _INDEX,
        "verification",
        ["decided_at", "verification_id"],
        postgresql_where=sa.text("evidence_sealed IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo. Erased evidence stays erased; empty octets, which open nowhere, stand in its place."""
    op.drop_index(_INDEX, "verification")
    op.drop_constraint(_CHECK, "verification")
    op.execute("UPDATE verification SET evidence_sealed = '' WHERE evidence_erased_at IS NOT NULL")
    op.create_check_constraint(
        _CHECK,
        "verification",
        "(state = 'completed') = (verdict IS NOT NULL AND evidence_sealed IS NOT NULL)",
    )
    op.drop_column("verification", "evidence_erased_at")
