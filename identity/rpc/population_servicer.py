"""PopulationService on the wire."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from operator import attrgetter
from uuid import UUID

from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.import_stream import RowKind, page_after, page_token, take_stream
from identity.services.apply_population_changes import (
    Birth,
    Correction,
    Death,
    MergedRecords,
    NewCard,
    PopulationChange,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_progress import get_progress, list_errors
from identity.services.imports import BatchHead, BatchResult, RefusedRow
from identity.services.subscriber_updates import (
    UpdateAcknowledgement,
    acknowledge_subscriber_updates,
    pull_subscriber_updates,
)
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from subid.v1 import population_service_pb2 as pb
from subid.v1 import population_service_pb2_grpc

LEASE_DEFAULT = timedelta(minutes=5)


class PopulationServicer(population_service_pb2_grpc.PopulationServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def ImportPopulation(
        self, requests: AsyncIterator[pb.ImportPopulationRequest], call: Call
    ) -> pb.ImportPopulationResponse:
        """Store batch after batch."""
        summary = await take_stream(self._edge, call, requests, _KIND)
        return pb.ImportPopulationResponse(summary=encode.import_summary(summary))

    def GetPopulationImport(
        self, request: pb.GetPopulationImportRequest, call: Call
    ) -> pb.GetPopulationImportResponse:
        """Tell how far an import has come."""
        progress = self._edge.transactions.run(
            lambda uow: get_progress(uow, call, UUID(request.import_id), method=_IMPORT)
        )
        return pb.GetPopulationImportResponse(
            next_batch_index=progress.next_batch_index,
            is_complete=progress.is_complete,
            summary=encode.import_summary(progress.summary),
        )

    def ListPopulationImportErrors(
        self, request: pb.ListPopulationImportErrorsRequest, call: Call
    ) -> pb.ListPopulationImportErrorsResponse:
        """Read a page of refused rows."""
        after = page_after(request.page_token)
        page = self._edge.transactions.run(
            lambda uow: list_errors(uow, call, UUID(request.import_id), method=_IMPORT, after=after)
        )
        return pb.ListPopulationImportErrorsResponse(
            row_errors=encode.row_errors(page.row_errors),
            next_page_token=page_token(page.next_after),
        )

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

    def PullSubscriberUpdates(
        self, request: pb.PullSubscriberUpdatesRequest, call: Call
    ) -> pb.PullSubscriberUpdatesResponse:
        """Lease updates."""
        duration = LEASE_DEFAULT
        if request.HasField("lease_duration"):
            duration = decode.duration(request.lease_duration, field="lease_duration")

        def pull(uow: UnitOfWork) -> pb.PullSubscriberUpdatesResponse:
            lease = pull_subscriber_updates(
                uow, call, duration=duration, limit=request.update_count_max
            )
            return pb.PullSubscriberUpdatesResponse(
                updates=[encode.subscriber_update(each) for each in lease.updates],
                lease_id=str(lease.lease_id),
                lease_expire_time=encode.timestamp(lease.expires_at),
            )

        return self._edge.answer_once(request, call, pull, pb.PullSubscriberUpdatesResponse)

    def AcknowledgeSubscriberUpdates(
        self, request: pb.AcknowledgeSubscriberUpdatesRequest, call: Call
    ) -> pb.AcknowledgeSubscriberUpdatesResponse:
        """Take acknowledgements."""
        items = [
            UpdateAcknowledgement(
                personal_id=PersonalID.parse(item.personal_id),
                subscription_id=UUID(item.subscription_id),
                sequence=item.sequence,
            )
            for item in request.acknowledgements
        ]

        def acknowledge(uow: UnitOfWork) -> pb.AcknowledgeSubscriberUpdatesResponse:
            results = acknowledge_subscriber_updates(uow, call, UUID(request.lease_id), items)
            return pb.AcknowledgeSubscriberUpdatesResponse(
                results=[encode.SUBSCRIBER_UPDATE_RESULTS[result] for result in results]
            )

        return self._edge.answer_once(
            request, call, acknowledge, pb.AcknowledgeSubscriberUpdatesResponse
        )


def _read(batch: pb.ImportPopulationRequest) -> list[PopulationRecord | RefusedRow[PersonalID]]:
    return decode.population_rows(batch.records)


def _store(
    uow: UnitOfWork,
    call: Call,
    rows: Sequence[PopulationRecord | RefusedRow[PersonalID]],
    run: ImportRun,
    head: BatchHead,
) -> BatchResult:
    return import_population(uow, call, rows, run=run, is_last=head.is_last)


_KIND = RowKind(read=_read, store=_store, key=attrgetter("personal_id"))
_IMPORT = pb.ImportPopulationRequest.DESCRIPTOR.full_name


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
    if kind == "merged_records":
        return MergedRecords(
            retired_personal_id=PersonalID.parse(message.merged_records.retired_personal_id),
            surviving_personal_id=PersonalID.parse(message.merged_records.surviving_personal_id),
        )
    issued_on = decode.day(message.new_card.issued_on, field=f"{path}.new_card.issued_on")
    return NewCard(PersonalID.parse(message.new_card.personal_id), issued_on)
