"""Hand the population authority what it is owed, and take back what it has entered.

Owns leases and acknowledgements. What is owed is decided where it changes
(`identity.storage.subscriber_updates.SubscriberUpdates.note`), in the transaction of the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.directive import AcknowledgementResult
from identity.domain.personal_id import PersonalID
from identity.domain.subscriber_update import UpdateLease, judge_update
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAcknowledgement:
    """One update that is entered in the register."""

    personal_id: PersonalID
    subscription_id: UUID
    sequence: int


def pull_subscriber_updates(
    uow: UnitOfWork, call: Call, *, duration: timedelta, limit: int
) -> UpdateLease:
    """Lease what the population authority has not acknowledged yet, oldest first."""
    lease_id = call.new_id()
    expires_at = call.at + duration
    updates = uow.subscriber_updates.lease(
        lease_id=lease_id, expires_at=expires_at, at=call.at, limit=limit
    )
    # One for each citizen: everybody may ask who was told of their numbers.
    keys = {citizen_key(uow.sealer, each.personal_id) for each in updates}
    entries = [_entry(call, "pull_subscriber_updates", "told", key=key) for key in sorted(keys)]
    summary = _entry(call, "pull_subscriber_updates", "leased", count=len(updates))
    append(uow.connection, [*entries, summary])
    return UpdateLease(lease_id=lease_id, expires_at=expires_at, updates=tuple(updates))


def acknowledge_subscriber_updates(
    uow: UnitOfWork, call: Call, lease_id: UUID, items: Sequence[UpdateAcknowledgement]
) -> list[AcknowledgementResult]:
    """Take acknowledgements of one lease; returns a result for each, in their order."""
    deliveries = dict(
        uow.subscriber_updates.lock_deliveries(
            (item.personal_id, item.subscription_id) for item in items
        )
    )
    results = []
    accepted: dict[tuple[PersonalID, UUID], int] = {}
    for item in items:
        pair = (item.personal_id, item.subscription_id)
        delivery = deliveries.get(pair)
        result = judge_update(delivery, item.sequence, lease_id=lease_id, at=call.at)
        results.append(result)
        if delivery is not None and result is AcknowledgementResult.ACCEPTED:
            deliveries[pair] = delivery.acknowledged(item.sequence)
            accepted[pair] = item.sequence
    uow.subscriber_updates.mark_acknowledged(accepted)
    outcome = _entry(call, "acknowledge_subscriber_updates", "accepted", count=len(accepted))
    append(uow.connection, [outcome])
    return results


def _entry(
    call: Call, action: str, outcome: str, *, key: bytes | None = None, count: int | None = None
) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=outcome,
        citizen_key=key,
        details={} if count is None else {"count": count},
    )
