"""Seal the audit log into a tree: an order without gaps, leaves, nodes, signed heads."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("audit_leaf", "audit_node", "audit_key", "audit_head", "audit_cosignature")

_REFUSE_CHANGE = """
CREATE FUNCTION audit_tree_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

# Entries of before have no order of transactions: they come first, by their numbers. A default that
# is constant changes no row; what is written from now on has the defaults that follow.
_ORDER = """
ALTER TABLE audit_entry ADD COLUMN era smallint NOT NULL DEFAULT 0;
ALTER TABLE audit_entry ADD COLUMN transaction_id xid8 NOT NULL DEFAULT '0';
ALTER TABLE audit_entry ALTER COLUMN era SET DEFAULT 1;
ALTER TABLE audit_entry ALTER COLUMN transaction_id SET DEFAULT pg_current_xact_id();
COMMENT ON COLUMN audit_entry.era IS 'of the server whose transactions are counted';
COMMENT ON COLUMN audit_entry.transaction_id IS 'which wrote it';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_ORDER)
    op.create_index("ix_audit_entry_order", "audit_entry", ["era", "transaction_id", "entry_id"])
    _create_tree()
    _create_heads()
    op.execute(_REFUSE_CHANGE)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_tree_refuse_change()"
        )


def downgrade() -> None:
    """Undo. The tree and its heads are lost; what was proved by them stays proved."""
    for table in ("audit_cosignature", "audit_witness", "audit_head", "audit_key"):
        op.drop_table(table)
    op.drop_table("audit_node")
    op.drop_table("audit_leaf")
    op.execute("DROP FUNCTION audit_tree_refuse_change")
    op.drop_index("ix_audit_entry_order", "audit_entry")
    for column in ("transaction_id", "era"):
        op.drop_column("audit_entry", column)


def _create_tree() -> None:
    op.create_table(
        "audit_leaf",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_audit_leaf"),
        comment="the order of the log: without a gap from 0 on",
    )
    op.create_index("ix_audit_leaf_entry", "audit_leaf", ["entry_id"], unique=True)
    op.create_table(
        "audit_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("node_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "node_index", name="pk_audit_node"),
        comment="perfect subtrees of two leaves or more",
    )


def _create_heads() -> None:
    op.create_table(
        "audit_key",
        sa.Column("key_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "handover",
            sa.LargeBinary(),
            comment="signature of the key before; null where it was lost",
        ),
        sa.PrimaryKeyConstraint("key_number", name="pk_audit_key"),
        sa.UniqueConstraint("public_key"),
        comment="what heads are signed with, the first from 1 on",
    )
    op.create_table(
        "audit_head",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_number", sa.SmallInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_number"], ["audit_key.key_number"]),
        sa.PrimaryKeyConstraint("tree_size", "signed_at", name="pk_audit_head"),
        comment="signed tree heads",
    )
    op.create_table(
        "audit_witness",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("verifier_key", sa.Text(), nullable=False, comment="NAME+HASH+KEY"),
        sa.PrimaryKeyConstraint("caller", name="pk_audit_witness"),
        comment="whose co-signatures are taken",
    )
    op.create_table(
        "audit_cosignature",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False, comment="the name in its key"),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("cosigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tree_size", "signed_at"], ["audit_head.tree_size", "audit_head.signed_at"]
        ),
        sa.PrimaryKeyConstraint("tree_size", "signed_at", "witness", name="pk_audit_cosignature"),
        comment="heads as witnesses saw them",
    )
