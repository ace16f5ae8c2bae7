"""Settling one subscription: its cases, its order and its state, brought in line.

Owns the single place where cases are opened, stepped and closed and orders follow from them. Every
use case that changes a subscription ends here, so no change can leave a case without its cause or
an order without its case.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
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
    Run,
    next_block,
    open_case,
    order_into,
    standing_causes,
    state_reached,
    strictest,
    take_due_steps,
)
from identity.domain.policy import CaseCause, StepKind, Track
from identity.domain.policy_book import Rules
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd

UNDISPUTED_CAUSES = frozenset({CaseCause.DEVICE_CHANGE, CaseCause.SIM_SWAP})
"""What a dispute does not hold: they protect whoever the number is."""

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
        is_claim_changed: Its operator names another holder, or the same one otherwise.
        is_primary: It is a citizen's primary number.
        is_last_number: Its holder has no other number in service.
        is_disputed: Two people claim it, for the first time, and nothing is decided: its clocks
            are held.
        run: Due steps are to be taken, by the clock or by a wave.
        wave_id: The wave.
        end: How it ended, where its operator has ended it.
    """

    before: ServiceState
    cause: CaseCause | None = None
    cause_at: datetime | None = None
    is_cured: bool = False
    is_claim_changed: bool = False
    is_primary: bool = False
    is_last_number: bool = False
    is_disputed: bool = False
    run: Run | None = None
    wave_id: UUID | None = None
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
    rules: Rules,
    *,
    change: Change,
    at: datetime,
    new_id: Callable[[], UUID],
) -> Settlement:
    """Bring cases, order and state of one subscription in line.

    1. Cases whose cause has gone are closed; those that stand keep their clock.
    2. Causes without a case get one.
    3. Clocks are held while the number is disputed, and go on when it is not.
    4. Due steps are taken, when this is a run.
    5. The strictest rung of all open cases is what is ordered.
    6. Earlier orders that this one, or the end of their case, has made untrue are overtaken.
    """
    kept, closed = _close_and_keep(subscription, open_cases, rules, change=change, at=at)  # 1
    opened = _open_missing(subscription, kept, rules, change=change, at=at, new_id=new_id)  # 2
    held = [_held(case, change, at=at) for case in (*kept, *opened)]  # 3
    walk = _walk(held, rules, change=change, new={case.case_id for case in opened}, at=at)  # 4
    target = _target(subscription, walk)  # 5
    settled = subscription.ordered(target, at=at)
    drafts = [*_notices(walk), *_order(walk, target=target, before=change.before)]
    causes = _causes(subscription, walk)
    return Settlement(
        subscription=settled,
        cases=(*closed, *_ended(walk.cases, target, at=at)),
        directives=tuple(
            _directive(settled, draft, change, causes=causes, at=at, identity=new_id())
            for draft in drafts
        ),
        overtaken=_overtaken(subscription, target, change, kept=kept, closed=closed),  # 6
        step_count=len(walk.taken),
    )


@dataclass(frozen=True, slots=True)
class _Climb:
    """A case after its steps, the ladder it is on, and whether it was opened just now."""

    case: Case
    track: Track
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Walk:
    """All cases after their steps, and the steps with the case they belong to."""

    climbs: tuple[_Climb, ...]
    taken: tuple[tuple[_Climb, StepKind], ...]

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(climb.case for climb in self.climbs)


@dataclass(frozen=True, slots=True)
class _Draft:
    """An order before it has a number; no case leads to RESTORE."""

    kind: DirectiveKind
    climb: _Climb | None = None


def _close_and_keep(
    subscription: Subscription,
    cases: Sequence[Case],
    rules: Rules,
    *,
    change: Change,
    at: datetime,
) -> tuple[list[Case], list[Case]]:
    if change.is_cured:
        return [], [case.closed(CaseState.CURED, at=at) for case in cases]
    if not subscription.is_in_service:
        return [], [case.closed(CaseState.WITHDRAWN, at=at) for case in cases]
    standing = list(_standing(subscription, rules))
    kept: list[Case] = []
    closed: list[Case] = []
    for case in cases:
        if case.cause not in STANDING_CAUSES:
            kept.append(case)
        elif cause := _cause_now(case, standing, rules, change):
            kept.append(replace(case, cause=cause))
        else:
            closed.append(case.closed(CaseState.WITHDRAWN, at=at))
    return kept, closed


@dataclass(frozen=True, slots=True)
class _Standing:
    """Why the number's own state puts it on a ladder, unless its contract is exempt from that."""

    cause: CaseCause
    track: Track
    is_exempt: bool


def _standing(subscription: Subscription, rules: Rules) -> Iterator[_Standing]:
    """The weightiest cause, and behind one that the number is exempt from the next."""
    for cause in standing_causes(subscription):
        track = rules.track_for(cause)
        if track is None:
            continue
        is_exempt = track.is_exempt(subscription.activated_on)
        yield _Standing(cause, track, is_exempt)
        if not is_exempt:
            return


def _cause_now(
    case: Case, standing: Sequence[_Standing], rules: Rules, change: Change
) -> CaseCause | None:
    """Why a case stands, although its cause may be another one now; None when it does not.

    The clock belongs to the number: what an operator writes into its book, of the same person or of
    another, neither starts it anew nor lifts what it has brought about, at once or with the next
    run. Nor does an exemption, which only keeps a number from being put on a ladder: a later pack
    or another day of contract ends no case. The register's word does.
    """
    for each in standing:
        if each.track.name == case.track:
            return each.cause
    own = rules.track_for(case.cause)
    # What another name in the book has taken over stands on a ladder that its cause has not led to.
    is_taken_over = own is None or own.name != case.track
    goes_on = change.is_claim_changed or is_taken_over
    return standing[0].cause if standing and goes_on else None


def _open_missing(
    subscription: Subscription,
    kept: Sequence[Case],
    rules: Rules,
    *,
    change: Change,
    at: datetime,
    new_id: Callable[[], UUID],
) -> list[Case]:
    taken = {case.track for case in kept}
    has_standing = any(case.cause in STANDING_CAUSES for case in kept)
    opened: list[Case] = []
    for cause, track, opened_at in _wanted(subscription, rules, change, at=at):
        is_covered = has_standing and cause in STANDING_CAUSES
        if not is_covered and track.name not in taken:
            opened.append(open_case(subscription, cause, track, identity=new_id(), at=opened_at))
            taken.add(track.name)
    return opened


def _wanted(
    subscription: Subscription, rules: Rules, change: Change, *, at: datetime
) -> Iterator[tuple[CaseCause, Track, datetime]]:
    """Every cause that a case is due for, its ladder, and when its clock starts."""
    if not subscription.is_in_service:
        return
    for standing in _standing(subscription, rules):
        if not standing.is_exempt:
            yield standing.cause, standing.track, at
    if change.cause is None or (track := rules.track_for(change.cause)) is None:
        return
    since = change.cause_at or at
    verified_at = subscription.verified_at
    # An event told of late may lie before a verification, which has answered it already.
    is_answered = verified_at is not None and since < verified_at <= at
    if not is_answered:
        yield change.cause, track, since


def _held(case: Case, change: Change, *, at: datetime) -> Case:
    """A stolen SIM is no claim on a number: what its events start goes on in a dispute."""
    is_held = change.is_disputed and case.cause not in UNDISPUTED_CAUSES
    return case.frozen(at=at) if is_held else case.thawed(at=at)


def _walk(
    cases: Sequence[Case], rules: Rules, *, change: Change, new: AbstractSet[UUID], at: datetime
) -> _Walk:
    climbs: list[_Climb] = []
    taken: list[tuple[_Climb, StepKind]] = []
    for case in cases:
        track = rules.track_of(case.policy_version, case.track)
        steps: tuple[StepKind, ...] = ()
        if change.run is not None:
            case, steps = take_due_steps(case, track, change.run, at=at)  # noqa: PLW2901 - the case after its steps
        climbs.append(_Climb(case, track, is_new=case.case_id in new))
        taken.extend((climbs[-1], step) for step in steps)
    return _Walk(tuple(climbs), tuple(taken))


def _target(subscription: Subscription, walk: _Walk) -> ServiceState:
    if subscription.service_state is ServiceState.TERMINATED:
        return ServiceState.TERMINATED
    reached = strictest(state_reached(climb.case, climb.track) for climb in walk.climbs)
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
    return [
        _Draft(DirectiveKind.NOTIFY, climb) for climb, kind in walk.taken if kind is StepKind.NOTIFY
    ]


def _order(walk: _Walk, *, target: ServiceState, before: ServiceState) -> list[_Draft]:
    kind = order_into(target, current=before) if target is not ServiceState.INACTIVE else None
    if kind is None or (kind is DirectiveKind.TERMINATE and not walk.taken):
        return []  # an operator that released a number itself needs no order to do so
    if kind is DirectiveKind.RESTORE:
        return [_Draft(kind)]
    behind = max(walk.climbs, key=lambda climb: state_reached(climb.case, climb.track).strictness)
    return [_Draft(kind, behind)]


def _causes(subscription: Subscription, walk: _Walk) -> tuple[CaseCause, ...]:
    """Everything that speaks against the number, each once: a way out must answer all of it."""
    of_cases = (climb.case.cause for climb in walk.climbs)
    return tuple(dict.fromkeys((*of_cases, *standing_causes(subscription))))


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


def _directive(
    subscription: Subscription,
    draft: _Draft,
    change: Change,
    *,
    causes: tuple[CaseCause, ...],
    at: datetime,
    identity: UUID,
) -> Directive:
    order = Directive(
        directive_id=identity,
        subscription_id=subscription.subscription_id,
        operator_id=subscription.operator_id,
        kind=draft.kind,
        causes=(),
        policy_version=None,
        track=None,
        created_at=at,
        due_at=at + RESTORE_WITHIN,
        wave_id=change.wave_id,
    )
    if draft.climb is None:
        return order
    case, track = draft.climb.case, draft.climb.track
    is_notice = draft.kind is DirectiveKind.NOTIFY
    # The two-hour duty counts from the event, not from when the operator told of it.
    since = case.opened_at if draft.climb.is_new else at
    return replace(
        order,
        causes=causes,
        policy_version=track.policy_version,
        track=track.name,
        is_primary=change.is_primary,
        is_last_number=change.is_last_number,
        upcoming=next_block(case, track, is_primary=change.is_primary) if is_notice else None,
        due_at=since + track.execute_within,
    )
