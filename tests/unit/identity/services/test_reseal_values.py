"""Sealing everything anew: to the end, again where rows were locked, and told what is left."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from identity.services.reseal_values import count_outdated, reseal_values
from identity.services.rotate_keys import rotate_keys
from identity.storage.sealing import key_number_in
from identity.storage.tables import citizen
from tests.unit.identity.makers import NOW, make_record
from tests.unit.identity.services.key_places import KeyedRegistry


@pytest.fixture
def rotated(keyed: KeyedRegistry) -> KeyedRegistry:
    """A registry of seven people, all of them from before the rotation."""
    keyed.save(*(make_record() for _ in range(7)))
    rotate_keys(keyed.source, keyed.transactions(), is_staged=False, at=NOW)
    return keyed


def numbers(keyed: KeyedRegistry) -> set[bytes]:
    with keyed.engine.connect() as connection:
        sealed = connection.execute(select(citizen.c.record_sealed)).scalars()
        return {key_number_in(each) for each in sealed}


def test_everything_is_sealed_anew_and_told_slice_by_slice(rotated: KeyedRegistry) -> None:
    transactions = rotated.transactions()
    assert count_outdated(transactions) == 8
    done = list(reseal_values(transactions, at=NOW, size=3))
    told = [(each.place, each.value_count) for each in done]
    assert told == [("citizen", 3), ("citizen", 3), ("citizen", 1), ("registry", 1)]
    assert count_outdated(transactions) == 0
    assert numbers(rotated) == {b"\0\0\0\2"}
    details = {"value_count": 8, "left_count": 0}
    assert rotated.last_audited() == ("reseal_values", "complete", details)
    assert list(reseal_values(transactions, at=NOW)) == []


def test_an_interrupted_run_goes_on_where_it_was(rotated: KeyedRegistry) -> None:
    transactions = rotated.transactions()
    run = reseal_values(transactions, at=NOW, size=2)
    next(run)
    next(run)
    del run
    assert count_outdated(transactions) == 4
    assert sum(each.value_count for each in reseal_values(transactions, at=NOW, size=2)) == 4
    assert count_outdated(transactions) == 0


def test_what_a_late_process_writes_behind_the_run_is_sealed_anew_as_well(
    rotated: KeyedRegistry,
) -> None:
    late = replace(rotated.source.ring, active_id=1)
    records = [make_record() for _ in range(5)]
    run = reseal_values(rotated.transactions(), at=NOW, size=3)
    for _ in range(3):
        assert next(run).place == "citizen"
    rotated.save(*records, ring=late)
    assert sum(each.value_count for each in run) == 6
    assert numbers(rotated) == {b"\0\0\0\2"}
    assert rotated.find(records) == set(records)


def test_a_value_that_does_not_open_ends_nothing_and_is_told(rotated: KeyedRegistry) -> None:
    damaged = b"\x01\x00\x00\x00\x01" + bytes(40)
    with rotated.engine.begin() as connection:
        key = connection.execute(select(citizen.c.citizen_key).limit(1)).scalar_one()
        is_damaged = citizen.c.citizen_key == key
        connection.execute(update(citizen).where(is_damaged).values(record_sealed=damaged))
    done = list(reseal_values(rotated.transactions(), at=NOW))
    assert sum(each.value_count for each in done) == 7
    assert sum(each.unreadable_count for each in done) >= 1
    assert count_outdated(rotated.transactions()) == 1
    details = {"value_count": 7, "left_count": 1}
    assert rotated.last_audited() == ("reseal_values", "incomplete", details)
