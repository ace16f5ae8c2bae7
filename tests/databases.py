"""Databases of a test run.

Owns making, migrating and dropping them, and transactions that leave nothing behind; knows nothing
of what is in them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from identity import storage
from identity.bootstrap import METADATA
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.schema import migrate


@contextmanager
def own_database(postgres_url: str, name: str) -> Iterator[str]:
    """A new database on a server, migrated to head, dropped at the end; yields its URL."""
    with _administration(postgres_url) as run:
        if postgres_url not in _MIGRATED:
            _MIGRATED[postgres_url] = _migrated(postgres_url)
        run(f"CREATE DATABASE {name} TEMPLATE {_MIGRATED[postgres_url]}")
    yield _url_of(postgres_url, name)
    with _administration(postgres_url) as run:
        run(f"DROP DATABASE {name} WITH (FORCE)")


_MIGRATED: dict[str, str] = {}
"""By server, the database that this process copies others from: migrating takes longer."""


def forget_migrated(postgres_url: str) -> None:
    """Drop what databases on a server are copied from; whoever leaves the server does."""
    if (name := _MIGRATED.pop(postgres_url, None)) is not None:
        with _administration(postgres_url) as run:
            run(f"DROP DATABASE {name}")


def _migrated(postgres_url: str) -> str:
    name = f"migrated_{uuid4().hex}"
    with _administration(postgres_url) as run:
        run(f"CREATE DATABASE {name}")
    engine = connect(_url_of(postgres_url, name))
    migrate(engine, METADATA)
    engine.dispose()
    return name


def _url_of(postgres_url: str, name: str) -> str:
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _administration(postgres_url: str) -> Iterator[Callable[[str], object]]:
    """Statements on a server as a whole."""
    url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield lambda statement: connection.execute(text(statement))
    engine.dispose()


@contextmanager
def own_engine(postgres_url: str, name: str) -> Iterator[Engine]:
    """Connections to a new database, as `own_database` makes it."""
    with own_database(postgres_url, name) as url:
        engine = connect(url)
        yield engine
        engine.dispose()


def move(engine: Engine, revision: str) -> None:
    """Take the tables back to a revision, or forth to `head`."""
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
    config.attributes["metadata"] = list(METADATA)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        step = command.upgrade if revision == "head" else command.downgrade
        step(config, revision)


@dataclass(frozen=True)
class _Nested(Database):
    """A database whose transactions are all parts of one, which somebody else rolls back.

    They share its connection, so threads have theirs one after the other.
    """

    connection: Connection
    turn: RLock = field(default_factory=RLock)

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        with self.turn, self.connection.begin_nested():
            yield UnitOfWork(self.connection, self.sealer)


def within(uow: UnitOfWork) -> Transactions:
    """Transactions inside another one: undone with it, and seen in it at once."""
    return Transactions(_Nested(uow.connection.engine, uow.sealer, uow.connection))
