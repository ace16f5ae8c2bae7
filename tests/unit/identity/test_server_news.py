"""News are passed on, and listened for again when the connection is lost."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import structlog

from identity.domain.errors import StorageUnavailableError
from identity.server_news import ServerNews, passing_on
from identity.storage.news import News


async def test_news_are_passed_on_and_a_lost_connection_is_made_again() -> None:
    heard: list[tuple[str, str | None]] = []
    has_heard_all = asyncio.Event()
    told = [[News("orders", "song-hong"), News("contacts", "")], [], [News("orders", "cuu-long")]]
    connections = iter(told)

    async def listen() -> AsyncIterator[News | None]:
        yield None
        for each in next(connections):
            yield each
        raise StorageUnavailableError("lost")

    def hear(channel: str, payload: str | None) -> None:
        heard.append((channel, payload))
        if len(heard) == 9:
            has_heard_all.set()

    wake = {channel: partial(hear, channel) for channel in ("orders", "contacts")}
    with structlog.testing.capture_logs() as logs:
        async with passing_on(ServerNews(listen=listen, wake=wake, retry_s=0)):
            await has_heard_all.wait()
    everybody = [("orders", None), ("contacts", None)]
    assert heard[:9] == [
        *(*everybody, ("orders", "song-hong"), ("contacts", "")),
        *everybody,
        *(*everybody, ("orders", "cuu-long")),
    ]
    assert {entry["type"] for entry in logs} >= {"StorageUnavailableError"}


async def test_the_end_of_the_block_ends_the_listening() -> None:
    is_listening = asyncio.Event()
    has_ended = asyncio.Event()

    async def listen() -> AsyncIterator[News | None]:
        try:
            is_listening.set()
            await asyncio.Event().wait()
            yield None
        finally:
            has_ended.set()

    async with passing_on(ServerNews(listen=listen, wake={})):
        await is_listening.wait()
    assert has_ended.is_set()
