"""Transactions, and what a lost connection means."""

import socket

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from identity.domain.errors import StorageUnavailableError
from identity.security.vault import Vault
from identity.storage.database import Database, LostRaceError, UnitOfWork, connect, in_our_terms
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


def said_by_libpq(error: psycopg.Error) -> None:
    with in_our_terms():
        raise error


def test_a_connection_that_ends_within_an_answer_is_unavailable() -> None:
    with pytest.raises(StorageUnavailableError):
        said_by_libpq(psycopg.DatabaseError("insufficient data in message"))
    with pytest.raises(psycopg.DataError):
        said_by_libpq(psycopg.DataError("cannot be adapted"))


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


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "53300", "58030", "25006", "42501"])
def test_a_disk_or_a_server_that_takes_no_writes_is_no_bug(
    database: Database, sqlstate: str
) -> None:
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(StorageUnavailableError):
        raise_in_sql(database, raised)
    database.ping()


def test_a_statement_that_is_wrong_stays_a_bug(database: Database) -> None:
    with pytest.raises(ProgrammingError):
        raise_in_sql(database, "SELECT nonsense")


def test_an_error_does_not_show_what_was_stored(uow: UnitOfWork) -> None:
    with pytest.raises(IntegrityError) as caught, uow.connection.begin_nested():
        uow.connection.execute(
            text("INSERT INTO enforcement_clock VALUES (:row, now())"), {"row": 31337}
        )
    assert "parameters hidden" in str(caught.value)
