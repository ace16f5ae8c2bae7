"""Taking the evidence of a session once, whatever the session is for.

Owns the order: a first answer, the session, the chip, the face, the verdict; and that a request
which comes twice is judged once. Knows neither what a session is for nor what follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from identity.domain.errors import FieldViolation, RequestInvalidError, VerificationUsedError
from identity.rpc.edge import Edge, request_key
from identity.rpc.limits import LOOP_BYTES_MAX
from identity.rpc.underway import Underway
from identity.services.call import Call
from identity.services.chip_nonces import NONCE_COUNT, Challenge, read_challenge
from identity.services.complete_verification import ExaminedChip, Presented, refuse_oversized
from identity.services.face_pool import FaceFindings, not_compared
from identity.storage.database import UnitOfWork
from identity.storage.requests import RequestKey
from identity.storage.verifications import Claimant, OpenedSession
from subid.v1 import verification_service_pb2 as pb

_Session = TypeVar("_Session", bound=OpenedSession)
_Response = TypeVar("_Response", bound=Message)
EvidenceRequest = pb.CompleteVerificationRequest | pb.CompletePresenceRequest

_OPTIONAL_GROUPS = {13: "dg13", 14: "dg14", 15: "dg15"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found.

    Attributes:
        chip: Of the chip.
        face: Of the face; None when no photograph came.
    """

    chip: ExaminedChip
    face: FaceFindings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUse(Generic[_Session, _Response]):
    """What a session is for.

    Attributes:
        claim: Takes the session for one request, or refuses.
        record: Judges, stores, and says what to answer.
        response_type: Of the answer.
    """

    claim: Callable[[UnitOfWork, Claimant], _Session]
    record: Callable[[UnitOfWork, _Session, Examined], _Response]
    response_type: type[_Response]


class Judging:
    """Judges what is presented."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._underway = Underway()

    async def judge(
        self, request: EvidenceRequest, call: Call, use: SessionUse[_Session, _Response]
    ) -> _Response:
        """Take the session, examine chip and face, store the verdict.

        The same request sent again while it is being judged waits for the one answer, and a caller
        that goes away does not stop it: what was presented is judged once, and takes a place of its
        caller's share until it is.
        """
        key = await self._key(request, call)
        return await self._underway.join(key, lambda: self._judge(request, call, use))

    async def _key(self, request: EvidenceRequest, call: Call) -> RequestKey:
        """Its key, for which all of it is written and hashed: 20 MiB take a tenth of a second."""
        if request.ByteSize() <= LOOP_BYTES_MAX:
            return request_key(request, call)
        return await self._edge.in_thread(lambda: request_key(request, call))

    async def _judge(
        self, request: EvidenceRequest, call: Call, use: SessionUse[_Session, _Response]
    ) -> _Response:
        presented = _presented(request)
        refuse_oversized(presented.probes)
        if first := await self._first_answer(request, call, use):
            return first
        if presented.probes:
            # Before the session is taken and the chip read, which is most of what a refusal costs.
            self._edge.faces.refuse_when_full()
        claimed = await self._edge.in_thread(lambda: self._claim(request, call, use))
        if not isinstance(claimed, tuple):
            return claimed
        session, challenge = claimed
        examined = await self._examine(challenge, presented, call)
        return await self._edge.in_thread(
            lambda: self._edge.answer_once(
                request,
                call,
                lambda uow: use.record(uow, session, examined),
                use.response_type,
            )
        )

    async def _examine(self, challenge: Challenge, presented: Presented, call: Call) -> Examined:
        profile = call.rules.verification.trust_profile
        chip = await self._edge.in_thread(
            lambda: self._edge.examine_chip(challenge, presented, profile=profile, at=call.at)
        )
        if not presented.probes:
            return Examined(chip=chip, face=None)
        if chip.portrait is None:
            found = not_compared("REFERENCE_NOT_AVAILABLE", presented.probes)
        else:
            found = await self._edge.faces.compare(chip.portrait, presented.probes)
        return Examined(chip=chip, face=found)

    async def _first_answer(
        self, request: EvidenceRequest, call: Call, use: SessionUse[_Session, _Response]
    ) -> _Response | None:
        return await self._edge.in_thread(
            lambda: self._edge.first_answer(request, call, use.response_type)
        )

    def _claim(
        self, request: EvidenceRequest, call: Call, use: SessionUse[_Session, _Response]
    ) -> tuple[_Session, Challenge] | _Response:
        """The session and what is to be signed in it; or what was answered meanwhile."""
        key = request_key(request, call)
        claimant = Claimant(request_id=key.request_id, body_digest=key.body_digest)

        def claim(uow: UnitOfWork) -> tuple[_Session, Challenge]:
            session = use.claim(uow, claimant)
            return session, read_challenge(uow, session, request.chip_nonce, at=call.at)

        with self._edge.transactions.refusals_noted(key, at=call.at):
            try:
                return self._edge.transactions.run(claim)
            except VerificationUsedError:
                # Sent twice at once, the other may have been answered since we looked.
                first = self._edge.first_answer(request, call, use.response_type)
                if first is None:
                    raise
                return first


def _presented(request: EvidenceRequest) -> Presented:
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


def _signatures(request: EvidenceRequest) -> tuple[bytes, ...]:
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
