"""One case on one ladder: when its rungs are due and what they add up to."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from identity.domain.enforcement import (
    STANDING_CAUSES,
    STATE_OF_DIRECTIVE,
    Case,
    CaseState,
    DirectiveKind,
    next_step_due_at,
    open_case,
    order_into,
    standing_cause,
    state_reached,
    strictest,
    take_due_steps,
)
from identity.domain.link import LinkState
from identity.domain.policy import OPTIONAL_CAUSES, CaseCause, StepKind, Track
from identity.domain.subscription import ServiceState
from tests.unit.identity.domain.samples import NOW, shipped_pack, subscription

DAY = timedelta(days=1)


def track(name: str) -> Track:
    return shipped_pack().tracks[name]


def fresh(cause: CaseCause) -> Case:
    return open_case(subscription(), cause, shipped_pack(), identity=UUID(int=7), at=NOW)


def walk(case: Case, days: list[int], *, is_primary: bool = False) -> list[tuple[int, StepKind]]:
    """Run the clock on some days after NOW; returns each rung with its day."""
    ladder = track(case.track)
    taken: list[tuple[int, StepKind]] = []
    for day in days:
        case, steps = take_due_steps(case, ladder, at=NOW + day * DAY, is_primary=is_primary)
        taken.extend((day, step) for step in steps)
    return taken


@pytest.mark.parametrize("cause", sorted(set(CaseCause) - OPTIONAL_CAUSES))
def test_a_new_case_stands_at_the_foot_of_its_ladder(cause: CaseCause) -> None:
    case = fresh(cause)
    assert cause in track(case.track).causes
    assert (case.steps_taken, case.state, case.closed_at) == (0, CaseState.OPEN, None)
    assert case.next_due_at == case.opened_at == NOW
    assert case.policy_version == shipped_pack().version
    assert state_reached(case, track(case.track)) is ServiceState.ACTIVE


@pytest.mark.parametrize(
    ("cause", "blocking"),
    [
        (CaseCause.DEVICE_CHANGE, {0: "block_outgoing", 30: "suspend", 35: "terminate"}),
        (CaseCause.UNVERIFIED, {5: "block_outgoing", 65: "suspend", 70: "terminate"}),
        (CaseCause.MISMATCHED, {5: "block_outgoing", 65: "suspend", 70: "terminate"}),
        (CaseCause.DISOWNED, {5: "suspend"}),
        (CaseCause.NOT_FOUND, {15: "block_outgoing", 30: "suspend", 60: "terminate"}),
        (CaseCause.DECEASED, {15: "block_outgoing", 30: "suspend", 60: "terminate"}),
    ],
)
def test_a_clock_run_every_day_blocks_on_the_days_of_the_regulation(
    cause: CaseCause, blocking: dict[int, str]
) -> None:
    taken = walk(fresh(cause), list(range(101)))
    assert {day: kind for day, kind in taken if kind is not StepKind.NOTIFY} == blocking
    first_block = min(blocking)
    assert [day for day, kind in taken if kind is StepKind.NOTIFY] == (
        list(range(5)) if first_block else [0]
    )


def test_a_late_run_takes_one_rung_at_a_time_and_shortens_no_interval() -> None:
    taken = walk(fresh(CaseCause.UNVERIFIED), [50, 50, 51, 51, 90, 91, 92, 93, 152, 153, 157, 158])
    assert taken == [
        *((50, StepKind.NOTIFY), (51, StepKind.NOTIFY), (90, StepKind.NOTIFY)),
        *((91, StepKind.NOTIFY), (92, StepKind.NOTIFY)),
        *((93, StepKind.BLOCK_OUTGOING), (153, StepKind.SUSPEND), (158, StepKind.TERMINATE)),
    ]


def test_a_rung_is_due_at_its_very_instant_and_not_a_microsecond_before() -> None:
    case, ladder = fresh(CaseCause.UNVERIFIED), track("T2")
    case, first = take_due_steps(case, ladder, at=NOW, is_primary=False)
    early = NOW + DAY - timedelta(microseconds=1)
    assert first == (StepKind.NOTIFY,)
    assert take_due_steps(case, ladder, at=early, is_primary=False) == (case, ())
    assert take_due_steps(case, ladder, at=NOW + DAY, is_primary=False)[1] == (StepKind.NOTIFY,)


def test_a_primary_number_gets_extra_time_before_each_block_and_its_notices_in_time() -> None:
    taken = walk(fresh(CaseCause.UNVERIFIED), list(range(101)), is_primary=True)
    assert [day for day, kind in taken if kind is StepKind.NOTIFY] == [0, 1, 2, 3, 4]
    assert [day for day, kind in taken if kind is not StepKind.NOTIFY] == [10, 75, 85]


def test_a_device_change_gives_a_primary_number_no_extra_time() -> None:
    case = fresh(CaseCause.DEVICE_CHANGE)
    assert walk(case, list(range(40)), is_primary=True) == walk(case, list(range(40)))


def test_a_number_that_stops_being_primary_is_due_as_any_other() -> None:
    case = replace(fresh(CaseCause.UNVERIFIED), steps_taken=5, next_due_at=NOW)
    assert next_step_due_at(case, track("T2"), is_primary=True) == NOW + 5 * DAY
    assert next_step_due_at(case, track("T2"), is_primary=False) == NOW


@pytest.mark.parametrize("cause", [CaseCause.UNVERIFIED, CaseCause.DEVICE_CHANGE])
def test_termination_closes_the_case_and_stops_its_clock(cause: CaseCause) -> None:
    ladder = shipped_pack().track_for(cause)
    before = replace(fresh(cause), steps_taken=len(ladder.steps) - 1, next_due_at=NOW)
    case, steps = take_due_steps(before, ladder, at=NOW, is_primary=False)
    assert steps == (StepKind.TERMINATE,)
    assert (case.state, case.closed_at, case.next_due_at) == (CaseState.TERMINATED, NOW, None)
    assert take_due_steps(case, ladder, at=NOW + 999 * DAY, is_primary=False) == (case, ())


def test_a_ladder_that_ends_in_suspension_stays_open_with_no_further_rung() -> None:
    ladder = track("T3")
    before = replace(fresh(CaseCause.DISOWNED), steps_taken=5, next_due_at=NOW)
    case, steps = take_due_steps(before, ladder, at=NOW, is_primary=False)
    assert steps == (StepKind.SUSPEND,)
    assert (case.state, case.next_due_at) == (CaseState.OPEN, None)
    assert next_step_due_at(case, ladder, is_primary=False) is None


@pytest.mark.parametrize("state", [CaseState.CURED, CaseState.WITHDRAWN, CaseState.TERMINATED])
def test_a_closed_case_takes_no_step_ever(state: CaseState) -> None:
    case = fresh(CaseCause.UNVERIFIED).closed(state, at=NOW)
    assert take_due_steps(case, track("T2"), at=NOW + 999 * DAY, is_primary=False) == (case, ())


@pytest.mark.parametrize(
    ("taken", "state"),
    [
        *((count, ServiceState.ACTIVE) for count in range(6)),
        (6, ServiceState.OUTGOING_BLOCKED),
        (7, ServiceState.SUSPENDED),
        (8, ServiceState.TERMINATED),
    ],
)
def test_the_state_reached_is_that_of_the_last_rung_taken(taken: int, state: ServiceState) -> None:
    case = replace(fresh(CaseCause.NOT_FOUND), steps_taken=taken)
    assert state_reached(case, track("T4")) is state


@pytest.mark.parametrize("is_verified", [True, False])
@pytest.mark.parametrize("linked", list(LinkState))
@pytest.mark.parametrize("state", list(ServiceState))
def test_a_number_in_use_has_a_standing_cause_unless_linked_and_verified(
    state: ServiceState,
    linked: LinkState,
    is_verified: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    item = subscription(state=state, linked=linked, verified_at=NOW if is_verified else None)
    cause = standing_cause(item)
    if state in {ServiceState.INACTIVE, ServiceState.TERMINATED}:
        assert cause is None
    elif linked is LinkState.LINKED:
        assert cause is (None if is_verified else CaseCause.UNVERIFIED)
    else:
        assert cause is not None
        assert cause.value == linked.value
        assert cause in STANDING_CAUSES


def test_events_are_not_standing_causes() -> None:
    events = {CaseCause.DEVICE_CHANGE, CaseCause.DISOWNED, CaseCause.SIM_SWAP}
    assert set(CaseCause) - STANDING_CAUSES == events


def test_several_cases_order_what_the_strictest_does() -> None:
    blocked, suspended = ServiceState.OUTGOING_BLOCKED, ServiceState.SUSPENDED
    assert strictest([]) is ServiceState.ACTIVE
    assert strictest([blocked, suspended, ServiceState.ACTIVE]) is suspended
    assert strictest([ServiceState.TERMINATED, suspended]) is ServiceState.TERMINATED


@pytest.mark.parametrize("current", list(ServiceState))
@pytest.mark.parametrize("target", [state for state in ServiceState if state != "inactive"])
def test_an_order_leads_into_its_target_and_only_where_the_number_is_not(
    target: ServiceState, current: ServiceState
) -> None:
    order = order_into(target, current=current)
    assert (order is None) == (target is current)
    assert order is None or STATE_OF_DIRECTIVE[order] is target


def test_every_order_but_a_notice_leads_into_a_state_of_its_own() -> None:
    assert set(STATE_OF_DIRECTIVE) == set(DirectiveKind) - {DirectiveKind.NOTIFY}
    assert len(set(STATE_OF_DIRECTIVE.values())) == len(STATE_OF_DIRECTIVE)


@pytest.mark.parametrize("days", [[0, 0, 0], [4, 4], [70, 70]])
def test_a_second_run_at_the_same_instant_takes_nothing(days: list[int]) -> None:
    case: Case = fresh(CaseCause.NOT_FOUND)
    instant: datetime = NOW + days[0] * DAY
    case, first = take_due_steps(case, track("T4"), at=instant, is_primary=False)
    assert len(first) == 1
    assert take_due_steps(case, track("T4"), at=instant, is_primary=False) == (case, ())
