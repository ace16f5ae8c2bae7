"""What one connection tells, another hears; a lost connection is told apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from sqlalchemy import Engine, create_engine, text

from identity.domain.errors import StorageUnavailableError
from identity.storage.database import Database
from identity.storage.news import News, listen

CHANNELS = ("subid_test", "subid_other_test")


@asynccontextmanager
async def listening(engine: Engine) -> AsyncIterator[AsyncIterator[News | None]]:
    async with aclosing(listen(engine, CHANNELS)) as heard:  # type: ignore[type-var] # a generator is closed
        assert await anext(heard) is None
        yield heard


async def test_several_channels_are_heard_on_one_connection(
    engine: Engine, database: Database
) -> None:
    async with listening(engine) as heard:
        for channel in CHANNELS:
            with database.transaction() as uow:
                uow.connection.execute(text(f"SELECT pg_notify('{channel}', 'hello')"))
            assert await anext(heard) == News(channel, "hello")


async def test_a_lost_connection_is_told_apart(engine: Engine, database: Database) -> None:
    async with listening(engine) as heard:
        asked = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        with database.transaction() as uow:
            ended = uow.connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query = 'LISTEN \"subid_other_test\"'"
                    " AND datname = current_database()"
                )
            )
            assert ended.scalars().all() == [True]
        with pytest.raises(StorageUnavailableError):
            await asked


async def test_a_database_that_is_not_there_is_told_apart() -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2")
    with pytest.raises(StorageUnavailableError):
        await anext(listen(nowhere, CHANNELS))
    nowhere.dispose()
