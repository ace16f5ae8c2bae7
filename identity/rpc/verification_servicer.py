"""VerificationService on the wire."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar
from uuid import UUID

from identity.domain.caller import Role
from identity.domain.msisdn import MSISDN
from identity.domain.presence import PresenceState
from identity.domain.subscription import ServiceState
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.grounds import access_of
from identity.rpc.judging import Examined, Judging, SessionUse
from identity.security.service_signing import format_key_set
from identity.services.call import Call
from identity.services.complete_verification import Completed, claim_session, record_verdict
from identity.services.enrol_reference import reference_from
from identity.services.face_pool import FaceFindings
from identity.services.lookup_watch import counting_misses
from identity.services.presence import Presence, claim_presence, record_presence, start_presence
from identity.services.signing_keys import presence_public_keys
from identity.services.verification_sessions import (
    get_verification,
    read_nonces,
    start_verification,
)
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from identity.storage.verifications import (
    Claimant,
    OpenedSession,
    PresenceSession,
    Session,
    SessionState,
)
from subid.v1 import verification_service_pb2 as pb
from subid.v1 import verification_service_pb2_grpc

_Started = TypeVar("_Started", pb.StartVerificationResponse, pb.StartPresenceResponse)

_SESSION_STATES = {
    SessionState.PENDING: pb.VERIFICATION_STATE_PENDING,
    SessionState.PROCESSING: pb.VERIFICATION_STATE_PROCESSING,
    SessionState.COMPLETED: pb.VERIFICATION_STATE_COMPLETED,
}
_PRESENCE_STATES = {
    PresenceState.PRESENT: pb.PRESENCE_STATE_PRESENT,
    PresenceState.NOT_PRESENT: pb.PRESENCE_STATE_NOT_PRESENT,
    PresenceState.INCONCLUSIVE: pb.PRESENCE_STATE_INCONCLUSIVE,
}
_CARD = (pb.REQUIREMENT_CHIP_FILES, pb.REQUIREMENT_ACTIVE_AUTHENTICATION)
_CARD_AND_FACE = (*_CARD, pb.REQUIREMENT_PROBE_PHOTOGRAPHS)


class VerificationServicer(verification_service_pb2_grpc.VerificationServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._judging = Judging(edge)

    def StartVerification(
        self, request: pb.StartVerificationRequest, call: Call
    ) -> pb.StartVerificationResponse:
        """Open a session for a number."""
        msisdn = decode.msisdn(request.msisdn)
        personal_id = decode.optional_personal_id(request.personal_id)

        def start(uow: UnitOfWork) -> pb.StartVerificationResponse:
            session = start_verification(uow, call, msisdn, personal_id)
            return _started(session, _CARD_AND_FACE, pb.StartVerificationResponse)

        # The first answer is stored: the nonces, which are stored nowhere, are put in afterwards.
        with self._counting_misses(call, msisdn):
            answer = self._edge.answer_once(request, call, start, pb.StartVerificationResponse)
        return self._with_nonces(answer)

    def StartPresence(
        self, request: pb.StartPresenceRequest, call: Call
    ) -> pb.StartPresenceResponse:
        """Open a session for whoever stands at a counter."""
        access = access_of(request.grounds, call)
        requirements = _CARD_AND_FACE if request.with_face else _CARD

        def start(uow: UnitOfWork) -> pb.StartPresenceResponse:
            session = start_presence(uow, call, access, with_face=request.with_face)
            return _started(session, requirements, pb.StartPresenceResponse)

        answer = self._edge.answer_once(request, call, start, pb.StartPresenceResponse)
        return self._with_nonces(answer)

    async def CompleteVerification(
        self, request: pb.CompleteVerificationRequest, call: Call
    ) -> pb.CompleteVerificationResponse:
        """Take the session, examine chip and face, store the verdict."""
        verification_id = UUID(request.verification_id)

        def claim(uow: UnitOfWork, claimant: Claimant) -> Session:
            return claim_session(uow, call, verification_id, claimant)

        def record(
            uow: UnitOfWork, session: Session, found: Examined
        ) -> pb.CompleteVerificationResponse:
            chip, face = found.chip, _face(found)
            reference = reference_from(chip, face)
            return _completed(
                record_verdict(
                    uow, call, session, chip.evidence, face.evidence, reference=reference
                )
            )

        use = SessionUse(claim=claim, record=record, response_type=pb.CompleteVerificationResponse)
        return await self._judging.judge(request, call, use)

    async def CompletePresence(
        self, request: pb.CompletePresenceRequest, call: Call
    ) -> pb.CompletePresenceResponse:
        """The same for an agency; what it is told is signed with it."""
        verification_id = UUID(request.verification_id)
        has_probes = bool(request.probe_photographs)

        def claim(uow: UnitOfWork, claimant: Claimant) -> PresenceSession:
            return claim_presence(uow, call, verification_id, claimant, has_probes=has_probes)

        def record(
            uow: UnitOfWork, session: PresenceSession, found: Examined
        ) -> pb.CompletePresenceResponse:
            face = None if found.face is None else found.face.evidence
            return _presence(record_presence(uow, call, session, found.chip.evidence, face))

        use = SessionUse(claim=claim, record=record, response_type=pb.CompletePresenceResponse)
        return await self._judging.judge(request, call, use)

    def GetVerification(
        self, request: pb.GetVerificationRequest, call: Call
    ) -> pb.GetVerificationResponse:
        """Read where a session stands."""
        session = self._edge.transactions.run(
            lambda uow: get_verification(uow, call, UUID(request.verification_id))
        )
        is_expired = session.state is SessionState.PENDING and session.expires_at <= call.at
        return pb.GetVerificationResponse(
            state=pb.VERIFICATION_STATE_EXPIRED if is_expired else _SESSION_STATES[session.state],
            verdict=None if session.verdict is None else encode.verdict(session.verdict),
            expire_time=encode.timestamp(session.expires_at),
        )

    def GetPresenceKeys(
        self, request: pb.GetPresenceKeysRequest, call: Call
    ) -> pb.GetPresenceKeysResponse:
        """Tell the public keys of tokens that may still count."""
        del request
        found = self._edge.transactions.run(lambda uow: presence_public_keys(uow, at=call.at))
        return pb.GetPresenceKeysResponse(key_set=format_key_set(found))

    def _counting_misses(self, call: Call, msisdn: MSISDN) -> AbstractContextManager[None]:
        """An operator that tries out numbers is found out; an app acts for one citizen."""
        if call.caller.role is not Role.OPERATOR:
            return nullcontext()
        transactions = self._edge.transactions
        key = msisdn_key(transactions.database.sealer, msisdn)
        return counting_misses(transactions, call, key)

    def _with_nonces(self, answer: _Started) -> _Started:
        verification_id = UUID(answer.verification_id)
        nonces = self._edge.transactions.run(lambda uow: read_nonces(uow, verification_id))
        answer.chip_nonce = nonces[0]
        answer.further_chip_nonces.extend(nonces[1:])
        return answer


def _started(
    session: OpenedSession,
    requirements: tuple[pb.Requirement, ...],
    make: Callable[..., _Started],
) -> _Started:
    return make(
        verification_id=str(session.verification_id),
        requirements=requirements,
        expire_time=encode.timestamp(session.expires_at),
        nonce_expire_time=encode.timestamp(session.nonce_expires_at),
    )


def _face(found: Examined) -> FaceFindings:
    if found.face is None:
        raise AssertionError("the contract demands a photograph of whoever verifies a number")
    return found.face


def _completed(completed: Completed) -> pb.CompleteVerificationResponse:
    state: ServiceState = completed.subscription.service_state
    return pb.CompleteVerificationResponse(
        verdict=encode.verdict(completed.verdict),
        service_state=encode.SERVICE_STATES[state],
    )


def _presence(presence: Presence) -> pb.CompletePresenceResponse:
    """What an agency may know: nothing of the fields that were compared."""
    verdict = presence.verdict
    return pb.CompletePresenceResponse(
        state=_PRESENCE_STATES[presence.state],
        reasons=[reason.value for reason in verdict.reasons],
        chip_codes=verdict.chip_codes,
        acquisition_failure=verdict.acquisition_failure or "",
        acquisition_advice=encode.acquisition_advice(verdict.acquisition_failure),
        decide_time=encode.timestamp(verdict.decided_at),
        policy_version=verdict.policy_version,
        token=presence.token or "",
    )
