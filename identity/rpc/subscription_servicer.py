"""SubscriptionService on the wire."""

from collections.abc import AsyncIterator
from functools import partial

from identity.domain.errors import RequestInvalidError, SubscriptionNotFoundError
from identity.domain.link import LinkState
from identity.rpc import decode, encode
from identity.rpc.edge import Edge, request_key
from identity.services.call import Call
from identity.services.import_subscriptions import BookRow, import_subscriptions
from identity.services.imports import BatchResult, ImportSummary
from identity.services.read_subscriptions import get_subscription, list_of_operator, view
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.storage.database import UnitOfWork
from subid.v1 import subscription_service_pb2 as pb
from subid.v1 import subscription_service_pb2_grpc

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
        self._edge = edge

    async def ImportSubscriptions(
        self, requests: AsyncIterator[pb.ImportSubscriptionsRequest], call: Call
    ) -> pb.ImportSubscriptionsResponse:
        """Store batch after batch; each is there before the next is read."""
        summary = ImportSummary()
        async for request in requests:
            summary.expect(request.batch_index, request.request_id)
            result = await self._edge.in_thread(partial(self._batch, request, call))
            summary.add(result)
        return pb.ImportSubscriptionsResponse(
            summary=encode.import_summary(summary), links=_link_counts(summary)
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

    def _batch(self, request: pb.ImportSubscriptionsRequest, call: Call) -> BatchResult:
        rows = decode.rows(request.rows, _book_row)
        fields = self._edge.transactions.run_batch_once(
            request_key(request, call),
            request.batch_index,
            lambda uow: import_subscriptions(uow, call, rows).to_fields(),
            at=call.at,
        )
        return BatchResult.from_fields(fields)


def _book_row(message: pb.SubscriptionRow) -> BookRow:
    fields = decode.Fields()
    activated_on = fields.take("activated_on", lambda: decode.optional_day(message, "activated_on"))
    if fields.violations:
        raise fields.refuse()
    return BookRow(
        msisdn=decode.msisdn(message.msisdn),
        claim=decode.holder_claim(message.holder, path="holder"),
        activated_on=activated_on,
    )


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
