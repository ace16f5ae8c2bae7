"""An operator with nothing else to do: it pulls, signs and acknowledges until nothing is left.

Owns the cheapest client of the two methods, so that what is measured is the service. Knows no
registry.
"""

import hashlib
import time
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import enforcement_service_pb2_grpc

TIMEOUT_S = 300
ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""10,000 notices with their words are some 10 MB; gRPC's own limit is 4 MiB."""

_NO_FAILURE = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, kw_only=True)
class OperatorClient:
    """Who calls, and where.

    Attributes:
        address: Of the server.
        authority: The certificate that the server's is by: PEM.
        certificate: The operator's own: PEM.
        private_key: Its key: PEM.
        batch_size: Directives of one lease.
    """

    address: str
    authority: bytes
    certificate: bytes
    private_key: bytes = field(repr=False)
    batch_size: int

    def drain(self) -> "Drained":
        """Pull and acknowledge all there is."""
        began_cpu_s = time.process_time()
        done = Drained()
        key = load_pem_private_key(self.private_key, password=None)
        assert isinstance(key, EllipticCurvePrivateKey)
        with self._channel() as channel:
            stub = enforcement_service_pb2_grpc.EnforcementServiceStub(channel)
            while True:
                began_at = time.perf_counter()
                lease = stub.PullDirectives(
                    pb.PullDirectivesRequest(
                        request_id=str(uuid4()), directive_count_max=self.batch_size
                    ),
                    timeout=TIMEOUT_S,
                )
                if not lease.directives:
                    break
                pulled_at = time.perf_counter()
                response = stub.AcknowledgeDirectives(_executed(lease, key), timeout=TIMEOUT_S)
                if set(response.results) != {pb.ACKNOWLEDGEMENT_RESULT_ACCEPTED}:
                    raise AssertionError("what was leased and executed is accepted")
                done.count += len(response.results)
                done.pulls_s.append(pulled_at - began_at)
                done.acknowledgements_s.append(time.perf_counter() - pulled_at)
        done.cpu_s = time.process_time() - began_cpu_s
        return done

    def _channel(self) -> grpc.Channel:
        credentials = grpc.ssl_channel_credentials(
            self.authority, self.private_key, self.certificate
        )
        options = [("grpc.max_receive_message_length", ANSWER_BYTES_MAX)]
        return grpc.secure_channel(self.address, credentials, options=options)


@dataclass(kw_only=True)
class Drained:
    """What an operator did.

    Attributes:
        count: Directives executed.
        cpu_s: Processor time of its process meanwhile, s.
        pulls_s: How long each pull took, s.
        acknowledgements_s: How long each acknowledgement took, s.
    """

    count: int = 0
    cpu_s: float = 0
    pulls_s: list[float] = field(default_factory=list)
    acknowledgements_s: list[float] = field(default_factory=list)


def _executed(
    lease: pb.PullDirectivesResponse, key: EllipticCurvePrivateKey
) -> pb.AcknowledgeDirectivesRequest:
    """All of a lease, executed now, and signed."""
    now_ns = time.time_ns()
    outcome = pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED
    request = pb.AcknowledgeDirectivesRequest(request_id=str(uuid4()), lease_id=lease.lease_id)
    tail = f" {outcome:d} {now_ns} {_NO_FAILURE}\n"
    lines = ["subid.v1.AcknowledgeDirectives\n", f"{request.request_id}\n", f"{lease.lease_id}\n"]
    for each in lease.directives:
        lines.append(each.directive_id + tail)
        item = request.acknowledgements.add(directive_id=each.directive_id, outcome=outcome)
        item.execute_time.FromNanoseconds(now_ns)
    request.signature = key.sign("".join(lines).encode(), ECDSA(SHA256()))
    return request
