"""Open a verification session and read where one stands.

Owns what a session is tied to and how long it lasts. How its nonces are made is `chip_nonces`';
how evidence is judged is `complete_verification`'s.
"""

from datetime import datetime
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.errors import SubscriptionNotFoundError, VerificationNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.chip_nonces import derive_nonces, with_nonce
from identity.services.lookup_watch import count_lookup, refuse_stopped
from identity.services.throttling import refuse_early
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from identity.storage.verifications import Session, SessionState


def start_verification(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, personal_id: PersonalID | None
) -> Session:
    """Open a session for a number of the calling operator, or of the citizen that an app acts for.

    Raises:
        SubscriptionNotFoundError: No such number in service, or not the caller's.
        LookupsStoppedError: The operator's look-ups were stopped.
        VerificationThrottledError: Attempts failed of late; says when to come again.
        VerificationChannelClosedError: Too many did, through this channel.
    """
    is_operator = call.caller.role is Role.OPERATOR
    if is_operator:
        refuse_stopped(uow, call)
    item = uow.subscriptions.find_in_service(msisdn)
    if item is None or not _may_verify(call, item, personal_id):
        raise SubscriptionNotFoundError("you have no such subscription in service")
    if is_operator:
        # One that is not theirs is counted where this is undone: `lookup_watch.counting_misses`.
        count_lookup(uow, call, msisdn_key(uow.sealer, msisdn), is_unknown=False)
    session = _new_session(uow, call, item)
    refuse_early(uow, call, citizen_key=session.citizen_key, msisdn_key=session.msisdn_key)
    uow.verifications.add(session, msisdn=msisdn, at=call.at)
    append(uow.connection, [_entry(uow, call, item)])
    return session


def _new_session(uow: UnitOfWork, call: Call, item: Subscription) -> Session:
    nonce_expires_at, expires_at = session_ends(call)
    session = Session(
        verification_id=call.new_id(),
        subscription_id=item.subscription_id,
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
        caller=str(call.caller),
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        nonce_digest=b"",
        nonce_expires_at=nonce_expires_at,
        state=SessionState.PENDING,
        expires_at=expires_at,
    )
    return with_nonce(uow.sealer, session)


def session_ends(call: Call) -> tuple[datetime, datetime]:
    """When the nonces of a session that is opened now, and when the session itself, will end."""
    rules = call.rules.verification
    expires_at = call.at + rules.session_lifetime
    return min(call.at + rules.nonce_lifetime, expires_at), expires_at


def read_nonces(uow: UnitOfWork, verification_id: UUID) -> tuple[bytes, ...]:
    """The nonces of a session that its opener was just told of, or is told of once more.

    Raises:
        VerificationNotFoundError: No such session.
    """
    session = uow.verifications.find_opened(verification_id)
    if session is None:
        raise VerificationNotFoundError("you have no such session")
    return derive_nonces(uow.sealer, session)


def get_verification(uow: UnitOfWork, call: Call, verification_id: UUID) -> Session:
    """A session that the caller opened.

    Raises:
        VerificationNotFoundError: No such session, or somebody else's.
    """
    session = uow.verifications.find(verification_id)
    if (
        session is None
        or session.caller != str(call.caller)
        or not is_for_citizen(uow, call, session)
    ):
        raise VerificationNotFoundError("you have no such session")
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="get_verification",
        outcome=session.state.value,
        citizen_key=session.citizen_key,
        msisdn_key=session.msisdn_key,
    )
    append(uow.connection, [entry])
    return session


def is_for_citizen(uow: UnitOfWork, call: Call, session: Session) -> bool:
    """Whether a session is the citizen's who is there, where an app calls; else it need not be."""
    if call.caller.role is not Role.CITIZEN_APP:
        return True
    return call.citizen is not None and citizen_key(uow.sealer, call.citizen) == session.citizen_key


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
