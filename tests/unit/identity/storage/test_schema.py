"""Migrations make what the code declares, once, from an empty database on."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from identity.bootstrap import METADATA
from identity.security.vault import Vault
from identity.storage.counts import count_rows
from identity.storage.database import Database, connect
from identity.storage.schema import migrate, schema_drift, schema_versions
from tests.unit.identity.makers import make_record, make_subscription


def test_the_migrations_make_what_the_code_declares(engine: Engine) -> None:
    assert schema_drift(engine, METADATA) == []
    current, head = schema_versions(engine)
    assert current == head is not None


@pytest.fixture
def fresh(postgres_url: str) -> Iterator[Engine]:
    """An empty database."""
    name = f"fresh_{uuid4().hex}"
    url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    administration = create_engine(url, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = connect(url.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


def test_an_empty_database_is_brought_to_head_once(fresh: Engine) -> None:
    empty, head = schema_versions(fresh)
    assert empty is None
    assert schema_drift(fresh, METADATA)
    migrate(fresh, METADATA)
    migrate(fresh, METADATA)
    assert schema_versions(fresh) == (head, head)
    assert schema_drift(fresh, METADATA) == []


def test_a_fresh_registry_holds_nothing_and_counts_what_comes(fresh: Engine, vault: Vault) -> None:
    migrate(fresh, METADATA)
    assert set(count_rows(fresh).values()) == {0}
    with Database(fresh, vault).transaction() as uow:
        record = make_record()
        uow.citizens.save_many([record, make_record()], at=make_subscription().created_at)
        uow.subscriptions.save(item := make_subscription())
        uow.primaries.set(item, at=item.created_at)
    counts = {name.strip(): count for name, count in count_rows(fresh).items() if count}
    assert counts == {
        "population records": 2,
        "subscriptions": 1,
        "linked": 1,
        "verified": 1,
        "primary numbers": 1,
    }
