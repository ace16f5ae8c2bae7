"""Counting some days costs what happened in them, however long the history before and after.

Counted in the plans as they were run: rows looked at. No time is taken.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from identity.storage.compliance import Compliance, Reach
from tests.benchmarks.plan_reading import explaining
from tests.unit.identity.makers import rules

FIRST = datetime(2026, 1, 1, 17, tzinfo=UTC)
DAY = timedelta(days=1)
HISTORIES = (60, 300)
"""Days of a history."""

ORDERS_A_DAY = 400
ASKED = 20
"""Days that are counted, in the middle."""

GROWTH_MAX = 1.25
"""Of the rows, where histories grow eightfold."""

ROWS_MAX = 6.5
"""Rows looked at for each that is counted. Pages of 256 kB are left out or read whole, here those
of 60 days for 20, and blocks and what put them back are read for themselves."""

# Each number is blocked by a wave and put back with it at the next tick.
FILL = (
    text(
        "INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind,"
        " causes, policy_version, track, wave_id, state, created_at, due_at, executed_at)"
        " SELECT sha256(int4send(n / 2)), gen_random_uuid(),"
        " CAST(md5(CAST(n / 2 AS text)) AS uuid),"
        " 'an operator', CASE n % 2 WHEN 0 THEN 'block_outgoing' ELSE 'restore' END, '{}',"
        " 'vn-2026-04-15', 'T2', CAST(:wave AS uuid), 'executed',"
        " made.at, made.at + interval '1 day', made.at + interval '1 hour'"
        " FROM (SELECT n, CAST(:first AS timestamptz) + n * interval '1 day' / :a_day AS at"
        "  FROM generate_series(0, :count - 1) AS n) AS made (n, at) ORDER BY n"
    ),
    text(
        "INSERT INTO enforcement_case (msisdn_key, case_id, subscription_id, track, cause,"
        " policy_version, opened_at, steps_taken, state, closed_at)"
        " SELECT msisdn_key, directive_id, subscription_id, 'T2', 'unverified', 'vn-2026-04-15',"
        " created_at, 1, 'cured', created_at FROM directive"
    ),
    text(
        "INSERT INTO subscription (msisdn_key, subscription_id, citizen_key, operator_id,"
        " claim_sealed, claim_digest, holder_digest, msisdn_sealed, link_state, link_fields,"
        " service_state, applied_state, created_at, updated_at)"
        " SELECT msisdn_key, subscription_id, msisdn_key, operator_id, '', '', '', '', 'linked',"
        " '{}', 'active', 'active', created_at, created_at FROM directive WHERE kind = 'restore'"
    ),
    text(
        "INSERT INTO complaint (msisdn_key, filed_on, subscription_id, operator_id, filed_at)"
        " SELECT msisdn_key, DATE '1970-01-01' + CAST(position AS integer), subscription_id,"
        " operator_id, created_at FROM directive"
    ),
    text(
        "INSERT INTO reconciliation (operator_id, request_id, began_at, finished_at,"
        " compared_count, drift_count, false_count, unreported_count)"
        " SELECT operator_id, directive_id, created_at, created_at, 1, 0, 0, 0 FROM directive"
    ),
    text(
        "INSERT INTO wave_slice (wave_id, place, directive_count, executed_at, reverted_at)"
        " VALUES (CAST(:wave AS uuid), 0, 1, :begin, :begin), (:wave, 1, 1, :begin, :end)"
    ),
)
WAVE = "00000000-0000-4000-8000-000000000001"


@contextmanager
def history(engine: Engine, days: int) -> Iterator[tuple[Connection, Reach]]:
    """A database with a history of so many days; emptied again."""
    begin = FIRST + (days - ASKED) / 2 * DAY
    end = begin + ASKED * DAY
    given = {"first": FIRST, "a_day": ORDERS_A_DAY, "wave": WAVE, "begin": begin, "end": end}
    with engine.begin() as connection:
        for statement in FILL:
            wanted = statement.compile().params
            values = given | {"count": days * ORDERS_A_DAY}
            connection.execute(statement, {name: values[name] for name in wanted})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with engine.connect() as connection:
        yield connection, Reach(begin=begin, end=end, operator_id=None)
        connection.rollback()
        tables = "directive, enforcement_case, subscription, complaint, reconciliation, wave_slice"
        connection.execute(text(f"TRUNCATE {tables} CASCADE"))
        connection.commit()


def costs(connection: Connection, reach: Reach) -> dict[str, float]:
    """Rows that each count looks at, for each row that it counts."""
    counts = Compliance(connection)
    found: dict[str, float] = {}
    queries: dict[str, Callable[[], object]] = {
        "orders": lambda: counts.orders(reach, now=reach.end, rules=rules()),
        "put_back": lambda: counts.put_back(reach),
        "ended_cases": lambda: counts.ended_cases(reach),
        "complaints": lambda: counts.complaints(reach),
        "reconciliations": lambda: counts.reconciliations(reach),
    }
    for name, count in queries.items():
        with explaining(connection) as explained:
            assert count()
        read = sum(sum(each.first.read_counts().values()) for each in explained)
        found[name] = read / (ASKED * ORDERS_A_DAY)
    return found


def test_counting_some_days_costs_what_happened_in_them(quiet_engine: Engine) -> None:
    found = []
    for days in HISTORIES:
        with history(quiet_engine, days) as (connection, reach):
            found.append(costs(connection, reach))
    short, long = found
    for name, rows in long.items():
        assert rows <= max(1, short[name]) * GROWTH_MAX, name
        assert rows <= ROWS_MAX, name
