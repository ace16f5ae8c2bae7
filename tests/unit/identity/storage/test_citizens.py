"""Population records: saved once, counted as new, changed or the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import func, select

from identity.domain.person_name import PersonName
from identity.storage.citizens import KnownHolder, holder_digest
from identity.storage.database import Database, UnitOfWork
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


def test_what_tells_whether_claims_match_is_told_of_those_whom_the_register_knows(
    uow: UnitOfWork,
) -> None:
    alive, dead = make_record(), make_record(deceased_on=date(2026, 1, 2))
    uow.citizens.save_many([alive, dead], at=NOW)
    keys = {record: uow.primaries.key_of(record.personal_id) for record in (alive, dead)}
    stranger = uow.primaries.key_of(make_personal_id())
    assert uow.citizens.holders([*keys.values(), stranger]) == {
        key: KnownHolder(
            holder_digest(uow.sealer, record.personal_id, record.full_name, record.birth_date),
            is_deceased=record is dead,
        )
        for record, key in keys.items()
    }
    assert uow.citizens.holders([]) == {}


def free_buckets(database: Database, *, alone: bool) -> set[int]:
    """Which locks another transaction could take at once."""
    shared = func.pg_try_advisory_xact_lock_shared
    take = func.pg_try_advisory_xact_lock if alone else shared
    bucket = func.generate_series(0, 63).column_valued("bucket")
    query = select(bucket).where(take(func.hashtext("subid.citizen"), bucket))
    with database.transaction() as other:
        return set(other.connection.scalars(query))


def test_citizens_held_still_are_shared_by_readers_and_closed_to_changes(
    database: Database,
) -> None:
    keys = [bytes([place]) + bytes(31) for place in (5, 64 + 5, 200)]
    everybody = set(range(64))
    with database.transaction() as uow:
        uow.citizens.hold_still(keys)
        assert free_buckets(database, alone=True) == everybody - {5, 200 % 64}
        assert free_buckets(database, alone=False) == everybody
    assert free_buckets(database, alone=True) == everybody


def test_holding_nobody_waits_for_nobody(database: Database) -> None:
    with database.transaction() as uow:
        uow.citizens.hold_still([])
        assert free_buckets(database, alone=True) == set(range(64))


def test_all_citizens_are_held_at_once(database: Database) -> None:
    with database.transaction() as uow:
        uow.citizens.hold_all_still()
        assert free_buckets(database, alone=True) == set()
        assert free_buckets(database, alone=False) == set(range(64))


def test_a_record_that_changes_is_held_alone(database: Database) -> None:
    with database.engine.connect() as connection:
        uow = UnitOfWork(connection, database.sealer)
        record = make_record()
        bucket = uow.primaries.key_of(record.personal_id)[0] % 64
        uow.citizens.save_many([record], at=NOW)
        assert free_buckets(database, alone=False) == set(range(64)) - {bucket}
        connection.rollback()


def test_whom_a_snapshot_did_not_name_is_absent_until_named_again(uow: UnitOfWork) -> None:
    records = [make_record() for _ in range(3)]
    later = NOW.replace(day=9)
    uow.citizens.save_many(records[:2], at=NOW)
    uow.citizens.save_many(records[2:], at=later)  # came in while the snapshot was being sent
    keys = [uow.primaries.key_of(record.personal_id) for record in records]
    run = 2**40
    uow.import_runs.name_rows(run, keys[:1])
    older = select(func.count()).where(citizen.c.created_at < later)
    known = uow.connection.execute(older).scalar_one()
    # Everybody else whom this database knows is not named either.
    assert uow.citizens.mark_absent(import_id=run, began_at=later, at=later) == known - 1
    assert absences(uow, keys) == [None, later, None]
    uow.citizens.mark_present(keys)
    assert absences(uow, keys) == [None, None, None]
    assert uow.citizens.find(records[1].personal_id) == records[1]


def absences(uow: UnitOfWork, keys: Sequence[bytes]) -> list[datetime | None]:
    query = select(citizen.c.citizen_key, citizen.c.absent_since)
    found = {row.citizen_key: row.absent_since for row in uow.connection.execute(query)}
    return [found[key] for key in keys]
