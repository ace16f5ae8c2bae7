"""Hand messages to operators and take back what became of them.

Owns where each message goes at the moment when it is handed out, leases, and receipts. An agency's
message follows its person: it goes to the number that they are reached by then, or fails if they
are not. Tidings go to the number that they were written to, or to nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.message import (
    PURPOSE_OF_URGENCY,
    MessageFailure,
    MessageLease,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
    Urgency,
    judge_receipt,
)
from identity.domain.notification import Reach, refusal_of
from identity.services.call import Call
from identity.services.reach import Reached, reach
from identity.storage.database import UnitOfWork
from identity.storage.message_queue import MessageKey
from identity.storage.messages import Address, HandedMessage, WaitingMessage
from identity.storage.restrictions import Restriction
from identity.storage.subscriptions import msisdn_key

RECEIPT_GRACE_S = 3_600
"""After its end a message that a network has may still be reported delivered: networks tell of a
delivery when they come to it. Ours."""

Destination = Address | MessageFailure
"""Where a message goes, or why it goes nowhere."""


def pull_messages(uow: UnitOfWork, call: Call, *, duration: timedelta, limit: int) -> MessageLease:
    """Lease the calling operator's messages: the most urgent first, then the oldest."""
    lease_id, expires_at = call.new_id(), call.at + duration
    messages = uow.messages.hand_out(
        clear_up(uow, call, limit=limit), lease_id=lease_id, expires_at=expires_at, at=call.at
    )
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="pull_messages",
        outcome="leased",
        details={"count": len(messages)},
    )
    append(uow.connection, [entry])
    return MessageLease(lease_id=lease_id, expires_at=expires_at, messages=tuple(messages))


def clear_up(uow: UnitOfWork, call: Call, *, limit: int) -> Sequence[WaitingMessage]:
    """The calling operator's next messages that may be handed out as they are, held.

    Those that go elsewhere by now are sent there, and those that go nowhere fail.
    """
    while found := uow.messages.candidates(call.caller.name, at=call.at, limit=limit):
        now = destinations_now(uow, call, found)
        lost = {key: to for key, to in now.items() if isinstance(to, MessageFailure)}
        stay = [item for item in found if now[item.key] == item.address]
        known = {item.key for item in stay} | lost.keys()
        moved = {key: to for key, to in now.items() if isinstance(to, Address) and key not in known}
        uow.messages.end(lost, at=call.at)
        uow.messages.readdress(moved)
        if stay:
            return stay
    return []


def destinations_now(
    uow: UnitOfWork, call: Call, items: Sequence[WaitingMessage]
) -> Mapping[MessageKey, Destination]:
    """Where each of some messages goes at this moment."""
    tidings = [item for item in items if item.is_tidings]
    held = uow.messages.held_numbers(
        (item.key[0], item.address.subscription_id) for item in tidings
    )
    found: dict[MessageKey, Destination] = {
        item.key: item.address
        if (item.key[0], item.address.subscription_id) in held
        else MessageFailure.NUMBER_GONE
        for item in tidings
    }
    sent = [item for item in items if not item.is_tidings]
    people = destinations_of(uow, call, [(item.key[0], item.urgency) for item in sent])
    return found | {item.key: to for item, to in zip(sent, people, strict=True)}


def destinations_of(
    uow: UnitOfWork, call: Call, asked: Sequence[tuple[bytes, Urgency]]
) -> Sequence[Destination]:
    """Where agencies' messages to some citizens go at this moment, in the order asked.

    Whoever somebody is, the same is looked up of them.
    """
    keys = {key for key, _ in asked}
    reachable = reach(uow, keys, call.rules.arrangements, at=call.at, is_even=True)
    wishes = uow.restrictions.find(keys)
    addresses = uow.messages.address_of(
        (msisdn_key(uow.sealer, each.number.msisdn), each.number.subscription_id)
        for each in reachable.values()
    )
    found: list[Destination] = []
    for key, urgency in asked:
        reached = reachable.get(key)
        refusal = _refusal(reached, wishes.get(key, Restriction()), urgency, call)
        known = None if reached is None else addresses.get(reached.number.subscription_id)
        found.append(refusal or known or MessageFailure.UNREACHABLE)
    return found


def _refusal(
    reached: Reached | None, own: Restriction, urgency: Urgency, call: Call
) -> MessageFailure | None:
    """Why a person gets no message of this urgency; a guardian who is written to has a say too."""
    wishes = [own] if reached is None else [own, reached.wishes]
    purpose = PURPOSE_OF_URGENCY[urgency]
    judged = Reach(
        confirmed_at=None if reached is None else reached.number.confirmed_at,
        is_fallback=reached is not None and reached.number.is_fallback,
        has_objected=any(purpose in each.objected_purposes for each in wishes),
        is_restricted=any(each.is_restricted for each in wishes),
    )
    return refusal_of(judged, urgency, call.rules.primary, at=call.at)


def acknowledge_messages(
    uow: UnitOfWork, call: Call, lease_id: UUID, receipts: Sequence[Receipt]
) -> list[ReceiptResult]:
    """Take receipts for one lease; returns a result for each, in their order."""
    handed = uow.messages.find_handed(
        call.caller.name, (receipt.message_id for receipt in receipts)
    )
    results: list[ReceiptResult] = []
    accepted: dict[UUID, Receipt] = {}
    for receipt in receipts:
        result = _judged(call, handed, lease_id, receipt)
        if result is ReceiptResult.ACCEPTED and receipt.message_id in accepted:
            result = ReceiptResult.ALREADY_ENDED
        elif result is ReceiptResult.ACCEPTED:
            accepted[receipt.message_id] = receipt
        results.append(result)
    _keep(uow, call, handed, accepted.values())
    return results


def _judged(
    call: Call, handed: Mapping[UUID, HandedMessage], lease_id: UUID, receipt: Receipt
) -> ReceiptResult:
    message = handed.get(receipt.message_id)
    if message is None:
        return ReceiptResult.UNKNOWN
    ends_at = message.lease_expires_at
    is_held = message.lease_id == lease_id and ends_at is not None and call.at < ends_at
    return judge_receipt(
        message.state, receipt.outcome, was_handed=message.was_handed, lease_is_held=is_held
    )


def _keep(
    uow: UnitOfWork,
    call: Call,
    handed: Mapping[UUID, HandedMessage],
    receipts: Iterable[Receipt],
) -> None:
    taken = [(handed[receipt.message_id].key, receipt) for receipt in receipts]
    ended = {
        key: receipt.failure
        for key, receipt in taken
        if receipt.outcome is not ReceiptOutcome.SUBMITTED
    }
    uow.messages.end(ended, at=call.at)
    uow.messages.keep_out((key for key, _ in taken if key not in ended), grace_s=RECEIPT_GRACE_S)
    append(uow.connection, [_entry(call, key, receipt) for key, receipt in taken])


def _entry(call: Call, key: MessageKey, receipt: Receipt) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="acknowledge_message",
        outcome=receipt.outcome.value,
        citizen_key=key[0],
        details={} if receipt.failure is None else {"failure": receipt.failure.value},
    )
