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
    Run,
    next_block,
    next_step_due_at,
    open_case,
    order_into,
    standing_causes,
    state_reached,
    strictest,
    take_due_steps,
)
from identity.domain.link import LinkState
from identity.domain.notice import NextStep
from identity.domain.policy import OPTIONAL_CAUSES, CaseCause, Step, StepKind, Track
from identity.domain.subscription import ServiceState
from tests.unit.identity.domain.samples import NOW, shipped_rules, subscription, track_for

DAY = timedelta(days=1)
CLOCK, FOR_PRIMARY = Run(), Run(is_primary=True)
UNNOTIFIED = Run(is_notified=False)
WAVE = Run(wave_track="T2")


def track(name: str) -> Track:
    return shipped_rules().tracks[name]


def by_wave(place: int) -> Track:
    """T2 with one of its steps left to waves."""
    steps = list(track("T2").steps)
    steps[place] = replace(steps[place], is_by_wave=True)
    return replace(track("T2"), steps=tuple(steps))


def fresh(cause: CaseCause) -> Case:
    return open_case(subscription(), cause, track_for(cause), identity=UUID(int=7), at=NOW)


def at_rung(steps_taken: int, ladder: Track, *, due_at: datetime = NOW) -> Case:
    """A case of an unverified number some rungs up T2, or a T2 of its own."""
    return replace(
        fresh(CaseCause.UNVERIFIED),
        steps_taken=steps_taken,
        next_due_at=due_at,
        waits_for_wave=ladder.steps[steps_taken].is_by_wave,
    )


def walk(case: Case, days: list[int], run: Run = CLOCK) -> list[tuple[int, StepKind]]:
    """Run the clock on some days after NOW, and then a wave; returns each rung with its day."""
    ladder = track(case.track)
    taken: list[tuple[int, StepKind]] = []
    for day in days:
        for each in (run, replace(run, wave_track=case.track)):
            case, steps = take_due_steps(case, ladder, each, at=NOW + day * DAY)
            taken.extend((day, step) for step in steps)
    return taken


def due_run(ladder: Track, place: int, run: Run = CLOCK) -> Run:
    """What takes a step: a wave where it is left to waves."""
    return replace(run, wave_track=ladder.name) if ladder.steps[place].is_by_wave else run


@pytest.mark.parametrize("cause", sorted(set(CaseCause) - OPTIONAL_CAUSES))
def test_a_new_case_stands_at_the_foot_of_its_ladder(cause: CaseCause) -> None:
    case = fresh(cause)
    assert cause in track(case.track).causes
    assert (case.steps_taken, case.state, case.closed_at) == (0, CaseState.OPEN, None)
    assert case.next_due_at == case.opened_at == NOW
    assert case.policy_version == track(case.track).policy_version
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
def test_a_clock_and_a_wave_run_every_day_block_on_the_days_of_the_regulation(
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
    case, first = take_due_steps(case, ladder, CLOCK, at=NOW)
    early = NOW + DAY - timedelta(microseconds=1)
    assert first == (StepKind.NOTIFY,)
    assert take_due_steps(case, ladder, CLOCK, at=early) == (case, ())
    assert take_due_steps(case, ladder, CLOCK, at=NOW + DAY)[1] == (StepKind.NOTIFY,)


def test_a_primary_number_gets_extra_time_before_each_block_and_its_notices_in_time() -> None:
    taken = walk(fresh(CaseCause.UNVERIFIED), list(range(101)), FOR_PRIMARY)
    assert [day for day, kind in taken if kind is StepKind.NOTIFY] == [0, 1, 2, 3, 4]
    assert [day for day, kind in taken if kind is not StepKind.NOTIFY] == [10, 75, 85]


def test_a_device_change_gives_a_primary_number_no_extra_time() -> None:
    case = fresh(CaseCause.DEVICE_CHANGE)
    assert walk(case, list(range(40)), FOR_PRIMARY) == walk(case, list(range(40)))


def test_a_number_that_stops_being_primary_is_due_as_any_other() -> None:
    case = replace(fresh(CaseCause.UNVERIFIED), steps_taken=5, next_due_at=NOW)
    assert next_step_due_at(case, track("T2"), is_primary=True) == NOW + 5 * DAY
    assert next_step_due_at(case, track("T2"), is_primary=False) == NOW


@pytest.mark.parametrize("cause", [CaseCause.UNVERIFIED, CaseCause.DEVICE_CHANGE])
def test_termination_closes_the_case_and_stops_its_clock(cause: CaseCause) -> None:
    ladder = track_for(cause)
    before = replace(fresh(cause), steps_taken=len(ladder.steps) - 1, next_due_at=NOW)
    case, steps = take_due_steps(before, ladder, CLOCK, at=NOW)
    assert steps == (StepKind.TERMINATE,)
    assert (case.state, case.closed_at, case.next_due_at) == (CaseState.TERMINATED, NOW, None)
    assert take_due_steps(case, ladder, CLOCK, at=NOW + 999 * DAY) == (case, ())


def test_a_ladder_that_ends_in_suspension_stays_open_with_no_further_rung() -> None:
    ladder = track("T3")
    before = replace(fresh(CaseCause.DISOWNED), steps_taken=5, next_due_at=NOW)
    case, steps = take_due_steps(before, ladder, CLOCK, at=NOW)
    assert steps == (StepKind.SUSPEND,)
    assert (case.state, case.next_due_at) == (CaseState.OPEN, None)
    assert next_step_due_at(case, ladder, is_primary=False) is None


@pytest.mark.parametrize("state", [CaseState.CURED, CaseState.WITHDRAWN, CaseState.TERMINATED])
def test_a_closed_case_takes_no_step_ever(state: CaseState) -> None:
    case = fresh(CaseCause.UNVERIFIED).closed(state, at=NOW)
    assert take_due_steps(case, track("T2"), CLOCK, at=NOW + 999 * DAY) == (case, ())


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
def test_a_number_in_use_has_standing_causes_unless_linked_and_verified(
    state: ServiceState,
    linked: LinkState,
    is_verified: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    item = subscription(state=state, linked=linked, verified_at=NOW if is_verified else None)
    causes = standing_causes(item)
    if state in {ServiceState.INACTIVE, ServiceState.TERMINATED}:
        assert causes == ()
        return
    of_link = [] if linked is LinkState.LINKED else [linked.value]
    of_holder = [] if is_verified else ["unverified"]
    assert [cause.value for cause in causes] == of_link + of_holder
    assert set(causes) <= STANDING_CAUSES


def test_events_are_not_standing_causes() -> None:
    events = {CaseCause.DEVICE_CHANGE, CaseCause.DISOWNED, *OPTIONAL_CAUSES}
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
    case, first = take_due_steps(case, track("T4"), CLOCK, at=instant)
    assert len(first) == 1
    assert take_due_steps(case, track("T4"), CLOCK, at=instant) == (case, ())


def test_a_block_is_foretold_from_the_next_rung_with_all_that_lies_between() -> None:
    case, ladder = fresh(CaseCause.UNVERIFIED), track("T2")
    block = NextStep(kind=StepKind.BLOCK_OUTGOING, at=NOW + 5 * DAY)
    assert next_block(case, ladder, is_primary=False) == block
    assert next_block(case, ladder, is_primary=True) == replace(block, at=NOW + 10 * DAY)


@pytest.mark.parametrize(
    ("taken", "kind"),
    [(5, StepKind.BLOCK_OUTGOING), (6, StepKind.SUSPEND), (7, StepKind.TERMINATE)],
)
def test_what_is_foretold_is_the_very_rung_and_day_of_a_punctual_clock(
    taken: int, kind: StepKind
) -> None:
    case, ladder = at_rung(taken, track("T2"), due_at=NOW + 3 * DAY), track("T2")
    assert next_block(case, ladder, is_primary=False) == NextStep(kind=kind, at=NOW + 3 * DAY)
    assert take_due_steps(case, ladder, due_run(ladder, taken), at=NOW + 3 * DAY)[1] == (kind,)


def test_nothing_is_foretold_at_the_end_of_a_ladder() -> None:
    case = replace(fresh(CaseCause.DISOWNED), steps_taken=6, next_due_at=None)
    assert next_block(case, track("T3"), is_primary=False) is None
    notices = replace(track("T3"), steps=track("T3").steps[:5])
    assert next_block(fresh(CaseCause.DISOWNED), notices, is_primary=False) is None


# A dispute holds the clock.


def test_a_frozen_case_takes_no_step_however_late() -> None:
    case = fresh(CaseCause.UNVERIFIED).frozen(at=NOW)
    assert take_due_steps(case, track("T2"), CLOCK, at=NOW + 999 * DAY) == (case, ())


def test_a_case_that_is_held_already_stays_held_since_then() -> None:
    case = fresh(CaseCause.UNVERIFIED).frozen(at=NOW)
    assert case.frozen(at=NOW + DAY) == case
    assert case.frozen_at == NOW


@pytest.mark.parametrize("held_days", [0, 1, 400])
def test_what_was_left_of_an_interval_is_still_to_come_when_a_case_is_thawed(
    held_days: int,
) -> None:
    ladder = track("T2")
    case = at_rung(6, ladder, due_at=NOW + 10 * DAY)
    thawed_at = NOW + 7 * DAY + held_days * DAY
    thawed = case.frozen(at=NOW + 7 * DAY).thawed(at=thawed_at)
    assert thawed == replace(case, next_due_at=thawed_at + 3 * DAY)
    early = thawed_at + 3 * DAY - timedelta(microseconds=1)
    assert take_due_steps(thawed, ladder, CLOCK, at=early)[1] == ()
    assert take_due_steps(thawed, ladder, CLOCK, at=thawed_at + 3 * DAY)[1] == (StepKind.SUSPEND,)


def test_a_case_that_was_never_held_is_not_changed_by_thawing() -> None:
    case = fresh(CaseCause.UNVERIFIED)
    assert case.thawed(at=NOW + DAY) == case


def test_a_clock_that_went_back_meanwhile_brings_no_step_forward() -> None:
    case = fresh(CaseCause.UNVERIFIED)
    assert case.frozen(at=NOW + DAY).thawed(at=NOW) == case


def test_a_held_case_at_the_end_of_its_ladder_is_thawed_without_a_rung() -> None:
    case = replace(fresh(CaseCause.DISOWNED), steps_taken=6, next_due_at=None)
    assert case.frozen(at=NOW).thawed(at=NOW + DAY) == case


def test_a_case_that_ends_is_held_no_more_and_waits_for_no_wave() -> None:
    case = replace(fresh(CaseCause.UNVERIFIED), waits_for_wave=True).frozen(at=NOW)
    ended = case.closed(CaseState.CURED, at=NOW + DAY)
    assert (ended.frozen_at, ended.waits_for_wave, ended.next_due_at) == (None, False, None)


# A block waits for notices, where its ladder says so.


@pytest.mark.parametrize("taken", [5, 6, 7])
def test_a_block_waits_until_the_notices_before_it_were_delivered(taken: int) -> None:
    ladder = track("T2")
    case = at_rung(taken, ladder)
    late = NOW + 99 * DAY
    unnotified, notified = (due_run(ladder, taken, run) for run in (UNNOTIFIED, CLOCK))
    assert take_due_steps(case, ladder, unnotified, at=late) == (case, ())
    assert len(take_due_steps(case, ladder, notified, at=late)[1]) == 1


def test_a_block_does_not_wait_where_its_ladder_does_not_say_so() -> None:
    case, ladder = replace(fresh(CaseCause.NOT_FOUND), steps_taken=5), track("T4")
    assert not ladder.waits_for_notices
    assert take_due_steps(case, ladder, UNNOTIFIED, at=NOW)[1] == (StepKind.BLOCK_OUTGOING,)


def test_a_notice_waits_for_no_other() -> None:
    case, ladder = fresh(CaseCause.UNVERIFIED), track("T2")
    assert take_due_steps(case, ladder, UNNOTIFIED, at=NOW)[1] == (StepKind.NOTIFY,)


def test_a_notice_of_the_same_run_is_one_that_was_not_delivered() -> None:
    kinds = (StepKind.NOTIFY, StepKind.BLOCK_OUTGOING)
    at_once = tuple(Step(kind=kind, after=timedelta()) for kind in kinds)
    ladder = replace(track("T2"), steps=at_once)
    case, taken = take_due_steps(fresh(CaseCause.UNVERIFIED), ladder, CLOCK, at=NOW)
    assert taken == (StepKind.NOTIFY,)
    assert take_due_steps(case, ladder, CLOCK, at=NOW)[1] == (StepKind.BLOCK_OUTGOING,)


# Waves.


def test_the_clock_passes_by_a_step_that_is_left_to_waves() -> None:
    ladder = by_wave(5)
    case, taken = take_due_steps(at_rung(4, ladder), ladder, CLOCK, at=NOW)
    assert (taken, case.waits_for_wave) == ((StepKind.NOTIFY,), True)
    assert take_due_steps(case, ladder, CLOCK, at=NOW + 999 * DAY) == (case, ())


def test_a_wave_takes_its_one_step_and_the_clock_goes_on_from_there() -> None:
    ladder = by_wave(5)
    late = NOW + 30 * DAY
    case, taken = take_due_steps(at_rung(5, ladder), ladder, WAVE, at=late)
    assert taken == (StepKind.BLOCK_OUTGOING,)
    assert (case.waits_for_wave, case.next_due_at) == (False, late + 60 * DAY)
    assert take_due_steps(case, ladder, WAVE, at=late + 999 * DAY) == (case, ())
    assert take_due_steps(case, ladder, CLOCK, at=late + 60 * DAY)[1] == (StepKind.SUSPEND,)


def test_a_wave_takes_one_step_even_where_the_next_is_left_to_waves_too() -> None:
    ladder = by_wave(5)
    steps = list(ladder.steps)
    steps[6] = replace(steps[6], is_by_wave=True, after=timedelta())
    ladder = replace(ladder, steps=tuple(steps))
    case, taken = take_due_steps(at_rung(5, ladder), ladder, WAVE, at=NOW)
    assert (taken, case.waits_for_wave) == ((StepKind.BLOCK_OUTGOING,), True)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(Run(wave_track="T4"), id="of another ladder"),
        pytest.param(Run(wave_track="T2", is_notified=False), id="before the notices came"),
        pytest.param(Run(wave_track="T2", is_primary=True), id="within a primary's extra time"),
    ],
)
def test_a_wave_does_not_take_what_is_not_its_or_held_otherwise(run: Run) -> None:
    ladder = by_wave(5)
    case = at_rung(5, ladder)
    assert take_due_steps(case, ladder, run, at=NOW) == (case, ())


def test_a_wave_takes_nothing_that_is_the_clocks() -> None:
    case, ladder = at_rung(4, by_wave(5)), by_wave(5)
    assert take_due_steps(case, ladder, WAVE, at=NOW) == (case, ())


def test_a_case_whose_first_step_is_left_to_waves_waits_from_the_start() -> None:
    case = open_case(subscription(), CaseCause.UNVERIFIED, by_wave(0), identity=UUID(int=7), at=NOW)
    assert case.waits_for_wave
