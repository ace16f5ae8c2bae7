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

from identity.domain.policy import PolicyPack
from identity.rpc.citizen_servicer import CitizenServicer
from identity.rpc.contact_servicer import ContactServicer
from identity.rpc.edge import Edge
from identity.rpc.enforcement_servicer import EnforcementServicer
from identity.rpc.interceptor import Guard
from identity.rpc.limits import MESSAGE_BYTES_MAX
from identity.rpc.population_servicer import PopulationServicer
from identity.rpc.quality_servicer import QualityServicer
from identity.rpc.subscription_servicer import SubscriptionServicer
from identity.rpc.verification_servicer import VerificationServicer
from identity.security.certificates import Identity
from subid.v1 import (
    citizen_service_pb2,
    citizen_service_pb2_grpc,
    contact_service_pb2,
    contact_service_pb2_grpc,
    enforcement_service_pb2,
    enforcement_service_pb2_grpc,
    population_service_pb2,
    population_service_pb2_grpc,
    quality_service_pb2,
    quality_service_pb2_grpc,
    subscription_service_pb2,
    subscription_service_pb2_grpc,
    verification_service_pb2,
    verification_service_pb2_grpc,
)

CONCURRENT_CALLS_MAX = 1_000
"""Calls under way; more are refused with RESOURCE_EXHAUSTED by gRPC itself. One caller has a share
of them: `identity.rpc.load`."""

STOP_GRACE_S = 40.0
"""A stop waits for calls under way; the longest of them is bounded by a face comparison (30 s)."""

TRUST_HEALTH_PREFIX = "subid.trust."
"""Before the name of a trust profile, what health is asked about its anchors and lists."""

ExtraHandler = grpc.GenericRpcHandler
"""A handler of another package, for whoever embeds the server."""

SERVICES: tuple[ServiceDescriptor, ...] = (
    population_service_pb2.DESCRIPTOR.services_by_name["PopulationService"],
    subscription_service_pb2.DESCRIPTOR.services_by_name["SubscriptionService"],
    verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"],
    citizen_service_pb2.DESCRIPTOR.services_by_name["CitizenService"],
    contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"],
    enforcement_service_pb2.DESCRIPTOR.services_by_name["EnforcementService"],
    quality_service_pb2.DESCRIPTOR.services_by_name["QualityService"],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A server that accepts calls."""

    server: grpc.aio.Server
    health: HealthServicer
    address: str

    async def report(self, is_serving: bool) -> None:  # noqa: FBT001 - what is reported
        """Say over health, of the server and of each service, whether calls can be answered."""
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if is_serving else answers.NOT_SERVING
        for name in ("", *(service.full_name for service in SERVICES)):
            await self.health.set(name, status)

    async def report_trust(self, profile: str, is_serving: bool) -> None:  # noqa: FBT001 - as above
        """Say over health, of `subid.trust.<profile>`, whether any document could pass by it."""
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if is_serving else answers.NOT_SERVING
        await self.health.set(f"{TRUST_HEALTH_PREFIX}{profile}", status)

    async def stop(self) -> None:
        """Refuse what is new, finish what was accepted."""
        await self.health.enter_graceful_shutdown()
        await self.server.stop(STOP_GRACE_S)


async def listen(
    edge: Edge,
    policy: PolicyPack,
    *,
    address: str,
    identity: Identity,
    caller_authority: bytes,
    extra_handlers: Iterable[ExtraHandler] = (),
) -> Listening:
    """Start serving.

    Args:
        edge: The service.
        policy: The rules in force.
        address: `host:port`; port 0 takes a free one.
        identity: The server's certificate and key.
        caller_authority: PEM certificates that callers' certificates must chain to.
        extra_handlers: Handlers of other packages, outside the guard of ours.

    Raises:
        OSError: The address cannot be bound.
    """
    server = grpc.aio.server(
        migration_thread_pool=edge.threads,
        interceptors=[Guard(clock=edge.clock, policy=policy, threads=edge.threads)],
        maximum_concurrent_rpcs=CONCURRENT_CALLS_MAX,
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.so_reuseport", 0),
        ],
    )
    _add_servicers(server, edge)
    health = _add_health(server)
    server.add_generic_rpc_handlers(tuple(extra_handlers))
    bound = _bind(server, address, identity, caller_authority)
    listening = Listening(server=server, health=health, address=bound)
    await listening.report(is_serving=True)
    await server.start()
    return listening


def _add_servicers(server: grpc.aio.Server, edge: Edge) -> None:
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
    enforcement_service_pb2_grpc.add_EnforcementServiceServicer_to_server(
        EnforcementServicer(edge), server
    )
    quality_service_pb2_grpc.add_QualityServiceServicer_to_server(QualityServicer(edge), server)


def _add_health(server: grpc.aio.Server) -> HealthServicer:
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [service.full_name for service in SERVICES]
    reflected = (*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
    reflection.enable_server_reflection((*reflected, reflection.SERVICE_NAME), server)
    return health


def _bind(
    server: grpc.aio.Server, address: str, identity: Identity, caller_authority: bytes
) -> str:
    credentials = grpc.ssl_server_credentials(
        [(identity.private_key, identity.certificate)],
        root_certificates=caller_authority,
        require_client_auth=True,
    )
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}") from error
    return f"{address.rpartition(':')[0]}:{port}"
