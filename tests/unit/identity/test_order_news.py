"""News are passed on, and listened for again when the connection is lost."""

import asyncio
from collections.abc import AsyncIterator

import structlog

from identity.domain.errors import StorageUnavailableError
from identity.order_news import OrderNews, passing_on


async def test_every_name_is_passed_on_and_a_lost_connection_is_made_again() -> None:
    heard: list[str | None] = []
    has_heard_all = asyncio.Event()
    connections = iter([["song-hong", "cuu-long"], [], ["song-hong"]])

    async def listen() -> AsyncIterator[str | None]:
        yield None
        for name in next(connections):
            yield name
        raise StorageUnavailableError("lost")

    def wake(name: str | None) -> None:
        heard.append(name)
        if len(heard) == 6:
            has_heard_all.set()

    with structlog.testing.capture_logs() as logs:
        async with passing_on(OrderNews(listen=listen, wake=wake, retry_s=0)):
            await has_heard_all.wait()
    assert heard[:6] == [None, "song-hong", "cuu-long", None, None, "song-hong"]
    assert {entry["type"] for entry in logs} >= {"StorageUnavailableError"}


async def test_the_end_of_the_block_ends_the_listening() -> None:
    is_listening = asyncio.Event()
    has_ended = asyncio.Event()

    async def listen() -> AsyncIterator[str | None]:
        try:
            is_listening.set()
            await asyncio.Event().wait()
            yield None
        finally:
            has_ended.set()

    async with passing_on(OrderNews(listen=listen, wake=lambda _name: None)):
        await is_listening.wait()
    assert has_ended.is_set()
