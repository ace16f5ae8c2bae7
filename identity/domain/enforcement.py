"""The enforcement ladder: cases, their clocks, and the orders that follow.

Owns when a case is opened, stepped and closed, and which order a set of cases adds up to. Knows no
rows, no operators' answers and no clock: each function takes the instant it needs, and the
ladder itself comes from the policy pack.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.link import LinkState
from identity.domain.notice import NextStep
from identity.domain.policy import CaseCause, Step, StepKind, Track
from identity.domain.subscription import ServiceState, Subscription


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    CURED = "cured"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class DirectiveKind(StrEnum):
    """What an operator is ordered to do."""

    NOTIFY = "notify"
    BLOCK_OUTGOING = "block_outgoing"
    SUSPEND = "suspend"
    TERMINATE = "terminate"
    RESTORE = "restore"


_STATE_OF_STEP = {
    StepKind.NOTIFY: ServiceState.ACTIVE,
    StepKind.BLOCK_OUTGOING: ServiceState.OUTGOING_BLOCKED,
    StepKind.SUSPEND: ServiceState.SUSPENDED,
    StepKind.TERMINATE: ServiceState.TERMINATED,
}

_ORDER_INTO_STATE = {
    ServiceState.ACTIVE: DirectiveKind.RESTORE,
    ServiceState.OUTGOING_BLOCKED: DirectiveKind.BLOCK_OUTGOING,
    ServiceState.SUSPENDED: DirectiveKind.SUSPEND,
    ServiceState.TERMINATED: DirectiveKind.TERMINATE,
}

STATE_OF_DIRECTIVE = {order: state for state, order in _ORDER_INTO_STATE.items()}

_CAUSE_OF_LINK = {
    LinkState.MISMATCHED: CaseCause.MISMATCHED,
    LinkState.NOT_FOUND: CaseCause.NOT_FOUND,
    LinkState.DECEASED: CaseCause.DECEASED,
}

STANDING_CAUSES = frozenset({CaseCause.UNVERIFIED, *_CAUSE_OF_LINK.values()})
"""Causes that follow from a subscription's own state; the others follow from an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Why one subscription is on one ladder, with its clock.

    Attributes:
        case_id: Identifier.
        subscription_id: Whose case.
        track: Name of the ladder.
        cause: Why.
        policy_version: The pack that it runs under.
        opened_at: Since when.
        steps_taken: Rungs behind it.
        next_due_at: When the next rung is due; None at the end of the ladder.
        state: Open, or how it ended.
        closed_at: When it ended.
        frozen_at: Since when a dispute holds its clock; None while it runs.
        waits_for_wave: Its next rung is left to waves.
        wave_id: The wave that took its rung that is left to waves.
        wave_due_at: When that rung was due: what a revert puts back.
    """

    case_id: UUID
    subscription_id: UUID
    track: str
    cause: CaseCause
    policy_version: str
    opened_at: datetime
    steps_taken: int
    next_due_at: datetime | None
    state: CaseState = CaseState.OPEN
    closed_at: datetime | None = None
    frozen_at: datetime | None = None
    waits_for_wave: bool = False
    wave_id: UUID | None = None
    wave_due_at: datetime | None = None

    def frozen(self, *, at: datetime) -> "Case":
        """The case with its clock held; unchanged when it is held already."""
        return self if self.frozen_at is not None else replace(self, frozen_at=at)

    def thawed(self, *, at: datetime) -> "Case":
        """The case with its clock running: what was left of an interval is still to come."""
        if self.frozen_at is None:
            return self
        held_for = max(at - self.frozen_at, timedelta())
        next_due_at = None if self.next_due_at is None else self.next_due_at + held_for
        return replace(self, frozen_at=None, next_due_at=next_due_at)

    def closed(self, state: CaseState, *, at: datetime) -> "Case":
        """The case at its end; its clock stops."""
        return replace(
            self, state=state, closed_at=at, next_due_at=None, frozen_at=None, waits_for_wave=False
        )


def open_case(
    subscription: Subscription, cause: CaseCause, track: Track, *, identity: UUID, at: datetime
) -> Case:
    """A new case at the foot of a ladder."""
    return Case(
        case_id=identity,
        subscription_id=subscription.subscription_id,
        track=track.name,
        cause=cause,
        policy_version=track.policy_version,
        opened_at=at,
        steps_taken=0,
        next_due_at=at + track.steps[0].after,
        waits_for_wave=track.steps[0].is_by_wave,
    )


def standing_causes(subscription: Subscription) -> tuple[CaseCause, ...]:
    """Why the subscription's own state puts it on a ladder, the weightiest first.

    The first one decides on the ladder; a verification that fails to be is told of beside it. A
    number that was never put in service needs no ladder, and one out of service no more.
    """
    if subscription.service_state in {ServiceState.INACTIVE, ServiceState.TERMINATED}:
        return ()
    linked = subscription.link.state is LinkState.LINKED
    causes = () if linked else (_CAUSE_OF_LINK[subscription.link.state],)
    return causes if subscription.verified_at is not None else (*causes, CaseCause.UNVERIFIED)


def next_step_due_at(case: Case, track: Track, *, is_primary: bool) -> datetime | None:
    """When the next rung is due, a citizen's primary number being given its extra time."""
    if case.next_due_at is None:
        return None
    upcoming = track.steps[case.steps_taken]
    if is_primary and upcoming.kind is not StepKind.NOTIFY:
        return case.next_due_at + track.primary_extra
    return case.next_due_at


def next_block(case: Case, track: Track, *, is_primary: bool) -> NextStep | None:
    """What next takes service away, and when if every step is taken on time; None at the end."""
    due_at = case.next_due_at
    if due_at is None:
        return None
    ahead = track.steps[case.steps_taken :]
    for place, step in enumerate(ahead):
        if step.kind is not StepKind.NOTIFY:
            between = (later.after for later in ahead[1 : place + 1])
            extra = track.primary_extra if is_primary else timedelta()
            return NextStep(kind=step.kind, at=due_at + sum(between, timedelta()) + extra)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What takes steps: the clock, or a wave.

    Attributes:
        is_primary: The number is a citizen's primary.
        is_notified: Every notice that was ordered has been delivered.
        wave_track: It is a wave: of this ladder it takes the one step that is left to waves, and
            nothing else.
        wave_id: The wave, which the case remembers.
    """

    is_primary: bool = False
    is_notified: bool = True
    wave_track: str | None = None
    wave_id: UUID | None = None


def take_due_steps(
    case: Case, track: Track, run: Run, *, at: datetime
) -> tuple[Case, tuple[StepKind, ...]]:
    """Take every rung that is due at `at` and that nothing holds.

    A rung is taken at the instant of the run and the next one counts from there: a late run delays
    what follows and never skips a notice or shortens an interval. A frozen case takes none.
    """
    taken: list[StepKind] = []
    while case.frozen_at is None and (step := _due_step(case, track, run, at=at)):
        taken.append(step.kind)
        due_at, case = case.next_due_at, _after_step(case, track, at=at)
        if run.wave_track is not None:
            case = replace(case, wave_id=run.wave_id, wave_due_at=due_at)
            break
        # A notice that has just been ordered has not been delivered.
        run = replace(run, is_notified=run.is_notified and step.kind is not StepKind.NOTIFY)
    if StepKind.TERMINATE in taken:
        case = case.closed(CaseState.TERMINATED, at=at)
    return case, tuple(taken)


def _due_step(case: Case, track: Track, run: Run, *, at: datetime) -> Step | None:
    due_at = next_step_due_at(case, track, is_primary=run.is_primary)
    if due_at is None or due_at > at:
        return None
    step = track.steps[case.steps_taken]
    waits = track.waits_for_notices and step.kind is not StepKind.NOTIFY and not run.is_notified
    is_own = run.wave_track == track.name if step.is_by_wave else run.wave_track is None
    return step if is_own and not waits else None


def _after_step(case: Case, track: Track, *, at: datetime) -> Case:
    steps_taken = case.steps_taken + 1
    is_last = steps_taken == len(track.steps)
    next_due_at = None if is_last else at + track.steps[steps_taken].after
    return replace(
        case,
        steps_taken=steps_taken,
        next_due_at=next_due_at,
        waits_for_wave=not is_last and track.steps[steps_taken].is_by_wave,
    )


def state_reached(case: Case, track: Track) -> ServiceState:
    """The strictest state that the rungs taken so far add up to."""
    taken = track.steps[: case.steps_taken]
    reached = [_STATE_OF_STEP[step.kind] for step in taken]
    return max(reached, key=lambda state: state.strictness, default=ServiceState.ACTIVE)


def strictest(states: Iterable[ServiceState]) -> ServiceState:
    """What several cases order together."""
    return max(states, key=lambda state: state.strictness, default=ServiceState.ACTIVE)


def order_into(target: ServiceState, *, current: ServiceState) -> DirectiveKind | None:
    """The order that brings a number from one state to another; None when it is there already."""
    return None if target is current else _ORDER_INTO_STATE[target]
