"""No hot query reads a growing table from end to end, strays from its partition, or reads too much.

The rules are `tests/benchmarks/plan_rules.py`; that each of them can be broken is tested here too.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import text

from identity.storage.database import Database, UnitOfWork
from tests.benchmarks.hot_query import HotQuery, Step
from tests.benchmarks.plan_queries import HOT_QUERIES
from tests.benchmarks.plan_registry import World
from tests.benchmarks.plan_rules import faults
from tests.benchmarks.plans import PAGE, explain, filled_registry, heading

Filled = tuple[Database, World]


@pytest.fixture(scope="module")
def filled(postgres_url: str, worker_id: str) -> Iterator[Filled]:
    with filled_registry(postgres_url, name=f"plans_{worker_id}") as found:
        yield found


@pytest.mark.parametrize("hot", HOT_QUERIES, ids=lambda hot: hot.name)
def test_a_hot_query_keeps_to_the_rules(filled: Filled, hot: HotQuery) -> None:
    database, world = filled
    found = explain(database, world, hot)
    assert found
    assert faults(hot, found) == []


def ask(statement: str, _world: World, uow: UnitOfWork) -> Step:
    return lambda: uow.connection.execute(text(statement))


def told(filled: Filled, statement: str, **given: object) -> list[str]:
    hot = HotQuery(name="a query", bring=partial(ask, statement), **given)  # type: ignore[arg-type] # fields by name
    return faults(hot, explain(*filled, hot))


BY_NO_KEY = "SELECT count(*) FROM subscription WHERE point_of_sale = 'POS-1'"
BY_OTHER_KEY = (
    "SELECT * FROM primary_number WHERE subscription_id = '00000000-0000-4000-8000-000000000001'"
)
BY_BROAD_KEY = "SELECT citizen_key FROM citizen ORDER BY citizen_key LIMIT 300"


def test_a_scan_of_a_whole_table_breaks_the_rules(filled: Filled) -> None:
    assert "subscription: read from end to end" in told(filled, BY_NO_KEY)


def test_a_job_may_scan_whole_tables(filled: Filled) -> None:
    assert told(filled, BY_NO_KEY, is_job=True, crosses={"subscription": "a job"}) == []


def test_a_look_into_every_partition_for_one_key_breaks_the_rules(filled: Filled) -> None:
    assert told(filled, BY_OTHER_KEY) == ["primary_number: looks into 8 partitions for 1 keys"]


def test_a_look_into_every_partition_may_be_declared(filled: Filled) -> None:
    assert told(filled, BY_OTHER_KEY, crosses={"primary_number": "by subscription"}) == []


def test_too_many_rows_for_a_key_break_the_rules_by_an_index_too(filled: Filled) -> None:
    (fault,) = told(filled, BY_BROAD_KEY, crosses={"citizen": "in key order"})
    assert fault.startswith("citizen: reads 3")


def test_an_exception_that_is_not_needed_breaks_the_rules(filled: Filled) -> None:
    unneeded = told(filled, "SELECT 1", crosses={"holding": "once"}, reads={"citizen": "once"})
    assert unneeded == [
        "holding: is said to be looked for in several partitions, and is not",
        "citizen: is said to be read more than returned, and is not",
    ]


def test_the_page_has_every_hot_query_and_no_other() -> None:
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert headings == [*(heading(hot) for hot in HOT_QUERIES), "## Rows that are copied"]
