"""Create the registry: every table, its partitions, and the append-only audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITION_COUNT = 8
"""Partitions of each table: enough to spread vacuum and index work, few enough to plan quickly."""

_PARTITIONED = (
    "citizen",
    "subscription",
    "holding",
    "primary_number",
    "verification",
    "enforcement_case",
    "directive",
)
_TABLES = (
    "citizen",
    "subscription",
    "holding",
    "primary_number",
    "verification",
    "enforcement_case",
    "directive",
    "request",
    "import_batch",
    "enforcement_clock",
    "registry",
    "audit_entry",
)

_REFUSE_CHANGE = """
CREATE FUNCTION audit_entry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse_change();
"""


def upgrade() -> None:
    """Apply."""
    _create_citizen()
    _create_subscription()
    _create_holding()
    _create_primary_number()
    _create_verification()
    _create_enforcement_case()
    _create_directive()
    _create_request()
    _create_import_batch()
    _create_enforcement_clock()
    _create_registry()
    _create_audit_entry()
    for table in _PARTITIONED:
        _create_partitions(table)
    op.execute(_REFUSE_CHANGE)


def downgrade() -> None:
    """Undo."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DROP SEQUENCE directive_order")
    op.execute("DROP FUNCTION audit_entry_refuse_change")


def _create_partitions(table: str) -> None:
    for remainder in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{remainder} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {remainder})"
        )


def _create_citizen() -> None:
    op.create_table(
        "citizen",
        sa.Column(
            "citizen_key",
            sa.LargeBinary(),
            nullable=False,
            comment="blind index of the personal ID",
        ),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "record_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed: tells changed from same",
        ),
        sa.Column("is_deceased", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_citizen"),
        postgresql_partition_by="HASH (citizen_key)",
    )


def _create_subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column(
            "msisdn_key", sa.LargeBinary(), nullable=False, comment="blind index of the MSISDN"
        ),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("msisdn_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "citizen_key", sa.LargeBinary(), nullable=False, comment="of the claimed personal ID"
        ),
        sa.Column("claim_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "claim_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed: tells changed from same",
        ),
        sa.Column("link_state", sa.Text(), nullable=False),
        sa.Column(
            "link_fields",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="results and scores, no data",
        ),
        sa.Column("service_state", sa.Text(), nullable=False),
        sa.Column("applied_state", sa.Text(), nullable=False),
        sa.Column("activated_on", sa.Date(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sim_swapped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "link_state IN ('linked', 'mismatched', 'not_found', 'deceased')",
            name="ck_subscription_link_state",
        ),
        sa.CheckConstraint(
            "service_state IN"
            " ('inactive', 'active', 'outgoing_blocked', 'suspended', 'terminated')",
            name="ck_subscription_service_state",
        ),
        sa.PrimaryKeyConstraint("msisdn_key", "subscription_id", name="pk_subscription"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    op.create_index(
        "ix_subscription_operator", "subscription", ["operator_id", "subscription_id"], unique=False
    )
    op.create_index(
        "uq_subscription_in_service",
        "subscription",
        ["msisdn_key"],
        unique=True,
        postgresql_where=sa.text("service_state <> 'terminated'"),
    )


def _create_holding() -> None:
    op.create_table(
        "holding",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "is_eligible", sa.Boolean(), nullable=False, comment="linked, verified, reachable"
        ),
        sa.PrimaryKeyConstraint("citizen_key", "subscription_id", name="pk_holding"),
        sa.UniqueConstraint(
            "citizen_key", "subscription_id", "is_eligible", name="uq_holding_eligible"
        ),
        postgresql_partition_by="HASH (citizen_key)",
    )
    op.create_index("ix_holding_subscription", "holding", ["subscription_id"], unique=False)


def _create_primary_number() -> None:
    op.create_table(
        "primary_number",
        sa.Column("citizen_key", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("is_eligible", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("msisdn_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("is_eligible", name="ck_primary_number_eligible"),
        sa.ForeignKeyConstraint(
            ["citizen_key", "subscription_id", "is_eligible"],
            ["holding.citizen_key", "holding.subscription_id", "holding.is_eligible"],
            name="fk_primary_number_holding",
        ),
        sa.PrimaryKeyConstraint("citizen_key", name="pk_primary_number"),
        postgresql_partition_by="HASH (citizen_key)",
    )
    op.create_index(
        "ix_primary_number_subscription", "primary_number", ["subscription_id"], unique=False
    )


def _create_verification() -> None:
    op.create_table(
        "verification",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("nonce_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "completing_request_id",
            sa.Uuid(),
            nullable=True,
            comment="the one request that may present evidence",
        ),
        sa.Column(
            "completing_digest",
            sa.LargeBinary(),
            nullable=True,
            comment="keyed: tells the same body from another",
        ),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "verdict",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="results, reasons and codes, no data",
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'completed') = (verdict IS NOT NULL AND evidence_sealed IS NOT NULL)",
            name="ck_verification_verdict_with_evidence",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'completed')", name="ck_verification_state"
        ),
        sa.PrimaryKeyConstraint("msisdn_key", "verification_id", name="pk_verification"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    op.create_index(
        "ix_verification_verification_id", "verification", ["verification_id"], unique=False
    )


def _create_enforcement_case() -> None:
    op.create_table(
        "enforcement_case",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("steps_taken", sa.Integer(), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)", name="ck_enforcement_case_closed_at"
        ),
        sa.CheckConstraint(
            "state IN ('open', 'cured', 'withdrawn', 'terminated')",
            name="ck_enforcement_case_state",
        ),
        sa.PrimaryKeyConstraint("msisdn_key", "case_id", name="pk_enforcement_case"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    op.create_index(
        "ix_enforcement_case_due",
        "enforcement_case",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_enforcement_case_open",
        "enforcement_case",
        ["msisdn_key", "subscription_id", "track"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def _create_directive() -> None:
    op.execute("CREATE SEQUENCE directive_order AS bigint")
    op.create_table(
        "directive",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("nextval('directive_order')"),
            nullable=False,
        ),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("msisdn_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("causes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("citation", sa.Text(), nullable=False),
        sa.Column("cure", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'executed') = (executed_at IS NOT NULL)", name="ck_directive_executed_at"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'leased', 'executed', 'superseded')", name="ck_directive_state"
        ),
        sa.PrimaryKeyConstraint("msisdn_key", "directive_id", name="pk_directive"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    op.create_index("ix_directive_directive_id", "directive", ["directive_id"], unique=False)
    op.create_index(
        "ix_directive_open",
        "directive",
        ["operator_id", "position"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'leased')"),
    )
    op.create_index("ix_directive_subscription", "directive", ["subscription_id"], unique=False)


def _create_request() -> None:
    op.create_table(
        "request",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column(
            "body_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed: tells the same body from another",
        ),
        sa.Column("response_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "request_id", name="pk_request"),
    )


def _create_import_batch() -> None:
    op.create_table(
        "import_batch",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("batch_index", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column(
            "body_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed: tells the same body from another",
        ),
        sa.Column(
            "result",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="counts and row errors, no data",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "request_id", "batch_index", name="pk_import_batch"),
    )


def _create_enforcement_clock() -> None:
    op.create_table(
        "enforcement_clock",
        sa.Column("only_row", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("ran_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("only_row = 1", name="ck_enforcement_clock_only_row"),
        sa.PrimaryKeyConstraint("only_row", name="pk_enforcement_clock"),
    )


def _create_registry() -> None:
    op.create_table(
        "registry",
        sa.Column("only_row", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("key_check_sealed", sa.LargeBinary(), nullable=False, comment="a constant"),
        sa.Column(
            "key_check_index",
            sa.LargeBinary(),
            nullable=False,
            comment="blind index of the constant",
        ),
        sa.Column("clock_kind", sa.Text(), nullable=True, comment="known once it has served"),
        sa.CheckConstraint("only_row = 1", name="ck_registry_only_row"),
        sa.CheckConstraint("clock_kind IN ('real', 'simulated')", name="ck_registry_clock_kind"),
        sa.PrimaryKeyConstraint("only_row", name="pk_registry"),
    )


def _create_audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("citizen_key", sa.LargeBinary(), nullable=True),
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("legal_basis", sa.Text(), nullable=True),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="codes and counts, no data",
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit_entry"),
    )
    op.create_index(
        "ix_audit_entry_citizen", "audit_entry", ["citizen_key", "entry_id"], unique=False
    )
