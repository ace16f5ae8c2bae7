"""More is asked for than can be done: new work is refused at once, what finishes something is not.

The database stands still meanwhile, so that nothing ends and the count is certain.
"""

import signal
from collections.abc import Sequence
from pathlib import Path
from queue import Queue
from typing import Any

import grpc

from identity.domain.caller import Role
from identity.rpc.load import LimitSettings
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.enforcement_service_pb2_grpc import EnforcementServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from tests.e2e.faults.scenery import SERVING, database_processes, until_health
from tests.e2e.faults.writers import PATIENCE_S
from tests.e2e.server_process import ServerProcess
from tests.integration.wire import Refused, new_id

CALLERS = 3
CALLS = 200
"""Of each caller: below its share, and of all together above the limit."""


def test_new_work_is_refused_with_a_delay_and_a_pull_is_not(tmp_path: Path) -> None:
    most = LimitSettings().most
    assert most < CALLERS * CALLS
    with ServerProcess(tmp_path / "state") as server:
        channels = [server.channel(Role.OPERATOR, f"operator-{n}") for n in range(CALLERS)]
        stubs = [SubscriptionServiceStub(each) for each in channels]
        request = pb.ListSubscriptionsRequest(page_size=1)
        for stub in stubs:
            stub.ListSubscriptions(request, timeout=PATIENCE_S)
        stopped = database_processes(tmp_path / "state")
        for each in stopped:
            each.send_signal(signal.SIGSTOP)
        try:
            begun = [
                stub.ListSubscriptions.future(request, timeout=PATIENCE_S)
                for _ in range(CALLS)
                for stub in stubs
            ]
            refused = refusals(begun, count=CALLERS * CALLS - most)
            pull = EnforcementServiceStub(channels[0]).PullDirectives.future(
                enforcement_pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=1),
                timeout=PATIENCE_S,
            )
        finally:
            for each in stopped:
                each.send_signal(signal.SIGCONT)
        assert {each.reason for each in refused} == {"OVERLOADED"}
        assert {each.retry_after_s for each in refused} == {1.0}
        assert all(each.correlation_id for each in refused)
        assert pull.exception() is None
        assert {each.code() for each in begun} == {
            grpc.StatusCode.OK,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
        until_health(server, SERVING)
        assert stubs[0].ListSubscriptions(request, timeout=PATIENCE_S) is not None
        for channel in channels:
            channel.close()
        assert server.stop() == 0
        assert '"event": "shedding"' in server.errors


def refusals(begun: Sequence[Any], *, count: int) -> list[Refused]:
    """The first so many calls that end while nothing can be done."""
    ended: Queue[Any] = Queue()
    for each in begun:
        each.add_done_callback(ended.put)
    return [Refused.of(ended.get(timeout=PATIENCE_S).exception()) for _ in range(count)]
