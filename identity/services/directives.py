"""Hand directives to operators and take back what became of them.

Owns leases and acknowledgements. What is ordered is decided elsewhere; an acknowledged order is
the only thing that moves a subscription's applied state.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.directive import (
    AcknowledgementResult,
    Directive,
    Lease,
    Ordered,
    judge_acknowledgement,
)
from identity.domain.enforcement import STATE_OF_DIRECTIVE, DirectiveKind
from identity.domain.errors import FieldViolation, InstantInFutureError, RequestInvalidError
from identity.domain.msisdn import MSISDN
from identity.domain.notice import fill
from identity.domain.policy import Bilingual, Track
from identity.domain.subscription import ServiceState
from identity.services.call import Call
from identity.storage.arrays import References
from identity.storage.database import UnitOfWork
from identity.storage.directive_queue import DirectiveQueue
from identity.storage.directives import Handed

BEFORE_ORDER = "INSTANT_BEFORE_ORDER"
"""Reason of a field: it was executed before it was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What an operator did with one directive.

    Attributes:
        directive_id: Which.
        is_executed: Whether it was.
        failure: Why not; empty when it was.
        executed_at: When it was, as the operator says; None when it does not.
    """

    directive_id: UUID
    is_executed: bool
    failure: str
    executed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """A directive as its operator gets it.

    Attributes:
        directive: The order.
        msisdn: Of which number.
        track: The ladder behind it; None for RESTORE.
        notice: What to tell the user, where that is what is ordered.
    """

    directive: Directive
    msisdn: MSISDN
    track: Track | None
    notice: Bilingual | None


def hand_out(call: Call, ordered: Ordered) -> Handout:
    """A directive with its words, which are those of the pack that it was ordered under."""
    order = ordered.directive
    if order.policy_version is None or order.track is None:
        return Handout(directive=order, msisdn=ordered.msisdn, track=None, notice=None)
    track = call.rules.track_of(order.policy_version, order.track)
    return Handout(
        directive=order,
        msisdn=ordered.msisdn,
        track=track,
        notice=_notice(ordered, track) if order.kind is DirectiveKind.NOTIFY else None,
    )


def _notice(ordered: Ordered, track: Track) -> Bilingual | None:
    upcoming = ordered.directive.upcoming
    if upcoming is None:
        return None
    template = track.primary_notice if ordered.directive.is_primary else track.notice
    return fill(template, msisdn=ordered.msisdn, upcoming=upcoming, cure=track.cure)


def pull_directives(uow: UnitOfWork, call: Call, *, duration: timedelta, limit: int) -> Lease:
    """Lease the calling operator's open directives, oldest first."""
    lease_id = call.new_id()
    expires_at = call.at + duration
    directives = uow.directives.lease(
        call.caller.name, lease_id=lease_id, expires_at=expires_at, at=call.at, limit=limit
    )
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="pull_directives",
        outcome="leased",
        details={"count": len(directives)},
    )
    append(uow.connection, [entry])
    return Lease(lease_id=lease_id, expires_at=expires_at, directives=tuple(directives))


def acknowledge_directives(
    uow: UnitOfWork, call: Call, lease_id: UUID, items: Sequence[Acknowledgement]
) -> list[AcknowledgementResult]:
    """Take acknowledgements of one lease; returns a result for each, in their order.

    Raises:
        RequestInvalidError: One says that it was executed in the future, or before it was ordered.
    """
    ids = [item.directive_id for item in items]
    # Subscriptions first: a run of the clock locks them before it touches their directives.
    uow.subscriptions.lock(DirectiveQueue(uow.connection).numbers_of(call.caller.name, ids))
    handed = uow.directives.find_handed(call.caller.name, ids, lock=True)
    results = _judge(call, handed, lease_id, items)
    _refuse_impossible_times(call, handed, items, results)
    accepted = [
        (item, handed[item.directive_id])
        for item, result in zip(items, results, strict=True)
        if result is AcknowledgementResult.ACCEPTED
    ]
    # In the order in which they were ordered, whatever the order of the acknowledgements.
    executed_ids = {item.directive_id for item, _ in accepted if item.is_executed}
    executed = [item for item in handed.values() if item.directive_id in executed_ids]
    times = {item.directive_id: item.executed_at for item, _ in accepted}
    uow.directives.mark_executed(executed, at=call.at, executed_at=times)
    uow.directives.give_back(
        (directive for item, directive in accepted if not item.is_executed),
        failures={item.directive_id: item.failure for item, _ in accepted},
    )
    uow.directives.overtake_before(executed, at=call.at)
    _apply(uow, call, executed)
    append(uow.connection, [_entry(call, item, directive) for item, directive in accepted])
    return results


def _judge(
    call: Call,
    handed: Mapping[UUID, Handed],
    lease_id: UUID,
    items: Sequence[Acknowledgement],
) -> list[AcknowledgementResult]:
    results = []
    seen: set[UUID] = set()
    for item in items:
        directive = handed.get(item.directive_id)
        if item.directive_id in seen:
            results.append(AcknowledgementResult.ALREADY_ACKNOWLEDGED)
            continue
        seen.add(item.directive_id)
        state = None if directive is None else directive.state
        is_held = directive is not None and _is_held(call, directive, lease_id)
        results.append(judge_acknowledgement(state, lease_is_held=is_held))
    return results


def _refuse_impossible_times(
    call: Call,
    handed: Mapping[UUID, Handed],
    items: Sequence[Acknowledgement],
    results: Sequence[AcknowledgementResult],
) -> None:
    """Refuse all when one is at fault: what is signed is signed as a whole."""
    faults = []
    for place, (item, result) in enumerate(zip(items, results, strict=True)):
        if item.executed_at is None:
            continue
        is_taken = result is AcknowledgementResult.ACCEPTED
        if item.executed_at > call.at:
            faults.append(_impossible(place, InstantInFutureError.reason, "it lies in the future"))
        elif is_taken and item.executed_at < handed[item.directive_id].created_at:
            faults.append(_impossible(place, BEFORE_ORDER, "it lies before the order"))
    if faults:
        raise RequestInvalidError(tuple(faults))


def _impossible(place: int, reason: str, description: str) -> FieldViolation:
    field = f"acknowledgements[{place}].execute_time"
    return FieldViolation(field=field, reason=reason, description=description)


def _is_held(call: Call, directive: Handed, lease_id: UUID) -> bool:
    expires_at = directive.lease_expires_at
    return directive.lease_id == lease_id and expires_at is not None and call.at < expires_at


def _apply(uow: UnitOfWork, call: Call, executed: Sequence[Handed]) -> None:
    """Move applied states; of several orders for one number the last one counts."""
    states = {
        (directive.msisdn_key, directive.subscription_id): STATE_OF_DIRECTIVE[directive.kind]
        for directive in executed
        if directive.kind in STATE_OF_DIRECTIVE
    }
    alike: defaultdict[ServiceState, list[tuple[bytes, UUID]]] = defaultdict(list)
    for reference, state in states.items():
        alike[state].append(reference)
    for state, references in alike.items():
        uow.subscriptions.apply_alike(References.of(references), state, at=call.at)


def _entry(call: Call, item: Acknowledgement, directive: Handed) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="acknowledge_directive",
        outcome="executed" if item.is_executed else "failed",
        msisdn_key=directive.msisdn_key,
        details={"kind": directive.kind.value},
    )
