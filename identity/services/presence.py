"""Tell an agency whether the person on a card stands at its counter.

Owns what such a session is opened for, what is judged, and what the agency is told: a token, and
no data. How nonces, chip and face are examined, and how they are judged, is the same as for a
number (`verification_sessions`, `complete_verification`); no number is touched, nobody is enrolled.
"""

import json
from dataclasses import dataclass, field
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Access, Grant, Right
from identity.domain.errors import (
    FieldViolation,
    RequestInvalidError,
    VerificationNotFoundError,
)
from identity.domain.personal_id import PersonalID
from identity.domain.presence import (
    PRESENCE_STATES,
    ChipLevel,
    PresenceGrounds,
    PresenceState,
    PresenceToken,
    claims_of,
    methods_of,
)
from identity.domain.verification import ChipEvidence, Evidence, FaceEvidence, Verdict, decide
from identity.security.service_signing import SigningPurpose, sign
from identity.services.agency_access import admit, record
from identity.services.call import Call, score_names
from identity.services.chip_nonces import with_nonce
from identity.services.complete_verification import claim_found
from identity.services.probe_use import with_replay
from identity.services.signing_keys import signing_key
from identity.services.subject_tokens import subject_token
from identity.services.verification_sessions import session_ends
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.probes import ProbeUse
from identity.storage.verifications import Claimant, PresenceSession, SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What an agency is told.

    Attributes:
        state: How it ended.
        verdict: The judged evidence, of which the agency sees reasons and codes.
        token: The signed proof; None unless somebody is present.
    """

    state: PresenceState
    verdict: Verdict
    token: str | None = field(repr=False)


def start_presence(
    uow: UnitOfWork, call: Call, access: Access, *, with_face: bool
) -> PresenceSession:
    """Open a session for whoever stands at the calling agency's counter.

    Args:
        uow: The transaction.
        call: The circumstances.
        access: The agency's, of one person.
        with_face: Whether the face is compared with the card's portrait.

    Raises:
        PurposeNotAllowedError: No grant covers it.
        QuotaExceededError: The day's people are used up.
    """
    grounds = PresenceGrounds.of(access, with_face=with_face)
    admit(uow, access, grounds.right)
    nonce_expires_at, expires_at = session_ends(call)
    session = with_nonce(
        uow.sealer,
        PresenceSession(
            verification_id=call.new_id(),
            caller=str(call.caller),
            grounds=grounds,
            nonce_digest=b"",
            nonce_expires_at=nonce_expires_at,
            state=SessionState.PENDING,
            expires_at=expires_at,
        ),
    )
    uow.verifications.add_presence(session, at=call.at)
    append(uow.connection, [record(access, None, action="start_presence", outcome="opened")])
    return session


def claim_presence(
    uow: UnitOfWork, call: Call, verification_id: UUID, claimant: Claimant, *, has_probes: bool
) -> PresenceSession:
    """Take an agency's session for one request.

    Args:
        uow: The transaction.
        call: The circumstances.
        verification_id: The session.
        claimant: The request.
        has_probes: Whether photographs came along.

    Raises:
        VerificationNotFoundError: No such session, or somebody else's.
        RequestInvalidError: Photographs came that were not asked for, or none that were.
        PurposeNotAllowedError: The grant was withdrawn since.
        VerificationUsedError: Another request has it.
        VerificationExpiredError: Its time ran out.
    """
    session = uow.verifications.find_presence(verification_id)
    if session is None or session.caller != str(call.caller):
        raise VerificationNotFoundError("you have no such session")
    _refuse_other_evidence(session.grounds, has_probes=has_probes)
    _admit_again(uow, call, session)
    return claim_found(uow, call, session, claimant)


def record_presence(
    uow: UnitOfWork,
    call: Call,
    session: PresenceSession,
    chip: ChipEvidence,
    face: FaceEvidence | None,
) -> Presence:
    """Judge, store evidence and verdict, write down who it was, and sign what the agency is told.

    Args:
        uow: The transaction.
        call: The circumstances.
        session: The session that was claimed.
        chip: Findings of the chip.
        face: Findings of the face; None where it was not asked for.

    Raises:
        PurposeNotAllowedError: The grant was withdrawn since.
    """
    grant = _admit_again(uow, call, session)
    person = None if chip.holder is None else chip.holder.personal_id
    known = None if person is None else uow.citizens.find(person)
    key = None if person is None else citizen_key(uow.sealer, person)
    if face is not None and key is not None:
        use = ProbeUse(citizen_key=key, verification_id=session.verification_id, at=call.at)
        face = with_replay(uow, call, face, use)
    evidence = Evidence(claim=None, record=known, chip=chip, face=face)
    verdict = decide(evidence, call.rules.verification, at=call.at, score_names=score_names)
    uow.verifications.complete(session, evidence, verdict, citizen_key=key)
    state = PRESENCE_STATES[verdict.state]
    token = None
    if state is PresenceState.PRESENT and person is not None:
        token = _token(uow, call, session, person=person, chip=chip, grant=grant)
    append(uow.connection, [_entry(call, session, key, verdict, grant=grant)])
    return Presence(state=state, verdict=verdict, token=token)


def _refuse_other_evidence(grounds: PresenceGrounds, *, has_probes: bool) -> None:
    """Of a face that was not asked for nothing is read, stored or compared."""
    if grounds.with_face == has_probes:
        return
    violation = FieldViolation(
        field="probe_photographs",
        reason="PHOTOGRAPH_MISSING" if grounds.with_face else "PHOTOGRAPH_NOT_ASKED_FOR",
        description="photographs belong to sessions that were opened with the face, to no other",
    )
    raise RequestInvalidError((violation,))


def _admit_again(uow: UnitOfWork, call: Call, session: PresenceSession) -> Grant:
    """A grant that was withdrawn covers no answer; the person was counted at the start."""
    access = session.grounds.access(call.caller, at=call.at, people_count=0)
    return admit(uow, access, session.grounds.right)


def _token(
    uow: UnitOfWork,
    call: Call,
    session: PresenceSession,
    *,
    person: PersonalID,
    chip: ChipEvidence,
    grant: Grant,
) -> str:
    agency = call.caller.name
    issued_at = call.at.replace(microsecond=0)
    pseudonym = subject_token(uow.sealer, agency, citizen_key(uow.sealer, person))
    token = PresenceToken(
        verification_id=str(session.verification_id),
        audience=agency,
        subject=person.value if Right.PERSONAL_ID in grant.rights else pseudonym,
        issued_at=issued_at,
        expires_at=issued_at + call.rules.presence.token_lifetime,
        methods=methods_of(with_face=session.grounds.with_face),
        level=ChipLevel.ACTIVE if chip.is_active else ChipLevel.PASSIVE,
        purpose=session.grounds.purpose,
        case_id=session.grounds.case_id,
        policy_version=call.rules.verification.version,
    )
    payload = json.dumps(claims_of(token), separators=(",", ":")).encode()
    return sign(signing_key(uow, at=call.at), payload, purpose=SigningPurpose.PRESENCE)


def _entry(
    call: Call,
    session: PresenceSession,
    key: bytes | None,
    verdict: Verdict,
    *,
    grant: Grant,
) -> AuditEntry:
    given = {session.grounds.right}
    state = PRESENCE_STATES[verdict.state]
    if state is PresenceState.PRESENT:
        given |= grant.rights & {Right.PERSONAL_ID}
    access = session.grounds.access(call.caller, at=call.at, people_count=1)
    return record(access, key, action="complete_presence", outcome=state.value, fields=given)
