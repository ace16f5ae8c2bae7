"""The clock of the ladder: every rung in its time, primaries last, and never backwards.

A run settles everything that is due in the whole registry, so these tests look only at what their
own operator is ordered to do.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select

from identity.audit.log import audit_entry
from identity.domain.caller import Role
from identity.domain.directive import Directive
from identity.domain.enforcement import DirectiveKind
from identity.domain.errors import ClockBackwardsError
from identity.domain.link import not_found_link
from identity.domain.policy import CaseCause
from identity.domain.policy_book import PolicyBook
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.advance_enforcement import EnforcementRun, advance_enforcement
from identity.services.call import Call
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.settle_subscriptions import settle_subscription
from identity.services.step_cases import Stepped, WaveStep, step_cases
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import WaveReach
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import directive, enforcement_clock
from tests.databases import within
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_operator,
    policies,
    store_citizen,
    store_number,
    store_orders,
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


def advance(uow: UnitOfWork, at: datetime, *, slice_cases: int = 1_000) -> EnforcementRun:
    call = make_call("ministry", role=Role.REGULATOR, at=at)
    return advance_enforcement(within(uow), call, slice_cases=slice_cases)


def pull(uow: UnitOfWork, operator: str, at: datetime, *, limit: int = 999) -> list[Directive]:
    call = make_call(operator, at=at)
    lease = pull_directives(uow, call, duration=timedelta(minutes=5), limit=limit)
    return [each.directive for each in lease.directives]


def wave(uow: UnitOfWork, operator: str, at: datetime) -> Stepped:
    """Block the operator's numbers that wait for a wave."""
    reach = WaveReach(track="T2", steps=(5,), operators=(operator,))
    waiting = uow.due_cases.list_by_wave(reach, at, keys=(b"", None), limit=None, days=())
    call = make_call("ministry", role=Role.REGULATOR, at=at)
    return step_cases(uow, call, waiting, wave=WaveStep(wave_id=uuid4(), track="T2"))


def obey(
    uow: UnitOfWork, operator: str, at: datetime, *, fails: Collection[DirectiveKind] = ()
) -> list[DirectiveKind]:
    """Pull all that is ordered and execute it, but for some kinds; returns what was pulled."""
    call = make_call(operator, at=at)
    lease = pull_directives(uow, call, duration=timedelta(minutes=5), limit=999)
    orders = [each.directive for each in lease.directives]
    items = [
        Acknowledgement(
            directive_id=order.directive_id,
            is_executed=order.kind not in fails,
            failure="no answer" if order.kind in fails else "",
        )
        for order in orders
    ]
    acknowledge_directives(uow, call, lease.lease_id, items)
    return [order.kind for order in orders]


def test_a_ladder_is_climbed_rung_by_rung_to_its_end_with_a_wave_every_day(
    uow: UnitOfWork, operator: str
) -> None:
    item = on_ladder(uow, operator)
    climbed = []
    for day in range(80):
        at = STARTED_AT + day * DAY
        advance(uow, at)
        wave(uow, operator, at)
        climbed += [(day, kind) for kind in obey(uow, operator, at)]
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


def test_nobody_is_blocked_whose_notices_have_not_come(uow: UnitOfWork, operator: str) -> None:
    on_ladder(uow, operator)
    for day in range(9):
        at = STARTED_AT + day * DAY
        advance(uow, at)
        assert wave(uow, operator, at) == Stepped()
        told = obey(uow, operator, at, fails={DirectiveKind.NOTIFY})
        # What failed comes back beside the one of the day.
        assert told == [DirectiveKind.NOTIFY] * min(day + 1, 5)
    assert set(obey(uow, operator, at)) == {DirectiveKind.NOTIFY}
    assert wave(uow, operator, at).step_count == 1
    assert obey(uow, operator, at) == [DirectiveKind.BLOCK_OUTGOING]


def test_the_clock_passes_by_what_waits_for_a_wave(uow: UnitOfWork, operator: str) -> None:
    item = on_ladder(uow, operator)
    for day in range(40):
        advance(uow, STARTED_AT + day * DAY)
        assert set(obey(uow, operator, STARTED_AT + day * DAY)) <= {DirectiveKind.NOTIFY}
    (case,) = uow.cases.list_open([item])[item.subscription_id]
    assert (case.waits_for_wave, case.steps_taken) == (True, 5)


def test_a_block_does_not_wait_for_notices_where_its_ladder_does_not_say_so(
    uow: UnitOfWork, operator: str
) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=operator, link=not_found_link())
    call = make_call(operator, at=STARTED_AT)
    settle_subscription(uow, call, item, Change(before=item.service_state))
    for day in (0, 1, 2, 3, 4, 15):
        advance(uow, STARTED_AT + day * DAY)
    assert find(uow, item).service_state is ServiceState.OUTGOING_BLOCKED


def test_a_second_run_at_the_same_instant_does_nothing(uow: UnitOfWork, operator: str) -> None:
    on_ladder(uow, operator)
    assert advance(uow, STARTED_AT).stepped.step_count >= 1
    again = advance(uow, STARTED_AT)
    assert again == EnforcementRun(ran_until=STARTED_AT, stepped=Stepped())
    assert len(pull(uow, operator, STARTED_AT)) == 1


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
    (only,) = pull(uow, operator, STARTED_AT + 400 * DAY)
    assert only.kind is DirectiveKind.NOTIFY


def test_each_step_and_each_run_leave_an_entry(uow: UnitOfWork, operator: str) -> None:
    for _ in range(3):
        on_ladder(uow, operator)
    call = make_call(make_operator(), role=Role.REGULATOR, at=STARTED_AT)
    run = advance_enforcement(within(uow), call)
    entries = actions(uow.connection, call.caller)
    assert entries[-1] == ("advance_enforcement", "ran")
    # Numbers that other tests have committed may be due to be confirmed, and evidence forgotten.
    others = {"post_tiding", "forget_evidence"}
    assert {action for action, _ in entries[:-1]} - others == {"enforce"}
    # One for all that were stepped together, and these three were.
    numbers = [details["numbers"] for details in details_of(uow, call) if "numbers" in details]
    assert sum(numbers) >= 3
    assert max(numbers) >= 3
    assert details_of(uow, call)[-1] == {
        "steps": run.stepped.step_count,
        "directives": run.stepped.directive_count,
    }


def details_of(uow: UnitOfWork, call: Call) -> list[dict[str, Any]]:
    query = select(audit_entry.c.details).where(audit_entry.c.caller == str(call.caller))
    return [*uow.connection.scalars(query.order_by(audit_entry.c.entry_id))]


def test_a_primary_number_is_ordered_last_and_later(uow: UnitOfWork, operator: str) -> None:
    items = [on_ladder(uow, operator, CaseCause.DEVICE_CHANGE) for _ in range(7)]
    # The one that would be settled first: rows are locked in the order of their keys.
    first = min(items, key=lambda item: msisdn_key(uow.sealer, item.msisdn))
    chosen = replace(first, verified_at=STARTED_AT)
    uow.subscriptions.save(chosen)
    uow.primaries.set(chosen, at=STARTED_AT)
    advance(uow, STARTED_AT, slice_cases=2)
    orders = pull(uow, operator, STARTED_AT)
    assert {order.subscription_id for order in orders} == {i.subscription_id for i in items}
    last_two = orders[-2:]
    assert {order.subscription_id for order in last_two} == {chosen.subscription_id}
    assert all(order.is_primary for order in last_two)
    assert not any(order.is_primary for order in orders[:-2])


def test_a_primary_number_gets_its_extra_time_before_it_is_blocked(
    uow: UnitOfWork, operator: str
) -> None:
    """On T2, where the register differs after the number had been verified and chosen."""
    plain, chosen = on_ladder(uow, operator), on_ladder(uow, operator)
    verified = replace(chosen, verified_at=STARTED_AT)
    for day in range(5):
        advance(uow, STARTED_AT + day * DAY)
        obey(uow, operator, STARTED_AT + day * DAY)
    uow.subscriptions.save(verified)
    uow.primaries.set(verified, at=STARTED_AT)
    # The case stands as if its cause were another: only the clock is looked at here.
    (case,) = uow.cases.list_open([chosen])[chosen.subscription_id]
    disowned = replace(case, cause=CaseCause.DISOWNED)
    uow.cases.save_many([(disowned, verified)])
    wave(uow, operator, STARTED_AT + 5 * DAY)
    assert find(uow, plain).service_state is ServiceState.OUTGOING_BLOCKED
    assert find(uow, verified).service_state is ServiceState.ACTIVE
    wave(uow, operator, STARTED_AT + 10 * DAY)
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


def test_more_than_a_slice_is_settled_whole_and_once(uow: UnitOfWork, operator: str) -> None:
    items = [on_ladder(uow, operator) for _ in range(5)]
    # Due in the midst of them, and held by its own notice: read in every pass, and passed by.
    held = on_ladder(uow, operator)
    (case,) = uow.cases.list_open([held])[held.subscription_id]
    uow.cases.save_many([(replace(case, steps_taken=5), held)])
    store_orders(uow, held, DirectiveKind.NOTIFY)
    run = advance(uow, STARTED_AT, slice_cases=2)
    assert run.stepped.step_count >= 5
    orders = pull(uow, operator, STARTED_AT)
    stepped = [order.subscription_id for order in orders if order.created_at == STARTED_AT]
    assert sorted(stepped) == sorted(item.subscription_id for item in items)


def test_a_run_that_is_cut_off_has_done_what_it_has_done_and_the_next_one_goes_on(
    uow: UnitOfWork, operator: str
) -> None:
    items = [on_ladder(uow, operator) for _ in range(6)]
    uow.connection.execute(delete(enforcement_clock))

    def cut_off() -> UUID:
        if len(ordered_of(uow, items)) < 4:
            return uuid4()
        raise RuntimeError("cut off")

    call = make_call("ministry", role=Role.REGULATOR, at=STARTED_AT, new_id=cut_off)
    with pytest.raises(RuntimeError, match="cut off"):
        advance_enforcement(within(uow), call, slice_cases=2)
    # Numbers of others may be due in the same slice, and part it.
    assert 4 <= len(ordered_of(uow, items)) < len(items)
    assert uow.cases.ran_until() is None
    advance(uow, STARTED_AT)
    assert uow.cases.ran_until() == STARTED_AT
    ordered = ordered_of(uow, items)
    assert sorted(ordered) == sorted(item.subscription_id for item in items)


def ordered_of(uow: UnitOfWork, items: Sequence[Subscription]) -> list[UUID]:
    """The numbers of all orders of some subscriptions, open or not."""
    ids = [item.subscription_id for item in items]
    query = select(directive.c.subscription_id).where(directive.c.subscription_id.in_(ids))
    return [*uow.connection.scalars(query)]


def test_a_case_moves_to_a_retroactive_pack_before_its_step_is_taken(
    uow: UnitOfWork, operator: str
) -> None:
    item = on_ladder(uow, operator)
    book = retroactive(hours=6)
    call = make_call("ministry", role=Role.REGULATOR, at=STARTED_AT + DAY)
    call = replace(call, rules=book.at(call.at))
    advance(uow, STARTED_AT)
    advance_enforcement(within(uow), call)
    (case,) = uow.cases.list_open([item])[item.subscription_id]
    # The second notice is due six hours later than it was, and so not yet.
    assert (case.policy_version, case.steps_taken) == ("later", 1)
    assert case.next_due_at == STARTED_AT + DAY + timedelta(hours=6)
    later = replace(call, at=STARTED_AT + DAY + timedelta(hours=6))
    advance_enforcement(within(uow), later)
    (case,) = uow.cases.list_open([item])[item.subscription_id]
    assert case.steps_taken == 2
    versions = [order.policy_version for order in pull(uow, operator, later.at)]
    assert versions == ["vn-2026-04-15", "later"]


def retroactive(*, hours: int) -> PolicyBook:
    """The shipped packs, and from tomorrow on one with longer intervals on T2 for all."""
    shipped = policies().packs
    first = next(pack for pack in shipped if "T2" in pack.tracks)
    tracks = {name: replace(each, policy_version="later") for name, each in first.tracks.items()}
    steps = [
        replace(step, after=step.after + timedelta(hours=hours)) for step in tracks["T2"].steps
    ]
    tracks["T2"] = replace(tracks["T2"], steps=tuple(steps))
    begins = date(2099, 1, 1)
    later = replace(first, version="later", effective_on=begins, is_retroactive=True, tracks=tracks)
    return PolicyBook([*shipped, later])
