"""What a server brings from the database to its watchers: once for all, when news come."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, event, text

from identity.domain.agency import Agency, Right
from identity.domain.caller import Role
from identity.domain.errors import PositionExpiredError, PurposeNotAllowedError
from identity.rpc.contact_relay import ContactRelay
from identity.rpc.contact_watch import ContactWatch
from identity.rpc.edge import Edge
from identity.rpc.waiting import Waiting
from identity.server_news import ServerNews, passing_on
from identity.services.clock import SimulatedClock
from identity.services.subject_tokens import subject_token
from identity.storage.citizens import citizen_key
from identity.storage.contact_news import CHANNEL
from identity.storage.database import Database
from identity.storage.news import listen
from subid.v1 import contact_service_pb2 as pb
from tests.unit.identity.agency_makers import make_grant, store_agency
from tests.unit.identity.makers import make_call, make_personal_id, policies
from tests.unit.identity.rpc.test_directive_pull import make_edge

Responses = AsyncIterator[pb.WatchContactChangesResponse]
NOW = datetime.now(UTC)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@asynccontextmanager
async def serving(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> AsyncIterator[Edge]:
    """A server, as far as watchers see it."""
    edge = make_edge(database, SimulatedClock(NOW), threads, Waiting())
    relay = ContactRelay(edge, policies(), pause_s=0, retry_s=0)
    news = ServerNews(listen=partial(listen, engine, [CHANNEL]), wake={CHANNEL: relay.wake})
    async with passing_on(news):
        yield edge
    await relay.close()


@asynccontextmanager
async def watching(edge: Edge, agency: Agency, *, after: str = "") -> AsyncIterator[Responses]:
    call = make_call(agency.name, role=Role.AGENCY, at=NOW)
    responses = ContactWatch(edge, call).responses(int(after) if after else None)
    async with aclosing(responses):  # type: ignore[type-var] # a generator is closed
        yield responses


def asked(
    database: Database, agency: Agency | None = None, count: int = 1
) -> tuple[Agency, list[bytes]]:
    """An agency that has asked about people, and their keys."""
    with database.transaction() as uow:
        who = agency or store_agency(uow, make_grant(Right.NUMBER, Right.CONTACT_CHANGES))
        keys = [citizen_key(uow.sealer, make_personal_id()) for _ in range(count)]
        until = NOW + timedelta(days=1)
        uow.contact_changes.note_interest({(key, who.name): until for key in keys})
    return who, keys


def change(database: Database, *keys: bytes) -> None:
    with database.transaction() as uow:
        uow.contact_changes.note_changed(keys)


async def tokens(responses: Responses, count: int) -> tuple[list[str], str]:
    """So many tokens, and the position after them."""
    told: list[str] = []
    position = ""
    while len(told) < count:
        response = await asyncio.wait_for(anext(responses), 30)
        told += response.subject_tokens
        position = response.position
    return told, position


async def test_a_change_is_told_on_every_server_to_whom_it_concerns(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    agency, keys = asked(database, count=3)
    async with AsyncExitStack() as running:
        watches = []
        for _ in range(2):
            edge = await running.enter_async_context(serving(database, engine, threads))
            watches.append(await running.enter_async_context(watching(edge, agency)))
        for each in watches:
            assert not (await anext(each)).subject_tokens  # it watches, from here on
        await asyncio.to_thread(change, database, *keys)
        expected = {subject_token(database.sealer, agency.name, key) for key in keys}
        for each in watches:
            told, _ = await tokens(each, 3)
            assert set(told) == expected


async def test_who_was_away_is_told_what_it_missed_once_and_in_order(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    agency, keys = asked(database, count=4)
    expected = [subject_token(database.sealer, agency.name, key) for key in keys]
    async with serving(database, engine, threads) as edge, watching(edge, agency) as responses:
        begin = (await anext(responses)).position
        await asyncio.to_thread(change, database, keys[0])
        first, position = await tokens(responses, 1)
    # Nobody serves; what changes waits in the database.
    for key in keys[1:3]:
        await asyncio.to_thread(change, database, key)
    async with (
        serving(database, engine, threads) as edge,
        watching(edge, agency, after=position) as resumed,
        watching(edge, agency, after=begin) as again,
    ):
        assert (await anext(resumed)).position == position
        await asyncio.to_thread(change, database, keys[3])
        told, _ = await tokens(resumed, 3)
        repeated, _ = await tokens(again, 4)
    assert first + sorted(told) == first + sorted(expected[1:])
    assert sorted(repeated) == sorted(expected)


async def test_one_look_serves_every_watcher_and_none_is_made_without_news(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    statements: list[str] = []

    def count(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    agencies = [asked(database) for _ in range(10)]
    async with (
        AsyncExitStack() as running,
        serving(database, engine, threads) as edge,
    ):
        watches = [
            await running.enter_async_context(watching(edge, agency)) for agency, _ in agencies
        ]
        for each in watches:
            await anext(each)
        waits = [asyncio.ensure_future(tokens(each, 1)) for each in watches]
        await asyncio.wait(waits, timeout=1)  # each is at rest
        event.listen(engine, "before_cursor_execute", count)
        try:
            await asyncio.wait(waits, timeout=0.2)
            assert statements == []
            everybody = [key for _, keys in agencies for key in keys]
            await asyncio.to_thread(change, database, *everybody)
            await asyncio.gather(*waits)
            reads = [each for each in statements if "FROM contact_hint" in each]
            assert len(reads) == 1
        finally:
            event.remove(engine, "before_cursor_execute", count)


async def test_a_look_that_fails_is_made_again(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    agency, (key,) = asked(database)
    fails = iter([True])

    def fail(_c: object, _u: object, statement: str, *_rest: object) -> None:
        if "contact_change" in statement and "DELETE" in statement and next(fails, False):
            raise RuntimeError("the network is away")

    async with serving(database, engine, threads) as edge, watching(edge, agency) as responses:
        await anext(responses)
        event.listen(engine, "before_cursor_execute", fail)
        try:
            with structlog.testing.capture_logs() as logs:
                await asyncio.to_thread(change, database, key)
                told, _ = await tokens(responses, 1)
        finally:
            event.remove(engine, "before_cursor_execute", fail)
    assert told == [subject_token(database.sealer, agency.name, key)]
    assert {
        "event": "changed contacts wait",
        "type": "RuntimeError",
        "log_level": "warning",
    } in logs


async def test_a_position_of_the_future_is_refused(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    agency, _ = asked(database)
    async with serving(database, engine, threads) as edge:
        async with watching(edge, agency, after="9" * 18) as responses:
            with pytest.raises(PositionExpiredError):
                await anext(responses)
        with database.transaction() as uow:
            count = text("SELECT count(*) FROM contact_hint WHERE agency = :name")
            assert uow.connection.execute(count, {"name": agency.name}).scalar_one() == 0


def save(database: Database, agency: Agency) -> None:
    with database.transaction() as uow:
        uow.agencies.save(agency, by="regulator:test", at=NOW)


@pytest.mark.parametrize("less", [{"is_active": False}, {"grants": ()}], ids=["suspended", "less"])
async def test_a_watch_at_rest_ends_on_every_server_when_its_agency_may_watch_no_more(
    database: Database, engine: Engine, threads: ThreadPoolExecutor, less: Mapping[str, Any]
) -> None:
    agency, _ = asked(database)
    other, (key,) = asked(database)
    async with AsyncExitStack() as running:
        edges = [
            await running.enter_async_context(serving(database, engine, threads)) for _ in range(2)
        ]
        watches, others = [
            [await running.enter_async_context(watching(edge, who)) for edge in edges]
            for who in (agency, other)
        ]
        for each in (*watches, *others):
            await anext(each)
        await asyncio.to_thread(save, database, replace(agency, **less))
        for each in watches:
            with pytest.raises(PurposeNotAllowedError):
                await asyncio.wait_for(anext(each), 30)
        await asyncio.to_thread(change, database, key)
        for each in others:
            assert (await tokens(each, 1))[0]


async def test_nothing_that_changed_after_a_suspension_is_told_to_who_was_behind(
    database: Database, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    agency, keys = asked(database, count=2)
    async with serving(database, engine, threads) as edge, watching(edge, agency) as responses:
        begin = (await anext(responses)).position
        await asyncio.to_thread(change, database, keys[0])
        await tokens(responses, 1)
    async with (
        serving(database, engine, threads) as edge,
        watching(edge, agency, after=begin) as resumed,
    ):
        await anext(resumed)
        await asyncio.to_thread(save, database, replace(agency, is_active=False))
        with pytest.raises(PurposeNotAllowedError):
            await asyncio.wait_for(tokens(resumed, 2), 30)
