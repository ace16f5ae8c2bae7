"""End disputes, and give a number to the one who was found to be its user.

Owns what a decision does, in the transaction in which it comes to stand: a decision on an appeal at
once, everything else in the run of the clock that finds its time gone by. Also the order in which
everybody locks what a dispute is about. What a decision is, is the domain's
(`identity.domain.dispute`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from identity.audit.log import AuditEntry, append
from identity.domain.dispute import DisputeDecision
from identity.domain.enforcement import Run
from identity.domain.holder import HolderClaim
from identity.domain.link import compare_holder
from identity.domain.policy import CaseCause
from identity.domain.settlement import UNDISPUTED_CAUSES, Change
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.services.call import Call, score_names
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from identity.storage.disputes import KeptDispute
from identity.storage.link_changes import LinkAction, LinkChange

SLICE_DISPUTES = 500
"""Disputes closed in one transaction: their numbers are locked for a second or two."""


def close_due(uow: UnitOfWork, call: Call, *, limit: int = SLICE_DISPUTES) -> int:
    """Close disputes whose time has run out; returns how many were due, 0 at the end of them."""
    due = uow.disputes.list_due(call.at, limit=limit)
    if not due:
        return 0
    for kept in hold(uow, due):
        if kept.dispute.is_due(call.at):  # nobody has appealed meanwhile
            closed = replace(kept, dispute=kept.dispute.closed(at=call.at))
            uow.disputes.save(closed)
            end_dispute(uow, call, closed)
    return len(due)


def hold(uow: UnitOfWork, found: Sequence[KeptDispute]) -> Sequence[KeptDispute]:
    """Disputes as they are now and stay until the end, with everything that they may change."""
    # The order that everybody keeps: citizens, subscriptions, what hangs on them.
    uow.citizens.hold_still(kept.claimant_key for kept in found)
    uow.subscriptions.lock([kept.reference for kept in found])
    return uow.disputes.lock(found)


def end_dispute(uow: UnitOfWork, call: Call, kept: KeptDispute) -> None:
    """Do what follows from a dispute that is over, held and saved in this transaction.

    Found for the claimant, the number becomes another subscription, which is theirs to verify.
    Otherwise nothing changes but the clocks, which go on. A number that has ended meanwhile stays
    as it is.
    """
    (item,) = uow.subscriptions.find_by_reference([kept.reference])
    decision = kept.dispute.decision
    is_given = item.is_in_service and decision is DisputeDecision.CLAIMANT
    if is_given:
        _give(uow, call, kept, item)
    elif item.is_in_service:
        settle_subscription(uow, call, item, Change(before=item.service_state))
    outcome = "undecided" if decision is None else decision.value
    note(uow, call, kept, "close_dispute", outcome=outcome, details={"is_given": is_given})


def note(
    uow: UnitOfWork,
    call: Call,
    kept: KeptDispute,
    action: str,
    *,
    outcome: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Put on record what was done with a dispute, for each of its two sides."""
    entries = [
        AuditEntry(
            occurred_at=call.at,
            caller=str(call.caller),
            action=action,
            outcome=outcome or kept.dispute.state.value,
            citizen_key=key,
            msisdn_key=kept.msisdn_key,
            details={"dispute": str(kept.dispute.dispute_id), **(details or {})},
        )
        for key in (kept.holder_key, kept.claimant_key)
    ]
    append(uow.connection, entries)


def _give(uow: UnitOfWork, call: Call, kept: KeptDispute, item: Subscription) -> None:
    """End the holder's subscription and begin the claimant's, which inherits nothing of it.

    What protects the number whoever has it goes on: its SIM is in another device, and nobody has
    been verified since.
    """
    (cases,) = uow.cases.list_open([item]).values()
    events: list[CaseCause | None] = [
        case.cause for case in cases if case.cause in UNDISPUTED_CAUSES
    ]
    ended = item.ended(SubscriptionEnd.TRANSFERRED, at=call.at)
    # Saved first: a number is in service once.
    settle_subscription(uow, call, ended, Change(before=item.service_state, end=ended.ended_by))
    heir = _heir(uow, call, kept, item)
    # Nothing was ordered of it yet: what was still open of the first one's orders is overtaken, and
    # the network may have done it or not.
    before = ServiceState.INACTIVE
    for cause in events or [None]:
        heir = settle_subscription(uow, call, heir, _begun(call, before, cause)).subscription
        before = heir.service_state
    line = LinkChange(
        msisdn_key=kept.msisdn_key,
        subscription_id=heir.subscription_id,
        from_state=item.link.state,
        to_state=heir.link.state,
    )
    uow.link_changes.add_many([line], action=LinkAction.DISPUTE_DECIDED.value, at=call.at)


def _begun(call: Call, before: ServiceState, cause: CaseCause | None) -> Change:
    """What the new subscription is settled for: that it began, with an event or without."""
    if cause is None:
        return Change(before=before)
    # The two hours of the first holder are over; those of this one count from now.
    return Change(before=before, cause=cause, cause_at=call.at, run=Run(is_notified=False))


def _heir(uow: UnitOfWork, call: Call, kept: KeptDispute, item: Subscription) -> Subscription:
    """The claimant's subscription: the same number in the same network, nobody verified."""
    personal_id = uow.citizens.personal_ids([kept.claimant_key])[kept.claimant_key]
    record = uow.citizens.find_many([personal_id])[personal_id]
    claim = HolderClaim(
        personal_id=personal_id, full_name=record.full_name, birth_date=record.birth_date
    )
    return Subscription(
        subscription_id=call.new_id(),
        msisdn=item.msisdn,
        operator_id=item.operator_id,
        claim=claim,
        link=compare_holder(claim, record, score_names=score_names),
        # What is blocked is unblocked by the order that follows, or blocked anew for good reason.
        service_state=item.service_state,
        applied_state=item.applied_state,
        created_at=call.at,
        updated_at=call.at,
    )
