"""Keep the reference of each verified citizen, and the cohorts drawn from them. Only adds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8
"""As for every other table of citizens."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "face_reference",
        sa.Column(
            "citizen_key",
            sa.LargeBinary(),
            nullable=False,
            comment="blind index of the personal ID",
        ),
        sa.Column("template_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "model_digest",
            sa.Text(),
            nullable=False,
            comment="mark of the network, its precision and views",
        ),
        sa.Column(
            "portrait_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="to enrol again when the network changes",
        ),
        sa.Column("card_issued_on_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_face_reference"),
        postgresql_partition_by="HASH (citizen_key)",
    )
    for remainder in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE face_reference_p{remainder} PARTITION OF face_reference "
            f"FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {remainder})"
        )
    op.create_table(
        "face_cohort",
        sa.Column("cohort_digest", sa.Text(), nullable=False, comment="SHA-256: its version"),
        sa.Column("model_digest", sa.Text(), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("cohort_sealed", sa.LargeBinary(), nullable=False, comment="no identities"),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when a server last started with it",
        ),
        sa.CheckConstraint("member_count > 0", name="ck_face_cohort_member_count"),
        sa.PrimaryKeyConstraint("cohort_digest", name="pk_face_cohort"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("face_cohort")
    op.drop_table("face_reference")
