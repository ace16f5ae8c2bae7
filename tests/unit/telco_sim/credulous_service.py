"""A service that believes everything, on real gRPC.

Owns the opposite of the product: it links every row, verifies every face, knows every caller and
never blocks anybody. Tests of the simulation show with it that a cheat that gets through is
noticed. Directives and updates are the exception: they are queued and leased as the contract says.
"""

# Servicers and their methods have the names of the contract, and its comments say what they do.
# ruff: noqa: D101, D102, N802

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from subid.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    citizen_service_pb2,
    citizen_service_pb2_grpc,
    compliance_service_pb2,
    compliance_service_pb2_grpc,
    contact_service_pb2,
    contact_service_pb2_grpc,
    dispute_service_pb2_grpc,
    enforcement_service_pb2,
    enforcement_service_pb2_grpc,
    imports_pb2,
    localized_text_pb2,
    population_service_pb2,
    population_service_pb2_grpc,
    quality_service_pb2,
    quality_service_pb2_grpc,
    subscription_pb2,
    subscription_service_pb2,
    subscription_service_pb2_grpc,
    verification_service_pb2,
    verification_service_pb2_grpc,
    wave_service_pb2,
    wave_service_pb2_grpc,
)
from telco_sim.assertions import AssertionIssuer, CitizenProofs
from telco_sim.measurements import Measurements
from telco_sim.wire import Caller, CallerKeys, Wiretap
from tests.unit.telco_sim.credulous_agencies import (
    ContactsOfAll,
    Offices,
    add_services,
    complete_presence,
    key_set,
    start_presence,
)
from tests.unit.telco_sim.credulous_disputes import DisputeServicer

STARTED_AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def timestamp(instant: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(instant)
    return message


NOTIFY = enforcement_service_pb2.DIRECTIVE_KIND_NOTIFY
BLOCKS = (
    enforcement_service_pb2.DIRECTIVE_KIND_BLOCK_OUTGOING,
    enforcement_service_pb2.DIRECTIVE_KIND_SUSPEND,
)
ROUTES = (
    enforcement_service_pb2.KEPT_ROUTE_EMERGENCY_CALLS,
    enforcement_service_pb2.KEPT_ROUTE_VERIFICATION,
)
OPERATOR_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
"""Every caller's key: the credulous service looks at no certificate."""


def said(text: str) -> localized_text_pb2.LocalizedText:
    """A text that is the same in both languages."""
    return localized_text_pb2.LocalizedText(vi=text, en=text)


@dataclass
class Country:
    """What the credulous service remembers, open to tests."""

    now: datetime = STARTED_AT
    subscriptions: dict[str, subscription_pb2.Subscription] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    directives: list[enforcement_service_pb2.Directive] = field(default_factory=list)
    updates: list[population_service_pb2.SubscriberUpdate] = field(default_factory=list)
    leased_until: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    superseded_ids: set[str] = field(default_factory=set)
    acknowledged: list[enforcement_service_pb2.AcknowledgeDirectivesRequest] = field(
        default_factory=list
    )
    wave_preview: wave_service_pb2.WavePreview = field(default_factory=wave_service_pb2.WavePreview)
    wave_orders: int = 0
    wave_forgets: bool = False
    is_wave_done: bool = False
    wave_approvers: list[str] = field(default_factory=list)
    reported: list[enforcement_service_pb2.ReportedState] = field(default_factory=list)
    drifts: list[enforcement_service_pb2.Drift] = field(default_factory=list)
    kpis: list[compliance_service_pb2.OperatorKpis] = field(default_factory=list)
    scores: list[compliance_service_pb2.MonthlyScore] = field(default_factory=list)
    repeats_differ: bool = False
    contact_refusal: Status | None = None
    offices: Offices = field(default_factory=Offices)
    accesses: list[citizen_service_pb2.Access] = field(default_factory=list)
    receipt: str = "{}"
    audit_key: bytes = b""
    quality: quality_service_pb2.GetReportResponse = field(
        default_factory=quality_service_pb2.GetReportResponse
    )

    def order(
        self, msisdn: str, kind: enforcement_service_pb2.DirectiveKind
    ) -> enforcement_service_pb2.Directive:
        """Queue a directive."""
        directive = enforcement_service_pb2.Directive(
            directive_id=str(uuid.uuid4()),
            msisdn=msisdn,
            kind=kind,
            causes=[enforcement_service_pb2.CASE_CAUSE_UNVERIFIED],
            citation="a rule",
            track="T2",
            way_out=said("a way out"),
            notice=said("a notice") if kind == NOTIFY else None,
            kept_routes=ROUTES if kind in BLOCKS else (),
            create_time=timestamp(self.now),
            due_time=timestamp(self.now + timedelta(days=1)),
        )
        self.directives.append(directive)
        return directive

    def is_free(self, name: str) -> bool:
        """Whether something that is leased may be leased anew."""
        _, leased_until = self.leased_until.get(name, ("", self.now))
        return leased_until <= self.now

    def add(self, msisdn: str, operator_id: str = "song-hong") -> subscription_pb2.Subscription:
        """Put a number into service."""
        subscription = subscription_pb2.Subscription(
            subscription_id=str(uuid.uuid4()),
            msisdn=msisdn,
            operator_id=operator_id,
            service_state=subscription_pb2.SERVICE_STATE_ACTIVE,
            applied_state=subscription_pb2.SERVICE_STATE_ACTIVE,
            link=subscription_pb2.Link(state=subscription_pb2.LINK_STATE_LINKED),
        )
        self.subscriptions[msisdn] = subscription
        return subscription


class PopulationServicer(population_service_pb2_grpc.PopulationServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def ImportPopulation(
        self,
        request_iterator: Iterator[population_service_pb2.ImportPopulationRequest],
        _: grpc.ServicerContext,
    ) -> population_service_pb2.ImportPopulationResponse:
        count = sum(len(each.records) for each in request_iterator)
        summary = imports_pb2.ImportSummary(received_count=count, created_count=count)
        return population_service_pb2.ImportPopulationResponse(summary=summary)

    def ApplyPopulationChanges(
        self, request: population_service_pb2.ApplyPopulationChangesRequest, _: grpc.ServicerContext
    ) -> population_service_pb2.ApplyPopulationChangesResponse:
        return population_service_pb2.ApplyPopulationChangesResponse(
            applied_count=len(request.changes)
        )

    def PullSubscriberUpdates(
        self, request: population_service_pb2.PullSubscriberUpdatesRequest, _: grpc.ServicerContext
    ) -> population_service_pb2.PullSubscriberUpdatesResponse:
        lease_id = str(uuid.uuid4())
        expires_at = self._country.now + request.lease_duration.ToTimedelta()
        free = [each for each in self._country.updates if self._country.is_free(_update_id(each))]
        leased = free[: request.update_count_max]
        for each in leased:
            self._country.leased_until[_update_id(each)] = (lease_id, expires_at)
        return population_service_pb2.PullSubscriberUpdatesResponse(
            updates=leased, lease_id=lease_id, lease_expire_time=timestamp(expires_at)
        )

    def AcknowledgeSubscriberUpdates(
        self,
        request: population_service_pb2.AcknowledgeSubscriberUpdatesRequest,
        _: grpc.ServicerContext,
    ) -> population_service_pb2.AcknowledgeSubscriberUpdatesResponse:
        results = [self._settle(each, request.lease_id) for each in request.acknowledgements]
        return population_service_pb2.AcknowledgeSubscriberUpdatesResponse(results=results)

    def _settle(
        self, entered: population_service_pb2.SubscriberUpdateAcknowledgement, lease_id: str
    ) -> population_service_pb2.SubscriberUpdateResult:
        name = _update_id(entered)
        waiting = [each for each in self._country.updates if _update_id(each) == name]
        if not waiting:
            return population_service_pb2.SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED
        held_by, leased_until = self._country.leased_until[name]
        if held_by != lease_id or leased_until <= self._country.now:
            return population_service_pb2.SUBSCRIBER_UPDATE_RESULT_LEASE_LOST
        self._country.updates.remove(waiting[0])
        return population_service_pb2.SUBSCRIBER_UPDATE_RESULT_ACCEPTED


def _update_id(
    update: population_service_pb2.SubscriberUpdate
    | population_service_pb2.SubscriberUpdateAcknowledgement,
) -> str:
    return f"{update.personal_id} {update.subscription_id} {update.sequence}"


class SubscriptionServicer(subscription_service_pb2_grpc.SubscriptionServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def ImportSubscriptions(
        self,
        request_iterator: Iterator[subscription_service_pb2.ImportSubscriptionsRequest],
        _: grpc.ServicerContext,
    ) -> subscription_service_pb2.ImportSubscriptionsResponse:
        rows = [row for each in request_iterator for row in each.rows]
        for row in rows:
            self._country.add("+84" + row.msisdn.removeprefix("0"))
        count = len(rows)
        return subscription_service_pb2.ImportSubscriptionsResponse(
            summary=imports_pb2.ImportSummary(received_count=count, created_count=count),
            links=subscription_service_pb2.LinkCounts(linked_count=count),
        )

    def RegisterSubscription(
        self,
        request: subscription_service_pb2.RegisterSubscriptionRequest,
        _: grpc.ServicerContext,
    ) -> subscription_service_pb2.RegisterSubscriptionResponse:
        subscription = self._country.add("+84" + request.msisdn.removeprefix("0"))
        return subscription_service_pb2.RegisterSubscriptionResponse(subscription=subscription)

    def GetSubscription(
        self, request: subscription_service_pb2.GetSubscriptionRequest, _: grpc.ServicerContext
    ) -> subscription_service_pb2.GetSubscriptionResponse:
        known = self._country.subscriptions.get(request.msisdn)
        found = known or self._country.add(request.msisdn)
        return subscription_service_pb2.GetSubscriptionResponse(subscription=found)

    def ListSubscriptions(
        self, request: subscription_service_pb2.ListSubscriptionsRequest, _: grpc.ServicerContext
    ) -> subscription_service_pb2.ListSubscriptionsResponse:
        everything = list(self._country.subscriptions.values())
        start = int(request.page_token or 0)
        end = start + request.page_size
        return subscription_service_pb2.ListSubscriptionsResponse(
            subscriptions=everything[start:end],
            next_page_token=str(end) if end < len(everything) else "",
        )

    def ReportEvents(
        self, request: subscription_service_pb2.ReportEventsRequest, _: grpc.ServicerContext
    ) -> subscription_service_pb2.ReportEventsResponse:
        results = [
            subscription_service_pb2.SubscriptionEventResult(event_index=index)
            for index in range(len(request.events))
        ]
        return subscription_service_pb2.ReportEventsResponse(results=results)


class VerificationServicer(verification_service_pb2_grpc.VerificationServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def StartVerification(
        self, request: verification_service_pb2.StartVerificationRequest, _: grpc.ServicerContext
    ) -> verification_service_pb2.StartVerificationResponse:
        verification_id = str(uuid.uuid4())
        self._country.sessions[verification_id] = request.msisdn
        return verification_service_pb2.StartVerificationResponse(
            verification_id=verification_id, chip_nonce=b"12345678"
        )

    def CompleteVerification(
        self, request: verification_service_pb2.CompleteVerificationRequest, _: grpc.ServicerContext
    ) -> verification_service_pb2.CompleteVerificationResponse:
        msisdn = self._country.sessions[request.verification_id]
        known = self._country.subscriptions.get(msisdn)
        subscription = known or self._country.add(msisdn)
        subscription.verify_time.CopyFrom(timestamp(self._country.now))
        return verification_service_pb2.CompleteVerificationResponse(
            verdict=verification_service_pb2.Verdict(
                state=verification_service_pb2.VERDICT_STATE_VERIFIED
            ),
            service_state=subscription_pb2.SERVICE_STATE_ACTIVE,
        )

    def StartPresence(
        self, _: verification_service_pb2.StartPresenceRequest, __: grpc.ServicerContext
    ) -> verification_service_pb2.StartPresenceResponse:
        return start_presence()

    def CompletePresence(
        self, _: verification_service_pb2.CompletePresenceRequest, __: grpc.ServicerContext
    ) -> verification_service_pb2.CompletePresenceResponse:
        return complete_presence(self._country.offices)

    def GetPresenceKeys(
        self, _: verification_service_pb2.GetPresenceKeysRequest, __: grpc.ServicerContext
    ) -> verification_service_pb2.GetPresenceKeysResponse:
        return verification_service_pb2.GetPresenceKeysResponse(key_set=key_set())


class CitizenServicer(citizen_service_pb2_grpc.CitizenServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def SetPrimaryNumber(
        self, request: citizen_service_pb2.SetPrimaryNumberRequest, _: grpc.ServicerContext
    ) -> citizen_service_pb2.SetPrimaryNumberResponse:
        msisdn = str(uuid.uuid4()) if self._country.repeats_differ else request.msisdn
        number = citizen_service_pb2.PrimaryNumber(msisdn=msisdn)
        return citizen_service_pb2.SetPrimaryNumberResponse(primary_number=number)

    def ListSubscriptions(
        self,
        _: citizen_service_pb2.CitizenServiceListSubscriptionsRequest,
        __: grpc.ServicerContext,
    ) -> citizen_service_pb2.CitizenServiceListSubscriptionsResponse:
        """Says that every number is everybody's."""
        return citizen_service_pb2.CitizenServiceListSubscriptionsResponse(
            subscriptions=self._country.subscriptions.values()
        )

    def GetPrimaryNumber(
        self, _: citizen_service_pb2.GetPrimaryNumberRequest, __: grpc.ServicerContext
    ) -> citizen_service_pb2.GetPrimaryNumberResponse:
        return citizen_service_pb2.GetPrimaryNumberResponse()

    def VetoPrimaryChange(
        self, _: citizen_service_pb2.VetoPrimaryChangeRequest, __: grpc.ServicerContext
    ) -> citizen_service_pb2.VetoPrimaryChangeResponse:
        return citizen_service_pb2.VetoPrimaryChangeResponse()

    def SetFallbackNumbers(
        self, request: citizen_service_pb2.SetFallbackNumbersRequest, _: grpc.ServicerContext
    ) -> citizen_service_pb2.SetFallbackNumbersResponse:
        return citizen_service_pb2.SetFallbackNumbersResponse(msisdns=request.msisdns)

    def SetLock(
        self, request: citizen_service_pb2.SetLockRequest, _: grpc.ServicerContext
    ) -> citizen_service_pb2.SetLockResponse:
        """Says that it is locked, and forgets it."""
        return citizen_service_pb2.SetLockResponse(is_locked=request.is_locked)

    def ListAccesses(
        self, _: citizen_service_pb2.ListAccessesRequest, __: grpc.ServicerContext
    ) -> citizen_service_pb2.ListAccessesResponse:
        return citizen_service_pb2.ListAccessesResponse(accesses=self._country.accesses)

    def DisownSubscription(
        self, _request: citizen_service_pb2.DisownSubscriptionRequest, _: grpc.ServicerContext
    ) -> citizen_service_pb2.DisownSubscriptionResponse:
        return citizen_service_pb2.DisownSubscriptionResponse(
            next_step_time=timestamp(self._country.now)
        )


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def GetReceipt(
        self, _: audit_service_pb2.GetReceiptRequest, __: grpc.ServicerContext
    ) -> audit_service_pb2.GetReceiptResponse:
        return audit_service_pb2.GetReceiptResponse(receipt=self._country.receipt)

    def GetTreeHead(
        self, _: audit_service_pb2.GetTreeHeadRequest, __: grpc.ServicerContext
    ) -> audit_service_pb2.GetTreeHeadResponse:
        key = audit_service_pb2.AuditKey(number=1, public_key=self._country.audit_key)
        return audit_service_pb2.GetTreeHeadResponse(keys=[key])


class ContactServicer(ContactsOfAll):
    def __init__(self, country: Country) -> None:
        super().__init__(country.offices)
        self._country = country

    def GetContact(
        self, request: contact_service_pb2.GetContactRequest, context: grpc.ServicerContext
    ) -> contact_service_pb2.GetContactResponse:
        if self._country.contact_refusal is not None:
            context.abort_with_status(rpc_status.to_status(self._country.contact_refusal))
        return contact_service_pb2.GetContactResponse(contact=self.of(request.personal_id))


class EnforcementServicer(enforcement_service_pb2_grpc.EnforcementServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def AdvanceEnforcement(
        self, request: enforcement_service_pb2.AdvanceEnforcementRequest, _: grpc.ServicerContext
    ) -> enforcement_service_pb2.AdvanceEnforcementResponse:
        if request.HasField("as_of_time"):
            self._country.now = request.as_of_time.ToDatetime(tzinfo=UTC)
        return enforcement_service_pb2.AdvanceEnforcementResponse(
            as_of_time=timestamp(self._country.now)
        )

    def PullDirectives(
        self, request: enforcement_service_pb2.PullDirectivesRequest, _: grpc.ServicerContext
    ) -> enforcement_service_pb2.PullDirectivesResponse:
        lease_id = str(uuid.uuid4())
        expires_at = self._country.now + request.lease_duration.ToTimedelta()
        free = [
            each for each in self._country.directives if self._country.is_free(each.directive_id)
        ]
        for each in free:
            self._country.leased_until[each.directive_id] = (lease_id, expires_at)
        return enforcement_service_pb2.PullDirectivesResponse(
            directives=free, lease_id=lease_id, lease_expire_time=timestamp(expires_at)
        )

    def AcknowledgeDirectives(
        self, request: enforcement_service_pb2.AcknowledgeDirectivesRequest, _: grpc.ServicerContext
    ) -> enforcement_service_pb2.AcknowledgeDirectivesResponse:
        self._country.acknowledged.append(request)
        results = [self._settle(each, request.lease_id) for each in request.acknowledgements]
        return enforcement_service_pb2.AcknowledgeDirectivesResponse(results=results)

    def _settle(
        self, acknowledgement: enforcement_service_pb2.Acknowledgement, lease_id: str
    ) -> enforcement_service_pb2.AcknowledgementResult:
        directive_id = acknowledgement.directive_id
        nobodys = (lease_id, self._country.now + timedelta(minutes=1))
        held_by, leased_until = self._country.leased_until.pop(directive_id, nobodys)
        if directive_id in self._country.superseded_ids:
            self._drop(directive_id)
            return enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_SUPERSEDED
        if held_by != lease_id or leased_until <= self._country.now:
            return enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_LEASE_LOST
        executed = enforcement_service_pb2.ACKNOWLEDGEMENT_OUTCOME_EXECUTED
        if acknowledgement.outcome == executed:
            self._drop(directive_id)
        return enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_ACCEPTED

    def _drop(self, directive_id: str) -> None:
        self._country.directives = [
            each for each in self._country.directives if each.directive_id != directive_id
        ]

    def ExplainSubscription(
        self, _: enforcement_service_pb2.ExplainSubscriptionRequest, __: grpc.ServicerContext
    ) -> enforcement_service_pb2.ExplainSubscriptionResponse:
        return enforcement_service_pb2.ExplainSubscriptionResponse()

    def OpenCase(
        self, request: enforcement_service_pb2.OpenCaseRequest, _: grpc.ServicerContext
    ) -> enforcement_service_pb2.OpenCaseResponse:
        opened = enforcement_service_pb2.EnforcementCase(cause=request.cause)
        return enforcement_service_pb2.OpenCaseResponse(enforcement_case=opened)

    def ReconcileServiceState(
        self,
        request_iterator: Iterator[enforcement_service_pb2.ReconcileServiceStateRequest],
        _: grpc.ServicerContext,
    ) -> Iterator[enforcement_service_pb2.ReconcileServiceStateResponse]:
        """Believes the network, and finds what a test has put there."""
        compared = 0
        for request in request_iterator:
            compared += len(request.states)
            self._country.reported.extend(request.states)
            drifts = self._country.drifts if request.is_last else []
            unreported = sum(
                each.kind == enforcement_service_pb2.DRIFT_KIND_NOT_REPORTED for each in drifts
            )
            yield enforcement_service_pb2.ReconcileServiceStateResponse(
                batch_index=request.batch_index,
                drifts=drifts,
                compared_count=compared,
                drift_count=len(drifts) - unreported,
                not_reported_count=unreported,
            )


class ComplianceServicer(compliance_service_pb2_grpc.ComplianceServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def GetKpis(
        self, _: compliance_service_pb2.GetKpisRequest, __: grpc.ServicerContext
    ) -> compliance_service_pb2.GetKpisResponse:
        return compliance_service_pb2.GetKpisResponse(operators=self._country.kpis)

    def GetMonthlyScore(
        self, _: compliance_service_pb2.GetMonthlyScoreRequest, __: grpc.ServicerContext
    ) -> compliance_service_pb2.GetMonthlyScoreResponse:
        return compliance_service_pb2.GetMonthlyScoreResponse(scores=self._country.scores)


class WaveServicer(wave_service_pb2_grpc.WaveServiceServicer):
    """Needs no approval, and counts every one."""

    def __init__(self, country: Country) -> None:
        self._country = country

    def PreviewWave(
        self, request: wave_service_pb2.PreviewWaveRequest, _: grpc.ServicerContext
    ) -> wave_service_pb2.PreviewWaveResponse:
        preview = self._country.wave_preview
        if request.criteria.has_primaries or self._country.is_wave_done:
            preview = wave_service_pb2.WavePreview()
        return wave_service_pb2.PreviewWaveResponse(wave_id=str(uuid.uuid4()), preview=preview)

    def ApproveWave(
        self, _: wave_service_pb2.ApproveWaveRequest, __: grpc.ServicerContext
    ) -> wave_service_pb2.ApproveWaveResponse:
        self._country.wave_approvers.append("somebody")
        return wave_service_pb2.ApproveWaveResponse(wave=self._wave())

    def ExecuteWave(
        self, _: wave_service_pb2.ExecuteWaveRequest, __: grpc.ServicerContext
    ) -> wave_service_pb2.ExecuteWaveResponse:
        self._country.is_wave_done = not self._country.wave_forgets
        return wave_service_pb2.ExecuteWaveResponse(wave=self._wave())

    def _wave(self) -> wave_service_pb2.Wave:
        return wave_service_pb2.Wave(
            state=wave_service_pb2.WAVE_STATE_COMPLETED,
            approvers=self._country.wave_approvers,
            slice_count=1,
            slice_done_count=1,
            directive_count=self._country.wave_orders,
        )


class QualityServicer(quality_service_pb2_grpc.QualityServiceServicer):
    def __init__(self, country: Country) -> None:
        self._country = country

    def GetReport(
        self, _: quality_service_pb2.GetReportRequest, __: grpc.ServicerContext
    ) -> quality_service_pb2.GetReportResponse:
        return self._country.quality


@contextmanager
def serve(country: Country) -> Iterator[grpc.Channel]:
    """Serve a country on a free port, and yield a channel to it."""
    server = grpc.server(
        ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 32 * 1024 * 1024)]
    )
    population_service_pb2_grpc.add_PopulationServiceServicer_to_server(
        PopulationServicer(country), server
    )
    subscription_service_pb2_grpc.add_SubscriptionServiceServicer_to_server(
        SubscriptionServicer(country), server
    )
    verification_service_pb2_grpc.add_VerificationServiceServicer_to_server(
        VerificationServicer(country), server
    )
    citizen_service_pb2_grpc.add_CitizenServiceServicer_to_server(CitizenServicer(country), server)
    contact_service_pb2_grpc.add_ContactServiceServicer_to_server(ContactServicer(country), server)
    enforcement_service_pb2_grpc.add_EnforcementServiceServicer_to_server(
        EnforcementServicer(country), server
    )
    quality_service_pb2_grpc.add_QualityServiceServicer_to_server(QualityServicer(country), server)
    wave_service_pb2_grpc.add_WaveServiceServicer_to_server(WaveServicer(country), server)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(AuditServicer(country), server)
    add_services(server, country.offices)
    dispute_service_pb2_grpc.add_DisputeServiceServicer_to_server(DisputeServicer(), server)
    compliance_service_pb2_grpc.add_ComplianceServiceServicer_to_server(
        ComplianceServicer(country), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            yield channel
    finally:
        server.stop(None).wait()


def caller(channel: grpc.Channel, *, name: str, wiretap: Wiretap | None = None) -> Caller:
    """Return a caller of the served country."""
    tapped = wiretap or Wiretap(Measurements())
    keys = CallerKeys(certificate=certificate(), private_key=OPERATOR_KEY, authority=b"")
    is_app = name == "citizen-app"
    proofs = CitizenProofs(AssertionIssuer.founded(), certificate=certificate()) if is_app else None
    return Caller(name=name, channel=channel, wiretap=tapped, keys=keys, proofs=proofs)


@cache
def certificate() -> bytes:
    """A certificate that names nobody, PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    nobody = x509.Name([])
    return (
        x509.CertificateBuilder(nobody, nobody, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
