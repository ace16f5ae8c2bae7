"""VerificationService on the wire."""

import asyncio
from functools import partial
from uuid import UUID

from identity.domain.errors import FieldViolation, RequestInvalidError, VerificationUsedError
from identity.domain.subscription import ServiceState
from identity.rpc import decode, encode
from identity.rpc.edge import Edge, request_key
from identity.services.call import Call
from identity.services.chip_nonces import NONCE_COUNT, Challenge, read_challenge
from identity.services.complete_verification import (
    Completed,
    Presented,
    claim_session,
    record_verdict,
    refuse_oversized,
)
from identity.services.enrol_reference import reference_from
from identity.services.face_pool import not_compared
from identity.services.verification_sessions import (
    get_verification,
    read_nonces,
    start_verification,
)
from identity.storage.database import UnitOfWork
from identity.storage.requests import RequestKey
from identity.storage.verifications import Claimant, Session, SessionState
from subid.v1 import verification_service_pb2 as pb
from subid.v1 import verification_service_pb2_grpc

_SESSION_STATES = {
    SessionState.PENDING: pb.VERIFICATION_STATE_PENDING,
    SessionState.PROCESSING: pb.VERIFICATION_STATE_PROCESSING,
    SessionState.COMPLETED: pb.VERIFICATION_STATE_COMPLETED,
}
_REQUIREMENTS = (
    pb.REQUIREMENT_CHIP_FILES,
    pb.REQUIREMENT_ACTIVE_AUTHENTICATION,
    pb.REQUIREMENT_PROBE_PHOTOGRAPHS,
)
_OPTIONAL_GROUPS = {13: "dg13", 14: "dg14", 15: "dg15"}


class VerificationServicer(verification_service_pb2_grpc.VerificationServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._underway: dict[RequestKey, asyncio.Task[pb.CompleteVerificationResponse]] = {}

    def StartVerification(
        self, request: pb.StartVerificationRequest, call: Call
    ) -> pb.StartVerificationResponse:
        """Open a session."""
        msisdn = decode.msisdn(request.msisdn)
        personal_id = decode.optional_personal_id(request.personal_id)

        def start(uow: UnitOfWork) -> pb.StartVerificationResponse:
            session = start_verification(uow, call, msisdn, personal_id)
            return pb.StartVerificationResponse(
                verification_id=str(session.verification_id),
                requirements=_REQUIREMENTS,
                expire_time=encode.timestamp(session.expires_at),
                nonce_expire_time=encode.timestamp(session.nonce_expires_at),
            )

        # The first answer is stored: the nonces, which are stored nowhere, are put in afterwards.
        answer = self._edge.answer_once(request, call, start, pb.StartVerificationResponse)
        verification_id = UUID(answer.verification_id)
        nonces = self._edge.transactions.run(lambda uow: read_nonces(uow, verification_id))
        answer.chip_nonce = nonces[0]
        answer.further_chip_nonces.extend(nonces[1:])
        return answer

    async def CompleteVerification(
        self, request: pb.CompleteVerificationRequest, call: Call
    ) -> pb.CompleteVerificationResponse:
        """Take the session, examine chip and face, store the verdict.

        The same request sent again while it is being judged waits for the one answer, and a caller
        that goes away does not stop it: what was presented is judged once.
        """
        key = request_key(request, call)
        task = self._underway.get(key)
        if task is None:
            task = asyncio.create_task(self._complete(request, call))
            self._underway[key] = task
            task.add_done_callback(partial(self._leave, key))
        return await asyncio.shield(task)

    def _leave(self, key: RequestKey, task: asyncio.Task[pb.CompleteVerificationResponse]) -> None:
        del self._underway[key]
        if not task.cancelled():
            task.exception()  # told to whoever still waits; asked here, so that nobody need be left

    async def _complete(
        self, request: pb.CompleteVerificationRequest, call: Call
    ) -> pb.CompleteVerificationResponse:
        presented = _presented(request)
        refuse_oversized(presented.probes)
        if first := await self._first_answer(request, call):
            return first
        # Before the session is taken and the chip read, which is most of what a refusal costs.
        self._edge.faces.refuse_when_full()
        try:
            session, challenge = await self._edge.in_thread(lambda: self._claim(request, call))
        except VerificationUsedError:
            # Sent twice at once, the other may have been answered since we looked.
            if first := await self._first_answer(request, call):
                return first
            raise
        profile = call.rules.verification.trust_profile
        chip = await self._edge.in_thread(
            lambda: self._edge.examine_chip(challenge, presented, profile=profile, at=call.at)
        )
        if chip.portrait is None:
            found = not_compared("REFERENCE_NOT_AVAILABLE", presented.probes)
        else:
            found = await self._edge.faces.compare(chip.portrait, presented.probes)

        def record(uow: UnitOfWork) -> pb.CompleteVerificationResponse:
            reference = reference_from(chip, found)
            return _completed(
                record_verdict(
                    uow, call, session, chip.evidence, found.evidence, reference=reference
                )
            )

        return await self._edge.in_thread(
            lambda: self._edge.answer_once(request, call, record, pb.CompleteVerificationResponse)
        )

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

    async def _first_answer(
        self, request: pb.CompleteVerificationRequest, call: Call
    ) -> pb.CompleteVerificationResponse | None:
        stored = await self._edge.in_thread(
            lambda: self._edge.transactions.first_answer(request_key(request, call))
        )
        return None if stored is None else pb.CompleteVerificationResponse.FromString(stored)

    def _claim(
        self, request: pb.CompleteVerificationRequest, call: Call
    ) -> tuple[Session, Challenge]:
        key = request_key(request, call)
        claimant = Claimant(request_id=key.request_id, body_digest=key.body_digest)
        verification_id = UUID(request.verification_id)

        def claim(uow: UnitOfWork) -> tuple[Session, Challenge]:
            session = claim_session(uow, call, verification_id, claimant)
            return session, read_challenge(uow, session, request.chip_nonce, at=call.at)

        return self._edge.transactions.run(claim)


def _presented(request: pb.CompleteVerificationRequest) -> Presented:
    files = request.chip_files
    groups = {1: files.dg1, 2: files.dg2}
    for number, field in _OPTIONAL_GROUPS.items():
        if content := getattr(files, field):
            groups[number] = content
    return Presented(
        sod=files.sod,
        data_groups=groups,
        active_signatures=_signatures(request),
        probes=tuple(request.probe_photographs),
    )


def _signatures(request: pb.CompleteVerificationRequest) -> tuple[bytes, ...]:
    """The card's answers: none, one, or one to each nonce."""
    first = request.active_authentication_signature
    further = tuple(request.further_active_authentication_signatures)
    if not further:
        return (first,) if first else ()
    if not first or 1 + len(further) != NONCE_COUNT:
        violation = FieldViolation(
            field="further_active_authentication_signatures",
            reason="SIGNATURE_COUNT",
            description=f"none, or {NONCE_COUNT - 1} beside active_authentication_signature",
        )
        raise RequestInvalidError((violation,))
    return (first, *further)


def _completed(completed: Completed) -> pb.CompleteVerificationResponse:
    state: ServiceState = completed.subscription.service_state
    return pb.CompleteVerificationResponse(
        verdict=encode.verdict(completed.verdict),
        service_state=encode.SERVICE_STATES[state],
    )
