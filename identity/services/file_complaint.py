"""A citizen complains about what happened to a number, to the operator or in the app.

Owns who may complain about which number. Complaints are counted; what stops a wave is the domain's
to say.
"""

from datetime import datetime

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of
from identity.domain.caller import Role
from identity.domain.errors import SubscriptionNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


def file_complaint(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> datetime:
    """Count a complaint; of one number one a day counts.

    Args:
        uow: The transaction.
        call: The circumstances.
        msisdn: The number.
        personal_id: The citizen that the app acts for.

    Returns:
        When the complaint of this day that counts was filed.

    Raises:
        SubscriptionNotFoundError: No number of the operator's, or of the citizen's.
    """
    item = _own(uow, call, msisdn, personal_id)
    if item is None:
        raise SubscriptionNotFoundError("no such number of yours")
    filed_at = uow.complaints.file(item, on=day_of(call.at), at=call.at)
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="file_complaint",
        outcome="counted" if filed_at == call.at else "known",
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, msisdn),
    )
    append(uow.connection, [entry])
    return filed_at


def _own(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> Subscription | None:
    """A number that was withdrawn is complained about too, by who had it last."""
    if call.caller.role is Role.OPERATOR:
        return uow.subscriptions.find_of_operator(msisdn, call.caller.name)
    item = uow.subscriptions.find_in_service(msisdn)
    item = item or uow.subscriptions.find_many_ended([msisdn]).get(msisdn)
    is_holder = item is not None and item.claim.personal_id == personal_id
    return item if is_holder else None
