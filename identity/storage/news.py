"""News: what one connection tells, every server of the database hears.

Owns the listening end. Whoever tells does it in the transaction of what it tells of, so news come
with the commit or not at all; PostgreSQL passes them on to every connection that listens, and drops
repetitions within a transaction (LISTEN and NOTIFY, PostgreSQL manual). Knows nobody who waits.
"""

from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from identity.domain.errors import StorageUnavailableError


class News(NamedTuple):
    """What was told, and on which channel."""

    channel: str
    payload: str


async def listen(engine: Engine, channels: Iterable[str]) -> AsyncIterator[News | None]:
    """Listen on a connection of its own: None once it does, then news as they come.

    Until then anything may have been missed.

    Raises:
        StorageUnavailableError: The database cannot be reached, or the connection was lost.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            for channel in channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield None
            async for told in connection.notifies():
                yield News(told.channel, told.payload)
    except psycopg.OperationalError as error:
        raise StorageUnavailableError("the database cannot be reached") from error
    raise StorageUnavailableError("the connection was closed")
