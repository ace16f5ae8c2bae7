"""Databases of a test run. Owns making and dropping them; knows nothing of what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text

from identity.bootstrap import METADATA
from identity.storage.database import connect, migrate


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
