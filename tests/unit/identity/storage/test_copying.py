"""COPY in the transaction of a unit of work: all rows or none."""

import os
from collections.abc import Mapping, Sequence
from typing import LiteralString

import pytest
from sqlalchemy import Connection, select

from identity.storage.bulk_tables import import_row
from identity.storage.copying import copy_rows
from identity.storage.database import Database, LostRaceError, UnitOfWork

COLUMNS: Mapping[LiteralString, str] = {"row_key": "bytea", "import_id": "bigint"}
IMPORT_ID = 2**40


def new_keys(count: int) -> list[bytes]:
    return [os.urandom(32) for _ in range(count)]


def copy(connection: Connection, keys: Sequence[bytes]) -> None:
    copy_rows(connection, "import_row", COLUMNS, ((key, IMPORT_ID) for key in keys))


def present(connection: Connection, keys: Sequence[bytes]) -> list[bytes]:
    query = select(import_row.c.row_key).where(
        import_row.c.row_key.in_(keys), import_row.c.import_id == IMPORT_ID
    )
    return sorted(connection.scalars(query))


def test_rows_arrive_in_every_partition_and_are_seen_at_once(uow: UnitOfWork) -> None:
    keys = new_keys(500)
    copy(uow.connection, keys)
    assert present(uow.connection, keys) == sorted(keys)


def test_no_rows_are_no_fault(uow: UnitOfWork) -> None:
    copy(uow.connection, [])
    keys = new_keys(1)
    copy(uow.connection, keys)
    assert present(uow.connection, keys) == keys


def test_the_order_of_columns_is_the_callers(uow: UnitOfWork) -> None:
    (key,) = new_keys(1)
    swapped: Mapping[LiteralString, str] = {"import_id": "bigint", "row_key": "bytea"}
    copy_rows(uow.connection, "import_row", swapped, [(IMPORT_ID, key)])
    assert present(uow.connection, [key]) == [key]


def test_what_is_copied_goes_with_its_transaction(database: Database) -> None:
    keys = new_keys(3)
    with database.engine.connect() as connection:
        with connection.begin() as transaction:
            copy(connection, keys)
            assert present(connection, keys) == sorted(keys)
            transaction.rollback()
        assert present(connection, keys) == []


def test_a_row_that_stands_in_the_way_is_a_race_lost_and_nothing_is_stored(
    database: Database,
) -> None:
    keys = new_keys(3)

    def copy_twice() -> None:
        with database.transaction() as uow:
            copy(uow.connection, keys)
            copy(uow.connection, [*new_keys(2), keys[1]])

    with pytest.raises(LostRaceError, match="23505"):
        copy_twice()
    with database.transaction() as uow:
        assert present(uow.connection, keys) == []
