"""Whoever has a citizen's app cannot keep the citizen from knowing what was chosen."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.domain.caller import Role
from identity.domain.holder import PopulationRecord
from identity.domain.subscription import Subscription
from identity.domain.tiding import PLACES, TidingKind
from identity.services.tell_choices import Told, numbers_told, tell_choices
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.message_tables import message
from tests.unit.identity.makers import NOW, make_call, store_citizen, store_number

APP = make_call("vneid", role=Role.CITIZEN_APP)


@pytest.fixture
def person(uow: UnitOfWork) -> PopulationRecord:
    return store_citizen(uow)


@pytest.fixture
def numbers(uow: UnitOfWork, person: PopulationRecord) -> list[Subscription]:
    return [store_number(uow, person) for _ in range(2)]


def tell(
    uow: UnitOfWork, person: PopulationRecord, kind: TidingKind, named: dict[str, UUID]
) -> list[tuple[str, UUID]]:
    """Tell something; returns what stands in the outbox for the citizen."""
    key = citizen_key(uow.sealer, person.personal_id)
    tell_choices(uow, APP, [Told(citizen_key=key, kind=kind, numbers=named, at=NOW)])
    query = select(message.c.template, message.c.subscription_id)
    rows = uow.connection.execute(query.where(message.c.citizen_key == key))
    return sorted((template, identity) for template, identity in rows)


def test_the_number_of_before_and_the_new_one_are_told(
    uow: UnitOfWork, person: PopulationRecord, numbers: list[Subscription]
) -> None:
    kind = TidingKind.PRIMARY_CHANGE_ASKED
    old, new = (each.subscription_id for each in numbers)
    assert tell(uow, person, kind, dict(numbers_told(old, new))) == sorted(
        (kind.value, each) for each in (old, new)
    )


def test_a_first_number_is_told_alone(
    uow: UnitOfWork, person: PopulationRecord, numbers: list[Subscription]
) -> None:
    first = numbers[0].subscription_id
    told = tell(uow, person, TidingKind.PRIMARY_CHANGED, dict(numbers_told(None, first)))
    assert told == [("primary_changed", first)]


def test_a_number_that_is_the_citizens_no_more_is_told_nothing(
    uow: UnitOfWork, person: PopulationRecord, numbers: list[Subscription]
) -> None:
    anothers = store_number(uow, store_citizen(uow)).subscription_id
    new = numbers[0].subscription_id
    told = tell(uow, person, TidingKind.PRIMARY_CHANGED, dict(numbers_told(anothers, new)))
    assert told == [("primary_changed", new)]


def test_what_is_about_a_number_that_is_gone_is_told_nobody(
    uow: UnitOfWork, person: PopulationRecord, numbers: list[Subscription]
) -> None:
    old = numbers[0].subscription_id
    assert "new" in PLACES[TidingKind.PRIMARY_VETOED]
    assert tell(uow, person, TidingKind.PRIMARY_VETOED, {"old": old, "new": uuid4()}) == []


def test_a_number_that_is_named_twice_is_told_once(
    uow: UnitOfWork, person: PopulationRecord, numbers: list[Subscription]
) -> None:
    one = numbers[0].subscription_id
    told = tell(uow, person, TidingKind.PRIMARY_CHANGED, {"old": one, "new": one})
    assert told == [("primary_changed", one)]
