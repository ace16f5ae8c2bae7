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

from subid.v1.citizen_service_pb2_grpc import CitizenServiceStub
from subid.v1.contact_service_pb2_grpc import ContactServiceStub
from subid.v1.enforcement_service_pb2_grpc import EnforcementServiceStub
from subid.v1.population_service_pb2_grpc import PopulationServiceStub
from subid.v1.quality_service_pb2_grpc import QualityServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from subid.v1.verification_service_pb2_grpc import VerificationServiceStub

TIMEOUT_S = 60.0
"""Far longer than any call takes: one that hangs fails its test instead of the run."""


class Stubs:
    """Every service over one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.population = PopulationServiceStub(channel)
        self.subscriptions = SubscriptionServiceStub(channel)
        self.verifications = VerificationServiceStub(channel)
        self.citizens = CitizenServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.enforcement = EnforcementServiceStub(channel)
        self.quality = QualityServiceStub(channel)


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
    if method.client_streaming:
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
