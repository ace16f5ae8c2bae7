"""Settling one subscription: its cases, its order and its state, brought in line.

Owns the single place where cases are opened, stepped and closed and orders follow from them. Every
use case that changes a subscription ends here, so no change can leave a case without its cause or
an order without its case.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from identity.domain.directive import Directive
from identity.domain.enforcement import (
    STANDING_CAUSES,
    STATE_OF_DIRECTIVE,
    Case,
    CaseState,
    DirectiveKind,
    open_case,
    order_into,
    standing_cause,
    state_reached,
    strictest,
    take_due_steps,
)
from identity.domain.policy import CaseCause, PolicyPack, StepKind, Track
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd

RESTORE_WITHIN = timedelta(hours=2)
"""How long an operator has to put a number back: as long as it has to block one (track T1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a subscription, besides what it says itself.

    Attributes:
        before: What was ordered before the change.
        cause: An event that puts it on a ladder.
        cause_at: When that event happened.
        is_cured: Its holder has just been verified.
        is_new_holder: Somebody else is the holder now, whose own clock starts anew. What has
            blocked the number, and what an event has caused, stays until it is verified.
        is_primary: It is a citizen's primary number.
        is_clock_run: Due steps are to be taken.
        end: How it ended, where its operator has ended it.
    """

    before: ServiceState
    cause: CaseCause | None = None
    cause_at: datetime | None = None
    is_cured: bool = False
    is_new_holder: bool = False
    is_primary: bool = False
    is_clock_run: bool = False
    end: SubscriptionEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What must be saved together.

    Attributes:
        subscription: With the state now ordered.
        cases: Every case that was opened, stepped or closed.
        directives: New orders, in the order of execution.
        overtaken: Kinds of earlier orders that no longer hold where they are still open.
        step_count: Rungs taken.
    """

    subscription: Subscription
    cases: tuple[Case, ...]
    directives: tuple[Directive, ...]
    overtaken: frozenset[DirectiveKind]
    step_count: int


def settle(
    subscription: Subscription,
    open_cases: Sequence[Case],
    pack: PolicyPack,
    *,
    change: Change,
    at: datetime,
    new_id: Callable[[], UUID],
) -> Settlement:
    """Bring cases, order and state of one subscription in line.

    1. Cases whose cause has gone are closed; those that stand keep their clock.
    2. Causes without a case get one.
    3. Due steps are taken, when this is a run of the clock.
    4. The strictest rung of all open cases is what is ordered.
    5. Earlier orders that this one, or the end of their case, has made untrue are overtaken.
    """
    kept, closed = _close_and_keep(subscription, open_cases, pack, change=change, at=at)  # 1
    opened = _open_missing(subscription, kept, pack, change=change, at=at, new_id=new_id)  # 2
    walk = _walk([*kept, *opened], pack, change=change, at=at)  # 3
    target = _target(subscription, walk, pack)  # 4
    settled = subscription.ordered(target, at=at)
    drafts = [*_notices(walk), *_order(walk, pack, target=target, before=change.before)]
    return Settlement(
        subscription=settled,
        cases=(*closed, *_ended(walk.cases, target, at=at)),
        directives=tuple(
            _directive(settled, draft, since=_since(draft, opened, at=at), at=at, identity=new_id())
            for draft in drafts
        ),
        overtaken=_overtaken(subscription, target, change, kept=kept, closed=closed),  # 5
        step_count=len(walk.taken),
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """Cases after their steps, and the steps with the track they belong to."""

    cases: tuple[Case, ...]
    taken: tuple[tuple[Track, StepKind], ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """An order before it has a number: `track` and `causes` are those that lead to it."""

    kind: DirectiveKind
    track: Track | None = None
    causes: tuple[CaseCause, ...] = ()


def _close_and_keep(
    subscription: Subscription,
    cases: Sequence[Case],
    pack: PolicyPack,
    *,
    change: Change,
    at: datetime,
) -> tuple[list[Case], list[Case]]:
    if change.is_cured:
        return [], [case.closed(CaseState.CURED, at=at) for case in cases]
    if not subscription.is_in_service:
        return [], [case.closed(CaseState.WITHDRAWN, at=at) for case in cases]
    cause = standing_cause(subscription)
    track_name = None if cause is None else pack.track_for(cause).name
    kept: list[Case] = []
    closed: list[Case] = []
    for case in cases:
        if case.cause not in STANDING_CAUSES:
            kept.append(case)
        elif cause is not None and _goes_on(case, pack, change, track_name=track_name):
            kept.append(replace(case, cause=cause))
        else:
            closed.append(case.closed(CaseState.WITHDRAWN, at=at))
    return kept, closed


def _goes_on(case: Case, pack: PolicyPack, change: Change, *, track_name: str | None) -> bool:
    """Whether a case stands although its cause is another one now."""
    # What a new holder has taken over stands on a ladder that the new cause does not lead to.
    is_taken_over = pack.track_for(case.cause).name != case.track
    if not change.is_new_holder and not is_taken_over:
        return case.track == track_name
    # A blocked number stays blocked until somebody is verified for it: a new name in the operator's
    # book must not lift what the old one has brought about, neither at once nor with the next run.
    return state_reached(case, pack.tracks[case.track]) is not ServiceState.ACTIVE


def _open_missing(
    subscription: Subscription,
    kept: Sequence[Case],
    pack: PolicyPack,
    *,
    change: Change,
    at: datetime,
    new_id: Callable[[], UUID],
) -> list[Case]:
    taken = {case.track for case in kept}
    has_standing = any(case.cause in STANDING_CAUSES for case in kept)
    opened: list[Case] = []
    for cause, opened_at in _wanted(subscription, change, at=at):
        is_covered = has_standing and cause in STANDING_CAUSES
        if not is_covered and pack.track_for(cause).name not in taken:
            opened.append(open_case(subscription, cause, pack, identity=new_id(), at=opened_at))
            taken.add(opened[-1].track)
    return opened


def _wanted(
    subscription: Subscription, change: Change, *, at: datetime
) -> Iterator[tuple[CaseCause, datetime]]:
    """Every cause that a case is due for, with the instant that its clock starts from."""
    if not subscription.is_in_service:
        return
    standing = standing_cause(subscription)
    if standing is not None:
        yield standing, at
    since = change.cause_at or at
    verified_at = subscription.verified_at
    # An event told of late may lie before a verification, which has answered it already.
    is_answered = verified_at is not None and since < verified_at <= at
    if change.cause is not None and not is_answered:
        yield change.cause, since


def _walk(cases: Sequence[Case], pack: PolicyPack, *, change: Change, at: datetime) -> _Walk:
    if not change.is_clock_run:
        return _Walk(tuple(cases), ())
    stepped: list[Case] = []
    taken: list[tuple[Track, StepKind]] = []
    for case in cases:
        track = pack.tracks[case.track]
        after, steps = take_due_steps(case, track, at=at, is_primary=change.is_primary)
        stepped.append(after)
        taken.extend((track, step) for step in steps)
    return _Walk(tuple(stepped), tuple(taken))


def _target(subscription: Subscription, walk: _Walk, pack: PolicyPack) -> ServiceState:
    if subscription.service_state is ServiceState.TERMINATED:
        return ServiceState.TERMINATED
    reached = strictest(state_reached(case, pack.tracks[case.track]) for case in walk.cases)
    if subscription.service_state is not ServiceState.INACTIVE:
        return reached
    # What was never put in service cannot be blocked: where others are blocked it is withdrawn.
    return ServiceState.INACTIVE if reached is ServiceState.ACTIVE else ServiceState.TERMINATED


def _ended(cases: Sequence[Case], target: ServiceState, *, at: datetime) -> tuple[Case, ...]:
    """A number that is withdrawn ends all of its cases, not only the one that led there."""
    if target is not ServiceState.TERMINATED:
        return tuple(cases)
    return tuple(
        case if case.closed_at is not None else case.closed(CaseState.TERMINATED, at=at)
        for case in cases
    )


def _notices(walk: _Walk) -> list[_Draft]:
    cause_of = {case.track: case.cause for case in walk.cases}
    return [
        _Draft(DirectiveKind.NOTIFY, track, (cause_of[track.name],))
        for track, kind in walk.taken
        if kind is StepKind.NOTIFY
    ]


def _order(
    walk: _Walk, pack: PolicyPack, *, target: ServiceState, before: ServiceState
) -> list[_Draft]:
    kind = order_into(target, current=before) if target is not ServiceState.INACTIVE else None
    if kind is None or (kind is DirectiveKind.TERMINATE and not walk.taken):
        return []  # an operator that released a number itself needs no order to do so
    if kind is DirectiveKind.RESTORE:
        return [_Draft(kind)]
    reached = [(case, pack.tracks[case.track]) for case in walk.cases]
    strictness = max(state_reached(case, track).strictness for case, track in reached)
    behind = [
        (case, track)
        for case, track in reached
        if state_reached(case, track).strictness == strictness
    ]
    return [_Draft(kind, behind[0][1], tuple(case.cause for case, _ in behind))]


_ORDERS_INTO_A_STATE = frozenset(STATE_OF_DIRECTIVE)


def _overtaken(
    subscription: Subscription,
    target: ServiceState,
    change: Change,
    *,
    kept: Sequence[Case],
    closed: Sequence[Case],
) -> frozenset[DirectiveKind]:
    """What must not be executed any more, and nothing that is still owed.

    A number whose order stays as it was keeps the order that leads there: the operator may not
    have executed it yet, and no other one follows. Notices are kept while another case may have
    sent them.
    """
    was_in_service = change.before is not ServiceState.TERMINATED
    is_released = was_in_service and not subscription.is_in_service
    is_milder = target.strictness < change.before.strictness
    orders = _ORDERS_INTO_A_STATE if is_milder or is_released else frozenset()
    is_quiet = is_released or (closed and not kept)
    return orders | {DirectiveKind.NOTIFY} if is_quiet else orders


def _since(draft: _Draft, opened: Sequence[Case], *, at: datetime) -> datetime:
    """The two-hour duty counts from the event, not from when the operator told of it."""
    for case in opened:
        if draft.track is not None and draft.track.name == case.track:
            return case.opened_at
    return at


def _directive(
    subscription: Subscription, draft: _Draft, *, since: datetime, at: datetime, identity: UUID
) -> Directive:
    track = draft.track
    within = RESTORE_WITHIN if track is None else track.execute_within
    return Directive(
        directive_id=identity,
        subscription_id=subscription.subscription_id,
        msisdn=subscription.msisdn,
        operator_id=subscription.operator_id,
        kind=draft.kind,
        causes=draft.causes,
        citation="" if track is None else track.citation,
        cure="" if track is None else track.cure,
        created_at=at,
        due_at=since + within,
    )
