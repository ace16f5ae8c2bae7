"""Open a dispute, add evidence, decide, appeal, and see where one stands.

Owns who may do what with which dispute. Until when, and what makes a decision, is the domain's
(`identity.domain.dispute`); what a decision does is `end_disputes`'. To whoever may not know of a
dispute it is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.dispute import (
    Dispute,
    DisputeDecision,
    DisputeState,
    Evidence,
    Party,
    new_dispute,
)
from identity.domain.errors import (
    DisputeExistsError,
    DisputeInvalidError,
    DisputeNotFoundError,
    SubscriptionNotFoundError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.end_disputes import end_dispute, hold, note
from identity.services.lookup_watch import count_holders, refuse_stopped
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.disputes import KeptDispute, Sight
from identity.storage.subscriptions import msisdn_key

_NOBODY = b""
"""A citizen's key that no citizen has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """A dispute, and the number that it is about."""

    dispute: Dispute
    msisdn: MSISDN


def open_dispute(uow: UnitOfWork, call: Call, msisdn: MSISDN, claimant: PersonalID) -> DisputeView:
    """Open a dispute: from now on the number's clocks are held, when it is the first about it.

    Raises:
        SubscriptionNotFoundError: The number is not in service, or not the calling operator's. To
            the citizen app also: somebody else claims it.
        DisputeInvalidError: The claimant is its holder, cannot be verified, or was heard already.
        DisputeExistsError: It is in dispute.
        LookupsStoppedError: The operator's look-ups were stopped.
    """
    operator_id = call.caller.name if call.caller.role is Role.OPERATOR else None
    if operator_id is not None:
        refuse_stopped(uow, call)
    key = citizen_key(uow.sealer, claimant)
    uow.citizens.hold_still([key])
    item = uow.subscriptions.find_in_service(msisdn, lock=True, operator_id=operator_id)
    # Asked whether or not the number is there: an answer tells nothing by how long it takes.
    standing = uow.disputes.open_of(msisdn)
    if item is None:
        raise _not_in_service()
    if item.subscription_id in standing and call.caller.role is not Role.CITIZEN_APP:
        # Before anything of the claimant is looked at, or the two refusals would tell who exists.
        raise _in_dispute()
    _refuse_claimant(uow, item, uow.citizens.find(claimant), key)
    if item.subscription_id in standing:
        raise _taken(standing[item.subscription_id], key)
    kept = _new(uow, call, item, key)
    uow.disputes.save(kept)
    settle_subscription(uow, call, item, Change(before=item.service_state))
    note(uow, call, kept, "open_dispute")
    if operator_id is not None:
        # One who is refused is counted where this is undone: `lookup_watch.counting_unknown`.
        count_holders(uow, call, key, named_count=1, unknown_count=0)
    return DisputeView(dispute=kept.dispute, msisdn=msisdn)


def add_evidence(
    uow: UnitOfWork,
    call: Call,
    dispute_id: UUID,
    evidence: Sequence[Evidence],
    *,
    personal_id: PersonalID | None,
) -> DisputeView:
    """Add to the list of evidence.

    Raises:
        DisputeNotFoundError: There is no such dispute of the caller's.
        DisputeNotReadyError: It is decided, or its deadline has passed.
        DisputeEvidenceFullError: The caller's party has added all that it may.
    """
    kept = _take(uow, call, dispute_id, personal_id)
    dispute = kept.dispute.with_evidence(
        evidence,
        party=_party(uow, call, kept, personal_id),
        caller=str(call.caller),
        at=call.at,
    )
    return _save(uow, call, replace(kept, dispute=dispute), "add_evidence", pieces=len(evidence))


def decide_dispute(
    uow: UnitOfWork, call: Call, dispute_id: UUID, decision: DisputeDecision
) -> DisputeView:
    """Say whose the number is; the second caller of the regulator who says the same decides.

    Raises:
        DisputeNotFoundError: There is no such dispute.
        DisputeNotReadyError: It waits for no decision, or for none of this caller.
    """
    kept = _take(uow, call, dispute_id, None)
    dispute = kept.dispute.with_word(str(call.caller), decision, call.rules.disputes, at=call.at)
    after = replace(kept, dispute=dispute)
    view = _save(uow, call, after, "decide_dispute", decision=decision.value)
    if dispute.state is DisputeState.CLOSED:
        end_dispute(uow, call, after)
    return view


def appeal_dispute(
    uow: UnitOfWork, call: Call, dispute_id: UUID, personal_id: PersonalID
) -> DisputeView:
    """Appeal for one of the two sides.

    Raises:
        DisputeNotFoundError: There is no such dispute, or the citizen is no side of it.
        DisputeNotReadyError: There is no decision, its time to appeal is over, or this side has.
    """
    kept = _take(uow, call, dispute_id, personal_id, is_for_citizen=True)
    side = _side(uow, kept, personal_id)
    dispute = kept.dispute.appealed_by(side, call.rules.disputes, at=call.at)
    return _save(uow, call, replace(kept, dispute=dispute), "appeal_dispute", side=side.value)


def get_dispute(
    uow: UnitOfWork, call: Call, dispute_id: UUID, personal_id: PersonalID | None
) -> DisputeView | None:
    """Where a dispute stands.

    None when there is none that the caller may know of; returned, not raised, so that the look-up
    itself stays on record.
    """
    kept = uow.disputes.find(dispute_id, _sight(uow, call, personal_id))
    if kept is None:
        append(uow.connection, [_not_found(call)])
        return None
    note(uow, call, kept, "get_dispute")
    return _view(uow, kept)


def _not_found(call: Call) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at, caller=str(call.caller), action="get_dispute", outcome="not_found"
    )


def _not_in_service() -> SubscriptionNotFoundError:
    return SubscriptionNotFoundError("there is no such number in service that you may claim")


def _in_dispute() -> DisputeExistsError:
    return DisputeExistsError("the number is in dispute already")


def _taken(
    standing: KeptDispute, claimant_key: bytes
) -> DisputeExistsError | SubscriptionNotFoundError:
    """What a citizen is told, who learns of no dispute of others."""
    return _in_dispute() if standing.claimant_key == claimant_key else _not_in_service()


def _refuse_claimant(
    uow: UnitOfWork, item: Subscription, record: PopulationRecord | None, key: bytes
) -> None:
    """Refuse those to whom the number could not be given; none of the reasons is told.

    An operator would learn from them who has a record, and who has died.
    """
    is_holder = citizen_key(uow.sealer, item.claim.personal_id) == key
    is_there = record is not None and record.deceased_on is None and record.merged_into is None
    is_heard = uow.disputes.is_decided(item, key) or key in _losers(uow, item)
    if is_holder or not is_there or is_heard:
        raise DisputeInvalidError("this person cannot claim this number")


def _losers(uow: UnitOfWork, item: Subscription) -> frozenset[bytes]:
    """From whom the present holder has the number by a dispute: the two were heard."""
    return frozenset(loser for _, loser in uow.disputes.lost([item]))


def _new(uow: UnitOfWork, call: Call, item: Subscription, claimant_key: bytes) -> KeptDispute:
    dispute = new_dispute(
        item.subscription_id,
        call.rules.disputes,
        opener=str(call.caller),
        identity=call.new_id(),
        at=call.at,
    )
    return KeptDispute(
        dispute=dispute,
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
        operator_id=item.operator_id,
        holder_key=citizen_key(uow.sealer, item.claim.personal_id),
        claimant_key=claimant_key,
    )


def _sight(
    uow: UnitOfWork, call: Call, personal_id: PersonalID | None, *, is_for_citizen: bool = False
) -> Sight:
    if call.caller.role is Role.OPERATOR:
        return Sight(operator_id=call.caller.name)
    if call.caller.role is Role.REGULATOR and not is_for_citizen:
        return Sight()
    # Never without a condition: an app that names nobody sees nothing.
    key = _NOBODY if personal_id is None else citizen_key(uow.sealer, personal_id)
    return Sight(citizen_key=key)


def _take(
    uow: UnitOfWork,
    call: Call,
    dispute_id: UUID,
    personal_id: PersonalID | None,
    *,
    is_for_citizen: bool = False,
) -> KeptDispute:
    """A dispute that the caller may know of, as it stays until the end.

    Raises:
        DisputeNotFoundError: There is none.
    """
    sight = _sight(uow, call, personal_id, is_for_citizen=is_for_citizen)
    found = uow.disputes.find(dispute_id, sight)
    if found is None:
        raise DisputeNotFoundError("there is no such dispute of yours")
    (kept,) = hold(uow, [found])
    return kept


def _party(uow: UnitOfWork, call: Call, kept: KeptDispute, personal_id: PersonalID | None) -> Party:
    if call.caller.role is Role.CITIZEN_APP and personal_id is not None:
        return _side(uow, kept, personal_id)
    return Party.OPERATOR if call.caller.role is Role.OPERATOR else Party.REGULATOR


def _side(uow: UnitOfWork, kept: KeptDispute, personal_id: PersonalID) -> Party:
    is_holder = citizen_key(uow.sealer, personal_id) == kept.holder_key
    return Party.HOLDER if is_holder else Party.CLAIMANT


def _save(
    uow: UnitOfWork, call: Call, kept: KeptDispute, action: str, **details: object
) -> DisputeView:
    uow.disputes.save(kept)
    note(uow, call, kept, action, details=details)
    return _view(uow, kept)


def _view(uow: UnitOfWork, kept: KeptDispute) -> DisputeView:
    (item,) = uow.subscriptions.find_by_reference([kept.reference])
    return DisputeView(dispute=kept.dispute, msisdn=item.msisdn)
