"""Pulls that wait: woken by any server of the database, and in nobody's way while they do."""

import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from identity.domain.caller import Caller, Role
from identity.rpc.waiting import WAITS_MAX
from subid.v1 import enforcement_service_pb2 as pb
from tests.integration.conftest import World, open_channel, served
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, Stubs, new_id, refused

NOTIFY, BLOCK = pb.DIRECTIVE_KIND_NOTIFY, pb.DIRECTIVE_KIND_BLOCK_OUTGOING

WAIT_S = 30
"""The longest wait. What wakes whom how soon, tests of the parts show without a clock."""


def pull(*, wait_s: int) -> pb.PullDirectivesRequest:
    request = pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=100)
    request.wait_duration.FromSeconds(wait_s)
    return request


class Waiter:
    """A pull on its way, and how long it took when it ended."""

    def __init__(self, stubs: Stubs, request: pb.PullDirectivesRequest) -> None:
        self._began_at = time.monotonic()
        self.ended: futures.Future[float] = futures.Future()
        self.call: Any = stubs.enforcement.PullDirectives.future(request, timeout=TIMEOUT_S)
        self.call.add_done_callback(self._end)

    def _end(self, _call: object) -> None:
        self.ended.set_result(time.monotonic() - self._began_at)

    @property
    def kinds(self) -> list[int]:
        """What was pulled."""
        return [each.kind for each in self.answer.directives]

    @property
    def answer(self) -> pb.PullDirectivesResponse:
        """The answer, when there is one."""
        self.ended.result(TIMEOUT_S)
        answer: pb.PullDirectivesResponse = self.call.result()
        return answer


@pytest.fixture(scope="module")
def second_server(world: World) -> Iterator[Callable[[str], Stubs]]:
    """Another server on the same database: stubs of operators there."""
    channels: list[grpc.Channel] = []
    with served(world.settings) as address:

        def act_as(name: str) -> Stubs:
            caller = Caller(Role.OPERATOR, name)
            channels.append(open_channel(address, world.settings.state, caller))
            return Stubs(channels[-1])

        yield act_as
        for channel in channels:
            channel.close()


def settled(scene: Scene, name: str) -> str:
    """A number in service whose operator has nothing to pull; returns it."""
    subscriber = scene.imported(name)
    scene.advance()
    scene.acknowledge(name, scene.pull(name))
    return subscriber.msisdn


def test_an_order_wakes_a_pull_that_waits_on_any_server(
    scene: Scene, second_server: Callable[[str], Stubs]
) -> None:
    name = scene.people.operator_name()
    msisdn = settled(scene, name)
    for stubs in (scene.operator(name), second_server(name)):
        waiter = Waiter(stubs, pull(wait_s=WAIT_S))
        is_waiting(waiter)
        scene.report_device_change(msisdn, name)
        assert waiter.kinds == [NOTIFY, BLOCK]
        scene.acknowledge(name, waiter.answer)
        msisdn = settled(scene, name)


def is_waiting(waiter: Waiter) -> None:
    """Show that there is nothing for it yet."""
    with pytest.raises(grpc.FutureTimeoutError):
        waiter.call.result(timeout=0.3)


def test_two_servers_wake_and_one_of_them_gets_it(
    scene: Scene, second_server: Callable[[str], Stubs]
) -> None:
    name = scene.people.operator_name()
    msisdn = settled(scene, name)
    waiters = [
        Waiter(stubs, pull(wait_s=WAIT_S)) for stubs in (scene.operator(name), second_server(name))
    ]
    for waiter in waiters:
        is_waiting(waiter)
    scene.report_device_change(msisdn, name)
    done, left = futures.wait(
        [waiter.ended for waiter in waiters], WAIT_S, return_when=futures.FIRST_COMPLETED
    )
    assert (len(done), len(left)) == (1, 1)
    (winner,) = (waiter for waiter in waiters if waiter.ended in done)
    assert winner.kinds == [NOTIFY, BLOCK]
    for waiter in waiters:
        waiter.call.cancel()


def test_a_directive_that_failed_wakes_a_pull(scene: Scene) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    (ordered,) = (pulled := scene.pull(name)).directives
    waiter = Waiter(scene.operator(name), pull(wait_s=WAIT_S))
    is_waiting(waiter)
    failed = pb.Acknowledgement(
        directive_id=ordered.directive_id,
        outcome=pb.ACKNOWLEDGEMENT_OUTCOME_FAILED,
        failure="busy",
    )
    stubs = scene.operator(name)
    request = pb.AcknowledgeDirectivesRequest(
        request_id=new_id(), lease_id=pulled.lease_id, acknowledgements=[failed]
    )
    stubs.enforcement.AcknowledgeDirectives(stubs.sign(request))
    assert [each.directive_id for each in waiter.answer.directives] == [ordered.directive_id]


def test_nothing_to_pull_is_answered_when_the_time_is_over_and_again_the_same(
    scene: Scene,
) -> None:
    name = scene.people.operator_name()
    request = pull(wait_s=1)
    waiter = Waiter(scene.operator(name), request)
    assert not waiter.answer.directives
    assert waiter.ended.result() >= 1
    assert Waiter(scene.operator(name), request).answer == waiter.answer


def test_what_is_there_is_not_waited_for_and_a_repeated_pull_gets_it_again(scene: Scene) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    request = pull(wait_s=WAIT_S)
    first = Waiter(scene.operator(name), request)
    again = Waiter(scene.operator(name), request)
    assert first.kinds == again.kinds == [NOTIFY]
    assert first.answer.lease_id == again.answer.lease_id


def test_idle_pulls_leave_room_for_others_and_for_their_operators_own_calls(scene: Scene) -> None:
    loud, quiet = scene.people.operator_name(), scene.people.operator_name()
    scene.imported(quiet)
    scene.advance()
    idle = [Waiter(scene.operator(loud), pull(wait_s=5)) for _ in range(WAITS_MAX)]
    for waiter in idle:
        is_waiting(waiter)
    refusal = refused(scene.operator(loud).enforcement.PullDirectives, pull(wait_s=5))
    assert (refusal.status, refusal.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    assert refusal.retry_after_s == 1.0
    assert not scene.pull(loud).directives  # one that does not wait
    assert Waiter(scene.operator(quiet), pull(wait_s=5)).kinds == [NOTIFY]
    for waiter in idle:
        waiter.call.cancel()
    deadline = time.monotonic() + TIMEOUT_S
    while _is_refused(scene.operator(loud)):  # cancelling takes a moment to arrive
        assert time.monotonic() < deadline


def _is_refused(stubs: Stubs) -> bool:
    try:
        stubs.enforcement.PullDirectives(pull(wait_s=0), timeout=TIMEOUT_S)
    except grpc.RpcError as error:
        assert Refused.of(error).reason == "OVERLOADED"  # noqa: PT017 - one call in many
        return True
    return False


def test_a_server_that_stops_answers_those_who_wait(world: World, scene: Scene) -> None:
    name = scene.people.operator_name()
    caller = Caller(Role.OPERATOR, name)
    with ThreadPoolExecutor(1) as threads:
        server = served(world.settings)
        address = server.__enter__()
        with open_channel(address, world.settings.state, caller) as channel:
            waiter = Waiter(Stubs(channel), pull(wait_s=WAIT_S))
            is_waiting(waiter)
            stopped = threads.submit(server.__exit__)
            assert not waiter.answer.directives
            assert waiter.ended.result() < WAIT_S
        stopped.result(TIMEOUT_S)
