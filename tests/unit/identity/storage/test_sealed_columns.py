"""No sealed column can be forgotten, and each has the place that its repository seals for."""

from datetime import date

import pytest
from sqlalchemy import Column, LargeBinary, RowMapping, Table, select

from identity.domain.errors import RecordUnreadableError
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.storage.database import UnitOfWork
from identity.storage.sealed_columns import SealedTable, sealed_tables
from identity.storage.sealing import takes_secret
from identity.storage.tables import metadata
from tests.unit.identity.makers import make_personal_id
from tests.unit.identity.storage.test_plaintext import live_through_everything


def test_every_sealed_column_of_every_table_has_a_place() -> None:
    listed = {(each.name, column.name) for each in sealed_tables() for column in each.columns}
    there = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.c
        if column.name.endswith("_sealed")
    }
    assert listed == there
    assert ("subscription", "claim_sealed") in listed


def test_a_sealed_column_without_a_place_is_a_mistake_that_is_noticed() -> None:
    forgotten = Table("zz_forgotten", metadata, Column("secret_sealed", LargeBinary))
    try:
        with pytest.raises(KeyError, match="zz_forgotten"):
            list(sealed_tables())
    finally:
        metadata.remove(forgotten)


@pytest.mark.parametrize("table", sealed_tables(), ids=lambda table: table.name)
def test_whatever_the_repositories_seal_opens_in_the_place_that_is_listed(
    uow: UnitOfWork, table: SealedTable
) -> None:
    person = PopulationRecord(
        personal_id=make_personal_id(),
        full_name=PersonName("Đặng Huỳnh Quỳnh Xuyến"),
        birth_date=date(1961, 8, 27),
    )
    live_through_everything(uow, person)
    for column in table.columns:
        rows = uow.connection.execute(select(table.table).where(column.is_not(None))).mappings()
        sealed = [
            (row[column.name], table.place(column, row), secret_of(uow, table, row)) for row in rows
        ]
        assert sealed, f"nothing was sealed in {column}"
        for value, place, secret in sealed:
            uow.sealer.open(value, context=place, secret=secret)
            with pytest.raises(RecordUnreadableError):
                uow.sealer.open(value, context=place + b"x", secret=secret)
            assert takes_secret(value) == (secret is not None)


def secret_of(uow: UnitOfWork, table: SealedTable, row: RowMapping) -> bytes | None:
    """The secret of the person whose row it is, where values are sealed with one."""
    person = None if table.person is None else row[table.person.name]
    return None if person is None else uow.secrets.find([person])[person]
