"""Settling one number: which cases and orders follow from one change, and which do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.domain.enforcement import CaseState, DirectiveKind, Run
from identity.domain.link import LinkState
from identity.domain.notice import NextStep
from identity.domain.policy import CaseCause, StepKind
from identity.domain.settlement import RESTORE_WITHIN, Change
from identity.domain.subscription import ServiceState
from tests.unit.identity.domain.samples import NOW, link, shipped_rules, subscription
from tests.unit.identity.domain.settlements import (
    ACTIVE,
    BLOCKED,
    DAY,
    HOUR,
    ORDERS,
    SUSPENDED,
    TERMINATED,
    case,
    change_of,
    clock,
    cure,
    device_change,
    kinds,
    settled,
    states,
    with_tracks,
)


@pytest.mark.parametrize(
    ("linked", "cause"),
    [
        (LinkState.LINKED, CaseCause.UNVERIFIED),
        (LinkState.MISMATCHED, CaseCause.MISMATCHED),
        (LinkState.NOT_FOUND, CaseCause.NOT_FOUND),
        (LinkState.DECEASED, CaseCause.DECEASED),
    ],
)
def test_an_imported_number_gets_one_case_and_no_order_yet(
    linked: LinkState, cause: CaseCause
) -> None:
    done = settled(subscription(linked=linked))
    assert states(done) == {cause: CaseState.OPEN}
    assert (done.directives, done.overtaken, done.step_count) == ((), frozenset(), 0)
    assert done.subscription == subscription(linked=linked)


def test_a_verified_linked_number_is_left_alone() -> None:
    item = subscription(verified_at=NOW)
    done = settled(item, change=clock(item))
    assert (done.subscription, done.cases, done.directives) == (item, (), ())


@pytest.mark.parametrize("linked", list(LinkState))
def test_a_number_never_put_in_service_gets_no_case(linked: LinkState) -> None:
    item = subscription(state=ServiceState.INACTIVE, linked=linked)
    done = settled(item, change=clock(item))
    assert (done.subscription, done.cases, done.directives) == (item, (), ())


def test_settling_again_keeps_the_case_and_its_clock() -> None:
    item = subscription()
    first = settled(item)
    again = settled(item, first.cases, at=NOW + DAY)
    assert again.cases == first.cases
    assert again.directives == ()


def test_a_mismatch_that_becomes_a_link_stays_on_the_ladder_it_shares_until_verified() -> None:
    running = case(CaseCause.MISMATCHED, steps_taken=6)
    done = settled(subscription(state=BLOCKED), [running])
    assert done.cases == (replace(running, cause=CaseCause.UNVERIFIED),)
    assert (kinds(done), done.subscription.service_state) == ([], BLOCKED)


def test_a_cause_that_gives_way_to_one_of_another_track_starts_a_new_clock() -> None:
    item = subscription(state=BLOCKED, linked=LinkState.MISMATCHED)
    done = settled(item, [case(CaseCause.NOT_FOUND, steps_taken=6)], at=NOW + DAY)
    assert states(done) == {
        CaseCause.NOT_FOUND: CaseState.WITHDRAWN,
        CaseCause.MISMATCHED: CaseState.OPEN,
    }
    assert done.cases[-1].opened_at == NOW + DAY
    assert kinds(done) == [DirectiveKind.RESTORE]
    assert done.subscription.service_state is ACTIVE


def test_a_record_that_is_put_right_lifts_the_block_of_a_verified_number() -> None:
    item = subscription(state=SUSPENDED, verified_at=NOW)
    done = settled(item, [case(CaseCause.NOT_FOUND, steps_taken=7)])
    assert states(done) == {CaseCause.NOT_FOUND: CaseState.WITHDRAWN}
    assert kinds(done) == [DirectiveKind.RESTORE]
    assert done.overtaken == frozenset(DirectiveKind)


@pytest.mark.parametrize("state", [BLOCKED, SUSPENDED])
def test_a_cure_of_a_blocked_number_ends_all_cases_with_one_restore(state: ServiceState) -> None:
    open_cases = [
        case(CaseCause.UNVERIFIED, steps_taken=6 if state is BLOCKED else 7),
        case(CaseCause.DEVICE_CHANGE, steps_taken=2),
        case(CaseCause.DISOWNED, steps_taken=3),
    ]
    done = cure(subscription(state=state), open_cases)
    assert set(states(done).values()) == {CaseState.CURED}
    assert len(done.cases) == 3
    assert kinds(done) == [DirectiveKind.RESTORE]
    assert done.overtaken == frozenset(DirectiveKind)
    assert done.subscription.service_state is ACTIVE


def test_a_restore_needs_no_cause_and_is_due_in_two_hours() -> None:
    (order,) = cure(
        subscription(state=BLOCKED), [case(CaseCause.UNVERIFIED, steps_taken=6)]
    ).directives
    assert (order.causes, order.policy_version, order.track) == ((), None, None)
    assert (order.created_at, order.due_at) == (NOW, NOW + RESTORE_WITHIN)
    assert timedelta(hours=2) == RESTORE_WITHIN


def test_a_first_verification_orders_the_number_into_service() -> None:
    done = cure(subscription(state=ServiceState.INACTIVE), [])
    assert kinds(done) == [DirectiveKind.RESTORE]
    assert (done.subscription.service_state, done.overtaken) == (ACTIVE, frozenset())


def test_a_cure_during_the_notices_calls_them_back_and_orders_nothing() -> None:
    done = cure(subscription(), [case(CaseCause.UNVERIFIED, steps_taken=3)])
    assert states(done) == {CaseCause.UNVERIFIED: CaseState.CURED}
    assert kinds(done) == []


def test_a_second_cure_does_not_call_back_the_restore_of_the_first() -> None:
    """The operator may not have pulled it yet, and no other one follows."""
    again = cure(subscription(verified_at=NOW), [case(CaseCause.DISOWNED, steps_taken=2)])
    assert kinds(again) == []
    assert DirectiveKind.RESTORE not in again.overtaken
    assert again.overtaken == {DirectiveKind.NOTIFY}


def test_a_case_that_ends_does_not_call_back_the_block_and_the_notice_of_another() -> None:
    open_cases = [
        case(CaseCause.NOT_FOUND, steps_taken=3),
        case(CaseCause.DEVICE_CHANGE, steps_taken=2),
    ]
    done = settled(subscription(state=BLOCKED, linked=LinkState.MISMATCHED), open_cases)
    assert states(done)[CaseCause.NOT_FOUND] is CaseState.WITHDRAWN
    assert (kinds(done), done.overtaken) == ([], frozenset())


def test_a_milder_order_replaces_the_stricter_one_and_keeps_what_another_case_demands() -> None:
    open_cases = [
        case(CaseCause.NOT_FOUND, steps_taken=7),
        case(CaseCause.DEVICE_CHANGE, steps_taken=2),
    ]
    done = settled(subscription(state=SUSPENDED, linked=LinkState.MISMATCHED), open_cases)
    (order,) = done.directives
    assert (order.kind, order.track) == (DirectiveKind.BLOCK_OUTGOING, "T1")
    causes = (CaseCause.DEVICE_CHANGE, CaseCause.MISMATCHED, CaseCause.UNVERIFIED)
    assert order.causes == causes
    assert done.overtaken == ORDERS


def test_a_device_change_notifies_and_blocks_at_once_and_is_due_two_hours_after_it() -> None:
    done = device_change(subscription(verified_at=NOW - DAY), happened_at=NOW - HOUR)
    assert kinds(done) == [DirectiveKind.NOTIFY, DirectiveKind.BLOCK_OUTGOING]
    assert {order.due_at for order in done.directives} == {NOW + HOUR}
    assert done.cases[0].opened_at == NOW - HOUR
    assert done.cases[0].next_due_at == NOW + 30 * DAY


def test_a_device_change_told_after_the_verification_that_followed_it_blocks_nothing() -> None:
    item = subscription(verified_at=NOW - HOUR)
    done = device_change(item, happened_at=NOW - DAY)
    assert (done.subscription, done.cases, done.directives) == (item, (), ())


def test_a_verification_from_after_the_present_answers_no_device_change() -> None:
    """As of a server whose clock was ahead."""
    done = device_change(subscription(verified_at=NOW + HOUR), happened_at=NOW - HOUR)
    assert states(done) == {CaseCause.DEVICE_CHANGE: CaseState.OPEN}


@pytest.mark.parametrize("after", [timedelta(0), timedelta(microseconds=1), HOUR])
def test_a_device_change_at_or_after_the_verification_counts(after: timedelta) -> None:
    done = device_change(subscription(verified_at=NOW - HOUR), happened_at=NOW - HOUR + after)
    assert states(done) == {CaseCause.DEVICE_CHANGE: CaseState.OPEN}
    assert done.subscription.service_state is BLOCKED


def test_a_second_device_change_does_not_open_a_second_case_or_reset_the_clock() -> None:
    item = subscription(verified_at=NOW - DAY)
    first = device_change(item, happened_at=NOW)
    again = device_change(
        first.subscription, first.cases, happened_at=NOW + HOUR, at=NOW + 2 * HOUR
    )
    assert again.cases == first.cases
    assert again.directives == ()


def test_a_step_of_another_ladder_is_not_overdue_because_a_device_change_came_late() -> None:
    waiting = case(CaseCause.UNVERIFIED, steps_taken=1, due_at=NOW)
    done = device_change(subscription(), [waiting], happened_at=NOW - 40 * DAY)
    due = {order.track: order.due_at for order in done.directives}
    assert due == {"T2": NOW + DAY, "T1": NOW - 40 * DAY + 2 * HOUR}


def test_a_disowned_number_goes_on_its_ladder_at_the_next_run() -> None:
    item = subscription(verified_at=NOW - DAY)
    change = Change(before=ACTIVE, cause=CaseCause.DISOWNED, cause_at=NOW)
    done = settled(item, change=change)
    assert states(done) == {CaseCause.DISOWNED: CaseState.OPEN}
    assert done.directives == ()
    ran = settled(done.subscription, done.cases, change=clock(item))
    assert kinds(ran) == [DirectiveKind.NOTIFY]


def test_an_order_names_all_that_speaks_against_the_number_and_the_rule_that_led_to_it() -> None:
    open_cases = [
        case(CaseCause.MISMATCHED, steps_taken=2),
        case(CaseCause.DISOWNED, steps_taken=5, due_at=NOW),
    ]
    item = subscription(linked=LinkState.MISMATCHED)
    (order,) = settled(item, open_cases, change=clock(item)).directives
    ladder = shipped_rules().tracks["T3"]
    assert order.kind is DirectiveKind.SUSPEND
    causes = (CaseCause.MISMATCHED, CaseCause.DISOWNED, CaseCause.UNVERIFIED)
    assert order.causes == causes
    assert (order.policy_version, order.track) == (ladder.policy_version, ladder.name)
    assert order.due_at == NOW + ladder.execute_within
    assert (order.subscription_id, order.operator_id) == (item.subscription_id, item.operator_id)


def test_an_order_says_what_is_next_and_whose_number_it_is() -> None:
    item = subscription()
    change = replace(clock(item, is_primary=True), is_last_number=True)
    opened = settled(item).cases
    (notice,) = settled(item, opened, change=change).directives
    assert (notice.is_primary, notice.is_last_number, notice.wave_id) == (True, True, None)
    extra = shipped_rules().tracks["T2"].primary_extra
    block = NextStep(kind=StepKind.BLOCK_OUTGOING, at=NOW + 5 * DAY + extra)
    assert notice.upcoming == block
    (other,) = settled(item, opened, change=clock(item)).directives
    assert (other.is_primary, other.is_last_number) == (False, False)
    assert other.upcoming == replace(block, at=NOW + 5 * DAY)


def test_two_cases_that_lead_to_one_block_are_both_named_in_one_order() -> None:
    open_cases = [
        case(CaseCause.UNVERIFIED, steps_taken=5, due_at=NOW),
        case(CaseCause.DEVICE_CHANGE, steps_taken=1, due_at=NOW),
    ]
    item = subscription()
    (order,) = settled(item, open_cases, change=clock(item)).directives
    assert order.causes == (CaseCause.UNVERIFIED, CaseCause.DEVICE_CHANGE)


def test_a_milder_rung_of_another_case_orders_nothing() -> None:
    open_cases = [
        case(CaseCause.NOT_FOUND, steps_taken=5, due_at=NOW),
        case(CaseCause.DISOWNED, steps_taken=6),
    ]
    item = subscription(state=SUSPENDED, linked=LinkState.NOT_FOUND)
    done = settled(item, open_cases, change=clock(item))
    assert (kinds(done), done.subscription.service_state) == ([], SUSPENDED)
    assert done.step_count == 1


def test_termination_ends_every_case_and_overtakes_no_order() -> None:
    open_cases = [
        case(CaseCause.UNVERIFIED, steps_taken=3),
        case(CaseCause.DEVICE_CHANGE, steps_taken=3, due_at=NOW),
    ]
    item = subscription(state=SUSPENDED)
    done = settled(item, open_cases, change=clock(item))
    assert kinds(done) == [DirectiveKind.TERMINATE]
    assert set(states(done).values()) == {CaseState.TERMINATED}
    assert {case.closed_at for case in done.cases} == {NOW}
    assert (done.subscription.service_state, done.overtaken) == (TERMINATED, frozenset())


def test_a_released_number_needs_no_order_and_everything_still_out_is_void() -> None:
    item = subscription(state=TERMINATED)
    open_cases = [case(CaseCause.UNVERIFIED, steps_taken=6)]
    done = settled(item, open_cases, change=Change(before=BLOCKED))
    assert states(done) == {CaseCause.UNVERIFIED: CaseState.WITHDRAWN}
    assert (kinds(done), done.overtaken) == ([], frozenset(DirectiveKind))


def test_an_order_to_restore_is_void_once_its_number_is_released() -> None:
    """Left standing, it would put the number's next holder in service without verification."""
    done = settled(subscription(state=TERMINATED), change=Change(before=ACTIVE))
    assert DirectiveKind.RESTORE in done.overtaken


def test_the_order_to_terminate_is_never_called_back() -> None:
    item = subscription(state=TERMINATED)
    for change in (change_of(item), clock(item)):
        done = settled(item, change=change)
        assert (done.subscription, done.directives, done.overtaken) == (item, (), frozenset())


def test_an_event_puts_no_released_number_on_a_ladder() -> None:
    item = subscription(state=TERMINATED)
    change = Change(before=TERMINATED, cause=CaseCause.DISOWNED, cause_at=NOW, run=Run())
    done = settled(item, change=change)
    assert (done.subscription, done.cases, done.directives) == (item, (), ())


def test_a_transfer_leaves_a_disowned_number_to_be_cured_by_its_user() -> None:
    running = case(CaseCause.DISOWNED, steps_taken=6)
    item = subscription(state=SUSPENDED, verified_at=NOW - DAY)
    moved = item.transferred_to(item.claim, link(LinkState.LINKED), at=NOW)
    change = Change(before=SUSPENDED, is_claim_changed=True)
    done = settled(moved, [running], change=change)
    assert states(done) == {
        CaseCause.DISOWNED: CaseState.OPEN,
        CaseCause.UNVERIFIED: CaseState.OPEN,
    }
    assert done.subscription.service_state is SUSPENDED


def test_the_clock_of_a_number_does_not_begin_anew_with_another_holder() -> None:
    running = case(CaseCause.UNVERIFIED, steps_taken=4, due_at=NOW + DAY)
    item = subscription()
    change = Change(before=item.service_state, is_claim_changed=True)
    done = settled(item, [running], change=change)
    assert (done.cases, kinds(done)) == ((running,), [])
    (later,) = settled(item, done.cases, change=clock(item), at=NOW + DAY).cases
    assert (later.case_id, later.steps_taken) == (running.case_id, 5)


@pytest.mark.parametrize("linked", [LinkState.LINKED, LinkState.MISMATCHED])
def test_a_new_name_in_the_book_lifts_no_block(linked: LinkState) -> None:
    running = case(CaseCause.NOT_FOUND, steps_taken=6)
    item = subscription(state=ServiceState.OUTGOING_BLOCKED, linked=linked)
    change = Change(before=item.service_state, is_claim_changed=True)
    done = settled(item, [running], change=change)
    (still,) = done.cases
    assert (still.case_id, still.state, still.steps_taken) == (running.case_id, CaseState.OPEN, 6)
    assert still.opened_at == running.opened_at
    assert kinds(done) == []
    assert done.subscription.service_state is ServiceState.OUTGOING_BLOCKED


@pytest.mark.parametrize("run", [None, Run()])
@pytest.mark.parametrize(
    ("cause", "linked"),
    [(CaseCause.DECEASED, LinkState.LINKED), (CaseCause.MISMATCHED, LinkState.NOT_FOUND)],
)
def test_a_block_that_a_new_holder_has_taken_over_is_not_lifted_later_either(
    cause: CaseCause, linked: LinkState, run: Run | None
) -> None:
    running = case(cause, steps_taken=6)
    item = subscription(linked=linked, state=BLOCKED)
    taken_over = settled(
        item, [running], change=Change(before=BLOCKED, is_claim_changed=True)
    ).cases
    later = Change(before=BLOCKED, run=run)
    done = settled(item, taken_over, change=later, at=NOW + DAY)
    assert (done.subscription.service_state, kinds(done)) == (BLOCKED, [])
    assert [(each.case_id, each.state) for each in done.cases] == [
        (running.case_id, CaseState.OPEN)
    ]


def test_a_disowned_number_that_was_never_in_service_is_withdrawn_not_suspended() -> None:
    running = case(CaseCause.DISOWNED, steps_taken=5, due_at=NOW)
    item = subscription(state=ServiceState.INACTIVE)
    done = settled(item, [running], change=clock(item))
    assert done.subscription.service_state is ServiceState.TERMINATED
    assert kinds(done) == [DirectiveKind.TERMINATE]
    assert states(done) == {CaseCause.DISOWNED: CaseState.TERMINATED}
    assert done.directives[0].causes == (CaseCause.DISOWNED,)


def test_a_primary_number_is_blocked_later_than_another() -> None:
    item = subscription(state=BLOCKED)
    waiting = case(CaseCause.UNVERIFIED, steps_taken=6, due_at=NOW)
    assert kinds(settled(item, [waiting], change=clock(item))) == [DirectiveKind.SUSPEND]
    change = clock(item, is_primary=True)
    assert kinds(settled(item, [waiting], change=change)) == []
    late = settled(item, [waiting], change=change, at=NOW + 5 * DAY)
    assert kinds(late) == [DirectiveKind.SUSPEND]


def test_a_pack_with_both_causes_on_one_track_opens_one_case() -> None:
    tracks = shipped_rules().tracks
    merged = replace(tracks["T2"], causes=tracks["T2"].causes | tracks["T3"].causes)
    change = Change(before=ACTIVE, cause=CaseCause.DISOWNED, cause_at=NOW)
    done = settled(subscription(), change=change, rules=with_tracks(merged, without=["T3"]))
    assert [(case.track, case.cause) for case in done.cases] == [("T2", CaseCause.UNVERIFIED)]


def test_an_event_that_no_pack_has_a_ladder_for_opens_no_case() -> None:
    change = Change(before=ACTIVE, cause=CaseCause.SIM_SWAP, cause_at=NOW, run=Run())
    done = settled(subscription(verified_at=NOW - DAY), change=change)
    assert (done.cases, done.directives) == ((), ())
