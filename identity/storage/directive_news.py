"""News of directives: which operator has some to pull, told to every server of the database.

Owns the channel and both of its ends. Whatever makes a directive ready tells of it in its own
transaction, so the news comes with the commit or not at all; PostgreSQL passes it on to every
connection that listens, and drops repetitions within a transaction (LISTEN and NOTIFY, PostgreSQL
manual). A lease that ends tells nobody. Knows nobody who waits.
"""

from collections.abc import AsyncIterator, Iterable

import psycopg
from sqlalchemy import Connection, Engine, text

from identity.domain.errors import StorageUnavailableError

CHANNEL = "subid_directive"

_TELL = text(
    f"SELECT pg_notify('{CHANNEL}', name)"  # noqa: S608 - a constant
    " FROM unnest(CAST(:names AS text[])) AS name"
)


def tell(connection: Connection, operator_ids: Iterable[str]) -> None:
    """Tell that some operators have directives to pull, when the transaction is committed."""
    if names := sorted(set(operator_ids)):
        connection.execute(_TELL, {"names": names})


def telling(statement: str, *, where: str = "true") -> str:
    """A statement that writes rows of `directive`, and tells the operators of those rows.

    Args:
        statement: It.
        where: Of which rows: a condition on `operator_id` and `state` as they are written.
    """
    return (
        f"WITH written AS ({statement} RETURNING directive.operator_id, directive.state)"  # noqa: S608 - no input
        f" SELECT pg_notify('{CHANNEL}', operator_id)"
        f" FROM (SELECT DISTINCT operator_id FROM written WHERE {where}) AS told"
    )


async def news(engine: Engine) -> AsyncIterator[str | None]:
    """Listen on a connection of its own: None once it does, then operators' names as they come.

    Until then anything may have been missed.

    Raises:
        StorageUnavailableError: The database cannot be reached, or the connection was lost.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            yield None
            async for told in connection.notifies():
                yield told.payload
    except psycopg.OperationalError as error:
        raise StorageUnavailableError("the database cannot be reached") from error
    raise StorageUnavailableError("the connection was closed")
