"""Let guardians act for children, and organisations lend their numbers to employees.

No number of before is a company's line.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _create_arrangements()
    _create_indexes()
    op.add_column(
        "subscription",
        sa.Column(
            "is_company_line",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="an organisation's on contract, as its user has agreed",
        ),
    )


def downgrade() -> None:
    """Undo; what was agreed is gone."""
    op.drop_column("subscription", "is_company_line")
    op.drop_table("arrangement")


def _create_arrangements() -> None:
    op.create_table(
        "arrangement",
        sa.Column(
            "citizen_key", sa.LargeBinary(), nullable=False, comment="of the child or the employee"
        ),
        sa.Column("arrangement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "proposer_key",
            sa.LargeBinary(),
            nullable=False,
            comment="of the guardian, or blind index of the organisation's code",
        ),
        sa.Column(
            "parties_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="who they are, and the number",
        ),
        sa.Column("msisdn_key", sa.LargeBinary(), comment="of a company's number"),
        sa.Column("subscription_id", sa.Uuid()),
        sa.Column("operator_id", sa.Text(), comment="who serves it"),
        sa.Column("proposed_at", _INSTANT, nullable=False),
        sa.Column("lapses_at", _INSTANT, nullable=False),
        sa.Column("attested_at", _INSTANT),
        sa.Column("attester", sa.Text()),
        sa.Column("document_digest", sa.LargeBinary(), comment="SHA-256 of the papers"),
        sa.Column("accepted_at", _INSTANT, comment="by the child or the employee"),
        sa.Column("agreed_at", _INSTANT),
        sa.Column(
            "guardian_place", sa.SmallInteger(), comment="from 1, of a guardianship that holds"
        ),
        sa.Column(
            "majority_key", sa.LargeBinary(), comment="blind index of the day on which it ends"
        ),
        sa.Column("closed_at", _INSTANT),
        sa.Column("end_cause", sa.Text()),
        sa.PrimaryKeyConstraint("citizen_key", "arrangement_id", name="pk_arrangement"),
        *_checks(),
        postgresql_partition_by="HASH (citizen_key)",
    )
    for index in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE arrangement_p{index} PARTITION OF arrangement"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {index})"
        )


def _checks() -> list[sa.CheckConstraint]:
    checks = {
        "kind": "kind IN ('guardianship', 'company_line')",
        "state": "state IN ('proposed', 'agreed', 'refused', 'lapsed', 'ended')",
        "closed_at": "(state IN ('proposed', 'agreed')) = (closed_at IS NULL)",
        "end_cause": "(state = 'ended') = (end_cause IS NOT NULL)",
        "agreed_at": "state <> 'agreed' OR agreed_at IS NOT NULL",
        "line": "num_nulls(msisdn_key, subscription_id, operator_id)"
        " = CASE kind WHEN 'company_line' THEN 0 ELSE 3 END",
        "papers": "num_nulls(attested_at, attester, document_digest) IN (0, 3)",
        "guardian": "num_nulls(guardian_place, majority_key)"
        " = CASE WHEN kind = 'guardianship' AND state = 'agreed' THEN 0 ELSE 2 END",
    }
    return [
        sa.CheckConstraint(condition, name=f"ck_arrangement_{name}")
        for name, condition in checks.items()
    ]


def _create_indexes() -> None:
    _index("ix_arrangement_proposer", ["proposer_key", "arrangement_id"])
    _index("ix_arrangement_arrangement_id", ["arrangement_id"])
    is_open = "state IN ('proposed', 'agreed')"
    _index(
        "uq_arrangement_guardianship",
        ["citizen_key", "proposer_key"],
        where=f"kind = 'guardianship' AND {is_open}",
        unique=True,
    )
    _index(
        "uq_arrangement_company_line",
        ["citizen_key", "subscription_id"],
        where=f"kind = 'company_line' AND {is_open}",
        unique=True,
    )
    _index(
        "uq_arrangement_guardian_place",
        ["citizen_key", "guardian_place"],
        where="guardian_place IS NOT NULL",
        unique=True,
    )
    _index("ix_arrangement_lapses_at", ["lapses_at", "citizen_key"], where="state = 'proposed'")
    _index("ix_arrangement_majority_key", ["majority_key"], where="majority_key IS NOT NULL")


def _index(
    name: str, columns: list[str], *, where: str | None = None, unique: bool = False
) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(name, "arrangement", columns, unique=unique, postgresql_where=condition)
