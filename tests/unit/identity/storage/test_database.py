"""Transactions, what a lost connection means, and the schema's version."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

from identity.bootstrap import METADATA
from identity.domain.errors import StorageUnavailableError
from identity.security.vault import Vault
from identity.storage.counts import count_rows
from identity.storage.database import (
    Database,
    LostRaceError,
    UnitOfWork,
    connect,
    migrate,
    schema_drift,
    schema_versions,
)
from tests.unit.identity.makers import make_record, make_subscription


def nobody_listens() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://nobody@127.0.0.1:{free.getsockname()[1]}/nothing"


class MindChangedError(Exception):
    """The use case refuses."""


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    item, record = make_subscription(), make_record()

    def refuse() -> None:
        with database.transaction() as uow:
            uow.subscriptions.save(item)
            uow.citizens.save_many([record], at=item.created_at)
            raise MindChangedError

    with pytest.raises(MindChangedError):
        refuse()
    with database.transaction() as uow:
        assert uow.subscriptions.find_in_service(item.msisdn) is None
        assert uow.citizens.find(record.personal_id) is None


def test_a_transaction_that_ends_well_stays(database: Database) -> None:
    item = make_subscription()
    with database.transaction() as uow:
        uow.subscriptions.save(item)
    with database.transaction() as uow:
        assert uow.subscriptions.find_in_service(item.msisdn) == item


def test_a_server_that_is_not_there_is_unavailable(vault: Vault) -> None:
    absent = Database(connect(nobody_listens()), vault)

    def look() -> None:
        with absent.transaction():
            pass

    with pytest.raises(StorageUnavailableError) as caught:
        look()
    assert caught.value.retry_after_s
    with pytest.raises(StorageUnavailableError):
        absent.ping()


def test_a_connection_that_the_server_ends_is_unavailable_and_the_next_works(
    database: Database,
) -> None:
    def lose() -> None:
        with database.transaction() as uow:
            pid = uow.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with database.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            uow.connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StorageUnavailableError):
        lose()
    with database.transaction() as uow:
        assert uow.connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.ping()


def raise_in_sql(database: Database, statement: str) -> None:
    with database.transaction() as uow:
        uow.connection.exec_driver_sql(statement)


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "23505"])
def test_a_race_is_told_from_a_fault(database: Database, sqlstate: str) -> None:
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(LostRaceError, match=sqlstate):
        raise_in_sql(database, raised)


@pytest.mark.parametrize("sqlstate", ["23503", "23514", "23502"])
def test_a_broken_invariant_stays_a_fault(database: Database, sqlstate: str) -> None:
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(IntegrityError):
        raise_in_sql(database, raised)


def test_an_error_does_not_show_what_was_stored(uow: UnitOfWork) -> None:
    with pytest.raises(IntegrityError) as caught, uow.connection.begin_nested():
        uow.connection.execute(
            text("INSERT INTO enforcement_clock VALUES (:row, now())"), {"row": 31337}
        )
    assert "parameters hidden" in str(caught.value)


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
