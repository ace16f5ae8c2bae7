"""PrivacyService on the wire."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from identity.domain.agency import Purpose
from identity.domain.data_request import (
    DataRequest,
    DataRequestKind,
    DataRequestOutcome,
    DataRequestState,
)
from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.grounds import PURPOSES
from identity.services.call import Call
from identity.services.data_requests import (
    acknowledge_request,
    find_request,
    list_open_requests,
    list_requests,
    object_to,
    request_erasure,
    request_export,
    restrict,
    withdraw_objection,
)
from identity.services.erase_person import (
    erase_person,
    forget_answers,
    refuse_request,
    signed_proof,
)
from identity.services.export_data import signed_export
from identity.storage.database import UnitOfWork
from subid.v1 import agency_pb2, privacy_service_pb2_grpc
from subid.v1 import privacy_service_pb2 as pb

CHUNK_BYTES = 256 * 1024
"""Of an export: far below what any client takes as one message."""

_KINDS: Mapping[DataRequestKind, "pb.DataRequestKind"] = MappingProxyType(
    {
        DataRequestKind.EXPORT: pb.DATA_REQUEST_KIND_EXPORT,
        DataRequestKind.OBJECTION: pb.DATA_REQUEST_KIND_OBJECTION,
        DataRequestKind.WITHDRAWAL: pb.DATA_REQUEST_KIND_WITHDRAWAL,
        DataRequestKind.RESTRICTION: pb.DATA_REQUEST_KIND_RESTRICTION,
        DataRequestKind.RELEASE: pb.DATA_REQUEST_KIND_RELEASE,
        DataRequestKind.ERASURE: pb.DATA_REQUEST_KIND_ERASURE,
    }
)
_STATES: Mapping[DataRequestState, "pb.DataRequestState"] = MappingProxyType(
    {
        DataRequestState.OPEN: pb.DATA_REQUEST_STATE_OPEN,
        DataRequestState.ACKNOWLEDGED: pb.DATA_REQUEST_STATE_ACKNOWLEDGED,
        DataRequestState.CLOSED: pb.DATA_REQUEST_STATE_CLOSED,
    }
)
_OUTCOMES: Mapping[DataRequestOutcome | None, "pb.DataRequestOutcome"] = MappingProxyType(
    {
        None: pb.DATA_REQUEST_OUTCOME_UNSPECIFIED,
        DataRequestOutcome.DONE: pb.DATA_REQUEST_OUTCOME_DONE,
        DataRequestOutcome.REFUSED: pb.DATA_REQUEST_OUTCOME_REFUSED,
    }
)


class PrivacyServicer(privacy_service_pb2_grpc.PrivacyServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def RequestExport(
        self, request: pb.RequestExportRequest, call: Call
    ) -> pb.RequestExportResponse:
        """Ask for everything."""
        personal_id = PersonalID.parse(request.personal_id)

        def ask(uow: UnitOfWork) -> pb.RequestExportResponse:
            asked = request_export(uow, call, personal_id)
            return pb.RequestExportResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, ask, pb.RequestExportResponse)

    async def GetExport(
        self, request: pb.GetExportRequest, call: Call
    ) -> AsyncIterator[pb.GetExportResponse]:
        """Read everything, signed, in chunks."""
        personal_id = PersonalID.parse(request.personal_id)
        data_request_id = UUID(request.data_request_id)

        def read() -> bytes:
            return self._edge.transactions.run(
                lambda uow: signed_export(uow, call, personal_id, data_request_id)
            ).encode()

        whole = await self._edge.in_thread(read)
        for begin in range(0, len(whole), CHUNK_BYTES):
            yield pb.GetExportResponse(chunk=whole[begin : begin + CHUNK_BYTES])

    def Object(self, request: pb.ObjectRequest, call: Call) -> pb.ObjectResponse:
        """Object to contacts."""
        personal_id, purposes = PersonalID.parse(request.personal_id), _purposes(request.purposes)

        def objecting(uow: UnitOfWork) -> pb.ObjectResponse:
            asked = object_to(uow, call, personal_id, purposes)
            return pb.ObjectResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, objecting, pb.ObjectResponse)

    def WithdrawObjection(
        self, request: pb.WithdrawObjectionRequest, call: Call
    ) -> pb.WithdrawObjectionResponse:
        """Take an objection back."""
        personal_id, purposes = PersonalID.parse(request.personal_id), _purposes(request.purposes)

        def withdraw(uow: UnitOfWork) -> pb.WithdrawObjectionResponse:
            asked = withdraw_objection(uow, call, personal_id, purposes)
            return pb.WithdrawObjectionResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, withdraw, pb.WithdrawObjectionResponse)

    def Restrict(self, request: pb.RestrictRequest, call: Call) -> pb.RestrictResponse:
        """Suspend processing."""
        personal_id = PersonalID.parse(request.personal_id)

        def suspend(uow: UnitOfWork) -> pb.RestrictResponse:
            asked = restrict(uow, call, personal_id, is_restricted=True)
            return pb.RestrictResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, suspend, pb.RestrictResponse)

    def LiftRestriction(
        self, request: pb.LiftRestrictionRequest, call: Call
    ) -> pb.LiftRestrictionResponse:
        """Go on with processing."""
        personal_id = PersonalID.parse(request.personal_id)

        def lift(uow: UnitOfWork) -> pb.LiftRestrictionResponse:
            asked = restrict(uow, call, personal_id, is_restricted=False)
            return pb.LiftRestrictionResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, lift, pb.LiftRestrictionResponse)

    def RequestErasure(
        self, request: pb.RequestErasureRequest, call: Call
    ) -> pb.RequestErasureResponse:
        """Ask to be erased."""
        personal_id = PersonalID.parse(request.personal_id)

        def ask(uow: UnitOfWork) -> pb.RequestErasureResponse:
            asked = request_erasure(uow, call, personal_id)
            return pb.RequestErasureResponse(data_request=_request(asked, call))

        return self._edge.answer_once(request, call, ask, pb.RequestErasureResponse)

    def GetDataRequest(
        self, request: pb.GetDataRequestRequest, call: Call
    ) -> pb.GetDataRequestResponse:
        """Read a request, and the proof of an erasure."""
        personal_id = PersonalID.parse(request.personal_id)
        data_request_id = UUID(request.data_request_id)

        def read(uow: UnitOfWork) -> pb.GetDataRequestResponse:
            found = find_request(uow, call, personal_id, data_request_id)
            return pb.GetDataRequestResponse(
                data_request=_request(found, call),
                proof=signed_proof(uow, call, personal_id, found),
            )

        return self._edge.transactions.run(read)

    def ListDataRequests(
        self, request: pb.ListDataRequestsRequest, call: Call
    ) -> pb.ListDataRequestsResponse:
        """Read a page of the citizen's requests."""
        personal_id = PersonalID.parse(request.personal_id)
        after, limit = decode.page_token(request.page_token), decode.page_size(request.page_size)
        found = self._edge.transactions.run(
            lambda uow: list_requests(uow, call, personal_id, after=after, limit=limit)
        )
        is_full = len(found) == limit
        return pb.ListDataRequestsResponse(
            data_requests=[_request(each, call) for each in found],
            next_page_token=found[-1].data_request_id.hex if is_full else "",
        )

    def AcknowledgeDataRequest(
        self, request: pb.AcknowledgeDataRequestRequest, call: Call
    ) -> pb.AcknowledgeDataRequestResponse:
        """Stop the first clock of a request."""
        data_request_id = UUID(request.data_request_id)

        def acknowledge(uow: UnitOfWork) -> pb.AcknowledgeDataRequestResponse:
            known = acknowledge_request(uow, call, data_request_id)
            return pb.AcknowledgeDataRequestResponse(data_request=_request(known, call))

        response = pb.AcknowledgeDataRequestResponse
        return self._edge.answer_once(request, call, acknowledge, response)

    def DecideDataRequest(
        self, request: pb.DecideDataRequestRequest, call: Call
    ) -> pb.DecideDataRequestResponse:
        """Do an erasure, or refuse it."""
        data_request_id = UUID(request.data_request_id)
        decide: Callable[[UnitOfWork], DataRequest]
        if request.is_granted:
            forget_answers(self._edge.transactions, call)

            def decide(uow: UnitOfWork) -> DataRequest:
                return erase_person(uow, call, data_request_id)
        else:

            def decide(uow: UnitOfWork) -> DataRequest:
                return refuse_request(uow, call, data_request_id, request.reason)

        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.DecideDataRequestResponse(data_request=_request(decide(uow), call)),
            pb.DecideDataRequestResponse,
        )

    def ListOpenDataRequests(
        self, request: pb.ListOpenDataRequestsRequest, call: Call
    ) -> pb.ListOpenDataRequestsResponse:
        """Read what waits."""
        limit = decode.page_size(request.page_size)
        found = self._edge.transactions.run(lambda uow: list_open_requests(uow, call, limit=limit))
        return pb.ListOpenDataRequestsResponse(
            data_requests=[_request(each, call) for each in found.first],
            open_count=found.counts.open_count,
            unacknowledged_count=found.counts.unacknowledged_count,
            late_count=found.counts.late_count,
            closed_late_count=found.counts.closed_late_count,
        )


def _purposes(given: Iterable["agency_pb2.Purpose"]) -> frozenset[Purpose]:
    return frozenset(PURPOSES[each] for each in given)


def _request(asked: DataRequest, call: Call) -> pb.DataRequest:
    known_at, closed_at = asked.acknowledged_at, asked.closed_at
    return pb.DataRequest(
        data_request_id=str(asked.data_request_id),
        kind=_KINDS[asked.kind],
        state=_STATES[asked.state],
        open_time=encode.timestamp(asked.opened_at),
        acknowledge_by_time=encode.timestamp(asked.acknowledge_by),
        act_by_time=encode.timestamp(asked.act_by),
        acknowledge_time=None if known_at is None else encode.timestamp(known_at),
        close_time=None if closed_at is None else encode.timestamp(closed_at),
        outcome=_OUTCOMES[asked.outcome],
        reason=asked.reason or "",
        is_overdue=asked.is_overdue(at=call.at),
    )
