"""A server does not grow by what it refuses.

Broken bodies to every method, as a stranger with a certificate could send them for days. What is
looked at is the private memory of the server's own process: pages that it shares with nobody.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from identity.domain.caller import Role
from tests.e2e.collecting_server import CollectingServer
from tests.integration.broken_bodies import break_body
from tests.integration.contract import METHODS, allowed_role, example
from tests.integration.wire import TIMEOUT_S, Refused, method_path

IN_FLIGHT = 32
WINDOW_CALLS = 2_500
"""Sent twice, with a look at the end of each. In the first, caches of forms, validators and
certificates fill, and the allocator finds its arenas."""

GROWTH_MAX_KB_PER_CALL = 4
"""From the end of the first window to that of the second. Each ends with a full collection: gRPC
keeps what ended a call in a circle of 5 kB, which the server itself collects after some 18,000
calls only. Measured 2026-11-23 on two cores, each 1,500 calls: 142, 147, 150, 150, 147, 150 MB, so
2 kB a call here. A body that stayed would cost 12 kB on the mean, one of those circles 5."""

Call = tuple[MethodDescriptor, bytes]


def broken_calls(generator: Random) -> Iterator[Call]:
    for method in cycle(METHODS):
        yield method, break_body(example(method).SerializeToString(), generator)


def send_all(channels: dict[Role, grpc.Channel], calls: Sequence[Call]) -> None:
    """Send them, so many at a time; each must be answered, with a reason of ours if refused."""
    for start in range(0, len(calls), IN_FLIGHT):
        under_way = []
        for method, body in calls[start : start + IN_FLIGHT]:
            call: Any = channels[allowed_role(method)].stream_unary(method_path(method))
            under_way.append(call.future(iter([body]), timeout=TIMEOUT_S))
        for each in under_way:
            if each.code() is not grpc.StatusCode.OK:
                refusal = Refused.of(each)
                assert refusal.reason, refusal
                assert refusal.reason != "INTERNAL", refusal


def test_thousands_of_broken_bodies_leave_nothing_behind(tmp_path: Path) -> None:
    calls = broken_calls(Random(8))
    with CollectingServer(tmp_path / "state") as server:
        channels = {role: server.channel(role, "broken") for role in Role}
        try:
            kept = []
            for _ in range(2):
                send_all(channels, list(islice(calls, WINDOW_CALLS)))
                server.collect()
                kept.append(server.private_kb)
            health = health_pb2_grpc.HealthStub(channels[Role.AGENCY])
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        finally:
            for channel in channels.values():
                channel.close()
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert server.stop() == 0
        assert "Traceback" not in server.errors
    assert (kept[1] - kept[0]) / WINDOW_CALLS < GROWTH_MAX_KB_PER_CALL
