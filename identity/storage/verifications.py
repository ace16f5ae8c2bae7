"""Verification sessions, their evidence and verdicts.

Owns the rows of `verification` and their single use: only one request can claim a session, in one
statement. Of a session's nonces it keeps one keyed digest and no more. A session is of a number, or
of whoever stands at an agency's counter; whoever looks for the one never finds the other. Knows
nothing of how nonces are made and how a verdict is reached.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.agency import Purpose
from identity.domain.msisdn import MSISDN
from identity.domain.presence import PresenceGrounds
from identity.domain.verification import Evidence, Verdict
from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.conversions import dump_evidence, verdict_fields, verdict_from
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
class OpenedSession:
    """What every session has.

    Attributes:
        verification_id: 122 random bits.
        caller: Who opened the session; nobody else may use it.
        nonce_digest: Keyed digest of the nonce; the nonce itself is stored nowhere.
        nonce_expires_at: Until when the card's answer must be here.
        state: Where it stands.
        expires_at: When the session ends by itself.
        verdict: Once completed.
    """

    verification_id: UUID
    caller: str
    nonce_digest: bytes
    nonce_expires_at: datetime
    state: SessionState
    expires_at: datetime
    verdict: Verdict | None = None

    @property
    def row_key(self) -> bytes:
        """What the row is distributed by."""
        raise NotImplementedError

    @property
    def opened_for(self) -> tuple[str, ...]:
        """What its nonces are tied to besides the session and its caller."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(OpenedSession):
    """A session that verifies the holder of a number.

    Attributes:
        subscription_id: Which subscription is to be verified.
        msisdn_key: Blind index of its number.
        citizen_key: Blind index of the holder that the session was opened for.
    """

    subscription_id: UUID
    msisdn_key: bytes
    citizen_key: bytes

    @property
    def row_key(self) -> bytes:
        """The number."""
        return self.msisdn_key

    @property
    def opened_for(self) -> tuple[str, ...]:
        """The subscription and its holder."""
        return (self.subscription_id.hex, self.citizen_key.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSession(OpenedSession):
    """A session that tells an agency whether somebody is present: nobody is known in advance.

    Attributes:
        grounds: Why the agency asks, and how.
    """

    grounds: PresenceGrounds

    @property
    def row_key(self) -> bytes:
        """The session itself."""
        return self.verification_id.bytes

    @property
    def opened_for(self) -> tuple[str, ...]:
        """The grounds."""
        return ("presence", json.dumps(_grounds_fields(self.grounds), sort_keys=True))


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

    def add_presence(self, session: PresenceSession, *, at: datetime) -> None:
        """Store a new session of an agency."""
        self.connection.execute(
            insert(verification).values(
                msisdn_key=session.row_key,
                verification_id=session.verification_id,
                caller=session.caller,
                presence=_grounds_fields(session.grounds),
                nonce_digest=session.nonce_digest,
                nonce_expires_at=session.nonce_expires_at,
                state=session.state.value,
                created_at=at,
                expires_at=session.expires_at,
            )
        )

    def find(self, verification_id: UUID, *, lock: bool = False) -> Session | None:
        """A number's session by its identifier: one index probe in each partition.

        Args:
            verification_id: It.
            lock: Whether nobody else takes it until the transaction ends.
        """
        found = self.find_opened(verification_id, lock=lock)
        return found if isinstance(found, Session) else None

    def find_presence(self, verification_id: UUID) -> PresenceSession | None:
        """An agency's session by its identifier, likewise."""
        found = self.find_opened(verification_id)
        return found if isinstance(found, PresenceSession) else None

    def find_opened(self, verification_id: UUID, *, lock: bool = False) -> OpenedSession | None:
        """A session of either kind; `lock` as for `find`."""
        query = select(verification).where(verification.c.verification_id == verification_id)
        if lock:
            query = query.with_for_update()
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _session(row)

    def find_by_nonce(self, nonce_digest: bytes, *, caller: str) -> OpenedSession | None:
        """The caller's own session that a nonce was made for, whatever became of it."""
        query = select(verification).where(
            verification.c.nonce_digest == nonce_digest, verification.c.caller == caller
        )
        row = self.connection.execute(query).mappings().first()
        return None if row is None else _session(row)

    def claim(self, session: OpenedSession, claimant: Claimant, *, at: datetime) -> bool:
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

    def complete(
        self,
        session: OpenedSession,
        evidence: Evidence,
        verdict: Verdict,
        *,
        citizen_key: bytes | None = None,
    ) -> None:
        """Store the evidence and the verdict; the session is over.

        Args:
            session: It.
            evidence: What was presented.
            verdict: How it was judged.
            citizen_key: Blind index of the person whom an agency's session came to know.
        """
        person = {} if citizen_key is None else {"citizen_key": citizen_key}
        sealed = self.sealer.seal(
            dump_evidence(evidence, verdict),
            context=evidence_place(session.verification_id),
            secret=self._secret_of(
                session.citizen_key if isinstance(session, Session) else citizen_key
            ),
        )
        self.connection.execute(
            update(verification)
            .where(*_is(session))
            .values(
                state=SessionState.COMPLETED.value,
                evidence_sealed=sealed,
                verdict=verdict_fields(verdict),
                decided_at=verdict.decided_at,
                **person,
            )
        )

    def _secret_of(self, citizen_key: bytes | None) -> bytes | None:
        """Whoever stays unknown has none, and no erasure to ask for."""
        if citizen_key is None:
            return None
        return CitizenSecrets(self.connection, self.sealer).obtain(citizen_key)


def _session(row: RowMapping) -> OpenedSession:
    fields = row["verdict"]
    opened: dict[str, Any] = {
        "verification_id": row["verification_id"],
        "caller": row["caller"],
        "nonce_digest": row["nonce_digest"],
        "nonce_expires_at": row["nonce_expires_at"],
        "state": SessionState(row["state"]),
        "expires_at": row["expires_at"],
        "verdict": None if fields is None else verdict_from(fields, decided_at=row["decided_at"]),
    }
    if row["presence"] is not None:
        return PresenceSession(**opened, grounds=_grounds(row["presence"]))
    return Session(
        **opened,
        subscription_id=row["subscription_id"],
        msisdn_key=row["msisdn_key"],
        citizen_key=row["citizen_key"],
    )


def _grounds_fields(grounds: PresenceGrounds) -> Mapping[str, object]:
    shown_from = grounds.shown_from
    return {
        "purpose": grounds.purpose.value,
        "legal_basis": grounds.legal_basis,
        "case_id": grounds.case_id,
        "shown_from": None if shown_from is None else shown_from.astimezone(UTC).isoformat(),
        "with_face": grounds.with_face,
    }


def _grounds(fields: Mapping[str, Any]) -> PresenceGrounds:
    shown_from = fields["shown_from"]
    return PresenceGrounds(
        purpose=Purpose(fields["purpose"]),
        legal_basis=fields["legal_basis"],
        case_id=fields["case_id"],
        shown_from=None if shown_from is None else datetime.fromisoformat(shown_from),
        with_face=fields["with_face"],
    )


def _is(session: OpenedSession) -> tuple[Any, Any]:
    return (
        verification.c.msisdn_key == session.row_key,
        verification.c.verification_id == session.verification_id,
    )


def evidence_place(verification_id: UUID) -> bytes:
    """The context that evidence is sealed for."""
    return b"verification.evidence|" + verification_id.bytes
