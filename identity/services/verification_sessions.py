"""Open a verification session and read where one stands.

Owns the session's nonce and lifetime. How evidence is judged is `complete_verification`'s.
"""

import secrets
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.errors import SubscriptionNotFoundError, VerificationNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from identity.storage.verifications import Session, SessionState

NONCE_BYTES = 8
"""RND.IFD of active authentication (ICAO Doc 9303-11, 6.1)."""


def start_verification(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> Session:
    """Open a session for a number of the calling operator, or of the citizen that an app acts for.

    Raises:
        SubscriptionNotFoundError: No such number in service, or not the caller's.
    """
    item = uow.subscriptions.find_in_service(msisdn)
    if item is None or not _may_verify(call, item, personal_id):
        raise SubscriptionNotFoundError("you have no such subscription in service")
    session = Session(
        verification_id=call.new_id(),
        subscription_id=item.subscription_id,
        msisdn_key=msisdn_key(uow.sealer, msisdn),
        caller=str(call.caller),
        chip_nonce=secrets.token_bytes(NONCE_BYTES),
        state=SessionState.PENDING,
        expires_at=call.at + call.policy.verification.session_lifetime,
    )
    uow.verifications.add(session, msisdn=msisdn, at=call.at)
    append(uow.connection, [_entry(uow, call, item)])
    return session


def get_verification(uow: UnitOfWork, call: Call, verification_id: UUID) -> Session:
    """A session that the caller opened.

    Raises:
        VerificationNotFoundError: No such session, or somebody else's.
    """
    session = uow.verifications.find(verification_id)
    if session is None or session.caller != str(call.caller):
        raise VerificationNotFoundError("you have no such session")
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="get_verification",
        outcome=session.state.value,
        msisdn_key=session.msisdn_key,
    )
    append(uow.connection, [entry])
    return session


def _may_verify(call: Call, item: Subscription, personal_id: PersonalID | None) -> bool:
    if call.caller.role is Role.OPERATOR:
        return item.operator_id == call.caller.name
    return personal_id is not None and item.claim.personal_id == personal_id


def _entry(uow: UnitOfWork, call: Call, item: Subscription) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="start_verification",
        outcome="opened",
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
    )
