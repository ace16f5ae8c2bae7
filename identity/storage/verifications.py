"""Verification sessions, their evidence and verdicts.

Owns the rows of `verification` and their single use: only one request can claim a session, in one
statement. Of a session's nonces it keeps one keyed digest and no more. Knows nothing of how nonces
are made and how a verdict is reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.msisdn import MSISDN
from identity.domain.verification import Evidence, Verdict
from identity.storage.conversions import dump_evidence, load_evidence, verdict_fields, verdict_from
from identity.storage.requests import keyed_digest
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import verification


class SessionState(StrEnum):
    """Where a session stands; whether it has expired is a matter of its `expires_at`."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One verification session.

    Attributes:
        verification_id: 122 random bits.
        subscription_id: Which subscription is to be verified.
        msisdn_key: Blind index of its number.
        caller: Who opened the session; nobody else may use it.
        citizen_key: Blind index of the holder that the session was opened for.
        nonce_digest: Keyed digest of the nonce; the nonce itself is stored nowhere.
        nonce_expires_at: Until when the card's answer must be here.
        state: Where it stands.
        expires_at: When the session ends by itself.
        verdict: Once completed.
    """

    verification_id: UUID
    subscription_id: UUID
    msisdn_key: bytes
    caller: str
    citizen_key: bytes
    nonce_digest: bytes
    nonce_expires_at: datetime
    state: SessionState
    expires_at: datetime
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """The one request that may present evidence: repeated, it may do so again.

    Attributes:
        request_id: Its identifier.
        body_digest: SHA-256 of its body; it stays in memory.
    """

    request_id: UUID
    body_digest: bytes


@dataclass(frozen=True, slots=True)
class Verifications:
    """The sessions of one transaction."""

    connection: Connection
    sealer: Sealer

    def add(self, session: Session, *, msisdn: MSISDN, at: datetime) -> None:
        """Store a new session."""
        self.connection.execute(
            insert(verification).values(
                msisdn_key=msisdn_key(self.sealer, msisdn),
                verification_id=session.verification_id,
                subscription_id=session.subscription_id,
                caller=session.caller,
                citizen_key=session.citizen_key,
                nonce_digest=session.nonce_digest,
                nonce_expires_at=session.nonce_expires_at,
                state=session.state.value,
                created_at=at,
                expires_at=session.expires_at,
            )
        )

    def find(self, verification_id: UUID) -> Session | None:
        """A session by its identifier: one index probe in each partition."""
        query = select(verification).where(verification.c.verification_id == verification_id)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _session(row)

    def find_by_nonce(self, nonce_digest: bytes, *, caller: str) -> Session | None:
        """The caller's own session that a nonce was made for, whatever became of it."""
        query = select(verification).where(
            verification.c.nonce_digest == nonce_digest, verification.c.caller == caller
        )
        row = self.connection.execute(query).mappings().first()
        return None if row is None else _session(row)

    def claim(self, session: Session, claimant: Claimant, *, at: datetime) -> bool:
        """Take the session for one request. False: another has it, or its time ran out."""
        digest = keyed_digest(self.sealer, claimant.body_digest)
        is_fresh = and_(
            verification.c.state == SessionState.PENDING.value, verification.c.expires_at > at
        )
        # After a crash between claim and verdict the same request goes on where it was.
        is_repeated = and_(
            verification.c.state == SessionState.PROCESSING.value,
            verification.c.completing_request_id == claimant.request_id,
            verification.c.completing_digest == digest,
        )
        claimed = self.connection.execute(
            update(verification)
            .where(*_is(session), or_(is_fresh, is_repeated))
            .values(
                state=SessionState.PROCESSING.value,
                completing_request_id=claimant.request_id,
                completing_digest=digest,
            )
        )
        return claimed.rowcount == 1

    def complete(self, session: Session, evidence: Evidence, verdict: Verdict) -> None:
        """Store the evidence and the verdict; the session is over."""
        sealed = self.sealer.seal(
            dump_evidence(evidence), context=_place("evidence", session.verification_id)
        )
        self.connection.execute(
            update(verification)
            .where(*_is(session))
            .values(
                state=SessionState.COMPLETED.value,
                evidence_sealed=sealed,
                verdict=verdict_fields(verdict),
                decided_at=verdict.decided_at,
            )
        )

    def completed(self) -> Iterator[tuple[Evidence, Verdict]]:
        """Every stored verdict with the evidence that it can be recomputed from."""
        query = select(verification).where(verification.c.state == SessionState.COMPLETED.value)
        for row in self.connection.execute(query).mappings():
            place = _place("evidence", row["verification_id"])
            evidence = load_evidence(self.sealer.open(row["evidence_sealed"], context=place))
            yield evidence, verdict_from(row["verdict"], decided_at=row["decided_at"])


def _session(row: RowMapping) -> Session:
    fields = row["verdict"]
    return Session(
        verification_id=row["verification_id"],
        subscription_id=row["subscription_id"],
        msisdn_key=row["msisdn_key"],
        caller=row["caller"],
        citizen_key=row["citizen_key"],
        nonce_digest=row["nonce_digest"],
        nonce_expires_at=row["nonce_expires_at"],
        state=SessionState(row["state"]),
        expires_at=row["expires_at"],
        verdict=None if fields is None else verdict_from(fields, decided_at=row["decided_at"]),
    )


def _is(session: Session) -> tuple[Any, Any]:
    return (
        verification.c.msisdn_key == session.msisdn_key,
        verification.c.verification_id == session.verification_id,
    )


def _place(column: str, verification_id: UUID) -> bytes:
    return f"verification.{column}|".encode() + verification_id.bytes
