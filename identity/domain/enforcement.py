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
from identity.domain.policy import CaseCause, PolicyPack, StepKind, Track
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

    def closed(self, state: CaseState, *, at: datetime) -> "Case":
        """The case at its end; its clock stops."""
        return replace(self, state=state, closed_at=at, next_due_at=None)


def open_case(
    subscription: Subscription, cause: CaseCause, pack: PolicyPack, *, identity: UUID, at: datetime
) -> Case:
    """A new case at the foot of the ladder that the pack has for its cause."""
    track = pack.track_for(cause)
    return Case(
        case_id=identity,
        subscription_id=subscription.subscription_id,
        track=track.name,
        cause=cause,
        policy_version=pack.version,
        opened_at=at,
        steps_taken=0,
        next_due_at=at + track.steps[0].after,
    )


def standing_cause(subscription: Subscription) -> CaseCause | None:
    """Why the subscription's own state puts it on a ladder; None when all is well.

    A number that was never put in service needs no ladder, and one out of service no more.
    """
    if subscription.service_state in {ServiceState.INACTIVE, ServiceState.TERMINATED}:
        return None
    if subscription.link.state is not LinkState.LINKED:
        return _CAUSE_OF_LINK[subscription.link.state]
    return CaseCause.UNVERIFIED if subscription.verified_at is None else None


def next_step_due_at(case: Case, track: Track, *, is_primary: bool) -> datetime | None:
    """When the next rung is due, a citizen's primary number being given its extra time."""
    if case.next_due_at is None:
        return None
    upcoming = track.steps[case.steps_taken]
    if is_primary and upcoming.kind is not StepKind.NOTIFY:
        return case.next_due_at + track.primary_extra
    return case.next_due_at


def earliest_block_at(case: Case, track: Track) -> datetime | None:
    """When the case first takes service away if every step is taken on time; None when it has."""
    if case.next_due_at is None:
        return None
    ahead = track.steps[case.steps_taken :]
    for place, step in enumerate(ahead):
        if step.kind is not StepKind.NOTIFY:
            between = (later.after for later in ahead[1 : place + 1])
            return case.next_due_at + sum(between, timedelta())
    return None


def take_due_steps(
    case: Case, track: Track, *, at: datetime, is_primary: bool
) -> tuple[Case, tuple[StepKind, ...]]:
    """Take every rung that is due at `at`.

    A rung is taken at the instant of the run and the next one counts from there: a late run delays
    what follows and never skips a notice or shortens an interval.
    """
    taken: list[StepKind] = []
    while (due_at := next_step_due_at(case, track, is_primary=is_primary)) and due_at <= at:
        taken.append(track.steps[case.steps_taken].kind)
        case = _after_step(case, track, at=at)
    if StepKind.TERMINATE in taken:
        case = case.closed(CaseState.TERMINATED, at=at)
    return case, tuple(taken)


def _after_step(case: Case, track: Track, *, at: datetime) -> Case:
    steps_taken = case.steps_taken + 1
    is_last = steps_taken == len(track.steps)
    next_due_at = None if is_last else at + track.steps[steps_taken].after
    return replace(case, steps_taken=steps_taken, next_due_at=next_due_at)


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
