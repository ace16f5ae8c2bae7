"""Say why a subscription is on the ladder, since when, what is next, when, and how to stop it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.enforcement import Case, next_step_due_at
from identity.domain.explanation import explain
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.policy import Bilingual, StepKind, Track
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call
from identity.services.lookup_watch import refuse_stopped
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import NEW_HOLDER_ACTIONS, PastLinkChange
from identity.storage.subscriptions import msisdn_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedCase:
    """One case with its ladder and next step, None at the end of it, and all of it in words."""

    case: Case
    track: Track
    next_step: StepKind | None
    next_step_at: datetime | None
    explanation: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is ordered, the open cases, the earliest next step first, and the past of its link.

    Also the dispute about the number, if there is one.
    """

    service_state: ServiceState
    cases: Sequence[ExplainedCase]
    link_history: Sequence[PastLinkChange] = ()
    dispute_id: UUID | None = None


def explain_subscription(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> Explanation | None:
    """Explain a subscription to its operator, its claimed holder or the regulator.

    None when there is no such number, or none that the caller may know of; returned, not raised,
    so that the look-up itself stays on record.

    Raises:
        LookupsStoppedError: The operator's look-ups were stopped: causes and history tell whether
            a holder is anybody.
    """
    if call.caller.role is Role.OPERATOR:
        refuse_stopped(uow, call)
    item = _visible(uow, call, msisdn, personal_id)
    append(uow.connection, [_entry(uow, call, msisdn, item)])
    if item is None:
        return None
    is_primary = bool(uow.primaries.held_by([item.subscription_id]))
    cases = uow.cases.list_open([item])[item.subscription_id]
    return Explanation(
        service_state=item.service_state,
        cases=explain_cases(call, cases, is_primary=is_primary),
        link_history=_history(uow, call, item),
        dispute_id=_dispute_id(uow, item),
    )


def _visible(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> Subscription | None:
    if call.caller.role is Role.OPERATOR:
        return uow.subscriptions.find_of_operator(msisdn, call.caller.name)
    item = uow.subscriptions.find_in_service(msisdn)
    if call.caller.role is Role.REGULATOR:
        return item
    is_own = item is not None and personal_id is not None and item.claim.personal_id == personal_id
    return item if is_own else None


def _dispute_id(uow: UnitOfWork, item: Subscription) -> UUID | None:
    kept = uow.disputes.open_of(item.msisdn).get(item.subscription_id)
    return None if kept is None else kept.dispute.dispute_id


def _history(uow: UnitOfWork, call: Call, item: Subscription) -> Sequence[PastLinkChange]:
    """How the link came to be what it is; a citizen's begins where the contract names them."""
    key = msisdn_key(uow.sealer, item.msisdn)
    history = uow.link_changes.list_of(key, item.subscription_id)
    if call.caller.role is not Role.CITIZEN_APP:
        return history
    began = [at for at, line in enumerate(history) if line.action in NEW_HOLDER_ACTIONS]
    return history[began[-1] + 1 :] if began else history


def explain_cases(
    call: Call, cases: Iterable[Case], *, is_primary: bool
) -> Sequence[ExplainedCase]:
    """The cases of one number, the one with the earliest next step first."""
    explained = [explain_case(call, case, is_primary=is_primary) for case in cases]
    return sorted(
        explained, key=lambda e: (e.next_step_at is None, e.next_step_at or e.case.opened_at)
    )


def explain_case(call: Call, case: Case, *, is_primary: bool) -> ExplainedCase:
    """A case with its ladder, its next step and all of it in words."""
    track = call.rules.track_of(case.policy_version, case.track)
    next_step_at = next_step_due_at(case, track, is_primary=is_primary)
    next_step = None if next_step_at is None else track.steps[case.steps_taken].kind
    return ExplainedCase(
        case=case,
        track=track,
        next_step=next_step,
        next_step_at=next_step_at,
        explanation=explain(case, track, is_primary=is_primary),
    )


def _entry(uow: UnitOfWork, call: Call, msisdn: MSISDN, item: Subscription | None) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="explain_subscription",
        outcome="not_found" if item is None else "explained",
        citizen_key=None if item is None else citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, msisdn),
    )
