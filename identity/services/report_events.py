"""Take what an operator reports of its subscriptions: device, SIM, port, release, transfer.

Owns what each kind of event does. Each event answers for itself: one that does not fit is refused
with its reason and leaves the others alone. Who is named as a new holder is a look-up: they are
counted, and refused to an operator whose look-ups were stopped. All other events go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from identity.audit.log import AuditEntry, append
from identity.domain.enforcement import Run
from identity.domain.errors import (
    DomainError,
    EventInvalidError,
    InstantInFutureError,
    NumberInDisputeError,
    NumberInServiceElsewhereError,
    RegistrationRequiredError,
    RequestInvalidError,
    SubscriptionNotFoundError,
    TerminationPendingError,
)
from identity.domain.holder import HolderClaim
from identity.domain.msisdn import MSISDN
from identity.domain.policy import CaseCause
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.services.call import Call
from identity.services.citizen_locks import refuse_locked
from identity.services.link_history import note_claim_changes
from identity.services.lookup_watch import count_holders, is_stopped, stopped
from identity.services.register_subscription import (
    link_claim,
    new_subscription,
    refuse_quarantined,
)
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key

EVENT_AGE_MAX = timedelta(days=90)
"""Older events are refused: whatever they should have caused is long overdue (docs: ours)."""


class EventKind(StrEnum):
    """What happened to a subscription."""

    DEVICE_CHANGE = "device_change"
    SIM_SWAP = "sim_swap"
    PORT_IN = "port_in"
    PORT_OUT = "port_out"
    RELEASE = "release"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEvent:
    """One event; `claim` is the new holder of a PORT_IN or TRANSFER."""

    msisdn: MSISDN
    kind: EventKind
    occurred_at: datetime
    claim: HolderClaim | None = None


def report_events(
    uow: UnitOfWork, call: Call, events: Sequence[SubscriptionEvent | RequestInvalidError]
) -> list[str]:
    """Apply events in their order; returns a reason for each, empty where it was applied.

    Args:
        uow: The transaction.
        call: The circumstances; the caller is the operator.
        events: Each event parsed, or the error that it was refused with.
    """
    _lock(uow, call, [event for event in events if isinstance(event, SubscriptionEvent)])
    may_name = not is_stopped(uow, call)
    reasons = [_report(uow, call, event, may_name=may_name) for event in events]
    _count(uow, call, [e for e, reason in zip(events, reasons, strict=True) if not reason])
    return reasons


def _count(
    uow: UnitOfWork, call: Call, applied: Sequence[SubscriptionEvent | RequestInvalidError]
) -> None:
    """Count the new holders of applied events: nobody was looked up for one that was refused."""
    keys = [
        citizen_key(uow.sealer, event.claim.personal_id)
        for event in applied
        if isinstance(event, SubscriptionEvent) and event.claim and event.kind in _NAMING
    ]
    if keys:
        known = uow.citizens.holders(keys)
        unknown_count = sum(key not in known for key in keys)
        count_holders(uow, call, keys[0], named_count=len(keys), unknown_count=unknown_count)


def _lock(uow: UnitOfWork, call: Call, events: Sequence[SubscriptionEvent]) -> None:
    """Take every lock at once and in one order: two requests can then only wait for each other.

    Nobody is read here: that takes longer of people who exist, whatever becomes of the event.
    """
    uow.citizens.hold_still(
        citizen_key(uow.sealer, event.claim.personal_id)
        for event in events
        if event.claim is not None
    )
    uow.subscriptions.find_many_in_service(
        (event.msisdn for event in events), lock=True, operator_id=call.caller.name
    )


def _report(
    uow: UnitOfWork, call: Call, event: SubscriptionEvent | RequestInvalidError, *, may_name: bool
) -> str:
    if isinstance(event, RequestInvalidError):
        return event.violations[0].reason
    item = uow.subscriptions.find_of_operator(event.msisdn, call.caller.name)
    holder = None if item is None else item.claim
    try:
        _check_time(call, event)
        if not may_name and event.kind in _NAMING:
            raise stopped()
        _EFFECTS[event.kind](uow, call, event)
        reason = ""
    except DomainError as error:
        reason = error.reason
    append(uow.connection, _entries(uow, call, event, holder, outcome=reason or "applied"))
    return reason


def _entries(
    uow: UnitOfWork,
    call: Call,
    event: SubscriptionEvent,
    holder: HolderClaim | None,
    *,
    outcome: str,
) -> list[AuditEntry]:
    """An entry for each citizen it concerns: the holder before, and the one it names."""
    claims = [claim for claim in (holder, event.claim) if claim is not None]
    keys: set[bytes | None] = {citizen_key(uow.sealer, c.personal_id) for c in claims}
    return [
        AuditEntry(
            occurred_at=call.at,
            caller=str(call.caller),
            action=f"report_{event.kind.value}",
            outcome=outcome,
            citizen_key=key,
            msisdn_key=msisdn_key(uow.sealer, event.msisdn),
        )
        for key in keys or {None}
    ]


def _check_time(call: Call, event: SubscriptionEvent) -> None:
    if event.occurred_at > call.at:
        raise InstantInFutureError("the event lies in the future")
    if event.occurred_at < call.at - EVENT_AGE_MAX:
        raise EventInvalidError("the event is older than 90 days")


def _own(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> Subscription:
    item = uow.subscriptions.find_in_service(event.msisdn, operator_id=call.caller.name)
    if item is None:
        raise SubscriptionNotFoundError("you have no such subscription in service")
    return item


def _change_device(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> None:
    item = _own(uow, call, event)
    if item.service_state is ServiceState.INACTIVE:
        raise EventInvalidError("the number was never put in service")
    changed_at = _latest(event, item.device_changed_at)
    changed = replace(item, device_changed_at=changed_at, updated_at=call.at)
    _demand_verification(uow, call, event, changed, cause=CaseCause.DEVICE_CHANGE)


def _demand_verification(
    uow: UnitOfWork,
    call: Call,
    event: SubscriptionEvent,
    item: Subscription,
    *,
    cause: CaseCause,
) -> None:
    is_primary = bool(uow.primaries.held_by([item.subscription_id]))
    change = Change(
        before=item.service_state,
        cause=cause,
        cause_at=event.occurred_at,
        is_primary=is_primary,
        is_last_number=_is_last_number(uow, item),
        # The operator must act within two hours: waiting for the next run would lose them. What
        # waits for notices on another ladder is left to that run, which knows of them.
        run=Run(is_primary=is_primary, is_notified=False),
    )
    settle_subscription(uow, call, item, change)


def _is_last_number(uow: UnitOfWork, item: Subscription) -> bool:
    held = uow.subscriptions.list_of_citizens([item.claim.personal_id])
    others = (each for each in held if each.subscription_id != item.subscription_id)
    return not any(each.service_state is ServiceState.ACTIVE for each in others)


def _swap_sim(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> None:
    item = _own(uow, call, event)
    swapped_at = _latest(event, item.sim_swapped_at)
    swapped = replace(item, sim_swapped_at=swapped_at, updated_at=call.at)
    is_due = call.rules.track_for(CaseCause.SIM_SWAP) is not None
    if not is_due or item.service_state is ServiceState.INACTIVE:
        uow.subscriptions.save(swapped)
    else:
        _demand_verification(uow, call, event, swapped, cause=CaseCause.SIM_SWAP)


def _latest(event: SubscriptionEvent, known: datetime | None) -> datetime:
    """When it last happened: an event told of late must not hide a later one."""
    return max(event.occurred_at, known or event.occurred_at)


def _port_in(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> None:
    claim = _claim(event)
    current = uow.subscriptions.find_in_service(event.msisdn)
    if current is not None:
        raise NumberInServiceElsewhereError("the number is in service already")
    last = uow.subscriptions.find_many_ended([event.msisdn]).get(event.msisdn)
    if last is not None and last.is_termination_pending:
        raise TerminationPendingError("the number's termination is not acknowledged yet")
    refuse_quarantined(uow, call, event.msisdn, claim)
    if last is not None and last.operator_id == call.caller.name:
        raise RegistrationRequiredError("the number came from nobody: it was yours before")
    is_taken_along = last is not None and last.ended_by is SubscriptionEnd.PORTED_OUT
    if last is None or not is_taken_along or last.claim.personal_id != claim.personal_id:
        refuse_locked(uow, call, claim.personal_id)  # a citizen's own number is no new one
    item = new_subscription(uow, call, event.msisdn, claim)
    # A ported number rings already: it is in service, unverified, and on the ladder.
    active = replace(item, service_state=ServiceState.ACTIVE, applied_state=ServiceState.ACTIVE)
    settle_subscription(uow, call, active, Change(before=active.service_state))


def _end(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> None:
    item = _own(uow, call, event)
    _refuse_disputed(uow, item)
    if event.kind is EventKind.PORT_OUT and _has_begun(uow, item):
        # It would be in service again at once, under a clock that starts anew.
        raise EventInvalidError("a step is taken against it: its holder verifies first")
    ended = item.ended(_ENDS[event.kind], at=call.at)
    change = Change(before=item.service_state, end=ended.ended_by)
    settle_subscription(uow, call, ended, change)


def _has_begun(uow: UnitOfWork, item: Subscription) -> bool:
    """Whether a number is blocked, or was told that it will be."""
    cases = uow.cases.list_open([item])[item.subscription_id]
    return bool(item.service_state.strictness) or any(case.steps_taken for case in cases)


def _transfer(uow: UnitOfWork, call: Call, event: SubscriptionEvent) -> None:
    item = _own(uow, call, event)
    _refuse_disputed(uow, item)
    claim = _claim(event)
    if claim.personal_id == item.claim.personal_id:
        # Otherwise a number could be handed to its own holder, whose proof and clock would be gone.
        raise EventInvalidError("this person is the holder already: correct the book instead")
    refuse_locked(uow, call, claim.personal_id)
    transferred = item.transferred_to(claim, link_claim(uow, claim), at=call.at)
    change = Change(before=item.service_state, is_claim_changed=True)
    settle_subscription(uow, call, transferred, change)
    note_claim_changes(uow, call, [(item, transferred)])


def _refuse_disputed(uow: UnitOfWork, item: Subscription) -> None:
    """Keep an operator, or either side through it, from settling a dispute by a single act."""
    if uow.disputes.disputed([item]):
        raise NumberInDisputeError("two people claim the number: it waits for the decision")


def _claim(event: SubscriptionEvent) -> HolderClaim:
    if event.claim is None:
        raise EventInvalidError("this kind of event needs the new holder")
    return event.claim


_NAMING = frozenset({EventKind.PORT_IN, EventKind.TRANSFER})
"""Events that name a new holder."""

_ENDS = {
    EventKind.PORT_OUT: SubscriptionEnd.PORTED_OUT,
    EventKind.RELEASE: SubscriptionEnd.RELEASED,
}

_EFFECTS: dict[EventKind, Callable[[UnitOfWork, Call, SubscriptionEvent], None]] = {
    EventKind.DEVICE_CHANGE: _change_device,
    EventKind.SIM_SWAP: _swap_sim,
    EventKind.PORT_IN: _port_in,
    EventKind.PORT_OUT: _end,
    EventKind.RELEASE: _end,
    EventKind.TRANSFER: _transfer,
}
