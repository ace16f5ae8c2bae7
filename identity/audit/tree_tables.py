"""The tables of the tree over the audit log: leaves, nodes, heads, keys, witnesses.

Owns their columns. All but the list of witnesses are append-only, by triggers of the migrations.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from identity.audit.log import metadata

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Index("ix_audit_leaf_entry", "entry_id", unique=True),
    comment="the order of the log: without a gap from 0 on",
)

audit_node = Table(
    "audit_node",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("node_index", BigInteger, primary_key=True, autoincrement=False),
    Column("node_hash", LargeBinary, nullable=False),
    comment="perfect subtrees of two leaves or more",
)

audit_key = Table(
    "audit_key",
    metadata,
    Column("key_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("public_key", LargeBinary, nullable=False, unique=True),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("handover", LargeBinary, comment="signature of the key before; null where it was lost"),
    comment="what heads are signed with, the first from 1 on",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("signed_at", DateTime(timezone=True), primary_key=True),
    Column("root_hash", LargeBinary, nullable=False),
    Column("key_number", SmallInteger, ForeignKey("audit_key.key_number"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    comment="signed tree heads",
)

audit_witness = Table(
    "audit_witness",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("verifier_key", Text, nullable=False, comment="NAME+HASH+KEY"),
    comment="whose co-signatures are taken",
)

audit_cosignature = Table(
    "audit_cosignature",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("signed_at", DateTime(timezone=True), primary_key=True),
    Column("witness", Text, primary_key=True, comment="the name in its key"),
    Column("key_hash", LargeBinary, nullable=False),
    Column("cosigned_at", DateTime(timezone=True), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["tree_size", "signed_at"], ["audit_head.tree_size", "audit_head.signed_at"]
    ),
    comment="heads as witnesses saw them",
)

TREE_TABLES = (audit_leaf, audit_node, audit_key, audit_head, audit_witness, audit_cosignature)
"""All of them."""
