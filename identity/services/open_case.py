"""Put a number on a ladder for what no change of its own says.

Owns who may do so, and why: the regulator where a face was found under another personal ID, an
operator with its own numbers. What follows is settled as after any other event.
"""

from types import MappingProxyType

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.enforcement import Case
from identity.domain.errors import (
    EventInvalidError,
    FieldViolation,
    RequestInvalidError,
    SubscriptionNotFoundError,
)
from identity.domain.msisdn import MSISDN
from identity.domain.policy import CaseCause
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call
from identity.services.explain_subscription import ExplainedCase, explain_case
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key

ROLE_OF_CAUSE = MappingProxyType(
    {
        CaseCause.FACE_UNDER_ANOTHER_ID: Role.REGULATOR,
        CaseCause.OPERATOR_REPORT: Role.OPERATOR,
    }
)
"""Who opens a case for what."""

_NOT_THEIRS = FieldViolation(
    field="cause", reason="CASE_CAUSE_REFUSED", description="it is for others to open a case for it"
)


def open_case(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, cause: CaseCause, *, case_reference: str
) -> ExplainedCase:
    """Open a case, or find the one that is open on the same ladder.

    Args:
        uow: The transaction.
        call: The circumstances.
        msisdn: The number.
        cause: Why.
        case_reference: The file at the caller's, for the record.

    Raises:
        RequestInvalidError: It is not for this caller to say so.
        SubscriptionNotFoundError: No number in service that the caller may know of.
        EventInvalidError: The number was never put in service, or no rule in force demands a
            verification for this.
    """
    if ROLE_OF_CAUSE[cause] is not call.caller.role:
        raise RequestInvalidError((_NOT_THEIRS,))
    is_operator = call.caller.role is Role.OPERATOR
    own = call.caller.name if is_operator else None
    item = uow.subscriptions.find_in_service(msisdn, lock=True, operator_id=own)
    if item is None:
        raise SubscriptionNotFoundError("no such number in service that you may know of")
    track = call.rules.track_for(cause)
    if item.service_state is ServiceState.INACTIVE or track is None:
        raise EventInvalidError("the number was never in service, or no rule in force asks for it")
    is_primary = bool(uow.primaries.held_by([item.subscription_id]))
    change = Change(before=item.service_state, cause=cause, cause_at=call.at, is_primary=is_primary)
    settled = settle_subscription(uow, call, item, change)
    append(uow.connection, [_entry(uow, call, item, cause, case_reference)])
    # By its ladder: a number that stands there for another reason already gets no second case.
    case: Case = next(case for case in settled.cases if case.track == track.name)
    return explain_case(call, case, is_primary=is_primary)


def _entry(
    uow: UnitOfWork, call: Call, item: Subscription, cause: CaseCause, case_reference: str
) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="open_case",
        outcome=cause.value,
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
        details={"case_reference": case_reference},
    )
