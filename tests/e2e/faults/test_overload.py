"""More is asked for than can be done: new work is refused at once, what finishes something is not.

The database stands still meanwhile, so that nothing is done before the limit is reached. On a slow
machine it stands for so long that it is taken for lost and started again: calls that were let in
may end by that, and none of what is asked here depends on it.
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
"""Of each caller: below its share and its half of the limit; of all together above the limit."""

ENDS = {
    (grpc.StatusCode.OK, ""),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE"),
}
"""How a call of the flood may end, once the database goes on."""


def test_new_work_is_refused_with_a_delay_and_a_pull_is_not(tmp_path: Path) -> None:
    most = LimitSettings().most
    assert most < CALLERS * CALLS
    assert most // 2 > CALLS
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
            refused = first_refusal(begun)
            pull = EnforcementServiceStub(channels[0]).PullDirectives.future(
                enforcement_pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=1),
                timeout=PATIENCE_S,
            )
        finally:
            for each in stopped:
                each.send_signal(signal.SIGCONT)
        assert (refused.reason, refused.retry_after_s) == ("OVERLOADED", 1.0)
        assert refused.correlation_id
        assert end_of(pull) in ENDS - {(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")}
        assert {end_of(each) for each in begun} <= ENDS
        until_health(server, SERVING)
        assert stubs[0].ListSubscriptions(request, timeout=PATIENCE_S) is not None
        for channel in channels:
            channel.close()
        assert server.stop() == 0
        assert '"event": "shedding"' in server.errors


def first_refusal(begun: Sequence[Any]) -> Refused:
    """How the first call is refused, while nothing can be done.

    Raises:
        AssertionError: None is.
    """
    ended: Queue[Any] = Queue()
    for each in begun:
        each.add_done_callback(ended.put)
    for _ in begun:
        call = ended.get(timeout=PATIENCE_S)
        if call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Refused.of(call.exception())
    raise AssertionError("every call was let in")


def end_of(call: Any) -> tuple[grpc.StatusCode, str]:  # noqa: ANN401 - grpc's own class has no public name
    """How a call ends: its code, and the reason if it is refused."""
    error = call.exception()
    return call.code(), "" if error is None else Refused.of(error).reason
