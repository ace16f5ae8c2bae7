"""Due cases: each number once, in its time, with all that makes it alike or unlike others.

The readings are of the whole registry, so these tests look only at numbers of their own, whose
cases are due long before anybody else's.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from identity.domain.enforcement import Case, CaseState, DirectiveKind, open_case
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import DueNumbers, Place, WaveReach
from tests.unit.identity.makers import (
    NOW,
    reference_of,
    store_citizen,
    store_number,
    store_orders,
    store_primary,
    track_for,
)

LONG_AGO = NOW - timedelta(days=9_000)
BEGIN: Place = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
HOUR = timedelta(hours=1)
DAYS = (date(2020, 1, 1), date(2026, 4, 15))
T2_AT_BLOCK = WaveReach(track="T2", steps=(5,))


def on_ladder(
    uow: UnitOfWork,
    item: Subscription,
    cause: CaseCause = CaseCause.UNVERIFIED,
    **given: Any,  # noqa: ANN401 - any field of a case
) -> Case:
    """A stored case of a number, due long ago unless said otherwise."""
    case = open_case(item, cause, track_for(cause), identity=uuid4(), at=NOW)
    case = replace(case, **{"next_due_at": LONG_AGO, **given})
    uow.cases.save_many([(case, item)])
    return case


def some_number(uow: UnitOfWork, **given: Any) -> Subscription:  # noqa: ANN401 - as make_subscription
    return store_number(uow, store_citizen(uow), **{"verified_at": None, **given})


def due(uow: UnitOfWork, at: datetime = LONG_AGO, *, after: Place = BEGIN) -> Sequence[DueNumbers]:
    return uow.due_cases.list_by_clock(at, after=after, limit=100, days=DAYS)[0]


def ids(numbers: Sequence[DueNumbers]) -> list[UUID]:
    return [identity for each in numbers for _, identity in each.references]


def the_one(uow: UnitOfWork, item: Subscription) -> DueNumbers:
    """Those that a number is alike with."""
    (found,) = [each for each in due(uow) if reference_of(uow, item) in each.references]
    return found


def alike(uow: UnitOfWork) -> list[set[UUID]]:
    """What is due, the ones that are alike together."""
    return [set(ids([each])) for each in due(uow)]


def test_a_number_is_due_once_and_from_its_instant_on(uow: UnitOfWork) -> None:
    item = some_number(uow)
    on_ladder(uow, item, CaseCause.DEVICE_CHANGE)
    on_ladder(uow, item)
    assert due(uow, LONG_AGO - timedelta(microseconds=1)) == []
    assert ids(due(uow)) == [item.subscription_id]


@pytest.mark.parametrize(
    "held",
    [
        pytest.param({"frozen_at": NOW}, id="by a dispute"),
        pytest.param({"waits_for_wave": True}, id="for a wave"),
        pytest.param({"next_due_at": None}, id="at the end of its ladder"),
        pytest.param({"state": CaseState.CURED, "closed_at": NOW}, id="for good"),
    ],
)
def test_a_case_that_is_held_is_not_read(uow: UnitOfWork, held: dict[str, Any]) -> None:
    on_ladder(uow, some_number(uow), **held)
    assert due(uow) == []


def test_a_reading_goes_on_where_it_came_to_the_longest_overdue_first(uow: UnitOfWork) -> None:
    items = [some_number(uow) for _ in range(5)]
    for hours, item in enumerate(items):
        on_ladder(uow, item, next_due_at=LONG_AGO - 2 * HOUR + (hours // 2) * HOUR)
    place: Place | None = BEGIN
    read: list[set[UUID]] = []
    while place is not None:
        numbers, place = uow.due_cases.list_by_clock(LONG_AGO, after=place, limit=2, days=DAYS)
        read.append(set(ids(numbers)))
    own = [item.subscription_id for item in items]
    assert read == [{own[0], own[1]}, {own[2], own[3]}, {own[4]}, set()]


def test_numbers_are_alike_until_anything_that_the_domain_looks_at_differs(uow: UnitOfWork) -> None:
    plain, same = some_number(uow), some_number(uow)
    further, stated, second = (some_number(uow) for _ in range(3))
    uow.subscriptions.save(replace(stated, service_state=ServiceState.SUSPENDED))
    for item in (plain, same, stated, second):
        on_ladder(uow, item)
    on_ladder(uow, further, steps_taken=1)
    on_ladder(uow, second, CaseCause.DEVICE_CHANGE, next_due_at=NOW)
    groups = alike(uow)
    assert len(groups) == 4
    assert {plain.subscription_id, same.subscription_id} in groups


def test_a_second_case_is_unlike_by_its_being_held_and_its_being_due(uow: UnitOfWork) -> None:
    items = [some_number(uow) for _ in range(3)]
    for item, more in zip(items, ({"next_due_at": NOW}, {}, {"frozen_at": NOW}), strict=True):
        on_ladder(uow, item)
        on_ladder(uow, item, CaseCause.DISOWNED, **more)
    assert [len(each) for each in alike(uow)] == [1, 1, 1]


def test_a_number_is_notified_when_no_notice_of_its_cases_is_out(uow: UnitOfWork) -> None:
    item = some_number(uow)
    on_ladder(uow, item)
    assert the_one(uow, item).is_notified
    (notice,) = store_orders(uow, item, DirectiveKind.NOTIFY)
    assert not the_one(uow, item).is_notified
    lease_id = uuid4()
    uow.directives.lease(
        item.operator_id, lease_id=lease_id, expires_at=NOW + HOUR, at=NOW, limit=1_000
    )
    assert not the_one(uow, item).is_notified
    handed = uow.directives.find_handed(item.operator_id, [notice.directive_id])
    uow.directives.mark_executed(handed.values(), at=NOW)
    assert the_one(uow, item).is_notified


def test_a_block_that_is_still_out_is_no_notice(uow: UnitOfWork) -> None:
    item = some_number(uow)
    on_ladder(uow, item)
    store_orders(uow, item, DirectiveKind.BLOCK_OUTGOING)
    assert the_one(uow, item).is_notified


def test_a_primary_number_is_told_as_one(uow: UnitOfWork) -> None:
    record, primary = store_primary(uow)
    other = store_number(uow, record)
    for item in (primary, other):
        on_ladder(uow, item, CaseCause.DEVICE_CHANGE)
    found = {item: the_one(uow, item) for item in (primary, other)}
    assert (found[primary].is_primary, found[primary].is_verified) == (True, True)
    assert (found[other].is_primary, found[other].is_verified) == (False, True)


@pytest.mark.parametrize(
    ("state", "is_last"),
    [
        (ServiceState.ACTIVE, False),
        (ServiceState.OUTGOING_BLOCKED, True),
        (ServiceState.SUSPENDED, True),
        (ServiceState.INACTIVE, True),
        (ServiceState.TERMINATED, True),
    ],
)
def test_a_number_is_the_last_of_a_person_without_another_that_works(
    uow: UnitOfWork, state: ServiceState, *, is_last: bool
) -> None:
    record = store_citizen(uow)
    item = store_number(uow, record, verified_at=None)
    on_ladder(uow, item)
    assert the_one(uow, item).is_last_number
    store_number(uow, record, service_state=state)
    assert the_one(uow, item).is_last_number is is_last


def test_contracts_are_unlike_where_a_day_parts_them(uow: UnitOfWork) -> None:
    days = (None, date(2019, 12, 31), date(2020, 1, 1), date(2026, 4, 14), date(2026, 4, 15))
    items = [some_number(uow, activated_on=day) for day in days]
    for item in items:
        on_ladder(uow, item)
    unknown, before, first, last, after = (item.subscription_id for item in items)
    groups = alike(uow)
    assert len(groups) == 4
    for together in ({unknown}, {before}, {first, last}, {after}):
        assert together in groups


# What waves take.


def waiting(uow: UnitOfWork, cause: CaseCause = CaseCause.UNVERIFIED, **given: Any) -> UUID:  # noqa: ANN401 - as make_subscription
    """A number that waits for a wave at T2's block, of a subscription as given."""
    item = some_number(uow, **given)
    on_ladder(uow, item, cause, steps_taken=5, waits_for_wave=True)
    return item.subscription_id


def reached(
    uow: UnitOfWork, reach: WaveReach, *, low: bytes = b"", high: bytes | None = None
) -> set[UUID]:
    numbers = uow.due_cases.list_by_wave(reach, LONG_AGO, keys=(low, high), limit=None, days=DAYS)
    return set(ids(numbers))


def test_a_wave_reads_what_waits_for_it_and_nothing_else(uow: UnitOfWork) -> None:
    own = waiting(uow)
    on_ladder(uow, some_number(uow), steps_taken=5)
    on_ladder(uow, some_number(uow), steps_taken=4, waits_for_wave=True)
    on_ladder(uow, some_number(uow), steps_taken=5, waits_for_wave=True, frozen_at=NOW)
    on_ladder(uow, some_number(uow), steps_taken=5, waits_for_wave=True, next_due_at=NOW)
    on_ladder(uow, some_number(uow), CaseCause.NOT_FOUND, steps_taken=5, waits_for_wave=True)
    assert reached(uow, T2_AT_BLOCK) == {own}


def test_a_wave_is_narrowed_to_causes_operators_and_provinces(uow: UnitOfWork) -> None:
    plain = waiting(uow, operator_id="north", province_code="01")
    other = waiting(uow, CaseCause.MISMATCHED, operator_id="south", province_code="79")
    assert reached(uow, T2_AT_BLOCK) == {plain, other}
    assert reached(uow, replace(T2_AT_BLOCK, causes=("mismatched",))) == {other}
    assert reached(uow, replace(T2_AT_BLOCK, operators=("north",))) == {plain}
    assert reached(uow, replace(T2_AT_BLOCK, provinces=("79", "80"))) == {other}
    assert reached(uow, replace(T2_AT_BLOCK, operators=("north",), provinces=("79",))) == set()


def test_ranges_of_keys_share_the_numbers_out(uow: UnitOfWork) -> None:
    own = {waiting(uow) for _ in range(6)}
    middle = b"\x80"
    low = reached(uow, T2_AT_BLOCK, high=middle)
    high = reached(uow, T2_AT_BLOCK, low=middle)
    assert low | high == own
    assert not low & high
