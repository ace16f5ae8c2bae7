"""Population records: saved once, counted as new, changed or the same."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from identity.domain.person_name import PersonName
from identity.storage.database import UnitOfWork
from identity.storage.tables import citizen
from tests.unit.identity.makers import NOW, make_personal_id, make_record


def test_a_stored_record_comes_back_as_it_was(uow: UnitOfWork) -> None:
    records = [
        make_record(),
        make_record(sex=None, deceased_on=date(2026, 1, 2), card_issued_on=date(2024, 7, 1)),
        make_record(full_name=PersonName("Y Bliu-Niê K'Đăm")),
    ]
    uow.citizens.save_many(records, at=NOW)
    ids = [record.personal_id for record in records]
    assert uow.citizens.find_many([*ids, make_personal_id()]) == dict(
        zip(ids, records, strict=True)
    )
    assert uow.citizens.find(ids[0]) == records[0]


def test_an_unknown_personal_id_has_no_record(uow: UnitOfWork) -> None:
    assert uow.citizens.find(make_personal_id()) is None


def test_new_changed_and_unchanged_records_are_told_apart(uow: UnitOfWork) -> None:
    records = [make_record() for _ in range(3)]
    first = uow.citizens.save_many(records, at=NOW)
    assert (first.created_count, first.changed_count, first.unchanged_count) == (3, 0, 0)
    moved = replace(records[0], deceased_on=date(2026, 4, 1))
    again = uow.citizens.save_many([moved, records[1], make_record()], at=NOW)
    assert (again.created_count, again.changed_count, again.unchanged_count) == (1, 1, 1)
    assert uow.citizens.find(moved.personal_id) == moved


def test_a_changed_record_keeps_when_it_was_first_told(uow: UnitOfWork) -> None:
    record = make_record()
    uow.citizens.save_many([record], at=NOW)
    later = NOW.replace(day=9)
    uow.citizens.save_many([replace(record, deceased_on=date(2026, 5, 8))], at=later)
    key = uow.primaries.key_of(record.personal_id)
    row = uow.connection.execute(select(citizen).where(citizen.c.citizen_key == key)).one()
    assert (row.created_at, row.updated_at, row.is_deceased) == (NOW, later, True)


def test_an_unchanged_record_is_not_written_again(uow: UnitOfWork) -> None:
    record = make_record()
    uow.citizens.save_many([record], at=NOW)
    query = select(citizen).where(citizen.c.citizen_key == uow.primaries.key_of(record.personal_id))
    before = uow.connection.execute(query).one()
    uow.citizens.save_many([record], at=NOW.replace(day=9))
    assert uow.connection.execute(query).one() == before


def test_saving_nothing_is_no_fault(uow: UnitOfWork) -> None:
    saved = uow.citizens.save_many([], at=NOW)
    assert (saved.created_count, saved.changed_count, saved.unchanged_count) == (0, 0, 0)
    assert uow.citizens.find_many([]) == {}
