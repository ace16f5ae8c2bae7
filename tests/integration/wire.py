"""Callers of the service as tests need them: a stub for each service, refusals decoded.

Owns the reading of a refusal down to its last detail. Knows no use case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1.agency_service_pb2_grpc import AgencyServiceStub
from subid.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from subid.v1.audit_service_pb2_grpc import AuditServiceStub
from subid.v1.citizen_service_pb2_grpc import CitizenServiceStub
from subid.v1.compliance_service_pb2_grpc import ComplianceServiceStub
from subid.v1.contact_service_pb2_grpc import ContactServiceStub
from subid.v1.dispute_service_pb2_grpc import DisputeServiceStub
from subid.v1.enforcement_service_pb2_grpc import EnforcementServiceStub
from subid.v1.kyc_service_pb2_grpc import KycServiceStub
from subid.v1.match_service_pb2_grpc import MatchServiceStub
from subid.v1.notification_service_pb2_grpc import NotificationServiceStub
from subid.v1.population_service_pb2_grpc import PopulationServiceStub
from subid.v1.privacy_service_pb2_grpc import PrivacyServiceStub
from subid.v1.quality_service_pb2_grpc import QualityServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from subid.v1.verification_service_pb2_grpc import VerificationServiceStub
from subid.v1.wave_service_pb2_grpc import WaveServiceStub
from tests.integration.signing import signed

TIMEOUT_S = 60.0
"""Far longer than any call takes: one that hangs fails its test instead of the run."""


class Stubs:
    """Every service over one channel.

    Attributes:
        channel: The channel.
        private_key: The key of the caller's certificate in PEM; empty where nothing is signed.
    """

    def __init__(self, channel: grpc.Channel, private_key: bytes = b"") -> None:
        self.channel = channel
        self.private_key = private_key
        self.population = PopulationServiceStub(channel)
        self.subscriptions = SubscriptionServiceStub(channel)
        self.verifications = VerificationServiceStub(channel)
        self.citizens = CitizenServiceStub(channel)
        self.agencies = AgencyServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.notifications = NotificationServiceStub(channel)
        self.enforcement = EnforcementServiceStub(channel)
        self.quality = QualityServiceStub(channel)
        self.waves = WaveServiceStub(channel)
        self.disputes = DisputeServiceStub(channel)
        self.arrangements = ArrangementServiceStub(channel)
        self.compliance = ComplianceServiceStub(channel)
        self.matching = MatchServiceStub(channel)
        self.kyc = KycServiceStub(channel)
        self.privacy = PrivacyServiceStub(channel)
        self.audit = AuditServiceStub(channel)

    def sign(
        self, request: enforcement_pb.AcknowledgeDirectivesRequest
    ) -> enforcement_pb.AcknowledgeDirectivesRequest:
        """Sign acknowledgements as their caller."""
        assert self.private_key, "this caller was given no key to sign with"
        return signed(request, self.private_key)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """How the service said no.

    Attributes:
        status: Name of the gRPC status.
        message: Its text.
        reason: Of ErrorInfo; empty without one.
        domain: Of ErrorInfo; empty without one.
        correlation_id: Of ErrorInfo; empty without one.
        violations: Field and reason of each violation of BadRequest.
        retry_after_s: Of RetryInfo, or None.
    """

    status: str
    message: str
    reason: str = ""
    domain: str = ""
    correlation_id: str = ""
    violations: tuple[tuple[str, str], ...] = ()
    retry_after_s: float | None = None

    @classmethod
    def of(cls, error: grpc.RpcError) -> Self:
        """Decode what a call raised."""
        found: dict[str, Any] = {}
        rich = rpc_status.from_call(error)
        for detail in () if rich is None else rich.details:
            info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info):
                found["reason"], found["domain"] = info.reason, info.domain
                found["correlation_id"] = info.metadata["correlation_id"]
            elif detail.Unpack(bad_request):
                found["violations"] = tuple(
                    (each.field, each.reason) for each in bad_request.field_violations
                )
            elif detail.Unpack(retry):
                found["retry_after_s"] = retry.retry_delay.ToTimedelta().total_seconds()
        return cls(status=error.code().name, message=error.details() or "", **found)

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths of the fields at fault."""
        return tuple(field for field, _ in self.violations)


def refused(method: Callable[..., Any], request: object) -> Refused:
    """Call a method that must say no."""
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=TIMEOUT_S)
    return Refused.of(caught.value)


def send(channel: grpc.Channel, method: MethodDescriptor, requests: Iterable[Message]) -> Message:
    """Call any method by its descriptor."""
    response = message_factory.GetMessageClass(method.output_type)
    options = {
        "request_serializer": lambda request: request.SerializeToString(),
        "response_deserializer": response.FromString,
    }
    path = method_path(method)
    if method.server_streaming:
        # On the wire one request looks like a stream of one.
        answers = channel.stream_stream(path, **options)(iter(requests), timeout=TIMEOUT_S)
        (answer,) = answers
    elif method.client_streaming:
        answer = channel.stream_unary(path, **options)(iter(requests), timeout=TIMEOUT_S)
    else:
        (request,) = requests
        answer = channel.unary_unary(path, **options)(request, timeout=TIMEOUT_S)
    return answer  # type: ignore[no-any-return] # grpc's calls have no types


def method_path(method: MethodDescriptor) -> str:
    """A method's path on the wire."""
    return f"/{method.containing_service.full_name}/{method.name}"


def method_key(method: MethodDescriptor) -> str:
    """A method's name in the permission table."""
    return f"{method.containing_service.name}/{method.name}"


def new_id() -> str:
    """A request_id that no other request has."""
    return str(uuid4())
