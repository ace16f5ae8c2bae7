"""DisputeService on the wire."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from uuid import UUID

from identity.domain.caller import Role
from identity.domain.dispute import (
    SIDES,
    AddedEvidence,
    DisputeDecision,
    DisputeState,
    Evidence,
    EvidenceKind,
    Word,
)
from identity.domain.errors import DisputeNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.disputes import (
    DisputeView,
    add_evidence,
    appeal_dispute,
    decide_dispute,
    get_dispute,
    open_dispute,
)
from identity.services.lookup_watch import counting_misses, counting_unknown
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from subid.v1 import dispute_service_pb2 as pb
from subid.v1 import dispute_service_pb2_grpc

_STATES: Mapping[DisputeState, "pb.DisputeState"] = MappingProxyType(
    {
        DisputeState.OPEN: pb.DISPUTE_STATE_OPEN,
        DisputeState.DECIDED: pb.DISPUTE_STATE_DECIDED,
        DisputeState.APPEALED: pb.DISPUTE_STATE_APPEALED,
        DisputeState.CLOSED: pb.DISPUTE_STATE_CLOSED,
    }
)
_DECISIONS: Mapping[DisputeDecision, "pb.DisputeDecision"] = MappingProxyType(
    {
        DisputeDecision.HOLDER: pb.DISPUTE_DECISION_HOLDER,
        DisputeDecision.CLAIMANT: pb.DISPUTE_DECISION_CLAIMANT,
        DisputeDecision.NOBODY: pb.DISPUTE_DECISION_NOBODY,
    }
)
_KINDS: Mapping[EvidenceKind, "pb.EvidenceKind"] = MappingProxyType(
    {
        EvidenceKind.RECENT_CALLS: pb.EVIDENCE_KIND_RECENT_CALLS,
        EvidenceKind.BILLS: pb.EVIDENCE_KIND_BILLS,
        EvidenceKind.CONTRACT: pb.EVIDENCE_KIND_CONTRACT,
        EvidenceKind.SIM_CARD: pb.EVIDENCE_KIND_SIM_CARD,
        EvidenceKind.OTHER: pb.EVIDENCE_KIND_OTHER,
    }
)
_DECISION_OF = {number: decision for decision, number in _DECISIONS.items()}
_KIND_OF = {number: kind for kind, number in _KINDS.items()}


class DisputeServicer(dispute_service_pb2_grpc.DisputeServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def OpenDispute(self, request: pb.OpenDisputeRequest, call: Call) -> pb.OpenDisputeResponse:
        """Open."""
        msisdn = decode.msisdn(request.msisdn)
        claimant = PersonalID.parse(request.claimant_personal_id)

        def answer(uow: UnitOfWork) -> pb.OpenDisputeResponse:
            view = open_dispute(uow, call, msisdn, claimant)
            return pb.OpenDisputeResponse(dispute=_dispute(view, call))

        with self._counting(call, msisdn, claimant):
            return self._edge.answer_once(request, call, answer, pb.OpenDisputeResponse)

    def AddEvidence(self, request: pb.AddEvidenceRequest, call: Call) -> pb.AddEvidenceResponse:
        """Add evidence."""
        personal_id = decode.optional_personal_id(request.personal_id)
        pieces = [_evidence(each) for each in request.evidence]

        def answer(uow: UnitOfWork) -> pb.AddEvidenceResponse:
            view = add_evidence(
                uow, call, UUID(request.dispute_id), pieces, personal_id=personal_id
            )
            return pb.AddEvidenceResponse(dispute=_dispute(view, call))

        return self._edge.answer_once(request, call, answer, pb.AddEvidenceResponse)

    def DecideDispute(
        self, request: pb.DecideDisputeRequest, call: Call
    ) -> pb.DecideDisputeResponse:
        """Decide."""
        decision = _DECISION_OF[request.decision]

        def answer(uow: UnitOfWork) -> pb.DecideDisputeResponse:
            view = decide_dispute(uow, call, UUID(request.dispute_id), decision)
            return pb.DecideDisputeResponse(dispute=_dispute(view, call))

        return self._edge.answer_once(request, call, answer, pb.DecideDisputeResponse)

    def AppealDispute(
        self, request: pb.AppealDisputeRequest, call: Call
    ) -> pb.AppealDisputeResponse:
        """Appeal."""
        side = PersonalID.parse(request.personal_id)

        def answer(uow: UnitOfWork) -> pb.AppealDisputeResponse:
            view = appeal_dispute(uow, call, UUID(request.dispute_id), side)
            return pb.AppealDisputeResponse(dispute=_dispute(view, call))

        return self._edge.answer_once(request, call, answer, pb.AppealDisputeResponse)

    def GetDispute(self, request: pb.GetDisputeRequest, call: Call) -> pb.GetDisputeResponse:
        """Say where a dispute stands."""
        personal_id = decode.optional_personal_id(request.personal_id)
        view = self._edge.transactions.run(
            lambda uow: get_dispute(uow, call, UUID(request.dispute_id), personal_id)
        )
        if view is None:
            raise DisputeNotFoundError("there is no such dispute of yours")
        return pb.GetDisputeResponse(dispute=_dispute(view, call))

    @contextmanager
    def _counting(self, call: Call, msisdn: MSISDN, claimant: PersonalID) -> Iterator[None]:
        """An operator that tries out numbers or people is found out by what it is refused."""
        if call.caller.role is not Role.OPERATOR:
            yield
            return
        transactions = self._edge.transactions
        sealer = transactions.database.sealer
        with (
            counting_misses(transactions, call, msisdn_key(sealer, msisdn)),
            counting_unknown(transactions, call, citizen_key(sealer, claimant)),
        ):
            yield


def _evidence(message: pb.Evidence) -> Evidence:
    return Evidence(
        kind=_KIND_OF[message.kind],
        document_digest=message.document_digest,
        place=message.place,
        is_for_claimant=message.is_for_claimant,
    )


def _dispute(view: DisputeView, call: Call) -> pb.Dispute:
    value = view.dispute
    is_regulator = call.caller.role is Role.REGULATOR
    return pb.Dispute(
        dispute_id=str(value.dispute_id),
        msisdn=view.msisdn.value,
        state=_STATES[value.state],
        open_time=encode.timestamp(value.opened_at),
        deadline=encode.timestamp(value.deadline),
        evidence=[_added(each) for each in value.evidence],
        decision=(
            pb.DISPUTE_DECISION_UNSPECIFIED
            if value.decision is None
            else _DECISIONS[value.decision]
        ),
        deciders=value.deciders,
        proposals=[_proposal(each) for each in value.proposals] if is_regulator else (),
        close_time=encode.timestamp(value.closed_at),
    )


def _added(value: AddedEvidence) -> pb.AddedEvidence:
    piece = value.evidence
    return pb.AddedEvidence(
        evidence=pb.Evidence(
            kind=_KINDS[piece.kind],
            document_digest=piece.document_digest,
            place=piece.place,
            is_for_claimant=piece.is_for_claimant,
        ),
        adder=value.party.value if value.party in SIDES else value.caller,
        add_time=encode.timestamp(value.added_at),
    )


def _proposal(value: Word) -> pb.DisputeProposal:
    return pb.DisputeProposal(
        caller=value.caller,
        decision=_DECISIONS[value.decision],
        propose_time=encode.timestamp(value.said_at),
    )
