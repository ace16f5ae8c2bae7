"""ArrangementService on the wire."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from identity.domain.arrangement import ArrangementKind, ArrangementState, EndCause
from identity.domain.errors import ArrangementNotFoundError
from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.arrangements import (
    accept_arrangement,
    attest_guardianship,
    end_arrangement,
    get_arrangement,
    list_arrangements,
    propose_company_line,
    propose_guardianship,
    refuse_arrangement,
)
from identity.services.call import Call
from identity.storage.arrangements import KeptArrangement, Parties
from identity.storage.database import UnitOfWork
from subid.v1 import arrangement_service_pb2 as pb
from subid.v1 import arrangement_service_pb2_grpc

_KINDS: Mapping[ArrangementKind, "pb.ArrangementKind"] = MappingProxyType(
    {
        ArrangementKind.GUARDIANSHIP: pb.ARRANGEMENT_KIND_GUARDIANSHIP,
        ArrangementKind.COMPANY_LINE: pb.ARRANGEMENT_KIND_COMPANY_LINE,
    }
)
_STATES: Mapping[ArrangementState, "pb.ArrangementState"] = MappingProxyType(
    {
        ArrangementState.PROPOSED: pb.ARRANGEMENT_STATE_PROPOSED,
        ArrangementState.AGREED: pb.ARRANGEMENT_STATE_AGREED,
        ArrangementState.REFUSED: pb.ARRANGEMENT_STATE_REFUSED,
        ArrangementState.LAPSED: pb.ARRANGEMENT_STATE_LAPSED,
        ArrangementState.ENDED: pb.ARRANGEMENT_STATE_ENDED,
    }
)
_CAUSES: Mapping[EndCause | None, "pb.ArrangementEndCause"] = MappingProxyType(
    {
        None: pb.ARRANGEMENT_END_CAUSE_UNSPECIFIED,
        EndCause.PROPOSER: pb.ARRANGEMENT_END_CAUSE_PROPOSER,
        EndCause.CITIZEN: pb.ARRANGEMENT_END_CAUSE_CITIZEN,
        EndCause.REGULATOR: pb.ARRANGEMENT_END_CAUSE_REGULATOR,
        EndCause.OF_AGE: pb.ARRANGEMENT_END_CAUSE_OF_AGE,
        EndCause.PERSON_GONE: pb.ARRANGEMENT_END_CAUSE_PERSON_GONE,
        EndCause.NUMBER_GONE: pb.ARRANGEMENT_END_CAUSE_NUMBER_GONE,
    }
)


class ArrangementServicer(arrangement_service_pb2_grpc.ArrangementServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def ProposeGuardianship(
        self, request: pb.ProposeGuardianshipRequest, call: Call
    ) -> pb.ProposeGuardianshipResponse:
        """Propose a guardianship."""
        guardian = PersonalID.parse(request.guardian_personal_id)
        child = PersonalID.parse(request.child_personal_id)

        def answer(uow: UnitOfWork) -> pb.ProposeGuardianshipResponse:
            kept = propose_guardianship(uow, call, guardian, child)
            return pb.ProposeGuardianshipResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.ProposeGuardianshipResponse)

    def AttestGuardianship(
        self, request: pb.AttestGuardianshipRequest, call: Call
    ) -> pb.AttestGuardianshipResponse:
        """Attest the papers of one."""
        parties = Parties(
            personal_id=PersonalID.parse(request.child_personal_id),
            guardian=PersonalID.parse(request.guardian_personal_id),
        )

        def answer(uow: UnitOfWork) -> pb.AttestGuardianshipResponse:
            kept = attest_guardianship(
                uow,
                call,
                UUID(request.arrangement_id),
                parties,
                document_digest=request.document_digest,
            )
            return pb.AttestGuardianshipResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.AttestGuardianshipResponse)

    def ProposeCompanyLine(
        self, request: pb.ProposeCompanyLineRequest, call: Call
    ) -> pb.ProposeCompanyLineResponse:
        """Propose a company's line."""
        msisdn = decode.msisdn(request.msisdn)
        employee = PersonalID.parse(request.employee_personal_id)

        def answer(uow: UnitOfWork) -> pb.ProposeCompanyLineResponse:
            kept = propose_company_line(
                uow, call, msisdn, organisation_code=request.organisation_code, employee=employee
            )
            return pb.ProposeCompanyLineResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.ProposeCompanyLineResponse)

    def AcceptArrangement(
        self, request: pb.AcceptArrangementRequest, call: Call
    ) -> pb.AcceptArrangementResponse:
        """Say yes."""
        personal_id = PersonalID.parse(request.personal_id)

        def answer(uow: UnitOfWork) -> pb.AcceptArrangementResponse:
            kept = accept_arrangement(uow, call, personal_id, UUID(request.arrangement_id))
            return pb.AcceptArrangementResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.AcceptArrangementResponse)

    def RefuseArrangement(
        self, request: pb.RefuseArrangementRequest, call: Call
    ) -> pb.RefuseArrangementResponse:
        """Say no."""
        personal_id = PersonalID.parse(request.personal_id)

        def answer(uow: UnitOfWork) -> pb.RefuseArrangementResponse:
            kept = refuse_arrangement(uow, call, personal_id, UUID(request.arrangement_id))
            return pb.RefuseArrangementResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.RefuseArrangementResponse)

    def EndArrangement(
        self, request: pb.EndArrangementRequest, call: Call
    ) -> pb.EndArrangementResponse:
        """End one."""
        personal_id = decode.optional_personal_id(request.personal_id)

        def answer(uow: UnitOfWork) -> pb.EndArrangementResponse:
            kept = end_arrangement(uow, call, UUID(request.arrangement_id), personal_id)
            return pb.EndArrangementResponse(arrangement=_arrangement(kept))

        return self._edge.answer_once(request, call, answer, pb.EndArrangementResponse)

    def ListArrangements(
        self, request: pb.ListArrangementsRequest, call: Call
    ) -> pb.ListArrangementsResponse:
        """Read a page of a citizen's."""
        personal_id = PersonalID.parse(request.personal_id)
        after = decode.page_token(request.page_token)
        limit = decode.page_size(request.page_size)
        page = self._edge.transactions.run(
            lambda uow: list_arrangements(uow, call, personal_id, after=after, limit=limit)
        )
        return pb.ListArrangementsResponse(
            arrangements=[_arrangement(each) for each in page.arrangements],
            next_page_token="" if page.next_after is None else page.next_after.hex,
        )

    def GetArrangement(
        self, request: pb.GetArrangementRequest, call: Call
    ) -> pb.GetArrangementResponse:
        """Say where one stands."""
        kept = self._edge.transactions.run(
            lambda uow: get_arrangement(uow, call, UUID(request.arrangement_id))
        )
        if kept is None:
            raise ArrangementNotFoundError("there is no such arrangement of yours")
        return pb.GetArrangementResponse(arrangement=_arrangement(kept))


def _arrangement(kept: KeptArrangement) -> pb.Arrangement:
    value, parties = kept.arrangement, kept.parties
    return pb.Arrangement(
        arrangement_id=str(value.arrangement_id),
        kind=_KINDS[value.kind],
        state=_STATES[value.state],
        personal_id=parties.personal_id.value,
        guardian_personal_id="" if parties.guardian is None else parties.guardian.value,
        organisation_code=parties.organisation_code or "",
        msisdn="" if parties.msisdn is None else parties.msisdn.value,
        operator_id="" if kept.line is None else kept.line.operator_id,
        propose_time=encode.timestamp(value.proposed_at),
        lapse_time=encode.timestamp(value.lapses_at),
        is_attested=value.attested_at is not None,
        agree_time=encode.timestamp(value.agreed_at),
        close_time=encode.timestamp(value.closed_at),
        end_cause=_CAUSES[value.end_cause],
    )
