"""Take whole books: equality without decrypting, history of links, snapshots, runs that resume.

Rows of before have no digest of their holder until they are next written: an empty digest equals
nothing, so such a row is compared the long way.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8

_HOLDER_DIGEST = "keyed: equal for the same name and birth date of the same personal ID"


def upgrade() -> None:
    """Apply."""
    for table in ("citizen", "subscription"):
        op.add_column(
            table,
            sa.Column(
                "holder_digest",
                sa.LargeBinary(),
                nullable=False,
                server_default="",
                comment=_HOLDER_DIGEST,
            ),
        )
        op.alter_column(table, "holder_digest", server_default=None)
        op.add_column(
            table,
            sa.Column(
                "absent_since",
                sa.DateTime(timezone=True),
                nullable=True,
                comment="not in its source's last snapshot",
            ),
        )
    op.add_column("subscription", sa.Column("point_of_sale", sa.Text(), nullable=True))
    op.add_column("subscription", sa.Column("province_code", sa.Text(), nullable=True))
    _create_link_change()
    _create_import_run()
    _create_import_row()
    _create_link_run()


def downgrade() -> None:
    """Undo."""
    for table in ("link_run_slice", "link_run", "import_row", "import_run", "link_change"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE link_change_order")
    op.drop_column("subscription", "province_code")
    op.drop_column("subscription", "point_of_sale")
    for table in ("subscription", "citizen"):
        op.drop_column(table, "absent_since")
        op.drop_column(table, "holder_digest")


def _create_link_change() -> None:
    op.execute("CREATE SEQUENCE link_change_order AS bigint")
    op.create_table(
        "link_change",
        sa.Column("msisdn_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("nextval('link_change_order')"),
            nullable=False,
        ),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="what led to it"),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("msisdn_key", "position", name="pk_link_change"),
        postgresql_partition_by="HASH (msisdn_key)",
    )
    _create_partitions("link_change")


def _create_import_run() -> None:
    op.create_table(
        "import_run",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("is_snapshot", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_count", sa.BigInteger(), nullable=True, comment="of a complete snapshot"),
        sa.PrimaryKeyConstraint("caller", "request_id", name="pk_import_run"),
        sa.UniqueConstraint("import_id", name="uq_import_run_import_id"),
    )


def _create_import_row() -> None:
    op.create_table(
        "import_row",
        sa.Column(
            "row_key", sa.LargeBinary(), nullable=False, comment="key of a subscription or citizen"
        ),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_key", "import_id", name="pk_import_row"),
        postgresql_partition_by="HASH (row_key)",
    )
    _create_partitions("import_row")


def _create_link_run() -> None:
    op.create_table(
        "link_run",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("slice_count", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_link_run"),
    )
    op.create_index(
        "uq_link_run_under_way",
        "link_run",
        [sa.text("(completed_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_table(
        "link_run_slice",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("slice", sa.Integer(), nullable=False),
        sa.Column("compared_count", sa.BigInteger(), nullable=False),
        sa.Column("changed_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "slice", name="pk_link_run_slice"),
    )


def _create_partitions(table: str) -> None:
    for remainder in range(PARTITION_COUNT):
        op.execute(
            f"CREATE TABLE {table}_p{remainder} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {PARTITION_COUNT}, REMAINDER {remainder})"
        )
