"""Settling one number under several packs, in a dispute, before its notices came, and by waves."""

from dataclasses import replace
from datetime import date

import pytest

from identity.domain.enforcement import CaseState, DirectiveKind, Run
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause
from identity.domain.settlement import UNDISPUTED_CAUSES, Change
from identity.domain.subscription import Subscription
from tests.unit.identity.domain.samples import NOW, shipped_rules, subscription
from tests.unit.identity.domain.settlements import (
    ACTIVE,
    BLOCKED,
    DAY,
    HOUR,
    NEW_CONTRACT,
    OLD_CONTRACT,
    SUSPENDED,
    case,
    clock,
    contract,
    cure,
    device_change,
    exempting,
    kinds,
    new_id,
    settled,
    states,
    with_tracks,
)

# Which pack a case runs under.


def test_a_case_ends_under_the_pack_that_it_began_under() -> None:
    running = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW)
    old = shipped_rules().tracks["T2"]
    steps = tuple(replace(step, after=99 * DAY) for step in old.steps)
    slower = with_tracks(replace(old, policy_version="later", steps=steps))
    item = subscription(state=BLOCKED)
    done = settled(item, [running], change=clock(item), rules=slower)
    (stepped,) = done.cases
    assert stepped.policy_version == old.policy_version
    assert stepped.next_due_at == NOW + old.steps[7].after
    assert [order.policy_version for order in done.directives] == [old.policy_version]


def test_a_new_case_begins_under_the_pack_of_its_day() -> None:
    later = with_tracks(replace(shipped_rules().tracks["T2"], policy_version="later"))
    (opened,) = settled(subscription(), rules=later).cases
    assert opened.policy_version == "later"


def test_a_case_stays_open_on_a_ladder_that_a_later_pack_no_longer_has() -> None:
    running = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW)
    renamed = replace(shipped_rules().tracks["T2"], name="T9", policy_version="later")
    item = subscription(state=BLOCKED)
    done = settled(item, [running], change=clock(item), rules=with_tracks(renamed, without=["T2"]))
    assert [(each.case_id, each.state) for each in done.cases] == [
        (running.case_id, CaseState.OPEN)
    ]
    assert kinds(done) == [DirectiveKind.SUSPEND]


# Exemptions.


@pytest.mark.parametrize(
    ("begun_on", "is_exempt"),
    [(NEW_CONTRACT - DAY, False), (NEW_CONTRACT, True), (NEW_CONTRACT + DAY, True)],
)
def test_a_contract_that_is_exempt_is_not_put_on_the_ladder(
    begun_on: date, *, is_exempt: bool
) -> None:
    done = settled(contract(begun_on), rules=exempting("T2"))
    assert (done.cases == ()) == is_exempt
    assert done.directives == ()


def test_a_contract_of_an_unknown_day_is_not_exempt() -> None:
    assert len(settled(subscription(), rules=exempting("T2")).cases) == 1


def test_a_number_exempt_from_one_ladder_is_put_on_that_of_its_next_cause() -> None:
    item = contract(NEW_CONTRACT, subscription(linked=LinkState.NOT_FOUND))
    rules = exempting("T4")
    first = settled(item, rules=rules)
    assert [(case.track, case.cause) for case in first.cases] == [("T2", CaseCause.UNVERIFIED)]
    again = settled(item, first.cases, rules=rules, at=NOW + DAY)
    assert again.cases == first.cases


def test_an_event_ends_an_exemption() -> None:
    item = contract(NEW_CONTRACT)
    change = Change(before=ACTIVE, cause=CaseCause.OPERATOR_REPORT, cause_at=NOW)
    done = settled(item, change=change, rules=exempting("T1", "T2"))
    assert [(case.track, case.cause) for case in done.cases] == [("T2", CaseCause.OPERATOR_REPORT)]


@pytest.mark.parametrize("run", [None, Run()])
def test_a_later_pack_that_exempts_a_number_ends_no_case_of_it(run: Run | None) -> None:
    running = case(CaseCause.MISMATCHED, steps_taken=6)
    item = contract(NEW_CONTRACT, subscription(state=BLOCKED, linked=LinkState.MISMATCHED))
    done = settled(
        item, [running], change=Change(before=BLOCKED, run=run), rules=exempting("T2", "T4")
    )
    assert (done.cases, kinds(done)) == ((running,), [])


def test_another_day_of_contract_in_the_book_lifts_no_block() -> None:
    rules = exempting("T2")
    opened = settled(contract(OLD_CONTRACT), rules=rules).cases
    blocked = replace(opened[0], steps_taken=6, next_due_at=NOW + 60 * DAY)
    corrected = contract(NEW_CONTRACT, subscription(state=BLOCKED))
    done = settled(corrected, [blocked], rules=rules)
    assert (done.cases, kinds(done)) == ((blocked,), [])


# Disputes.


def in_dispute(item: Subscription, run: Run | None = None) -> Change:
    return Change(before=item.service_state, is_disputed=True, run=run)


def test_a_dispute_holds_every_clock_but_those_of_a_stolen_sim() -> None:
    open_cases = [
        case(CaseCause.MISMATCHED, steps_taken=5, due_at=NOW),
        case(CaseCause.DISOWNED, steps_taken=5, due_at=NOW),
        case(CaseCause.DEVICE_CHANGE, steps_taken=1, due_at=NOW),
    ]
    item = subscription(linked=LinkState.MISMATCHED)
    done = settled(item, open_cases, change=in_dispute(item, Run()))
    held = {each.cause: each.frozen_at for each in done.cases}
    assert held == {
        CaseCause.MISMATCHED: NOW,
        CaseCause.DISOWNED: NOW,
        CaseCause.DEVICE_CHANGE: None,
    }
    assert [order.track for order in done.directives] == ["T1"]
    assert done.subscription.service_state is BLOCKED
    assert {CaseCause.DEVICE_CHANGE, CaseCause.SIM_SWAP} == UNDISPUTED_CAUSES


def test_a_case_that_is_opened_in_a_dispute_is_held_from_the_start() -> None:
    item = subscription()
    change = replace(in_dispute(item, Run()), cause=CaseCause.DISOWNED, cause_at=NOW - HOUR)
    done = settled(item, change=change)
    assert {each.cause: each.frozen_at for each in done.cases} == {
        CaseCause.UNVERIFIED: NOW,
        CaseCause.DISOWNED: NOW,
    }
    assert (done.directives, done.step_count) == ((), 0)


def test_a_dispute_neither_lifts_nor_repeats_what_is_ordered() -> None:
    item = subscription(state=BLOCKED)
    running = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW + DAY)
    done = settled(item, [running], change=in_dispute(item))
    assert (done.subscription, done.directives, done.overtaken) == (item, (), frozenset())
    again = settled(item, done.cases, change=in_dispute(item, Run()), at=NOW + 99 * DAY)
    assert (again.cases, again.directives) == (done.cases, ())


def test_clocks_go_on_where_they_were_when_a_dispute_is_over() -> None:
    item = subscription(state=BLOCKED)
    running = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW + DAY)
    held = settled(item, [running], change=in_dispute(item)).cases
    over = settled(item, held, at=NOW + 20 * DAY)
    assert over.cases == (replace(running, next_due_at=NOW + 21 * DAY),)
    early = settled(item, over.cases, change=clock(item), at=NOW + 21 * DAY - HOUR)
    assert early.directives == ()
    late = settled(item, over.cases, change=clock(item), at=NOW + 21 * DAY)
    assert kinds(late) == [DirectiveKind.SUSPEND]


def test_a_verification_ends_cases_that_a_dispute_holds() -> None:
    item = subscription(state=BLOCKED)
    held = settled(item, [case(CaseCause.UNVERIFIED, steps_taken=6)], change=in_dispute(item)).cases
    done = cure(item, held, at=NOW + DAY)
    assert states(done) == {CaseCause.UNVERIFIED: CaseState.CURED}
    assert kinds(done) == [DirectiveKind.RESTORE]


# Notices that have not come, and waves.


def test_a_block_that_waits_for_a_notice_leaves_all_as_it_is() -> None:
    running = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW)
    item = subscription(state=BLOCKED)
    done = settled(item, [running], change=clock(item, Run(is_notified=False)))
    assert (done.subscription, done.cases, done.directives) == (item, (running,), ())
    told = settled(item, [running], change=clock(item))
    assert kinds(told) == [DirectiveKind.SUSPEND]


def test_a_device_change_does_not_take_the_block_of_a_ladder_that_waits_for_a_notice() -> None:
    waiting = case(CaseCause.UNVERIFIED, steps_taken=7, due_at=NOW)
    done = device_change(subscription(state=SUSPENDED), [waiting], happened_at=NOW)
    assert kinds(done) == [DirectiveKind.NOTIFY]
    assert done.subscription.service_state is SUSPENDED


def test_the_order_of_a_wave_names_it_and_the_clock_takes_over_behind_it() -> None:
    assert shipped_rules().tracks["T2"].steps[5].is_by_wave
    waiting = replace(case(CaseCause.UNVERIFIED, steps_taken=5, due_at=NOW), waits_for_wave=True)
    item, wave_id = subscription(), new_id()
    passed = settled(item, [waiting], change=clock(item))
    assert (passed.cases, passed.directives) == ((waiting,), ())
    wave = replace(clock(item, Run(wave_track="T2")), wave_id=wave_id)
    done = settled(item, [waiting], change=wave)
    (order,) = done.directives
    assert (order.kind, order.wave_id) == (DirectiveKind.BLOCK_OUTGOING, wave_id)
    (stepped,) = done.cases
    assert (stepped.waits_for_wave, stepped.next_due_at) == (False, NOW + 60 * DAY)
    after = done.subscription
    later = settled(after, done.cases, change=clock(after), at=NOW + 60 * DAY)
    (suspend,) = later.directives
    assert (suspend.kind, suspend.wave_id) == (DirectiveKind.SUSPEND, None)
