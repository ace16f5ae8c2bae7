"""SubscriptionService on the wire."""

from collections.abc import AsyncIterator, Sequence
from operator import attrgetter
from uuid import UUID

from identity.domain.errors import RequestInvalidError, SubscriptionNotFoundError
from identity.domain.link import LinkState
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.import_stream import RowKind, page_after, page_token, take_stream
from identity.services.call import Call
from identity.services.import_progress import get_progress, list_errors
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchHead, BatchResult, ImportSummary, RefusedRow
from identity.services.read_subscriptions import get_subscription, list_of_operator, view
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.storage.book import IndexedRow
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from subid.v1 import subscription_service_pb2 as pb
from subid.v1 import subscription_service_pb2_grpc

_IMPORT = pb.ImportSubscriptionsRequest.DESCRIPTOR.full_name
_EVENT_KINDS = {
    pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE: EventKind.DEVICE_CHANGE,
    pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP: EventKind.SIM_SWAP,
    pb.SUBSCRIPTION_EVENT_KIND_PORT_IN: EventKind.PORT_IN,
    pb.SUBSCRIPTION_EVENT_KIND_PORT_OUT: EventKind.PORT_OUT,
    pb.SUBSCRIPTION_EVENT_KIND_RELEASE: EventKind.RELEASE,
    pb.SUBSCRIPTION_EVENT_KIND_TRANSFER: EventKind.TRANSFER,
}
_LINK_STATES = {message: state for state, message in encode.LINK_STATES.items()}


class SubscriptionServicer(subscription_service_pb2_grpc.SubscriptionServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        sealer = edge.transactions.database.sealer
        self._edge = edge
        self._kind = RowKind(
            read=lambda batch: decode.book_rows(batch.rows, sealer),
            store=_store,
            key=attrgetter("msisdn_key"),
        )

    async def ImportSubscriptions(
        self, requests: AsyncIterator[pb.ImportSubscriptionsRequest], call: Call
    ) -> pb.ImportSubscriptionsResponse:
        """Store batch after batch."""
        summary = await take_stream(self._edge, call, requests, self._kind)
        return pb.ImportSubscriptionsResponse(
            summary=encode.import_summary(summary), links=_link_counts(summary)
        )

    def GetSubscriptionImport(
        self, request: pb.GetSubscriptionImportRequest, call: Call
    ) -> pb.GetSubscriptionImportResponse:
        """Tell how far an import has come."""
        progress = self._edge.transactions.run(
            lambda uow: get_progress(uow, call, UUID(request.import_id), method=_IMPORT)
        )
        return pb.GetSubscriptionImportResponse(
            next_batch_index=progress.next_batch_index,
            is_complete=progress.is_complete,
            summary=encode.import_summary(progress.summary),
            links=_link_counts(progress.summary),
        )

    def ListSubscriptionImportErrors(
        self, request: pb.ListSubscriptionImportErrorsRequest, call: Call
    ) -> pb.ListSubscriptionImportErrorsResponse:
        """Read a page of refused rows."""
        after = page_after(request.page_token)
        page = self._edge.transactions.run(
            lambda uow: list_errors(uow, call, UUID(request.import_id), method=_IMPORT, after=after)
        )
        return pb.ListSubscriptionImportErrorsResponse(
            row_errors=encode.row_errors(page.row_errors),
            next_page_token=page_token(page.next_after),
        )

    def RegisterSubscription(
        self, request: pb.RegisterSubscriptionRequest, call: Call
    ) -> pb.RegisterSubscriptionResponse:
        """Register a new number."""
        msisdn = decode.msisdn(request.msisdn)
        claim = decode.holder_claim(request.holder, path="holder")

        def register(uow: UnitOfWork) -> pb.RegisterSubscriptionResponse:
            item = register_subscription(uow, call, msisdn, claim)
            return pb.RegisterSubscriptionResponse(
                subscription=encode.subscription(view(uow, [item])[0])
            )

        return self._edge.answer_once(request, call, register, pb.RegisterSubscriptionResponse)

    def GetSubscription(
        self, request: pb.GetSubscriptionRequest, call: Call
    ) -> pb.GetSubscriptionResponse:
        """Read one."""
        msisdn = decode.msisdn(request.msisdn)
        found = self._edge.transactions.run(lambda uow: get_subscription(uow, call, msisdn))
        if found is None:
            raise SubscriptionNotFoundError("you have no such subscription")
        return pb.GetSubscriptionResponse(subscription=encode.subscription(found))

    def ListSubscriptions(
        self, request: pb.ListSubscriptionsRequest, call: Call
    ) -> pb.ListSubscriptionsResponse:
        """Read a page."""
        after = decode.page_token(request.page_token)
        states = [_LINK_STATES[state] for state in request.link_states]
        page = self._edge.transactions.run(
            lambda uow: list_of_operator(
                uow,
                call,
                after=after,
                limit=decode.page_size(request.page_size),
                link_states=states,
            )
        )
        return pb.ListSubscriptionsResponse(
            subscriptions=[encode.subscription(item) for item in page.views],
            next_page_token="" if page.next_after is None else page.next_after.hex,
        )

    def ReportEvents(self, request: pb.ReportEventsRequest, call: Call) -> pb.ReportEventsResponse:
        """Apply events, each for itself."""
        events = [_event(event) for event in request.events]

        def report(uow: UnitOfWork) -> pb.ReportEventsResponse:
            reasons = report_events(uow, call, events)
            return pb.ReportEventsResponse(
                results=[
                    pb.SubscriptionEventResult(event_index=index, reason=reason)
                    for index, reason in enumerate(reasons)
                ]
            )

        return self._edge.answer_once(request, call, report, pb.ReportEventsResponse)


def _store(
    uow: UnitOfWork,
    call: Call,
    rows: Sequence[IndexedRow | RefusedRow[bytes]],
    run: ImportRun,
    head: BatchHead,
) -> BatchResult:
    return import_subscriptions(uow, call, rows, run=run, is_last=head.is_last)


def _event(message: pb.SubscriptionEvent) -> SubscriptionEvent | RequestInvalidError:
    try:
        has_holder = message.HasField("holder")
        return SubscriptionEvent(
            msisdn=decode.msisdn(message.msisdn),
            kind=_EVENT_KINDS[message.kind],
            occurred_at=decode.instant(message.occur_time, field="occur_time"),
            claim=decode.holder_claim(message.holder, path="holder") if has_holder else None,
        )
    except RequestInvalidError as error:
        return error


def _link_counts(summary: ImportSummary) -> pb.LinkCounts:
    counts = summary.link_counts
    return pb.LinkCounts(
        linked_count=counts.get(LinkState.LINKED, 0),
        mismatched_count=counts.get(LinkState.MISMATCHED, 0),
        not_found_count=counts.get(LinkState.NOT_FOUND, 0),
        deceased_count=counts.get(LinkState.DECEASED, 0),
    )
