"""The nonces that a chip signs: derived for one session, and stored nowhere.

Owns how a nonce is made, what is kept of it, and what is wrong with one that a caller names. That
a session, and with it its nonces, is used once is `complete_verification`'s (ADR 0019).
"""

import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from identity.storage.database import UnitOfWork
from identity.storage.sealing import Sealer
from identity.storage.verifications import OpenedSession, SessionState

_Session = TypeVar("_Session", bound=OpenedSession)

NONCE_BYTES = 8
"""RND.IFD of active authentication (ICAO Doc 9303-11, 6.1)."""

NONCE_COUNT = 4
"""A device may have the card sign four nonces, 256 bits in all, as ZeroPass's protocol does: one
nonce of 64 bits is all that the standard offers."""


class NonceFault(StrEnum):
    """Why an answer to a named nonce proves nothing. Stored with the codes of the chip's checks."""

    UNKNOWN = "AA_NONCE_UNKNOWN"
    EXPIRED = "AA_NONCE_EXPIRED"
    REUSED = "AA_NONCE_REUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the chip of one session had to sign.

    Attributes:
        nonces: Four nonces of 8 bytes; a device signs the first, or all.
        fault: Why no answer counts; None when one does.
    """

    nonces: tuple[bytes, ...] = field(repr=False)
    fault: NonceFault | None = None


def derive_nonces(sealer: Sealer, session: OpenedSession) -> tuple[bytes, ...]:
    """The nonces of a session: HMAC-SHA-256 over all that they are tied to, cut to 8 bytes.

    A row that was changed or moved in the database has other nonces than its card signed. Nobody
    can tell them before the session is opened, not even who holds the key: the session's identifier
    has 122 bits of chance.
    """
    tied_to = (
        session.verification_id.hex,
        session.caller,
        *session.opened_for,
        session.nonce_expires_at.astimezone(UTC).isoformat(),
    )
    return tuple(
        sealer.blind_index("nonce", "|".join((str(place), *tied_to)))[:NONCE_BYTES]
        for place in range(NONCE_COUNT)
    )


def with_nonce(sealer: Sealer, session: _Session) -> _Session:
    """A session that is about to be opened, with the digest of its first nonce."""
    nonce = derive_nonces(sealer, session)[0]
    return replace(session, nonce_digest=digest_nonce(sealer, nonce))


def digest_nonce(sealer: Sealer, nonce: bytes) -> bytes:
    """What is stored of a session's first nonce. Keyed: 64 bits could be tried out otherwise."""
    return sealer.blind_index("nonce_digest", nonce.hex())


def read_challenge(
    uow: UnitOfWork, session: OpenedSession, named_nonce: bytes, *, at: datetime
) -> Challenge:
    """What the chip had to sign in a session, and whether its answer still counts.

    Args:
        uow: The transaction.
        session: The session, as it stood before this answer took it.
        named_nonce: The nonce that the caller says was signed; empty when it names none.
        at: When the answer came.
    """
    nonces = derive_nonces(uow.sealer, session)
    return Challenge(nonces=nonces, fault=_find_fault(uow, session, named_nonce or nonces[0], at))


def _find_fault(
    uow: UnitOfWork, session: OpenedSession, nonce: bytes, at: datetime
) -> NonceFault | None:
    digest = digest_nonce(uow.sealer, nonce)
    if hmac.compare_digest(digest, session.nonce_digest):
        # Taken before, the session goes on after a crash: this very answer came in time.
        is_late = session.state is SessionState.PENDING and at >= session.nonce_expires_at
        return NonceFault.EXPIRED if is_late else None
    # Another caller's is as unknown as one that never was.
    other = uow.verifications.find_by_nonce(digest, caller=session.caller)
    if other is None:
        return NonceFault.UNKNOWN
    if other.state is not SessionState.PENDING:
        return NonceFault.REUSED
    return NonceFault.UNKNOWN if at < other.nonce_expires_at else NonceFault.EXPIRED
