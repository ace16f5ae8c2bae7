"""Register agencies: what each may ask, what it asked; and tell of a read its case and embargo.

What was read before had neither.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _create_agencies()
    op.create_table(
        "agency_use",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="of Viet Nam"),
        sa.Column("people_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "purpose", "day", name="pk_agency_use"),
        sa.CheckConstraint("people_count >= 0", name="ck_agency_use_people_count"),
    )
    op.add_column("audit_entry", sa.Column("case_id", sa.Text(), comment="the agency's own file"))
    op.add_column(
        "audit_entry",
        sa.Column("shown_from", _INSTANT, comment="a court's embargo; null without one"),
    )
    op.add_column(
        "audit_entry", sa.Column("fields", sa.Text(), comment="what was given away, by commas")
    )


def downgrade() -> None:
    """Undo; grants, quotas and what the records of reads held of them are gone."""
    for column in ("fields", "shown_from", "case_id"):
        op.drop_column("audit_entry", column)
    for table in ("agency_use", "agency_grant", "agency"):
        op.drop_table(table)


def _create_agencies() -> None:
    op.create_table(
        "agency",
        sa.Column("name", sa.Text(), nullable=False, comment="as in its certificate"),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("registered_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_agency"),
    )
    op.create_table(
        "agency_grant",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("legal_bases", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("people_per_day_max", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "purpose", name="pk_agency_grant"),
        sa.ForeignKeyConstraint(
            ["name"], ["agency.name"], name="fk_agency_grant_agency", ondelete="CASCADE"
        ),
        sa.CheckConstraint("people_per_day_max >= 0", name="ck_agency_grant_people_per_day_max"),
    )
