"""Let a verification be of nobody's number, and give the service a key to sign with.

A session that an agency opened has no subscription and, until its card was read, no citizen.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "verification",
        sa.Column(
            "presence",
            postgresql.JSONB(),
            comment="an agency's grounds, no data; null for a number",
        ),
    )
    for column in ("subscription_id", "citizen_key"):
        op.alter_column("verification", column, nullable=True)
    _tell_columns(
        number="the session itself without a number",
        subscription="none where an agency checks who is present",
        citizen="whom it was opened for, or who was present",
    )
    op.create_check_constraint(
        "ck_verification_number_or_presence",
        "verification",
        "(presence IS NULL) = (subscription_id IS NOT NULL)",
    )
    op.create_check_constraint(
        "ck_verification_number_of_somebody",
        "verification",
        "presence IS NOT NULL OR citizen_key IS NOT NULL",
    )
    _create_signing_keys()


def downgrade() -> None:
    """Undo. Sessions of agencies are gone, and so are keys: what they signed proves nothing."""
    op.drop_table("signing_key")
    op.execute("DELETE FROM verification WHERE presence IS NOT NULL")
    for name in ("number_of_somebody", "number_or_presence"):
        op.drop_constraint(f"ck_verification_{name}", "verification")
    for column in ("subscription_id", "citizen_key"):
        op.alter_column("verification", column, nullable=False)
    _tell_columns(number=None, subscription=None, citizen="whom it was opened for")
    op.drop_column("verification", "presence")


def _tell_columns(*, number: str | None, subscription: str | None, citizen: str) -> None:
    op.alter_column("verification", "msisdn_key", comment=number)
    op.alter_column("verification", "subscription_id", comment=subscription)
    op.alter_column("verification", "citizen_key", comment=citizen)


def _create_signing_keys() -> None:
    op.create_table(
        "signing_key",
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="RFC 7638 thumbprint of the public key"
        ),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "private_key_sealed",
            sa.LargeBinary(),
            comment="destroyed when the key is retired",
        ),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("retired_at", _INSTANT, comment="since when another one signs"),
        sa.PrimaryKeyConstraint("key_id", name="pk_signing_key"),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (private_key_sealed IS NOT NULL)",
            name="ck_signing_key_signs_until_retired",
        ),
    )
    op.create_index(
        "uq_signing_key_in_use",
        "signing_key",
        [sa.text("(retired_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
