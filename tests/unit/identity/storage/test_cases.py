"""Enforcement cases and the instant up to which their clock has run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from identity.domain.enforcement import Case, CaseState, open_case
from identity.domain.policy import CaseCause
from identity.domain.policy_book import Adoption
from identity.domain.subscription import Subscription
from identity.storage.database import UnitOfWork
from identity.storage.tables import enforcement_case, enforcement_clock
from tests.unit.identity.makers import (
    NOW,
    reference_of,
    references_of,
    rules,
    store_citizen,
    store_number,
    track_for,
)


def some_number(uow: UnitOfWork) -> Subscription:
    return store_number(uow, store_citizen(uow), verified_at=None)


def some_case(item: Subscription, cause: CaseCause = CaseCause.UNVERIFIED) -> Case:
    return open_case(item, cause, track_for(cause), identity=uuid4(), at=NOW)


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


def test_a_case_that_is_held_and_waits_for_a_wave_comes_back_so(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = replace(some_case(item), waits_for_wave=True).frozen(at=NOW)
    uow.cases.save_many([(case, item)])
    assert uow.cases.list_open([item])[item.subscription_id] == [case]
    thawed = replace(case.thawed(at=NOW + timedelta(hours=1)), waits_for_wave=False)
    uow.cases.save_many([(thawed, item)])
    assert uow.cases.list_open([item])[item.subscription_id] == [thawed]


def wave_of(uow: UnitOfWork, item: Subscription) -> tuple[UUID | None, datetime | None]:
    """The wave that a case remembers, and when its step was due."""
    query = select(enforcement_case.c.wave_id, enforcement_case.c.wave_due_at)
    row = uow.connection.execute(
        query.where(enforcement_case.c.subscription_id == item.subscription_id)
    ).one()
    return row.wave_id, row.wave_due_at


def test_many_cases_take_the_same_step_and_each_keeps_since_when_it_is(uow: UnitOfWork) -> None:
    items = [some_number(uow) for _ in range(3)]
    cases = [
        replace(some_case(item), opened_at=NOW - timedelta(days=place))
        for place, item in enumerate(items)
    ]
    uow.cases.save_many(zip(cases, items, strict=True))
    due_at = NOW + timedelta(days=1)
    stepped = replace(cases[0], steps_taken=1, next_due_at=due_at, waits_for_wave=True)
    uow.cases.step_alike(stepped, references_of(uow, *items[:2]))
    found = uow.cases.list_open(items)
    assert found[items[0].subscription_id] == [stepped]
    assert found[items[1].subscription_id] == [
        replace(cases[1], steps_taken=1, next_due_at=due_at, waits_for_wave=True)
    ]
    assert found[items[2].subscription_id] == [cases[2]]
    assert wave_of(uow, items[0]) == (None, None)


def test_a_case_remembers_the_wave_that_stepped_it_and_when_that_was_due(uow: UnitOfWork) -> None:
    item, wave_id = some_number(uow), uuid4()
    case = replace(some_case(item), waits_for_wave=True)
    uow.cases.save_many([(case, item)])
    blocked = replace(
        case, steps_taken=1, next_due_at=NOW + timedelta(days=60), wave_id=wave_id, wave_due_at=NOW
    )
    uow.cases.step_alike(blocked, references_of(uow, item))
    assert wave_of(uow, item) == (wave_id, NOW)
    suspended = replace(blocked, steps_taken=2, next_due_at=NOW + timedelta(days=65))
    uow.cases.step_alike(suspended, references_of(uow, item))
    assert wave_of(uow, item) == (wave_id, NOW)


ADOPTION = Adoption(
    from_version=track_for(CaseCause.UNVERIFIED).policy_version,
    to_version="later",
    track="T2",
    steps_taken=1,
    later=timedelta(hours=6),
    waits_for_wave=True,
)


def test_open_cases_at_one_rung_go_on_under_a_later_pack(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = replace(some_case(item), steps_taken=1)
    uow.cases.save_many([(case, item)])
    assert uow.cases.adopt(ADOPTION) >= 1
    assert uow.cases.list_open([item])[item.subscription_id] == [
        replace(
            case,
            policy_version="later",
            next_due_at=NOW + timedelta(hours=6),
            waits_for_wave=True,
        )
    ]
    assert uow.cases.adopt(ADOPTION) == 0


def test_a_case_that_a_dispute_holds_is_adopted_held(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = replace(some_case(item), steps_taken=1).frozen(at=NOW)
    uow.cases.save_many([(case, item)])
    uow.cases.adopt(ADOPTION)
    (adopted,) = uow.cases.list_open([item])[item.subscription_id]
    assert (adopted.frozen_at, adopted.next_due_at) == (NOW, NOW + timedelta(hours=6))


@pytest.mark.parametrize(
    "unlike",
    [
        pytest.param({"steps_taken": 2}, id="of another rung"),
        pytest.param({"policy_version": "earlier"}, id="of another pack"),
        pytest.param({"track": "T3"}, id="of another ladder"),
    ],
)
def test_a_case_that_is_not_meant_is_not_adopted(
    uow: UnitOfWork, unlike: Mapping[str, object]
) -> None:
    item = some_number(uow)
    fields: dict[str, Any] = {"steps_taken": 1, **unlike}
    case = replace(some_case(item), **fields)
    uow.cases.save_many([(case, item)])
    uow.cases.adopt(ADOPTION)
    assert uow.cases.list_open([item])[item.subscription_id] == [case]


def test_a_case_that_has_ended_is_not_adopted(uow: UnitOfWork) -> None:
    item = some_number(uow)
    case = replace(some_case(item), steps_taken=1).closed(CaseState.CURED, at=NOW)
    uow.cases.save_many([(case, item)])
    uow.cases.adopt(ADOPTION)
    query = select(enforcement_case.c.policy_version)
    version = uow.connection.scalar(query.where(enforcement_case.c.case_id == case.case_id))
    assert version == ADOPTION.from_version


def test_the_clock_remembers_how_far_it_ran(uow: UnitOfWork) -> None:
    uow.connection.execute(delete(enforcement_clock))
    assert uow.cases.ran_until() is None
    uow.cases.set_ran_until(NOW)
    later = NOW + timedelta(hours=1)
    uow.cases.set_ran_until(later)
    assert uow.cases.ran_until(lock=True) == later


def test_what_tells_open_cases_apart_is_told_of_each_subscription_oldest_first(
    uow: UnitOfWork,
) -> None:
    items = [some_number(uow) for _ in range(3)]
    device = some_case(items[0], CaseCause.DEVICE_CHANGE)
    held = replace(some_case(items[0]), opened_at=NOW - timedelta(days=1), steps_taken=2)
    older = held.frozen(at=NOW)
    closed = some_case(items[1]).closed(CaseState.CURED, at=NOW)
    uow.cases.save_many([(device, items[0]), (older, items[0]), (closed, items[1])])
    version = rules().verification.version
    assert {case.policy_version for case in (device, older)} == {version}
    assert uow.cases.kinds_open(list(references_of(uow, *items))) == {
        items[0].subscription_id: (
            (older.track, "unverified", version, 2, True),
            (device.track, "device_change", version, 0, False),
        ),
        items[1].subscription_id: (),
        items[2].subscription_id: (),
    }
    assert uow.cases.kinds_open([]) == {}


def test_of_a_number_that_went_from_hand_to_hand_only_the_asked_cases_are_told(
    uow: UnitOfWork,
) -> None:
    item = some_number(uow)
    uow.cases.save_many([(some_case(item), item)])
    key, identity = reference_of(uow, item)
    other = uuid4()  # another subscription of the same number
    assert uow.cases.kinds_open([(key, other)]) == {other: ()}
    assert len(uow.cases.kinds_open([(key, identity)])[identity]) == 1


def test_the_same_case_is_opened_for_each_of_many(uow: UnitOfWork) -> None:
    items = [some_number(uow) for _ in range(5)]
    bystander = some_number(uow)
    example = replace(some_case(items[0], CaseCause.MISMATCHED), steps_taken=1)
    uow.cases.open_alike(example, references_of(uow, *items))
    found = uow.cases.list_open([*items, bystander])
    opened = [found[item.subscription_id] for item in items]
    assert [len(cases) for cases in opened] == [1] * 5
    assert len({cases[0].case_id for cases in opened}) == 5
    for item, (case,) in zip(items, opened, strict=True):
        assert case == replace(example, case_id=case.case_id, subscription_id=item.subscription_id)
    assert found[bystander.subscription_id] == []


@pytest.mark.parametrize("is_closed", [False, True])
def test_the_open_cases_of_many_take_the_cause_and_end_of_one(
    uow: UnitOfWork, *, is_closed: bool
) -> None:
    items = [some_number(uow) for _ in range(3)]
    cases = [
        replace(some_case(item), opened_at=NOW - timedelta(days=place + 1), steps_taken=1)
        for place, item in enumerate(items)
    ]
    device = some_case(items[0], CaseCause.DEVICE_CHANGE)
    past = some_case(items[1]).closed(CaseState.CURED, at=NOW)
    uow.cases.save_many([(past, items[1]), *zip(cases, items, strict=True), (device, items[0])])
    example = replace(cases[0], cause=CaseCause.DECEASED)
    if is_closed:
        example = example.closed(CaseState.WITHDRAWN, at=NOW)
    uow.cases.change_alike(example, references_of(uow, *items[:2]))
    found = uow.cases.list_open(items)
    # Each keeps its own clock; nothing else is touched.
    changed = [] if is_closed else [replace(cases[0], cause=CaseCause.DECEASED)]
    assert found[items[0].subscription_id] == [*changed, device]
    changed = [] if is_closed else [replace(cases[1], cause=CaseCause.DECEASED)]
    assert found[items[1].subscription_id] == changed
    assert found[items[2].subscription_id] == [cases[2]]
    identity = enforcement_case.c.case_id
    query = select(enforcement_case).where(identity.in_([cases[1].case_id, past.case_id]))
    rows = {row.case_id: row for row in uow.connection.execute(query)}
    closed_at = NOW if is_closed else None
    assert (rows[cases[1].case_id].state, rows[cases[1].case_id].closed_at) == (
        example.state.value,
        closed_at,
    )
    assert (rows[cases[1].case_id].next_due_at is None) is is_closed
    assert (rows[past.case_id].state, rows[past.case_id].cause) == ("cured", "unverified")
