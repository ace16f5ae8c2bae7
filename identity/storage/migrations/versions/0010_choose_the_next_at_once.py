"""Choose what is handed out next without reading past what cannot be. Adds columns, swaps indexes.

Directives: what was out, or waited behind what was, stood in front of the queue, and each pull read
past all of it. Now only what is ready stands there.

Updates: the queue is one of citizens, as the leases are. A server of the version before may go on
beside: only `settled_sequence` takes a citizen out of the queue, and it does not move that.

Both queues are emptied at the front, where each row that goes leaves a dead entry in the index
until it is vacuumed: by default after a fifth of all that was ever ordered, here after some
thousands, and always with the indexes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PARTITION_COUNT = 8
VACUUMED_AFTER = 20_000
"""Dead rows of a partition; as many dead entries are some 100 pages of an index."""

_NUMBER = ["msisdn_key", "subscription_id", "position"]
_OPEN_DIRECTIVE = "state IN ('pending', 'leased')"
_OPEN_UPDATE = "acknowledged_sequence < sequence"
_OWED = "settled_sequence < last_sequence"


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_directive_leased", "directive")
    op.drop_index("ix_directive_open", "directive")
    _index("directive", "open", _NUMBER, _OPEN_DIRECTIVE)
    ready = "state = 'pending' AND lease_expires_at IS NULL"
    _index("directive", "ready", ["operator_id", "position"], ready)
    returning = ["operator_id", "lease_expires_at", "position"]
    _index("directive", "out", returning, f"{_OPEN_DIRECTIVE} AND lease_expires_at IS NOT NULL")
    op.drop_index("ix_subscriber_update_open", "subscriber_update")
    _index("subscriber_update", "open", ["citizen_key", "position"], _OPEN_UPDATE)
    _add_places()
    _index("subscriber_sequence", "ready", ["position"], f"{_OWED} AND waits_until IS NULL")
    _index("subscriber_sequence", "out", ["waits_until"], f"{_OWED} AND waits_until IS NOT NULL")
    _vacuum_early()


def downgrade() -> None:
    """Undo."""
    for partition in _partitions():
        op.execute(
            f"ALTER TABLE {partition} RESET (autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_threshold, vacuum_index_cleanup)"
        )
    for table, name in [
        *(("subscriber_sequence", "out"), ("subscriber_sequence", "ready")),
        *(("subscriber_update", "open"), ("directive", "out")),
        *(("directive", "ready"), ("directive", "open")),
    ]:
        op.drop_index(f"ix_{table}_{name}", table)
    op.drop_constraint("ck_subscriber_sequence_settled_sequence", "subscriber_sequence")
    for column in ("waits_until", "position", "settled_sequence"):
        op.drop_column("subscriber_sequence", column)
    _index("subscriber_update", "open", ["position"], _OPEN_UPDATE)
    op.execute(
        "UPDATE directive SET lease_expires_at = NULL"
        " WHERE state = 'pending' AND lease_expires_at IS NOT NULL"
    )
    _index("directive", "open", ["operator_id", "position"], _OPEN_DIRECTIVE)
    _index("directive", "leased", _NUMBER, "state = 'leased'")


def _index(table: str, name: str, columns: list[str], condition: str) -> None:
    op.create_index(f"ix_{table}_{name}", table, columns, postgresql_where=sa.text(condition))


def _add_places() -> None:
    table = "subscriber_sequence"
    settled = sa.Column(
        "settled_sequence",
        sa.BigInteger(),
        server_default=sa.text("0"),
        nullable=False,
        comment="nothing up to it is owed any more",
    )
    position = sa.Column(
        "position", sa.BigInteger(), nullable=True, comment="of the oldest update that is open"
    )
    waits_until = sa.Column(
        "waits_until",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="nothing is handed out before",
    )
    for column in (settled, position, waits_until):
        op.add_column(table, column)
    op.execute(
        "UPDATE subscriber_sequence AS place SET position = owed.position,"
        " waits_until = owed.waits_until, settled_sequence ="
        " CASE WHEN owed.position IS NULL THEN place.last_sequence ELSE 0 END"
        " FROM (SELECT citizen_key, max(lease_expires_at) AS waits_until,"
        " min(position) FILTER (WHERE acknowledged_sequence < sequence) AS position"
        " FROM subscriber_update GROUP BY citizen_key) AS owed"
        " WHERE place.citizen_key = owed.citizen_key"
    )
    op.create_check_constraint(
        "ck_subscriber_sequence_settled_sequence", table, "settled_sequence <= last_sequence"
    )


def _vacuum_early() -> None:
    for partition in _partitions():
        op.execute(
            f"ALTER TABLE {partition} SET (autovacuum_vacuum_scale_factor = 0,"
            f" autovacuum_vacuum_threshold = {VACUUMED_AFTER}, vacuum_index_cleanup = on)"
        )


def _partitions() -> list[str]:
    tables = ("directive", "subscriber_sequence")
    return [f"{table}_p{number}" for table in tables for number in range(PARTITION_COUNT)]
