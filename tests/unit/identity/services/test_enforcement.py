"""The clock of the ladder: every rung in its time, primaries last, and never backwards.

A run settles everything that is due in the whole registry, so these tests look only at what their
own operator is ordered to do.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from identity.domain.caller import Role
from identity.domain.directive import Lease
from identity.domain.enforcement import DirectiveKind
from identity.domain.errors import ClockBackwardsError
from identity.domain.policy import CaseCause
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.advance_enforcement import (
    SLICE_SIZE,
    EnforcementRun,
    advance_enforcement,
)
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.settle_subscriptions import settle_subscription, settle_subscriptions
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_claim,
    make_operator,
    make_subscription,
    store_citizen,
    store_number,
)

DAY = timedelta(days=1)
STARTED_AT = datetime(2100, 1, 1, tzinfo=NOW.tzinfo)
"""Far behind every other test's instants, so that the one clock of the registry never is."""


@pytest.fixture
def operator() -> str:
    return make_operator()


def on_ladder(
    uow: UnitOfWork, operator: str, cause: CaseCause = CaseCause.UNVERIFIED
) -> Subscription:
    """A number whose case was opened at `STARTED_AT`."""
    item = store_number(uow, store_citizen(uow), operator_id=operator, verified_at=None)
    change = Change(before=item.service_state, cause=cause, cause_at=STARTED_AT)
    settle_subscription(uow, make_call(operator, at=STARTED_AT), item, change)
    return item


def advance(uow: UnitOfWork, at: datetime) -> EnforcementRun:
    return advance_enforcement(uow, make_call("ministry", role=Role.REGULATOR, at=at))


def pull(uow: UnitOfWork, operator: str, at: datetime, *, limit: int = 999) -> Lease:
    call = make_call(operator, at=at)
    return pull_directives(uow, call, duration=timedelta(minutes=5), limit=limit)


def execute(uow: UnitOfWork, operator: str, lease: Lease, at: datetime) -> None:
    items = [
        Acknowledgement(directive_id=order.directive_id, is_executed=True, failure="")
        for order in lease.directives
    ]
    acknowledge_directives(uow, make_call(operator, at=at), lease.lease_id, items)


def test_a_ladder_is_climbed_rung_by_rung_to_its_end(uow: UnitOfWork, operator: str) -> None:
    item = on_ladder(uow, operator)
    climbed = []
    for day in range(80):
        at = STARTED_AT + day * DAY
        advance(uow, at)
        lease = pull(uow, operator, at)
        climbed += [(day, order.kind) for order in lease.directives]
        assert all(order.created_at == at for order in lease.directives)
        execute(uow, operator, lease, at)
    assert climbed == [
        *[(day, DirectiveKind.NOTIFY) for day in range(5)],
        (5, DirectiveKind.BLOCK_OUTGOING),
        (65, DirectiveKind.SUSPEND),
        (70, DirectiveKind.TERMINATE),
    ]
    stored = find(uow, item)
    assert (stored.service_state, stored.applied_state) == (
        ServiceState.TERMINATED,
        ServiceState.TERMINATED,
    )
    assert uow.cases.list_open([item])[item.subscription_id] == []


def test_a_second_run_at_the_same_instant_does_nothing(uow: UnitOfWork, operator: str) -> None:
    on_ladder(uow, operator)
    assert advance(uow, STARTED_AT).step_count >= 1
    again = advance(uow, STARTED_AT)
    assert (again.step_count, again.directive_count) == (0, 0)
    assert again.ran_until == STARTED_AT
    assert len(pull(uow, operator, STARTED_AT).directives) == 1


def test_the_clock_does_not_run_backwards(uow: UnitOfWork) -> None:
    advance(uow, STARTED_AT)
    with pytest.raises(ClockBackwardsError):
        advance(uow, STARTED_AT - timedelta(microseconds=1))
    assert uow.cases.ran_until() == STARTED_AT


def test_a_late_run_skips_no_notice_and_shortens_no_interval(
    uow: UnitOfWork, operator: str
) -> None:
    on_ladder(uow, operator)
    advance(uow, STARTED_AT + 400 * DAY)
    (only,) = pull(uow, operator, STARTED_AT + 400 * DAY).directives
    assert only.kind is DirectiveKind.NOTIFY


def test_each_step_and_each_run_leave_an_entry(uow: UnitOfWork, operator: str) -> None:
    on_ladder(uow, operator)
    call = make_call(make_operator(), role=Role.REGULATOR, at=STARTED_AT)
    run = advance_enforcement(uow, call)
    entries = actions(uow.connection, call.caller)
    assert entries[-1] == ("advance_enforcement", "ran")
    assert [action for action, _ in entries[:-1]] == ["enforce"] * (len(entries) - 1)
    assert run.step_count >= len(entries) - 1 >= 1


def test_a_primary_number_is_ordered_last_and_later(uow: UnitOfWork, operator: str) -> None:
    items = [on_ladder(uow, operator, CaseCause.DEVICE_CHANGE) for _ in range(7)]
    # The one that would be settled first: rows are locked in the order of their keys.
    first = min(items, key=lambda item: msisdn_key(uow.sealer, item.msisdn))
    chosen = replace(first, verified_at=STARTED_AT)
    uow.subscriptions.save(chosen)
    uow.primaries.set(chosen, at=STARTED_AT)
    advance(uow, STARTED_AT)
    orders = pull(uow, operator, STARTED_AT).directives
    assert {order.subscription_id for order in orders} == {i.subscription_id for i in items}
    last_two = {order.subscription_id for order in orders[-2:]}
    assert last_two == {chosen.subscription_id}


def test_a_primary_number_gets_its_extra_time_before_it_is_blocked(
    uow: UnitOfWork, operator: str
) -> None:
    """On T2, where the register differs after the number had been verified and chosen."""
    plain, chosen = on_ladder(uow, operator), on_ladder(uow, operator)
    verified = replace(chosen, verified_at=STARTED_AT)
    for day in range(5):
        advance(uow, STARTED_AT + day * DAY)
    uow.subscriptions.save(verified)
    uow.primaries.set(verified, at=STARTED_AT)
    # The case stands as if its cause were another: only the clock is looked at here.
    (case,) = uow.cases.list_open([chosen])[chosen.subscription_id]
    disowned = replace(case, cause=CaseCause.DISOWNED)
    uow.cases.save_many([(disowned, verified)])
    advance(uow, STARTED_AT + 5 * DAY)
    assert find(uow, plain).service_state is ServiceState.OUTGOING_BLOCKED
    assert find(uow, verified).service_state is ServiceState.ACTIVE
    advance(uow, STARTED_AT + 10 * DAY)
    assert find(uow, verified).service_state is ServiceState.OUTGOING_BLOCKED


def test_a_primary_that_is_suspended_is_cleared(uow: UnitOfWork, operator: str) -> None:
    item = on_ladder(uow, operator, CaseCause.DEVICE_CHANGE)
    verified = replace(item, verified_at=STARTED_AT)
    uow.subscriptions.save(verified)
    uow.primaries.set(verified, at=STARTED_AT)
    advance(uow, STARTED_AT)
    assert uow.primaries.held_by([item.subscription_id])
    advance(uow, STARTED_AT + 30 * DAY)
    assert find(uow, item).service_state is ServiceState.SUSPENDED
    assert not uow.primaries.held_by([item.subscription_id])


def test_more_than_a_slice_is_settled_whole(uow: UnitOfWork, operator: str) -> None:
    count = SLICE_SIZE + 3
    claim = make_claim(store_citizen(uow))
    items = [make_subscription(claim, operator_id=operator, verified_at=None) for _ in range(count)]
    changes = {item.subscription_id: Change(before=item.service_state) for item in items}
    call = make_call(operator, at=STARTED_AT)
    settle_subscriptions(uow, call, items, changes)
    run = advance(uow, STARTED_AT)
    assert run.step_count >= count
    leased = pull(uow, operator, STARTED_AT, limit=10_000).directives
    assert {order.subscription_id for order in leased} == {i.subscription_id for i in items}
    assert len(leased) == count
