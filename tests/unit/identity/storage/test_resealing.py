"""Sealing anew: everything opens afterwards, and nothing that is written meanwhile is lost."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, delete, select, update

from identity.domain.errors import RecordUnreadableError
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.security.keys import generate_key_ring, with_new_key, without_key
from identity.security.vault import Vault
from identity.storage.conversions import dump_claim
from identity.storage.database import Database, UnitOfWork
from identity.storage.face_references import FaceReference
from identity.storage.resealing import Resealed, Resealing, RowKey
from identity.storage.sealed_columns import SealedTable, sealed_tables
from identity.storage.sealing import key_number_in, takes_secret
from identity.storage.tables import citizen, face_reference, subscription
from tests.unit.identity.makers import NOW, make_personal_id, make_record, make_subscription
from tests.unit.identity.storage.test_plaintext import live_through_everything

FIRST = generate_key_ring()
SECOND = with_new_key(FIRST, key_id=2, is_active=True)
ONLY_SECOND = without_key(SECOND, 1)
TABLES: Mapping[str, SealedTable] = {each.name: each for each in sealed_tables()}


@pytest.fixture
def empty(quiet_engine: Engine) -> Iterator[Engine]:
    """A database for what is committed, empty again afterwards."""
    yield quiet_engine
    with quiet_engine.begin() as connection:
        connection.execute(delete(citizen))


@pytest.fixture
def first(quiet_engine: Engine) -> Iterator[UnitOfWork]:
    """A transaction of a process with the first key, undone in the end."""
    with quiet_engine.connect() as connection:
        transaction = connection.begin()
        yield UnitOfWork(connection, Vault(FIRST))
        transaction.rollback()


def under(uow: UnitOfWork, vault: Vault) -> UnitOfWork:
    return UnitOfWork(uow.connection, vault)


def reseal_all(uow: UnitOfWork, table: SealedTable, *, limit: int = 2) -> list[Resealed]:
    resealing = Resealing(uow.connection, uow.sealer, table)
    done: list[Resealed] = []
    after: RowKey | None = None
    while (each := resealing.reseal(after=after, limit=limit)) is not None:
        after = each.last_key
        done.append(each)
    return done


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_value_of_every_table_opens_with_the_new_key_alone(
    first: UnitOfWork, table: SealedTable
) -> None:
    person = PopulationRecord(
        personal_id=make_personal_id(),
        full_name=PersonName("Đặng Huỳnh Quỳnh Xuyến"),
        birth_date=date(1961, 8, 27),
    )
    live_through_everything(first, person)
    before = opened(first, table, Vault(FIRST))
    assert before
    second = under(first, Vault(SECOND))
    done = reseal_all(second, table)
    assert sum(each.value_count for each in done) == len(before)
    assert sum(each.unreadable_count for each in done) == 0
    reseal_all(second, TABLES["citizen_secret"])
    assert opened(first, table, Vault(ONLY_SECOND)) == before
    assert Resealing(first.connection, second.sealer, table).count_outdated() == 0
    assert reseal_all(second, table) == []


def opened(uow: UnitOfWork, table: SealedTable, vault: Vault) -> dict[tuple[object, ...], bytes]:
    found: dict[tuple[object, ...], bytes] = {}
    secrets = UnitOfWork(uow.connection, vault).secrets
    for row in uow.connection.execute(select(table.table)).mappings():
        for column in table.columns:
            if row[column.name] is not None:
                key = (column.name, *(row[each.name] for each in table.row_key))
                person = None if table.person is None else row[table.person.name]
                secret = None if person is None else secrets.find([person])[person]
                place = table.place(column, row)
                found[key] = vault.open(row[column.name], context=place, secret=secret)
    return found


def test_nothing_but_the_sealed_bytes_of_a_row_changes(first: UnitOfWork) -> None:
    records = [make_record() for _ in range(7)]
    first.citizens.save_many(records, at=NOW)
    others = [column for column in citizen.c if column.name != "record_sealed"]
    query = select(*others).order_by(citizen.c.citizen_key)
    before = first.connection.execute(query).all()
    done = reseal_all(under(first, Vault(SECOND)), TABLES["citizen"], limit=3)
    assert [each.row_count for each in done] == [3, 3, 1]
    assert first.connection.execute(query).all() == before
    by_id = {record.personal_id: record for record in records}
    assert under(first, Vault(ONLY_SECOND)).citizens.find_many(by_id) == by_id


def test_what_was_sealed_for_its_number_alone_is_sealed_for_its_row(first: UnitOfWork) -> None:
    item = make_subscription()
    first.subscriptions.save(item)
    key = first.sealer.blind_index("msisdn", item.msisdn.value)
    claim = dump_claim(item.claim)
    former = first.sealer.seal(claim, context=b"subscription.claim|" + key)
    first.connection.execute(update(subscription).values(claim_sealed=former))
    (done,) = reseal_all(under(first, Vault(SECOND)), TABLES["subscription"])
    assert (done.row_count, done.value_count, done.unreadable_count) == (1, 2, 0)
    stored = first.connection.execute(select(subscription.c.claim_sealed)).scalar_one()
    place = b"subscription.claim|" + key + b"|" + item.subscription_id.bytes
    assert Vault(ONLY_SECOND).open(stored, context=place) == claim


def test_a_slice_begins_after_the_last_one(first: UnitOfWork) -> None:
    first.citizens.save_many([make_record() for _ in range(5)], at=NOW)
    resealing = Resealing(first.connection, Vault(SECOND), TABLES["citizen"])
    one = resealing.reseal(after=None, limit=2)
    assert one is not None
    rest = resealing.reseal(after=one.last_key, limit=100)
    assert rest is not None
    assert (rest.row_count, rest.last_key > one.last_key) == (3, True)
    assert resealing.reseal(after=rest.last_key, limit=100) is None


def test_a_value_that_does_not_open_is_counted_and_left_as_it_is(first: UnitOfWork) -> None:
    whole, broken = make_record(), make_record()
    first.citizens.save_many([whole, broken], at=NOW)
    key = first.primaries.key_of(broken.personal_id)
    damaged = b"\x01\x00\x00\x00\x01" + bytes(40)
    is_broken = citizen.c.citizen_key == key
    first.connection.execute(update(citizen).where(is_broken).values(record_sealed=damaged))
    (done,) = reseal_all(under(first, Vault(SECOND)), TABLES["citizen"])
    assert (done.row_count, done.value_count, done.unreadable_count) == (2, 1, 1)
    stored = first.connection.execute(select(citizen.c.record_sealed).where(is_broken)).scalar()
    assert stored == damaged
    with pytest.raises(RecordUnreadableError):
        first.citizens.find(broken.personal_id)


def test_values_of_a_lost_key_are_passed_over(first: UnitOfWork) -> None:
    first.citizens.save_many([make_record()], at=NOW)
    third = with_new_key(ONLY_SECOND, key_id=3, is_active=True)
    assert reseal_all(under(first, Vault(third)), TABLES["citizen"]) == []


def test_what_somebody_writes_meanwhile_is_waited_for_by_nobody_and_not_lost(
    empty: Engine,
) -> None:
    """A row that is being written is passed over, and sealed anew the next time through."""
    old, new = Database(empty, Vault(FIRST)), Database(empty, Vault(SECOND))
    record, other = make_record(), make_record()
    with old.transaction() as uow:
        uow.citizens.save_many([record, other], at=NOW)
    changed = replace(record, full_name=PersonName("Lê Thị Hồng Gấm"))
    with old.transaction() as writing:
        writing.citizens.save_many([changed], at=NOW)
        with new.transaction() as uow:
            (done,) = reseal_all(uow, TABLES["citizen"])
            assert done.row_count == 1
    with new.transaction() as uow:
        assert uow.citizens.find(record.personal_id) == changed
        (done,) = reseal_all(uow, TABLES["citizen"])
        assert done.row_count == 1
    with Database(empty, Vault(ONLY_SECOND)).transaction() as uow:
        assert uow.citizens.find(record.personal_id) == changed
        assert uow.citizens.find(other.personal_id) == other


def test_two_runs_at_once_share_the_rows(empty: Engine) -> None:
    with Database(empty, Vault(FIRST)).transaction() as uow:
        uow.citizens.save_many([make_record() for _ in range(6)], at=NOW)
    new = Database(empty, Vault(SECOND))
    table = TABLES["citizen"]
    with new.transaction() as one, new.transaction() as two:
        first_done = Resealing(one.connection, one.sealer, table).reseal(after=None, limit=4)
        second_done = Resealing(two.connection, two.sealer, table).reseal(after=None, limit=100)
    assert first_done is not None
    assert second_done is not None
    assert (first_done.row_count, second_done.row_count) == (4, 2)
    with new.transaction() as uow:
        numbers = uow.connection.execute(select(citizen.c.record_sealed)).scalars()
        assert {key_number_in(sealed) for sealed in numbers} == {b"\0\0\0\2"}


def test_what_was_sealed_before_there_were_secrets_is_sealed_for_its_person(
    first: UnitOfWork,
) -> None:
    personal_id = make_personal_id()
    reference = FaceReference(template=b"face", model_digest="c0ffee", portrait=b"picture")
    first.face_references.save(personal_id, reference, at=NOW)
    key = first.primaries.key_of(personal_id)
    row = face_reference.c.citizen_key == key
    older = {
        f"{name}_sealed": first.sealer.seal(value, context=f"face_reference.{name}|".encode() + key)
        for name, value in (("template", b"face"), ("portrait", b"picture"))
    }
    first.connection.execute(update(face_reference).where(row).values(**older))
    first.secrets.destroy(key)
    assert first.face_references.find(personal_id) == reference
    second = under(first, Vault(SECOND))
    reseal_all(second, TABLES["face_reference"])
    stored = first.connection.execute(select(face_reference.c.template_sealed).where(row)).scalar()
    assert stored is not None
    assert takes_secret(stored)
    assert second.face_references.find(personal_id) == reference
