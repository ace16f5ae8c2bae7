"""PopulationService on the wire."""

from collections.abc import AsyncIterator
from functools import partial

from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge, request_key
from identity.services.apply_population_changes import (
    Birth,
    Correction,
    Death,
    NewCard,
    PopulationChange,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.imports import BatchResult, ImportSummary
from subid.v1 import population_service_pb2 as pb
from subid.v1 import population_service_pb2_grpc


class PopulationServicer(population_service_pb2_grpc.PopulationServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def ImportPopulation(
        self, requests: AsyncIterator[pb.ImportPopulationRequest], call: Call
    ) -> pb.ImportPopulationResponse:
        """Store batch after batch; each is there before the next is read."""
        summary = ImportSummary()
        async for request in requests:
            summary.expect(request.batch_index, request.request_id)
            result = await self._edge.in_thread(partial(self._batch, request, call))
            summary.add(result)
        return pb.ImportPopulationResponse(summary=encode.import_summary(summary))

    def ApplyPopulationChanges(
        self, request: pb.ApplyPopulationChangesRequest, call: Call
    ) -> pb.ApplyPopulationChangesResponse:
        """Apply all changes or none."""
        changes = [_change(change, f"changes[{i}]") for i, change in enumerate(request.changes)]
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.ApplyPopulationChangesResponse(
                applied_count=len(changes),
                relinked_count=apply_population_changes(uow, call, changes),
            ),
            pb.ApplyPopulationChangesResponse,
        )

    def _batch(self, request: pb.ImportPopulationRequest, call: Call) -> BatchResult:
        rows = decode.rows(request.records, decode.population_record)
        fields = self._edge.transactions.run_batch_once(
            request_key(request, call),
            request.batch_index,
            lambda uow: import_population(uow, call, rows).to_fields(),
            at=call.at,
        )
        return BatchResult.from_fields(fields)


def _change(message: pb.PopulationChange, path: str) -> PopulationChange:
    kind = message.WhichOneof("change")
    if kind == "birth":
        return Birth(decode.population_record(message.birth.record, path=f"{path}.birth.record"))
    if kind == "correction":
        path = f"{path}.correction.record"
        return Correction(decode.population_record(message.correction.record, path=path))
    if kind == "death":
        deceased_on = decode.day(message.death.deceased_on, field=f"{path}.death.deceased_on")
        return Death(PersonalID.parse(message.death.personal_id), deceased_on)
    issued_on = decode.day(message.new_card.issued_on, field=f"{path}.new_card.issued_on")
    return NewCard(PersonalID.parse(message.new_card.personal_id), issued_on)
