"""Databases of a test run.

Owns making and dropping them, and transactions that leave nothing behind; knows nothing of what is
in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, make_url, text

from identity.bootstrap import METADATA
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork, connect, migrate


@contextmanager
def own_database(postgres_url: str, name: str) -> Iterator[str]:
    """A new database on a server, migrated to head, dropped at the end; yields its URL."""
    administration = create_engine(
        make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    migrate(engine, METADATA)
    engine.dispose()
    yield url
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


@dataclass(frozen=True)
class _Nested(Database):
    """A database whose transactions are all parts of one, which somebody else rolls back."""

    connection: Connection

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        with self.connection.begin_nested():
            yield UnitOfWork(self.connection, self.sealer)


def within(uow: UnitOfWork) -> Transactions:
    """Transactions inside another one: undone with it, and seen in it at once."""
    return Transactions(_Nested(uow.connection.engine, uow.sealer, uow.connection))
