"""Enforcement cases and the instant up to which their clock has run."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from identity.domain.enforcement import Case, CaseState, open_case
from identity.domain.policy import CaseCause
from identity.domain.subscription import Subscription
from identity.storage.database import UnitOfWork
from identity.storage.tables import enforcement_clock
from tests.unit.identity.makers import NOW, policy, store_citizen, store_number


def some_number(uow: UnitOfWork) -> Subscription:
    return store_number(uow, store_citizen(uow), verified_at=None)


def some_case(item: Subscription, cause: CaseCause = CaseCause.UNVERIFIED) -> Case:
    return open_case(item, cause, policy(), identity=uuid4(), at=NOW)


def test_a_case_comes_back_as_it_was_opened(uow: UnitOfWork) -> None:
    item = some_number(uow)
    cases = [some_case(item, cause) for cause in (CaseCause.DEVICE_CHANGE, CaseCause.MISMATCHED)]
    uow.cases.save_many((case, item) for case in cases)
    assert uow.cases.list_open([item]) == {item.subscription_id: cases}


def test_each_subscription_has_its_own_list_also_an_empty_one(uow: UnitOfWork) -> None:
    first, second = some_number(uow), some_number(uow)
    case = some_case(first)
    uow.cases.save_many([(case, first)])
    assert uow.cases.list_open([first, second]) == {
        first.subscription_id: [case],
        second.subscription_id: [],
    }
    assert uow.cases.list_open([]) == {}


def test_a_case_that_moved_on_is_stored_so(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = some_case(item)
    uow.cases.save_many([(case, item)])
    moved = replace(case, steps_taken=3, next_due_at=NOW + timedelta(days=1))
    uow.cases.save_many([(moved, item)])
    assert uow.cases.list_open([item])[item.subscription_id] == [moved]


def test_a_closed_case_is_listed_no_more(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = some_case(item)
    uow.cases.save_many([(case, item)])
    uow.cases.save_many([(case.closed(CaseState.CURED, at=NOW), item)])
    assert uow.cases.list_open([item])[item.subscription_id] == []
    assert (uow.sealer.blind_index("msisdn", item.msisdn.value), item.subscription_id) not in (
        uow.cases.list_due(NOW + timedelta(days=900))
    )


def test_a_ladder_is_free_for_a_new_case_in_the_same_save(uow: UnitOfWork) -> None:
    item = some_number(uow)
    old, new = some_case(item), some_case(item)
    uow.cases.save_many([(old, item)])
    uow.cases.save_many([(new, item), (old.closed(CaseState.WITHDRAWN, at=NOW), item)])
    assert uow.cases.list_open([item])[item.subscription_id] == [new]


def test_a_second_open_case_on_one_ladder_is_refused(uow: UnitOfWork) -> None:
    item = some_number(uow)
    uow.cases.save_many([(some_case(item), item)])
    with pytest.raises(IntegrityError), uow.connection.begin_nested():
        uow.cases.save_many([(some_case(item), item)])


def test_a_subscription_is_due_once_and_from_its_instant_on(uow: UnitOfWork) -> None:
    item = some_number(uow)
    later = NOW + timedelta(days=2)
    cases = [
        replace(some_case(item, CaseCause.DEVICE_CHANGE), next_due_at=later),
        replace(some_case(item, CaseCause.UNVERIFIED), next_due_at=later),
    ]
    uow.cases.save_many((case, item) for case in cases)
    reference = (uow.sealer.blind_index("msisdn", item.msisdn.value), item.subscription_id)
    assert reference not in uow.cases.list_due(later - timedelta(microseconds=1))
    assert uow.cases.list_due(later).count(reference) == 1


def test_the_longest_overdue_come_first(uow: UnitOfWork) -> None:
    items = [some_number(uow) for _ in range(3)]
    for days, item in zip((3, 1, 2), items, strict=True):
        due_at = NOW - timedelta(days=days)
        uow.cases.save_many([(replace(some_case(item), next_due_at=due_at), item)])
    own = [item.subscription_id for item in items]
    listed = [identity for _, identity in uow.cases.list_due(NOW) if identity in own]
    assert listed == [own[0], own[2], own[1]]


def test_a_case_at_the_end_of_its_ladder_is_never_due(uow: UnitOfWork) -> None:
    item = some_number(uow)
    uow.cases.save_many([(replace(some_case(item), next_due_at=None), item)])
    due = uow.cases.list_due(NOW + timedelta(days=900))
    assert item.subscription_id not in [identity for _, identity in due]


def test_the_clock_remembers_how_far_it_ran(uow: UnitOfWork) -> None:
    uow.connection.execute(delete(enforcement_clock))
    assert uow.cases.ran_until() is None
    uow.cases.set_ran_until(NOW)
    later = NOW + timedelta(hours=1)
    uow.cases.set_ran_until(later)
    assert uow.cases.ran_until(lock=True) == later
