"""Make verifications wait that fail again and again.

Owns whose failures count together: the holder's and the number's, through one channel. How long
they make the next one wait is the domain's (`identity.domain.throttle`). Presence before an agency
is not counted: an officer sees who stands there, and nothing is opened by it.
"""

from identity.domain.throttle import Attempts, channel_of, is_failure
from identity.domain.verification import Verdict, VerdictState
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.verifications import Session


def refuse_early(uow: UnitOfWork, call: Call, *, citizen_key: bytes, msisdn_key: bytes) -> None:
    """Refuse to open a session that could not be completed yet. Nothing is counted.

    Raises:
        VerificationThrottledError: Attempts failed of late; says when to come again.
        VerificationChannelClosedError: Too many did, through this channel.
    """
    found = uow.attempts.find([citizen_key, msisdn_key], channel_of(call.caller))
    _refuse(call, *found.values())


def take_attempt(uow: UnitOfWork, call: Call, session: Session) -> None:
    """Count an attempt, before anything is compared, or refuse it.

    Raises:
        VerificationThrottledError: Attempts failed of late; says when to come again.
        VerificationChannelClosedError: Too many did, through this channel.
    """
    channel = channel_of(call.caller)
    held = uow.attempts.hold(_keys(session), channel)
    _refuse(call, *held.values())
    taken = {key: attempts.taken(at=call.at) for key, attempts in held.items()}
    uow.attempts.save(taken, channel)


def settle_attempt(uow: UnitOfWork, call: Call, session: Session, verdict: Verdict) -> None:
    """Let a failure stand, give back what was none, and forget all of them when it succeeded."""
    if verdict.state is VerdictState.VERIFIED:
        uow.attempts.forget(_keys(session))
    elif not is_failure(verdict):
        channel = channel_of(call.caller)
        found = uow.attempts.find(_keys(session), channel, lock=True)
        uow.attempts.save({key: each.given_back() for key, each in found.items()}, channel)


def _keys(session: Session) -> tuple[bytes, bytes]:
    return session.citizen_key, session.msisdn_key


def _refuse(call: Call, *found: Attempts) -> None:
    """By those that make wait the longest."""
    policy = call.rules.throttle
    waiting = {each.waits_until(policy): each for each in found}
    until = max((instant for instant in waiting if instant is not None), default=None)
    if until is not None:
        waiting[until].refuse_early(policy, at=call.at)
