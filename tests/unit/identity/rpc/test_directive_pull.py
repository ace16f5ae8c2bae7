"""A pull that waits: what it costs while there is nothing, and how it finds what nobody tells."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event

from biometrics.chip.report import ChipReport
from identity.domain.enforcement import DirectiveKind
from identity.rpc.directive_pull import directive_pull
from identity.rpc.edge import Edge
from identity.rpc.long_poll import wakers
from identity.rpc.waiting import Waiting
from identity.server_news import ServerNews, passing_on
from identity.services.clock import Clock, SimulatedClock, SystemClock
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.transactions import Transactions
from identity.storage.database import Database
from identity.storage.news import listen
from identity.storage.operator_news import CHANNELS
from subid.v1 import enforcement_service_pb2 as pb
from tests.integration.wire import new_id
from tests.unit.identity.makers import (
    make_call,
    make_directive,
    make_operator,
    policies,
    store_citizen,
    store_number,
)

LEASE = timedelta(milliseconds=300)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def make_edge(
    database: Database, clock: Clock, threads: ThreadPoolExecutor, waiting: Waiting
) -> Edge:
    def no_chip(*_arguments: object, **_options: object) -> ChipReport:
        raise AssertionError("a pull examines no chip")

    return Edge(
        transactions=Transactions(database),
        clock=clock,
        examine_chip=no_chip,  # type: ignore[arg-type] # it is never called
        faces=FacePool(make_face_setup(models_directory=Path()), worker_count=1),
        threads=threads,
        waiting=waiting,
    )


def pull(edge: Edge, operator: str, *, wait_s: float) -> "asyncio.Task[pb.PullDirectivesResponse]":
    request = pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=10)
    request.wait_duration.FromTimedelta(timedelta(seconds=wait_s))
    call = make_call(operator, at=edge.clock.now())
    return asyncio.create_task(directive_pull(edge, policies(), request, call).answer())


def order(database: Database, operator: str, *, until: datetime | None = None) -> str:
    """Order something, leased until then if at all; returns the directive."""
    with database.transaction() as uow:
        item = store_number(uow, store_citizen(uow), operator_id=operator)
        made = make_directive(item, kind=DirectiveKind.SUSPEND)
        uow.directives.add_many([(made, item)])
        if until is not None:
            uow.directives.lease(
                operator, lease_id=uuid4(), expires_at=until, at=made.created_at, limit=1
            )
    return str(made.directive_id)


async def test_a_lease_that_ends_is_found_although_nobody_tells(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    operator, now = make_operator(), datetime.now(UTC)
    edge = make_edge(database, SystemClock(), threads, Waiting(recheck_s=60.0))
    leased = order(database, operator, until=now + LEASE)
    answer = await pull(edge, operator, wait_s=30)
    assert [each.directive_id for each in answer.directives] == [leased]
    assert datetime.now(UTC) >= now + LEASE


async def test_a_lease_that_ends_in_simulated_time_is_found_by_looking_again(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    operator, clock = make_operator(), SimulatedClock(datetime.now(UTC))
    edge = make_edge(database, clock, threads, Waiting(recheck_s=0.01))
    leased = order(database, operator, until=clock.now() + timedelta(days=1))
    waiting = pull(edge, operator, wait_s=30)
    await asyncio.wait([waiting], timeout=0.2)
    assert not waiting.done()
    clock.move_to(clock.now() + timedelta(days=1))
    assert [each.directive_id for each in (await waiting).directives] == [leased]


async def test_an_idle_pull_asks_once_until_it_is_woken_and_once_in_the_end(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    operator, statements = make_operator(), list[str]()

    def count(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    waiting = Waiting(recheck_s=60.0)
    edge = make_edge(database, SystemClock(), threads, waiting)
    idle = pull(edge, operator, wait_s=30)
    event.listen(engine, "before_cursor_execute", count)
    while len(statements) < 2:
        await asyncio.wait([idle], timeout=0.01)
    await asyncio.wait([idle], timeout=0.3)
    looks = [each for each in statements if "CASE WHEN EXISTS" in each]
    assert (len(looks), len(statements)) == (1, 2)  # its first answer, and the look
    waiting.end()
    assert await idle == pb.PullDirectivesResponse()
    event.remove(engine, "before_cursor_execute", count)
    assert len(statements) == len(looks) + 2, "it looks once more, and stores nothing"


async def test_every_server_of_the_database_is_woken_and_one_gets_it(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    operator = make_operator()
    servers = [Waiting(recheck_s=60.0), Waiting(recheck_s=60.0)]
    async with AsyncExitStack() as running:
        for waiting in servers:
            news = ServerNews(listen=partial(listen, engine, CHANNELS), wake=wakers(waiting))
            await running.enter_async_context(passing_on(news))
        edges = [make_edge(database, SystemClock(), threads, waiting) for waiting in servers]
        waits = [pull(edge, operator, wait_s=60) for edge in edges]
        # Longer than any look takes; by themselves they look again in a minute.
        await asyncio.wait(waits, timeout=0.5)
        ordered = await asyncio.to_thread(order, database, operator)
        (first,), (second,) = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        assert [each.directive_id for each in first.result().directives] == [ordered]
        assert not second.done()
        for waiting in servers:
            waiting.end()
        assert not (await second).directives
