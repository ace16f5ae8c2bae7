"""Conditions on many values: one parameter each, whatever their number."""

import os
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from identity.storage.arrays import PACKED_REFERENCES, References, any_key, any_of, over_references
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.tables import citizen
from tests.unit.identity.makers import references_of, store_citizen, store_number


@pytest.fixture
def stored(uow: UnitOfWork) -> Sequence[bytes]:
    """Keys of three citizens."""
    return [citizen_key(uow.sealer, store_citizen(uow).personal_id) for _ in range(3)]


def found(uow: UnitOfWork, keys: Sequence[bytes]) -> list[bytes]:
    """What `any_key` finds, which is what `any_of` finds, each once."""
    queries = [
        select(citizen.c.citizen_key).where(condition(citizen.c.citizen_key, keys))
        for condition in (any_key, any_of)
    ]
    by_key, by_array = (sorted(uow.connection.scalars(query)) for query in queries)
    assert by_key == by_array
    return by_key


def strangers(count: int, *, of: int) -> list[bytes]:
    """Keys of nobody, of a length."""
    return [os.urandom(of) for _ in range(count)]


def test_no_key_finds_nothing(uow: UnitOfWork, stored: Sequence[bytes]) -> None:
    assert stored
    assert found(uow, []) == []


def test_one_key_finds_its_row(uow: UnitOfWork, stored: Sequence[bytes]) -> None:
    assert found(uow, stored[:1]) == list(stored[:1])


def test_a_key_given_twice_finds_its_row_once(uow: UnitOfWork, stored: Sequence[bytes]) -> None:
    assert found(uow, [stored[0], stored[1], stored[0]]) == sorted(stored[:2])


def test_keys_of_nobody_find_nothing(uow: UnitOfWork, stored: Sequence[bytes]) -> None:
    assert found(uow, strangers(3, of=len(stored[0]))) == []


def test_thousands_of_keys_are_asked_for_at_once(uow: UnitOfWork, stored: Sequence[bytes]) -> None:
    """More than the 65,535 parameters that a list spelled out could have."""
    others = strangers(70_000, of=len(stored[0]))
    query = select(citizen.c.citizen_key).where(
        any_key(
            citizen.c.citizen_key,
            [stored[2], *others[:40_000], stored[0], *others[40_000:], stored[1]],
        )
    )
    assert sorted(uow.connection.scalars(query)) == sorted(stored)


def test_references_are_packed_in_the_order_of_their_keys() -> None:
    given = [(key, uuid4()) for key in (b"cc", b"aa", b"bb", b"aa")]
    packed = References.of(given)
    assert list(packed) == sorted(given)
    assert len(packed) == 4
    assert packed.first == min(given)
    assert (packed.parameters["least_key"], packed.parameters["greatest_key"]) == (b"aa", b"cc")


def test_references_name_their_rows_and_no_others(uow: UnitOfWork) -> None:
    items = [store_number(uow, store_citizen(uow)) for _ in range(5)]
    references = references_of(uow, *items[:3])
    # Another subscription of a number in the midst of them.
    named = References.of([*references, (references.first[0], uuid4())])
    query = over_references(
        lambda are: (
            f"SELECT s.subscription_id FROM {PACKED_REFERENCES} AS n"  # noqa: S608 - no input
            f" JOIN subscription AS s ON {are('s')}"
        )
    )
    for one in (named, replace(named, is_range=True)):
        found = uow.connection.scalars(query(one), one.parameters)
        assert set(found) == {item.subscription_id for item in items[:3]}


def test_there_may_be_no_references() -> None:
    assert list(References.of([])) == []
    assert not References.of([])
