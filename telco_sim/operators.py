"""An operator: its own book, its own network, and what it asks the service.

Owns the lines an operator believes it has, and the state its network really is in. It refuses
to know why anything happens to a line: scenarios do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from google.protobuf.duration_pb2 import Duration

from subid.v1.compliance_service_pb2 import GetKpisRequest, GetKpisResponse
from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_OPERATOR_REPORT,
    AcknowledgeDirectivesRequest,
    AcknowledgeDirectivesResponse,
    Acknowledgement,
    AcknowledgementResult,
    CaseCause,
    ExplainSubscriptionRequest,
    ExplainSubscriptionResponse,
    OpenCaseRequest,
    OpenCaseResponse,
    PullDirectivesRequest,
    PullDirectivesResponse,
    ReconcileServiceStateRequest,
    ReconcileServiceStateResponse,
    ReportedState,
)
from subid.v1.quality_service_pb2 import GetReportRequest, GetReportResponse
from subid.v1.subscription_pb2 import (
    LINK_STATE_LINKED,
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_INACTIVE,
    LinkState,
    ServiceState,
    Subscription,
)
from subid.v1.subscription_service_pb2 import (
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    ImportSubscriptionsRequest,
    ImportSubscriptionsResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    RegisterSubscriptionRequest,
    RegisterSubscriptionResponse,
    ReportEventsRequest,
    ReportEventsResponse,
    SubscriptionEvent,
    SubscriptionRow,
)
from telco_sim.books import ROWS_PER_BATCH, BookRow
from telco_sim.disputes import DisputeDesk
from telco_sim.flaws import Flaw, RowRefusal
from telco_sim.messages import claim_message, date_message
from telco_sim.population import Citizen
from telco_sim.signatures import sign
from telco_sim.verifications import VerificationDesk
from telco_sim.wire import Caller, new_request_id

_PAGE_SIZE = 150

_CASE_REFERENCE = "hotline, file 2026/118"

_STATES_PER_MESSAGE = 100
"""Far below the contract's 10,000, so that a small network still travels in several messages."""


@dataclass(kw_only=True)
class Line:
    """One number an operator serves.

    Attributes:
        msisdn: The number in E.164.
        holder: Who holds the number, as far as the operator knows after all corrections.
        link: How the holder's data stand against the register.
        network_state: What the network really does with the number now.
        is_verified: Whether the holder was verified by chip and face.
        flaw: How the book's row differed from the truth.
        province_code: Where the contract was signed, two digits; empty where the book does not say.
        book_row: What the book said of it first; empty for a number that was in no book.
    """

    msisdn: str
    holder: Citizen
    link: LinkState
    network_state: ServiceState
    is_verified: bool = False
    flaw: Flaw = Flaw.NONE
    province_code: str = ""
    book_row: SubscriptionRow = field(default_factory=SubscriptionRow)


class Operator:
    """One operator, with its lines and its connection."""

    def __init__(self, caller: Caller, *, book: Sequence[BookRow]) -> None:
        """Open shop.

        Args:
            caller: The connection of a caller with the role `operator`.
            book: The rows it is about to import.
        """
        self.name = caller.name
        self.book = tuple(book)
        self.lines = {row.msisdn: _line_of(row) for row in reversed(book) if row.is_accepted}
        self.verifications = VerificationDesk(caller)
        self.disputes = DisputeDesk(caller)
        self._caller = caller

    def import_rows(self, rows: Sequence[SubscriptionRow]) -> ImportSubscriptionsResponse:
        """Send rows in batches and return the reconciliation.

        Raises:
            Refusal: The service said no.
        """
        request_id = new_request_id()
        batches = [
            ImportSubscriptionsRequest(
                request_id=request_id,
                batch_index=start // ROWS_PER_BATCH,
                rows=rows[start : start + ROWS_PER_BATCH],
            )
            for start in range(0, len(rows), ROWS_PER_BATCH)
        ]
        response: ImportSubscriptionsResponse = self._caller.ask_stream(
            self._caller.subscriptions.ImportSubscriptions, batches
        )
        return response

    def register(self, msisdn: str, *, holder: Citizen) -> Subscription:
        """Register a new number for a citizen; the line stays out of service.

        Raises:
            Refusal: The service said no; then there is no line.
        """
        request = RegisterSubscriptionRequest(
            request_id=new_request_id(), msisdn=msisdn, holder=claim_message(holder)
        )
        response: RegisterSubscriptionResponse = self._caller.ask(
            self._caller.subscriptions.RegisterSubscription, request
        )
        self.lines[response.subscription.msisdn] = Line(
            msisdn=response.subscription.msisdn,
            holder=holder,
            link=LINK_STATE_LINKED,
            network_state=SERVICE_STATE_INACTIVE,
        )
        return response.subscription

    def subscription(self, msisdn: str) -> Subscription:
        """Read one subscription.

        Raises:
            Refusal: The service said no, or knows no such number of this operator.
        """
        response: GetSubscriptionResponse = self._caller.ask(
            self._caller.subscriptions.GetSubscription, GetSubscriptionRequest(msisdn=msisdn)
        )
        return response.subscription

    def subscriptions(self, *link_states: LinkState) -> Iterator[Subscription]:
        """List the operator's subscriptions page by page, all or those in some link states.

        Raises:
            Refusal: The service said no.
        """
        page_token = ""
        while True:
            request = ListSubscriptionsRequest(
                page_size=_PAGE_SIZE, page_token=page_token, link_states=link_states
            )
            response: ListSubscriptionsResponse = self._caller.ask(
                self._caller.subscriptions.ListSubscriptions, request
            )
            yield from response.subscriptions
            page_token = response.next_page_token
            if not page_token:
                return

    def report(self, *events: SubscriptionEvent) -> list[str]:
        """Report events; return the reason each was refused for, empty where it was applied.

        Raises:
            Refusal: The service said no to the report as a whole.
        """
        response: ReportEventsResponse = self._caller.ask(
            self._caller.subscriptions.ReportEvents,
            ReportEventsRequest(request_id=new_request_id(), events=events),
        )
        return [each.reason for each in response.results]

    def explain(self, msisdn: str) -> ExplainSubscriptionResponse:
        """Ask why one of its subscriptions is in its state.

        Raises:
            Refusal: The service said no, or knows no such number of this operator.
        """
        response: ExplainSubscriptionResponse = self._caller.ask(
            self._caller.enforcement.ExplainSubscription, ExplainSubscriptionRequest(msisdn=msisdn)
        )
        return response

    def open_case(
        self, msisdn: str, *, cause: CaseCause = CASE_CAUSE_OPERATOR_REPORT
    ) -> OpenCaseResponse:
        """Ask that the holder of a number be verified again.

        Raises:
            Refusal: The service said no.
        """
        response: OpenCaseResponse = self._caller.ask(
            self._caller.enforcement.OpenCase,
            OpenCaseRequest(
                request_id=new_request_id(),
                msisdn=msisdn,
                cause=cause,
                case_reference=_CASE_REFERENCE,
            ),
        )
        return response

    def quality_report(self) -> GetReportResponse:
        """Read how good its own data are.

        Raises:
            Refusal: The service said no, or has measured nothing yet.
        """
        response: GetReportResponse = self._caller.ask(
            self._caller.quality.GetReport, GetReportRequest()
        )
        return response

    def kpis(self, first: date, last: date) -> GetKpisResponse:
        """Read how it obeyed from one day to another.

        Raises:
            Refusal: The service said no.
        """
        response: GetKpisResponse = self._caller.ask(
            self._caller.compliance.GetKpis,
            GetKpisRequest(first_day=date_message(first), last_day=date_message(last)),
        )
        return response

    def pull(self, count_max: int, *, lease: timedelta) -> PullDirectivesResponse:
        """Lease directives.

        Raises:
            Refusal: The service said no.
        """
        lease_duration = Duration()
        lease_duration.FromTimedelta(lease)
        response: PullDirectivesResponse = self._caller.ask(
            self._caller.enforcement.PullDirectives,
            PullDirectivesRequest(
                request_id=new_request_id(),
                directive_count_max=count_max,
                lease_duration=lease_duration,
            ),
        )
        return response

    def acknowledge(
        self, lease_id: str, acknowledgements: Sequence[Acknowledgement]
    ) -> list[AcknowledgementResult]:
        """Say under one's signature what became of leased directives; return a result for each.

        Raises:
            Refusal: The service said no to the acknowledgement as a whole.
        """
        assert self._caller.private_key is not None, "an operator has a certificate"
        request = AcknowledgeDirectivesRequest(
            request_id=new_request_id(), lease_id=lease_id, acknowledgements=acknowledgements
        )
        sign(request, private_key=self._caller.private_key)
        response: AcknowledgeDirectivesResponse = self._caller.ask(
            self._caller.enforcement.AcknowledgeDirectives, request
        )
        return list(response.results)

    def reconcile(self, states: Sequence[ReportedState]) -> list[ReconcileServiceStateResponse]:
        """Say what its network does with every number; return the answers, the last one last.

        Raises:
            Refusal: The service said no.
        """
        request_id = new_request_id()
        starts = range(0, max(len(states), 1), _STATES_PER_MESSAGE)
        requests = [
            ReconcileServiceStateRequest(
                request_id=request_id,
                batch_index=index,
                states=states[start : start + _STATES_PER_MESSAGE],
                is_last=start == starts[-1],
            )
            for index, start in enumerate(starts)
        ]
        return self._caller.exchange(self._caller.enforcement.ReconcileServiceState, requests)


def _line_of(row: BookRow) -> Line:
    assert not isinstance(row.expected, RowRefusal)
    return Line(
        msisdn=row.msisdn,
        holder=row.holder,
        link=row.expected,
        network_state=SERVICE_STATE_ACTIVE,
        flaw=row.flaw,
        province_code=row.row.province_code,
        book_row=row.row,
    )
