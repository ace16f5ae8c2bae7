"""Hold clocks, remember waves, keep disputes, complaints and what operators sign.

A directive no longer repeats the words of its pack, nor the number of its subscription: it names
both. Those of before get the pack and ladder of the case that led to them. The ladder T4 moved to a
pack of its own regulation, and with it the cases that are on it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_INSTANT = sa.DateTime(timezone=True)
_DUE = "state = 'open' AND frozen_at IS NULL AND NOT waits_for_wave"
_FOR_WAVES = "state = 'open' AND frozen_at IS NULL AND waits_for_wave"


def upgrade() -> None:
    """Apply."""
    _hold_cases()
    _name_packs()
    _create_waves()
    _create_disputes()
    _create_records()


def downgrade() -> None:
    """Undo; the words of directives are gone, and so are open ones."""
    for name in ("policy_pack", "reconciliation", "acknowledgement", "signing_certificate"):
        op.drop_table(name)
    for name in ("complaint", "dispute"):
        op.drop_table(name)
    for name in ("wave_slice", "wave_approval", "wave"):
        op.drop_table(name)
    op.execute("DELETE FROM directive WHERE state IN ('pending', 'leased')")
    for name in (
        *("policy_version", "track", "is_primary", "is_last_number"),
        *("upcoming_kind", "upcoming_at", "wave_id", "failure"),
    ):
        op.drop_column("directive", name)
    for name in ("citation", "cure"):
        column = sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False)
        op.add_column("directive", column)
        op.alter_column("directive", name, server_default=None)
    sealed = sa.Column(
        "msisdn_sealed", sa.LargeBinary(), server_default=sa.text("''"), nullable=False
    )
    op.add_column("directive", sealed)
    op.alter_column("directive", "msisdn_sealed", server_default=None)
    # A pack and causes that were not known before.
    op.execute(
        "UPDATE enforcement_case SET policy_version = 'vn-2026-04-15'"
        " WHERE policy_version = 'vn-decree-49-2017' AND track = 'T4'"
    )
    op.execute(
        "UPDATE enforcement_case SET cause = 'unverified'"
        " WHERE cause IN ('face_under_another_id', 'operator_report')"
    )
    op.drop_index("ix_enforcement_case_wave", "enforcement_case")
    op.drop_index("ix_enforcement_case_due", "enforcement_case")
    for name in ("frozen_at", "waits_for_wave", "wave_id", "wave_due_at"):
        op.drop_column("enforcement_case", name)
    op.create_index(
        "ix_enforcement_case_due",
        "enforcement_case",
        ["next_due_at"],
        postgresql_where=sa.text("state = 'open'"),
    )


def _hold_cases() -> None:
    for column in (
        sa.Column("frozen_at", _INSTANT, comment="since when a dispute holds its clock"),
        sa.Column(
            "waits_for_wave",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="its next step is left to waves: the clock passes it by",
        ),
        sa.Column("wave_id", sa.Uuid(), comment="the wave that took its last step left to waves"),
        sa.Column(
            "wave_due_at", _INSTANT, comment="when that step was due: what a revert puts back"
        ),
    ):
        op.add_column("enforcement_case", column)
    op.drop_index("ix_enforcement_case_due", "enforcement_case")
    op.create_index(
        "ix_enforcement_case_due",
        "enforcement_case",
        ["next_due_at", "case_id"],
        postgresql_where=sa.text(_DUE),
    )
    op.create_index(
        "ix_enforcement_case_wave",
        "enforcement_case",
        ["track", "msisdn_key"],
        postgresql_where=sa.text(_FOR_WAVES),
    )
    op.execute(
        "UPDATE enforcement_case SET policy_version = 'vn-decree-49-2017'"
        " WHERE policy_version = 'vn-2026-04-15' AND track = 'T4'"
    )
    op.execute(
        "UPDATE enforcement_case SET waits_for_wave = true WHERE state = 'open'"
        " AND policy_version = 'vn-2026-04-15' AND track = 'T2' AND steps_taken = 5"
    )


def _name_packs() -> None:
    for column in (
        sa.Column("policy_version", sa.Text(), comment="null for RESTORE, which no pack orders"),
        sa.Column("track", sa.Text()),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_last_number", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("upcoming_kind", sa.Text(), comment="what happens to the number next"),
        sa.Column("upcoming_at", _INSTANT),
        sa.Column("wave_id", sa.Uuid()),
        sa.Column("failure", sa.Text(), comment="why it failed last, as its operator says"),
    ):
        op.add_column("directive", column)
    op.execute(
        "UPDATE directive AS d SET policy_version = e.policy_version, track = e.track"
        " FROM enforcement_case AS e"
        " WHERE e.msisdn_key = d.msisdn_key AND e.subscription_id = d.subscription_id"
        " AND e.cause = d.causes[1] AND e.opened_at <= d.created_at"
        " AND (e.closed_at IS NULL OR e.closed_at >= d.created_at)"
    )
    # The cause of a case may be another one since: nobody is blocked without a rule and a way out.
    op.execute(
        "UPDATE directive AS d SET (policy_version, track) = (SELECT e.policy_version, e.track"
        " FROM enforcement_case AS e"
        " WHERE e.msisdn_key = d.msisdn_key AND e.subscription_id = d.subscription_id"
        " AND e.opened_at <= d.created_at"
        " AND (e.closed_at IS NULL OR e.closed_at >= d.created_at)"
        " ORDER BY e.steps_taken DESC, e.case_id LIMIT 1)"
        " WHERE d.policy_version IS NULL AND d.kind <> 'restore'"
    )
    for name in ("msisdn_sealed", "citation", "cure"):
        op.drop_column("directive", name)


def _create_waves() -> None:
    op.create_table(
        "wave",
        sa.Column("wave_id", sa.Uuid(), nullable=False),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("preview", JSONB(), nullable=False, comment="counts, no data"),
        sa.Column(
            "round",
            sa.Integer(),
            nullable=False,
            comment="approvals of earlier rounds do not count",
        ),
        sa.Column("slice_count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("wave_id", name="pk_wave"),
        sa.CheckConstraint(
            "state IN ('previewed', 'approved', 'running', 'stopped', 'completed', 'reverted')",
            name="ck_wave_state",
        ),
        sa.CheckConstraint("slice_count > 0", name="ck_wave_slice_count"),
    )
    op.create_table(
        "wave_approval",
        sa.Column("wave_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("approved_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("wave_id", "round", "approver", name="pk_wave_approval"),
    )
    op.create_table(
        "wave_slice",
        sa.Column("wave_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("directive_count", sa.BigInteger(), nullable=False),
        sa.Column("executed_at", _INSTANT, nullable=False),
        sa.Column("reverted_at", _INSTANT),
        sa.Column("reverted_count", sa.BigInteger()),
        sa.PrimaryKeyConstraint("wave_id", "place", name="pk_wave_slice"),
    )


def _create_disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column(
            "holder_key", sa.LargeBinary(), nullable=False, comment="citizen the contract names"
        ),
        sa.Column(
            "claimant_key", sa.LargeBinary(), nullable=False, comment="citizen who opened it"
        ),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("opener", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("deadline", _INSTANT, nullable=False),
        sa.Column(
            "evidence", JSONB(), nullable=False, comment="kinds, digests and places, no data"
        ),
        sa.Column("words", JSONB(), nullable=False, comment="who of the regulator said what"),
        sa.Column("appeals", JSONB(), nullable=False, comment="sides that have appealed"),
        sa.Column("decision", sa.Text(), comment="in force; null without one"),
        sa.Column("closed_at", _INSTANT),
        sa.PrimaryKeyConstraint("msisdn_key", "dispute_id", name="pk_dispute"),
        sa.CheckConstraint("holder_key <> claimant_key", name="ck_dispute_claimant"),
        sa.CheckConstraint(
            "decision IN ('holder', 'claimant', 'nobody')", name="ck_dispute_decision"
        ),
        sa.CheckConstraint(
            "state IN ('open', 'decided', 'appealed', 'closed')", name="ck_dispute_state"
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name="ck_dispute_closed_at"
        ),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    _partition("dispute")
    is_open = sa.text("state <> 'closed'")
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["msisdn_key", "subscription_id"],
        unique=True,
        postgresql_where=is_open,
    )
    op.create_index("ix_dispute_dispute_id", "dispute", ["dispute_id"])
    op.create_index("ix_dispute_deadline", "dispute", ["deadline"], postgresql_where=is_open)


def _create_records() -> None:
    op.create_table(
        "complaint",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False, comment="day in Viet Nam"),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("filed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("msisdn_key", "subscription_id", "filed_on", name="pk_complaint"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    _partition("complaint")
    op.create_index("ix_complaint_filed_at", "complaint", ["operator_id", "filed_at"])
    _create_acknowledgements()
    op.create_table(
        "reconciliation",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT),
        sa.Column("compared_count", sa.BigInteger(), nullable=False),
        sa.Column("drift_count", sa.BigInteger(), nullable=False),
        sa.Column(
            "false_count",
            sa.BigInteger(),
            nullable=False,
            comment="acknowledged, and reported otherwise",
        ),
        sa.Column("unreported_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "request_id", name="pk_reconciliation"),
    )
    op.create_table(
        "policy_pack",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "text_digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of its meaning"
        ),
        sa.Column("first_used_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_policy_pack"),
    )


def _create_acknowledgements() -> None:
    op.create_table(
        "signing_certificate",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="SHA-256 of the DER"),
        sa.Column("certificate", sa.LargeBinary(), nullable=False, comment="DER"),
        sa.Column("first_used_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_signing_certificate"),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("signed_text", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="of the certificate"),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("caller", "request_id", name="pk_acknowledgement"),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["signing_certificate.fingerprint"],
            name="fk_acknowledgement_signing_certificate",
        ),
    )


def _partition(table: str) -> None:
    for remainder in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{remainder} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {remainder})"
        )
