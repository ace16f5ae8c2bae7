"""A citizen marks one number as primary, and reads which it is.

Owns the use case; that there is never more than one, nor one that is not eligible, is the
database's doing.
"""

from identity.audit.log import AuditEntry, append
from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscriber_update import NO_NEWS
from identity.domain.subscription import ServiceState
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.primaries import PrimaryNumber
from identity.storage.subscriptions import msisdn_key


def set_primary_number(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, msisdn: MSISDN
) -> PrimaryNumber:
    """Mark a number.

    Raises:
        PrimaryNotEligibleError: It is not the citizen's own, linked, verified and in service both
            ways. Somebody else's number and one that does not exist are refused alike.
    """
    item = uow.subscriptions.find_in_service(msisdn, lock=True)
    is_own = item is not None and item.claim.personal_id == personal_id
    if item is None or not is_own or item.service_state is not ServiceState.ACTIVE:
        raise PrimaryNotEligibleError("not a verified number of yours that is in service")
    if not item.is_eligible_as_primary or item.verified_at is None:
        raise PrimaryNotEligibleError("not a verified number of yours that is in service")
    uow.primaries.set(item, at=call.at)
    reference = (msisdn_key(uow.sealer, item.msisdn), item.subscription_id)
    uow.subscriber_updates.note({reference: NO_NEWS}, at=call.at)
    append(uow.connection, [_entry(uow, call, personal_id, "set_primary_number", "set")])
    return PrimaryNumber(
        subscription_id=item.subscription_id,
        msisdn=item.msisdn,
        set_at=call.at,
        verified_at=item.verified_at,
    )


def get_primary_number(
    uow: UnitOfWork, call: Call, personal_id: PersonalID
) -> PrimaryNumber | None:
    """The number that the citizen has marked, if any."""
    found = uow.primaries.find(personal_id)
    outcome = "none" if found is None else "read"
    append(uow.connection, [_entry(uow, call, personal_id, "get_primary_number", outcome)])
    return found


def _entry(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, action: str, outcome: str
) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=outcome,
        citizen_key=uow.primaries.key_of(personal_id),
    )
