"""Append committed entries to the tree.

Owns the order of the log and how leaves and nodes come to be, set-based: no entry leaves the
database. Writers are not involved: they wait for nothing here, and nothing here locks what they
write. Knows no key and signs nothing.

The order is that of transactions, not of entries: numbers of entries are given before a commit, so
a smaller one may appear after a larger. PostgreSQL numbers transactions as they begin to write,
and `pg_snapshot_xmin` is the oldest one that still runs: below it everything that will ever be
there is there. A long transaction therefore delays what began after it, and nothing else.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from identity.audit.leaf import LEAF_HASH_SQL

# Any constant will do, as long as every version of subid takes the same one.
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('subid.audit.seal'))")
_WAIT_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('subid.audit.seal'))")

_SIZE = text("SELECT COALESCE(max(leaf_index), -1) + 1 FROM audit_leaf")

# The last entry sealed bounds the index from below; its place is read as values, since PostgreSQL
# would not use a joined row for that.
_LAST = text(
    "SELECT e.era, CAST(e.transaction_id AS text) AS transaction_id, e.entry_id"
    " FROM audit_leaf AS l JOIN audit_entry AS e USING (entry_id) WHERE l.leaf_index = :last"
)

# The order of the index, from the last entry sealed on: it reads no entry that is sealed.
_NEXT = text(
    "SELECT occurred_at FROM audit_entry WHERE (era, transaction_id, entry_id)"
    " > (CAST(:era AS smallint), CAST(:transaction_id AS xid8), CAST(:entry_id AS bigint))"
    " ORDER BY era, transaction_id, entry_id LIMIT 1"
)

_ERA = text("SELECT max(era) FROM audit_entry")

_SEAL = text(
    "INSERT INTO audit_leaf (leaf_index, entry_id, leaf_hash)"  # noqa: S608 - constants
    " SELECT :size - 1 + row_number() OVER (ORDER BY era, transaction_id, entry_id), entry_id,"
    f" {LEAF_HASH_SQL}"
    " FROM (SELECT * FROM audit_entry"
    "  WHERE (era, transaction_id, entry_id)"
    "   > (CAST(:era AS smallint), CAST(:transaction_id AS xid8), CAST(:entry_id AS bigint))"
    "  AND (era, transaction_id)"
    "   < (CAST(:current AS smallint), pg_snapshot_xmin(pg_current_snapshot()))"
    "  ORDER BY era, transaction_id, entry_id LIMIT :limit) AS entry"
)

_JOIN_LEAVES = text(
    "INSERT INTO audit_node (level, node_index, node_hash)"
    " SELECT 1, leaf_index / 2,"
    "  sha256(CAST('\\x01' AS bytea)"
    "   || string_agg(leaf_hash, CAST('' AS bytea) ORDER BY leaf_index))"
    " FROM audit_leaf WHERE leaf_index >= 2 * :first AND leaf_index < 2 * :end"
    " GROUP BY leaf_index / 2"
)
_JOIN_NODES = text(
    "INSERT INTO audit_node (level, node_index, node_hash)"
    " SELECT :level, node_index / 2,"
    "  sha256(CAST('\\x01' AS bytea)"
    "   || string_agg(node_hash, CAST('' AS bytea) ORDER BY node_index))"
    " FROM audit_node WHERE level = :level - 1"
    " AND node_index >= 2 * :first AND node_index < 2 * :end"
    " GROUP BY node_index / 2"
)

# A transaction that this server has not begun can only be another server's: the tables were
# restored from a dump. What is written here must come after it.
_FOREIGN = text(
    "SELECT era FROM audit_entry WHERE (era, transaction_id)"
    " >= ((SELECT max(era) FROM audit_entry), pg_snapshot_xmax(pg_current_snapshot()))"
    " AND transaction_id IS DISTINCT FROM pg_current_xact_id_if_assigned() LIMIT 1"
)

ERAS_MAX = 32_000
"""A smallint holds no more; one restore a day for eighty years."""


class LogDamagedError(Exception):
    """The tables contradict each other: nothing more is sealed until somebody has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an entry stands in the order."""

    era: int
    transaction_id: str
    entry_id: int


_BEGINNING = _Place(era=0, transaction_id="0", entry_id=-1)


def hold_alone(connection: Connection, *, may_wait: bool = False) -> bool:
    """Be the only one of all servers who seals, until the transaction ends.

    Args:
        connection: The transaction.
        may_wait: Whether to wait for who seals now.

    Returns:
        Whether it is so; somebody else does it otherwise.
    """
    if may_wait:
        connection.execute(_WAIT_ALONE)
        return True
    return bool(connection.execute(_ALONE).scalar_one())


def tree_size(connection: Connection) -> int:
    """How many leaves there are."""
    return int(connection.execute(_SIZE).scalar_one())


def seal_entries(connection: Connection, *, details_key: bytes, limit: int) -> int:
    """Append the next entries to the tree, with every node that is complete by them.

    Only for who holds it alone (`hold_alone`).

    Args:
        connection: The transaction.
        details_key: What marks of details are keyed with.
        limit: The most entries.

    Returns:
        How many were appended.
    """
    size = tree_size(connection)
    last = _last(connection, size)
    current = connection.execute(_ERA).scalar()
    if current is None:
        return 0
    given = {
        "size": size,
        "era": last.era,
        "transaction_id": last.transaction_id,
        "entry_id": last.entry_id,
        "current": current,
        "limit": limit,
        "details_key": details_key,
    }
    sealed_count = connection.execute(_SEAL, given).rowcount
    _join(connection, size, size + sealed_count)
    return sealed_count


def is_waiting(connection: Connection) -> bool:
    """Whether an entry is not sealed.

    Raises:
        LogDamagedError: As for `unsealed_for`.
    """
    last = _last(connection, tree_size(connection))
    return connection.execute(_NEXT, asdict(last)).first() is not None


def unsealed_for(connection: Connection, *, at: datetime) -> timedelta:
    """How long the first entry that is not sealed waits by its own date; 0 where none does.

    Args:
        connection: The transaction.
        at: Now, by the clock that entries are dated with.

    Raises:
        LogDamagedError: The last entry that was sealed is gone: nobody can say which is the next.
    """
    last = _last(connection, tree_size(connection))
    since = connection.execute(_NEXT, asdict(last)).scalar()
    return timedelta() if since is None else max(at - since, timedelta())


def begin_era(connection: Connection) -> int | None:
    """Have what is written from now on come after what another server wrote.

    A dump that is restored brings the numbers of another server's transactions, which may be above
    all that this one gives for years: new entries would come before old ones that are sealed.

    Returns:
        The era that begins; None where nothing of another server's is in the way.
    """
    foreign = connection.execute(_FOREIGN).scalar()
    if foreign is None:
        return None
    era = int(foreign) + 1
    if era > ERAS_MAX:
        raise OverflowError("the audit log was restored too often")
    # No parameter can stand in a definition; it is a number.
    connection.execute(text(f"ALTER TABLE audit_entry ALTER COLUMN era SET DEFAULT {era:d}"))
    return era


def _last(connection: Connection, size: int) -> _Place:
    if size == 0:
        return _BEGINNING
    row = connection.execute(_LAST, {"last": size - 1}).mappings().one_or_none()
    if row is None:
        raise LogDamagedError("the last entry that was sealed is gone")
    return _Place(**row)


def _join(connection: Connection, size: int, new_size: int) -> None:
    """Make the nodes that the leaves from the old size up to the new one complete."""
    level, first, end = 1, size >> 1, new_size >> 1
    while first < end:
        statement = _JOIN_LEAVES if level == 1 else _JOIN_NODES
        given = {"first": first, "end": end}
        connection.execute(statement, given if level == 1 else given | {"level": level})
        level, first, end = level + 1, first >> 1, end >> 1
