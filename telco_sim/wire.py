"""The wire: how a caller reaches the service.

Owns channels with mutual TLS, the generated stubs, the measured call, and what a refusal looks
like from outside. It refuses to know why anybody calls.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from subid.v1.agency_service_pb2_grpc import AgencyServiceStub
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
from telco_sim.assertions import CitizenProofs
from telco_sim.measurements import Measurements
from telco_sim.recording import Recording

REQUEST_BYTES_MAX = 20 * 1024 * 1024
"""The contract's bound on CompleteVerificationRequest, the largest message there is."""

ANSWER_TIMEOUT_S = 60.0
"""Longer than any answer should take: a call that runs into it is a finding, not a slow call."""

_WRITES_KEPT_PER_METHOD = 25
"""Writes that are kept to be repeated later; photographs make some of them large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerKeys:
    """What a caller proves itself with, each in PEM.

    Attributes:
        certificate: The caller's certificate, or None for a caller without one.
        private_key: Its private key, or None.
        authority: The certificate authority that the service's own certificate must come from.
    """

    certificate: bytes | None
    private_key: bytes | None
    authority: bytes

    @classmethod
    def read(cls, folder: Path, *, name: str) -> Self:
        """Read the files that `identity callers issue` wrote.

        Raises:
            FileNotFoundError: One of the three files is missing.
        """
        return cls(
            certificate=(folder / f"{name}.crt.pem").read_bytes(),
            private_key=(folder / f"{name}.key.pem").read_bytes(),
            authority=(folder / "ca.crt.pem").read_bytes(),
        )

    def without_certificate(self) -> Self:
        """Return the keys of a stranger who knows the service but is nobody to it."""
        return type(self)(certificate=None, private_key=None, authority=self.authority)


class Refusal(Exception):  # noqa: N818 - the service's word for a "no" is not a fault of ours
    """The service said no.

    Attributes:
        status: Name of the gRPC status, such as `NOT_FOUND`.
        reason: The stable reason of google.rpc.ErrorInfo; empty when there is none.
        message: The text for people.
        violations: The fields at fault of google.rpc.BadRequest, in their order.
        retry_after: When google.rpc.RetryInfo says to ask again, from now; None without one.
    """

    def __init__(
        self,
        *,
        status: str,
        reason: str = "",
        message: str = "",
        violations: tuple[str, ...] = (),
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {message} {' '.join(violations)}".rstrip(" :"))
        self.status = status
        self.reason = reason
        self.message = message
        self.violations = violations
        self.retry_after = retry_after

    @classmethod
    def of(cls, error: grpc.RpcError) -> Self:
        """Decode what a call raised."""
        reason, violations, retry_after = "", [], None
        status = rpc_status.from_call(error)
        for detail in status.details if status is not None else ():
            info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(bad_request):
                violations += [each.field for each in bad_request.field_violations]
            elif detail.Unpack(retry):
                retry_after = retry.retry_delay.ToTimedelta()
        return cls(
            status=error.code().name,
            reason=reason,
            message=error.details() or "",
            violations=tuple(violations),
            retry_after=retry_after,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write that was answered: repeated, it must answer the same."""

    method: str
    repeat: Callable[[], Message]
    answer: Message


class Wiretap:
    """What is seen on the wires of all callers: durations, refusals, and writes to repeat."""

    def __init__(self, measurements: Measurements, *, recording: Recording | None = None) -> None:
        """Start with nothing seen.

        Args:
            measurements: Where durations go.
            recording: Where goes what the service is told and refuses; None to keep none of it.
        """
        self.measurements = measurements
        self.recording = recording
        self.refusals: Counter[str] = Counter()
        self._writes: list[Write] = []
        self._write_counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def saw_request(self, request: Message) -> None:
        """Look at a request that is about to be sent."""
        if self.recording is not None:
            self.recording.heard_request(request)

    def saw_refusal(self, refusal: Refusal, error: grpc.RpcError) -> None:
        """Count a refusal by its reason, or by its status when it names none.

        Args:
            refusal: As it was decoded.
            error: As it came.
        """
        if self.recording is not None:
            self.recording.heard_refusal(error)
        with self._lock:
            self.refusals[refusal.reason or refusal.status] += 1

    def saw_write(self, write: Write) -> None:
        """Keep a write, unless enough of its method are kept."""
        with self._lock:
            self._write_counts[write.method] += 1
            if self._write_counts[write.method] <= _WRITES_KEPT_PER_METHOD:
                self._writes.append(write)

    def take_writes(self) -> list[Write]:
        """Return the kept writes and forget them."""
        with self._lock:
            taken, self._writes = self._writes, []
            self._write_counts.clear()
            return taken


class Caller:
    """One caller's connection: a stub for each service, and a call that is measured."""

    def __init__(
        self,
        *,
        name: str,
        channel: grpc.Channel,
        wiretap: Wiretap,
        keys: CallerKeys,
        proofs: CitizenProofs | None = None,
    ) -> None:
        """Take a channel; whoever made it closes it.

        Args:
            name: Who calls.
            channel: The connection.
            wiretap: Who looks on.
            keys: What the caller proves itself with.
            proofs: What a citizen app proves its citizens with; None for everybody else.
        """
        self.name = name
        self.private_key = keys.private_key
        self.certificate = keys.certificate
        self.proofs = proofs
        self._wiretap = wiretap
        self.population = PopulationServiceStub(channel)
        self.subscriptions = SubscriptionServiceStub(channel)
        self.verifications = VerificationServiceStub(channel)
        self.citizens = CitizenServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.agencies = AgencyServiceStub(channel)
        self.enforcement = EnforcementServiceStub(channel)
        self.quality = QualityServiceStub(channel)
        self.waves = WaveServiceStub(channel)
        self.disputes = DisputeServiceStub(channel)
        self.compliance = ComplianceServiceStub(channel)
        self.matching = MatchServiceStub(channel)
        self.notifications = NotificationServiceStub(channel)
        self.privacy = PrivacyServiceStub(channel)
        self.kyc = KycServiceStub(channel)
        self.audit = AuditServiceStub(channel)

    def ask(
        self, method: Callable[..., Any], request: Message, *, authorization: str | None = None
    ) -> Any:  # noqa: ANN401 - the stub decides
        """Call a unary method and return its response.

        Args:
            method: The method.
            request: What is asked.
            authorization: What is shown, empty for nothing; by default what proves whoever acts.

        Raises:
            Refusal: The service, or the way to it, said no.
        """

        def send() -> Any:  # noqa: ANN401 - as above
            shown = self._shown(request, authorization)
            return method(request, timeout=ANSWER_TIMEOUT_S, metadata=shown)

        answer = self._answer([request], send)
        if self.proofs is not None and "verification_id" in answer.DESCRIPTOR.fields_by_name:
            self.proofs.remember(answer.verification_id, request)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            self._saw_write(request, send, answer)
        return answer

    def ask_stream(self, method: Callable[..., Any], requests: Sequence[Message]) -> Any:  # noqa: ANN401 - as ask
        """Call a method that takes a stream of at least one request, and return its response.

        Raises:
            Refusal: The service, or the way to it, said no.
        """

        def send() -> Any:  # noqa: ANN401 - as ask
            return method(iter(requests), timeout=ANSWER_TIMEOUT_S)

        answer = self._answer(requests, send)
        self._saw_write(requests[0], send, answer)
        return answer

    def exchange(self, method: Callable[..., Any], requests: Sequence[Message]) -> list[Any]:
        """Call a method that answers each message of a stream, and return the answers.

        Raises:
            Refusal: The service, or the way to it, said no.
        """

        def send() -> list[Any]:
            return list(method(iter(requests), timeout=ANSWER_TIMEOUT_S))

        answers: list[Any] = self._answer(requests, send)
        return answers

    def read(self, method: Callable[..., Any], request: Message) -> list[Any]:
        """Call a method that answers with a stream, and return all of it.

        Raises:
            Refusal: The service, or the way to it, said no.
        """

        def send() -> list[Any]:
            shown = self._shown(request, None)
            return list(method(request, timeout=ANSWER_TIMEOUT_S, metadata=shown))

        answers: list[Any] = self._answer([request], send)
        return answers

    def follow(
        self, method: Callable[..., Any], request: Message, *, until: Callable[[Any], bool]
    ) -> list[Any]:
        """Call a method whose stream has no end, and return what came up to one that will do.

        Raises:
            Refusal: The service, or the way to it, said no, or none came in time.
        """

        def send() -> list[Any]:
            stream = method(request, timeout=ANSWER_TIMEOUT_S)
            taken: list[Any] = []
            for each in stream:
                taken.append(each)
                if until(each):
                    break
            stream.cancel()
            return taken

        answers: list[Any] = self._answer([request], send)
        return answers

    def _answer(self, requests: Sequence[Message], send: Callable[[], Any]) -> Any:  # noqa: ANN401 - as ask
        for each in requests:
            self._wiretap.saw_request(each)
        return self._measured(method_name(requests[0]), send)

    def _measured(self, name: str, send: Callable[[], Any]) -> Any:  # noqa: ANN401 - as ask
        try:
            with self._wiretap.measurements.measured(name):
                return send()
        except grpc.RpcError as error:
            refusal = Refusal.of(error)
            self._wiretap.saw_refusal(refusal, error)
            raise refusal from error

    def _shown(self, request: Message, authorization: str | None) -> tuple[tuple[str, str], ...]:
        """The metadata of a call: for whom an app calls, made for each call anew."""
        if authorization is None:
            authorization = "" if self.proofs is None else self.proofs.authorization(request)
        return (("authorization", authorization),) if authorization else ()

    def _saw_write(self, request: Message, send: Callable[[], Any], answer: Message) -> None:
        name = method_name(request)

        def repeat() -> Any:  # noqa: ANN401 - as ask
            return self._measured(f"{name} (repeated)", send)

        self._wiretap.saw_write(Write(method=name, repeat=repeat, answer=answer))


def method_name(request: Message) -> str:
    """Return the method a request belongs to: the contract gives each method its own request."""
    return request.DESCRIPTOR.name.removesuffix("Request")


def new_request_id() -> str:
    """Return a name for a request that no other request has."""
    return str(uuid.uuid4())


@contextmanager
def open_channel(address: str, *, keys: CallerKeys) -> Iterator[grpc.Channel]:
    """Open a channel with mutual TLS, and close it at the end.

    Args:
        address: Host and port.
        keys: Who calls.
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=keys.authority,
        private_key=keys.private_key,
        certificate_chain=keys.certificate,
    )
    with grpc.secure_channel(address, credentials, options=CHANNEL_OPTIONS) as channel:
        yield channel


CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),  # an oversized request must reach the service's own bound
    ("grpc.max_receive_message_length", REQUEST_BYTES_MAX),
)
