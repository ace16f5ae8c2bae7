"""What a pull costs grows with what it asks for, and not with what is open, out, waiting or done.

Counted in the plans as they were run: rows looked at, and blocks touched. No time is taken.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from identity.storage.directive_queue import DirectiveQueue
from identity.storage.update_queue import UpdateQueue
from tests.benchmarks.plan_reading import explaining
from tests.unit.identity.makers import NOW

LIMIT = 20
BACKLOGS = (500, 4_000)
"""Numbers, or citizens, of each kind. Eight times as many make no index deeper here."""

GROWTH_MAX = 1.25
"""Of the costs, where backlogs grow eightfold: on which pages rows lie together is chance."""

ROWS_MAX = 20
"""Rows of all tables for each one that is asked for, all statements of a pull together."""

LASTS = timedelta(minutes=5)
OPERATOR = "an operator"

Fill = Callable[[Connection, int], None]
"""Make a backlog of so many of each kind."""

Pull = Callable[[Connection, timedelta, int], int]
"""Lease so many, so long after the beginning; how many there were."""

ORDER = text(
    "INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id,"
    " kind, causes, policy_version, track, state, created_at, due_at)"
    " SELECT sha256(int4send(number)), gen_random_uuid(),"
    " CAST(md5(CAST(number AS text)) AS uuid), :operator, 'notify', '{unverified}',"
    " 'vn-2026-04-15', 'T2', 'pending', :at, :at"
    " FROM generate_series(1, :count) AS number ORDER BY number"
)
EXECUTE = text("UPDATE directive SET state = 'executed', executed_at = :at WHERE state = 'leased'")
OWE = (
    text(
        "INSERT INTO subscriber_update (citizen_key, subscription_id, msisdn_key, sequence,"
        " link_state, changed_at) SELECT sha256(int4send(number)), gen_random_uuid(), '', place,"
        " 'linked', :at FROM generate_series(1, 2) AS place, generate_series(1, :count) AS number"
        " ORDER BY place, number"
    ),
    text(
        "INSERT INTO subscriber_sequence (citizen_key, last_sequence, position)"
        " SELECT citizen_key, 2, min(position) FROM subscriber_update GROUP BY citizen_key"
    ),
    # Every eighth has no record.
    text(
        "INSERT INTO citizen (citizen_key, record_sealed, record_digest, holder_digest,"
        " is_deceased, created_at, updated_at) SELECT sha256(int4send(number)), '', '', '', false,"
        " :at, :at FROM generate_series(1, :count) AS number WHERE number % 8 > 0"
    ),
)
ACKNOWLEDGE = text(
    "UPDATE subscriber_update SET acknowledged_sequence = sequence, leased_sequence = NULL,"
    " lease_id = NULL, lease_expires_at = NULL WHERE lease_id IS NOT NULL RETURNING citizen_key"
)


def pull_directives(connection: Connection, after: timedelta, limit: int) -> int:
    take = DirectiveQueue(connection).take
    at = NOW + after
    return len(take(OPERATOR, lease_id=uuid4(), expires_at=at + LASTS, at=at, limit=limit))


def pull_updates(connection: Connection, after: timedelta, limit: int) -> int:
    take, at = UpdateQueue(connection).take, NOW + after
    return len(take(lease_id=uuid4(), expires_at=at + LASTS, at=at, limit=limit))


def order(connection: Connection, count: int) -> None:
    """Orders that are done, out, behind those that are out, and ready: so many of each."""
    for _ in range(2):
        connection.execute(ORDER, {"operator": OPERATOR, "count": 3 * count, "at": NOW})
    assert pull_directives(connection, timedelta(), count) == count
    connection.execute(EXECUTE, {"at": NOW})
    assert pull_directives(connection, timedelta(), count) == count


def owe(connection: Connection, count: int) -> None:
    """Updates of citizens without a record, acknowledged, out, and ready."""
    for statement in OWE:
        connection.execute(statement, {"count": 4 * count, "at": NOW})
    assert pull_updates(connection, timedelta(), count) == count
    entered = connection.scalars(ACKNOWLEDGE).all()
    UpdateQueue(connection).place(dict.fromkeys(entered, 0))
    # One of the two of each citizen, so what is left of the citizen's waits.
    assert pull_updates(connection, timedelta(), count) == count


@contextmanager
def backlog(engine: Engine, fill: Fill, count: int) -> Iterator[Connection]:
    """A database with a backlog, as it is some time after; emptied again."""
    with engine.begin() as connection:
        fill(connection, count)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
        tables = "directive, subscriber_update, subscriber_sequence, citizen"
        connection.execute(text(f"TRUNCATE {tables} CASCADE"))
        connection.commit()


def cost(connection: Connection, pull: Pull, after: timedelta) -> tuple[int, int]:
    """Rows and blocks that a pull looks at; nothing of it is kept."""
    # As dear to read whole as such tables are in service; these have a few pages.
    for setting in ("seq_page_cost = 10", "random_page_cost = 1.1"):
        connection.execute(text(f"SET LOCAL {setting}"))
    with explaining(connection) as found:
        assert pull(connection, after, LIMIT) == LIMIT
    connection.rollback()
    rows = sum(sum(each.first.read_counts().values()) for each in found)
    return rows, sum(each.first.block_count() for each in found)


@pytest.mark.parametrize(
    ("fill", "pull"),
    [(order, pull_directives), (owe, pull_updates)],
    ids=["directives", "updates"],
)
def test_a_pull_costs_what_it_asks_for(quiet_engine: Engine, fill: Fill, pull: Pull) -> None:
    costs = []
    for count in BACKLOGS:
        with backlog(quiet_engine, fill, count) as connection:
            # While what is out is out, and when it has come back.
            costs.append([cost(connection, pull, after) for after in (LASTS / 2, LASTS)])
    for (rows, blocks), (more_rows, more_blocks) in zip(*costs, strict=True):
        assert more_rows <= rows * GROWTH_MAX
        assert more_blocks <= blocks * GROWTH_MAX
        assert more_rows <= ROWS_MAX * LIMIT
