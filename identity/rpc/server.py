"""The gRPC server: servicers, health, reflection, mutual TLS, a clean stop.

Owns the server's limits and its life. Knows no rule and reads no setting: bootstrap hands it
everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from identity.domain.policy_book import PolicyBook
from identity.rpc.agency_servicer import AgencyServicer
from identity.rpc.arrangement_servicer import ArrangementServicer
from identity.rpc.audit_servicer import AuditServicer
from identity.rpc.citizen_servicer import CitizenServicer
from identity.rpc.compliance_servicer import ComplianceServicer
from identity.rpc.contact_feed import WATCHERS_MAX, ContactFeed
from identity.rpc.contact_servicer import ContactServicer
from identity.rpc.dispute_servicer import DisputeServicer
from identity.rpc.edge import Edge
from identity.rpc.enforcement_servicer import EnforcementServicer
from identity.rpc.interceptor import Guard
from identity.rpc.kyc_servicer import KycServicer
from identity.rpc.limits import MESSAGE_BYTES_MAX
from identity.rpc.match_servicer import MatchServicer
from identity.rpc.notification_servicer import NotificationServicer
from identity.rpc.observer import Observer
from identity.rpc.population_servicer import PopulationServicer
from identity.rpc.privacy_servicer import PrivacyServicer
from identity.rpc.quality_servicer import QualityServicer
from identity.rpc.subscription_servicer import SubscriptionServicer
from identity.rpc.verification_servicer import VerificationServicer
from identity.rpc.waiting import Waiting
from identity.rpc.wave_servicer import WaveServicer
from identity.security.admission import Admission, Handshake
from subid.v1 import (
    agency_service_pb2,
    agency_service_pb2_grpc,
    arrangement_service_pb2,
    arrangement_service_pb2_grpc,
    audit_service_pb2,
    audit_service_pb2_grpc,
    citizen_service_pb2,
    citizen_service_pb2_grpc,
    compliance_service_pb2,
    compliance_service_pb2_grpc,
    contact_service_pb2,
    contact_service_pb2_grpc,
    dispute_service_pb2,
    dispute_service_pb2_grpc,
    enforcement_service_pb2,
    enforcement_service_pb2_grpc,
    kyc_service_pb2,
    kyc_service_pb2_grpc,
    match_service_pb2,
    match_service_pb2_grpc,
    notification_service_pb2,
    notification_service_pb2_grpc,
    population_service_pb2,
    population_service_pb2_grpc,
    privacy_service_pb2,
    privacy_service_pb2_grpc,
    quality_service_pb2,
    quality_service_pb2_grpc,
    subscription_service_pb2,
    subscription_service_pb2_grpc,
    verification_service_pb2,
    verification_service_pb2_grpc,
    wave_service_pb2,
    wave_service_pb2_grpc,
)

CONCURRENT_CALLS_MAX = 1_000 + WATCHERS_MAX
"""Calls under way, watches among them; more are refused with RESOURCE_EXHAUSTED by gRPC itself. One
caller has a share of them: `identity.rpc.load`."""

SILENT_PEER_MS = 15_000
"""A connection on which nothing came for so long is asked whether anybody is there."""

VANISHED_PEER_MS = 10_000
"""Without an answer by then it is ended, and its calls free their caller's share. Without the two a
caller whose network is gone keeps its watches for as long as TCP hopes: two hours (tcp(7))."""

STOP_GRACE_S = 40.0
"""A stop waits for calls under way; the longest of them is bounded by a face comparison (30 s)."""

TRUST_HEALTH_PREFIX = "subid.trust."
"""Before the name of a trust profile, what health is asked about its anchors and lists."""

DEPENDENCY_HEALTH_PREFIX = "subid."
"""Before the name of something that the service needs, what health is asked about it."""

DATABASE = "database"
"""The name of the one dependency that every call has."""

ExtraHandler = grpc.GenericRpcHandler
"""A handler of another package, for whoever embeds the server."""

SERVICES: tuple[ServiceDescriptor, ...] = (
    population_service_pb2.DESCRIPTOR.services_by_name["PopulationService"],
    subscription_service_pb2.DESCRIPTOR.services_by_name["SubscriptionService"],
    verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"],
    citizen_service_pb2.DESCRIPTOR.services_by_name["CitizenService"],
    contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"],
    agency_service_pb2.DESCRIPTOR.services_by_name["AgencyService"],
    notification_service_pb2.DESCRIPTOR.services_by_name["NotificationService"],
    enforcement_service_pb2.DESCRIPTOR.services_by_name["EnforcementService"],
    quality_service_pb2.DESCRIPTOR.services_by_name["QualityService"],
    compliance_service_pb2.DESCRIPTOR.services_by_name["ComplianceService"],
    wave_service_pb2.DESCRIPTOR.services_by_name["WaveService"],
    dispute_service_pb2.DESCRIPTOR.services_by_name["DisputeService"],
    privacy_service_pb2.DESCRIPTOR.services_by_name["PrivacyService"],
    match_service_pb2.DESCRIPTOR.services_by_name["MatchService"],
    kyc_service_pb2.DESCRIPTOR.services_by_name["KycService"],
    arrangement_service_pb2.DESCRIPTOR.services_by_name["ArrangementService"],
    audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"],
)


METHODS = frozenset(
    f"{service.name}/{method.name}" for service in SERVICES for method in service.methods
)
"""Every method that can be called, as `Service/Method`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A server that accepts calls."""

    server: grpc.aio.Server
    health: HealthServicer
    address: str
    waiting: Waiting
    feed: ContactFeed

    async def report(self, is_serving: bool) -> None:  # noqa: FBT001 - what is reported
        """Say over health, of the server and of each service, whether calls can be answered."""
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if is_serving else answers.NOT_SERVING
        for name in ("", *(service.full_name for service in SERVICES)):
            await self.health.set(name, status)
        await self.report_dependency(DATABASE, is_serving)

    async def report_trust(self, profile: str, is_serving: bool) -> None:  # noqa: FBT001 - as above
        """Say over health, of `subid.trust.<profile>`, whether any document could pass by it."""
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if is_serving else answers.NOT_SERVING
        await self.health.set(f"{TRUST_HEALTH_PREFIX}{profile}", status)

    async def report_dependency(self, name: str, is_there: bool) -> None:  # noqa: FBT001 - as above
        """Say over health, of `subid.<name>`, whether something that the service needs is there."""
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if is_there else answers.NOT_SERVING
        await self.health.set(f"{DEPENDENCY_HEALTH_PREFIX}{name}", status)

    async def stop(self) -> None:
        """Refuse what is new, finish what was accepted; who waits for something is answered now."""
        await self.health.enter_graceful_shutdown()
        self.waiting.end()
        self.feed.end()
        await self.server.stop(STOP_GRACE_S)


async def listen(
    edge: Edge,
    policies: PolicyBook,
    *,
    address: str,
    admission: Admission,
    extra_handlers: Iterable[ExtraHandler] = (),
) -> Listening:
    """Start serving.

    Args:
        edge: The service.
        policies: The rules, each in its time.
        address: `host:port`; port 0 takes a free one.
        admission: What the server shows, and who is let in.
        extra_handlers: Handlers of other packages, outside the guard of ours.

    Raises:
        OSError: The address cannot be bound.
    """
    extras = tuple(extra_handlers)
    guard = Guard(
        admission=admission,
        clock=edge.clock,
        policies=policies,
        threads=edge.threads,
        rates=edge.rates,
    )
    guard.let_pass(extras)
    server = grpc.aio.server(
        migration_thread_pool=edge.threads,
        interceptors=[guard] if edge.telemetry is None else [Observer(edge.telemetry), guard],
        maximum_concurrent_rpcs=CONCURRENT_CALLS_MAX,
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", SILENT_PEER_MS),
            ("grpc.keepalive_timeout_ms", VANISHED_PEER_MS),
            # The one that counts since gRPC 1.60; its own is a minute.
            ("grpc.http2.ping_timeout_ms", VANISHED_PEER_MS),
        ],
    )
    _add_servicers(server, edge, policies)
    health = _add_health(server)
    server.add_generic_rpc_handlers(extras)
    bound = _bind(server, address, admission)
    listening = Listening(
        server=server, health=health, address=bound, waiting=edge.waiting, feed=edge.feed
    )
    await listening.report(is_serving=True)
    await server.start()
    return listening


def _add_servicers(server: grpc.aio.Server, edge: Edge, policies: PolicyBook) -> None:
    population_service_pb2_grpc.add_PopulationServiceServicer_to_server(
        PopulationServicer(edge), server
    )
    subscription_service_pb2_grpc.add_SubscriptionServiceServicer_to_server(
        SubscriptionServicer(edge), server
    )
    verification_service_pb2_grpc.add_VerificationServiceServicer_to_server(
        VerificationServicer(edge), server
    )
    citizen_service_pb2_grpc.add_CitizenServiceServicer_to_server(CitizenServicer(edge), server)
    contact_service_pb2_grpc.add_ContactServiceServicer_to_server(ContactServicer(edge), server)
    agency_service_pb2_grpc.add_AgencyServiceServicer_to_server(AgencyServicer(edge), server)
    notification_service_pb2_grpc.add_NotificationServiceServicer_to_server(
        NotificationServicer(edge, policies), server
    )
    enforcement_service_pb2_grpc.add_EnforcementServiceServicer_to_server(
        EnforcementServicer(edge, policies), server
    )
    compliance_service_pb2_grpc.add_ComplianceServiceServicer_to_server(
        ComplianceServicer(edge), server
    )
    wave_service_pb2_grpc.add_WaveServiceServicer_to_server(WaveServicer(edge), server)
    dispute_service_pb2_grpc.add_DisputeServiceServicer_to_server(DisputeServicer(edge), server)
    privacy_service_pb2_grpc.add_PrivacyServiceServicer_to_server(PrivacyServicer(edge), server)
    arrangement_service_pb2_grpc.add_ArrangementServiceServicer_to_server(
        ArrangementServicer(edge), server
    )
    quality_service_pb2_grpc.add_QualityServiceServicer_to_server(QualityServicer(edge), server)
    match_service_pb2_grpc.add_MatchServiceServicer_to_server(MatchServicer(edge), server)
    kyc_service_pb2_grpc.add_KycServiceServicer_to_server(KycServicer(edge), server)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(AuditServicer(edge), server)


def _add_health(server: grpc.aio.Server) -> HealthServicer:
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [service.full_name for service in SERVICES]
    reflected = (*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
    reflection.enable_server_reflection((*reflected, reflection.SERVICE_NAME), server)
    return health


def _bind(server: grpc.aio.Server, address: str, admission: Admission) -> str:
    """Listen; each handshake shows and believes what the state directory says then."""
    shown = admission.handshake()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal shown
        now = admission.handshake()
        if now == shown:
            return None
        shown = now
        return _configuration(now)

    credentials = grpc.dynamic_ssl_server_credentials(
        _configuration(shown),
        changed,  # type: ignore[arg-type] # the stubs forget None, which means no change
        require_client_authentication=True,
    )
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}") from error
    return f"{address.rpartition(':')[0]}:{port}"


def _configuration(handshake: Handshake) -> grpc.ServerCertificateConfiguration:
    own = handshake.identity
    return grpc.ssl_server_certificate_configuration(
        [(own.private_key, own.certificate)], root_certificates=handshake.authorities
    )
