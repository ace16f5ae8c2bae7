"""An operator's network against the registry, over the wire: drift, replays, and nobody else's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Queue

import grpc
import pytest

from identity.domain.caller import Role
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import subscription_pb2
from tests.integration.conftest import ActAs
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, new_id

ACTIVE = subscription_pb2.SERVICE_STATE_ACTIVE
BLOCKED = subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
SUSPENDED = subscription_pb2.SERVICE_STATE_SUSPENDED
TERMINATED = subscription_pb2.SERVICE_STATE_TERMINATED
NOT_ORDERED = subscription_pb2.SERVICE_STATE_UNSPECIFIED
NOT_APPLIED = pb.DRIFT_KIND_NOT_APPLIED
STRICTER = pb.DRIFT_KIND_STRICTER_THAN_ORDERED
UNKNOWN = pb.DRIFT_KIND_UNKNOWN_NUMBER
NOT_REPORTED = pb.DRIFT_KIND_NOT_REPORTED

State = tuple[str, "subscription_pb2.ServiceState"]


@dataclass(frozen=True)
class Network:
    """What an operator says of its network."""

    scene: Scene
    name: str

    def stream(
        self, requests: Sequence[pb.ReconcileServiceStateRequest]
    ) -> list[pb.ReconcileServiceStateResponse]:
        """The answers, one for each message."""
        stub = self.scene.operator(self.name).enforcement
        return list(stub.ReconcileServiceState(iter(requests), timeout=TIMEOUT_S))

    def report(self, *states: State) -> pb.ReconcileServiceStateResponse:
        """Report everything in one message."""
        (answer,) = self.stream([message(new_id(), states, is_last=True)])
        return answer

    def refusal(self, requests: Sequence[pb.ReconcileServiceStateRequest]) -> Refused:
        """How a stream is refused."""
        with pytest.raises(grpc.RpcError) as caught:
            self.stream(requests)
        return Refused.of(caught.value)


def message(
    request_id: str, states: Sequence[State], *, index: int = 0, is_last: bool = False
) -> pb.ReconcileServiceStateRequest:
    return pb.ReconcileServiceStateRequest(
        request_id=request_id,
        batch_index=index,
        states=[pb.ReportedState(msisdn=msisdn, service_state=state) for msisdn, state in states],
        is_last=is_last,
    )


@pytest.fixture
def network(scene: Scene) -> Network:
    return Network(scene, scene.people.operator_name())


def drifts(answer: pb.ReconcileServiceStateResponse) -> list[tuple[str, int, int, int]]:
    return [(e.msisdn, e.kind, e.ordered_state, e.reported_state) for e in answer.drifts]


def liar(network: Network) -> str:
    """A number of which the operator said that it was blocked; returns it."""
    scene = network.scene
    number = scene.imported(network.name).msisdn
    scene.report_device_change(number, network.name)
    assert set(scene.acknowledge(network.name, scene.pull(network.name))) == {
        pb.ACKNOWLEDGEMENT_RESULT_ACCEPTED
    }
    return number


def test_a_lie_is_found_and_the_order_stands_again(network: Network) -> None:
    number = liar(network)
    first = network.report((number, ACTIVE))
    assert drifts(first) == [(number, NOT_APPLIED, BLOCKED, ACTIVE)]
    (again,) = network.scene.pull(network.name).directives
    assert again.directive_id == first.drifts[0].directive_id
    assert again.kind == pb.DIRECTIVE_KIND_BLOCK_OUTGOING
    assert set(again.causes) == {pb.CASE_CAUSE_DEVICE_CHANGE, pb.CASE_CAUSE_UNVERIFIED}
    assert again.citation
    assert again.way_out.vi
    assert again.kept_routes
    # While it is open the network is late, and lies no more.
    assert drifts(network.report((number, ACTIVE))) == []
    assert drifts(network.report((number, BLOCKED))) == []


def test_each_way_to_differ_has_its_kind(network: Network) -> None:
    scene = network.scene
    own = scene.imported(network.name).msisdn
    silent = scene.imported(network.name).msisdn
    scene.advance(seconds=1)
    free = scene.people.msisdn()
    answer = network.report((own, SUSPENDED), (free, ACTIVE))
    assert drifts(answer) == [
        (own, STRICTER, ACTIVE, SUSPENDED),
        (free, UNKNOWN, NOT_ORDERED, ACTIVE),
        (silent, NOT_REPORTED, ACTIVE, NOT_ORDERED),
    ]
    assert [bool(each.directive_id) for each in answer.drifts] == [True, False, False]
    assert (answer.compared_count, answer.drift_count, answer.not_reported_count) == (2, 2, 1)


def test_anothers_number_answers_as_one_that_nobody_has(network: Network) -> None:
    scene = network.scene
    other = scene.people.operator_name()
    theirs, free = scene.imported(other), scene.people.msisdn()
    taken, nobodys = network.report((theirs.msisdn, SUSPENDED), (free, SUSPENDED)).drifts
    taken.msisdn = nobodys.msisdn = ""
    assert taken == nobodys
    assert scene.subscription(theirs).applied_state == ACTIVE


def test_a_number_may_stand_in_any_form_and_comes_back_in_one(network: Network) -> None:
    free = network.scene.people.msisdn()
    answer = network.report((f"0{free[3:]}", ACTIVE))
    assert [each.msisdn for each in answer.drifts] == [free]


def messages(network: Network, request_id: str) -> list[pb.ReconcileServiceStateRequest]:
    """Three messages: a lie, two strangers, and the end."""
    people = network.scene.people
    lie = liar(network)
    network.scene.imported(network.name)
    network.scene.advance(seconds=1)  # what comes in with the report is not missing from it
    return [
        message(request_id, [(lie, ACTIVE)]),
        message(request_id, [(people.msisdn(), ACTIVE), (people.msisdn(), BLOCKED)], index=1),
        message(request_id, [], index=2, is_last=True),
    ]


def test_each_message_is_answered_and_a_repeated_stream_gets_the_first_answers(
    network: Network,
) -> None:
    sent = messages(network, new_id())
    first = network.stream(sent)
    assert [answer.batch_index for answer in first] == [0, 1, 2]
    assert [answer.compared_count for answer in first] == [1, 3, 3]
    assert [answer.drift_count for answer in first] == [1, 3, 3]
    assert [answer.not_reported_count for answer in first] == [0, 0, 1]
    pulled = network.scene.pull(network.name)
    network.scene.acknowledge(network.name, pulled)  # what was true then is no more
    assert network.stream(sent) == first
    assert network.stream(sent[1:]) == first[1:]
    assert not network.scene.pull(network.name).directives


def test_an_operator_does_not_look_better_for_numbers_that_are_none_of_its(
    network: Network,
) -> None:
    own, people = network.scene.imported(network.name).msisdn, network.scene.people
    padding = [(people.msisdn(), TERMINATED) for _ in range(9)]
    answer = network.report((own, SUSPENDED), *padding)
    assert (answer.compared_count, answer.drift_count) == (1, 1)


def test_a_stream_that_breaks_goes_on_where_it_was(network: Network) -> None:
    sent = messages(network, new_id())
    first = network.stream(sent[:1])
    rest = network.stream(sent[1:])
    assert [answer.compared_count for answer in (*first, *rest)] == [1, 3, 3]


def test_a_broken_order_of_messages_is_refused(network: Network) -> None:
    request_id = new_id()
    sent = messages(network, request_id)
    for broken in (
        sent[1:],  # the first is missing
        [sent[0], sent[2]],
        [sent[0], message(new_id(), [], index=1)],
        [sent[0], sent[1], sent[2], message(request_id, [], index=3)],
    ):
        refusal = network.refusal(broken)
        assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "IMPORT_SEQUENCE_BROKEN")
    other = message(request_id, [(network.scene.people.msisdn(), ACTIVE)])
    assert network.refusal([other]).reason == "REQUEST_ID_REUSED"


def test_what_is_no_number_or_stands_there_twice_is_named_and_nothing_is_taken(
    network: Network,
) -> None:
    number = liar(network)
    request_id = new_id()
    broken = message(request_id, [(number, ACTIVE), ("0281234567", ACTIVE), (number, BLOCKED)])
    refusal = network.refusal([broken])
    assert refusal.violations == (
        ("states[1].msisdn", "MSISDN_MALFORMED"),
        ("states[2].msisdn", "REPEATED_UNIQUE"),
    )
    assert not network.scene.pull(network.name).directives
    (answer,) = network.stream([message(request_id, [(number, ACTIVE)])])
    assert len(answer.drifts) == 1


def test_an_empty_stream_is_no_fault(network: Network) -> None:
    assert network.stream([]) == []


def test_answers_come_one_by_one_while_the_stream_is_open(network: Network, act_as: ActAs) -> None:
    stub = act_as(Role.OPERATOR, network.name).enforcement
    request_id = new_id()
    sent: Queue[pb.ReconcileServiceStateRequest | None] = Queue()
    answers: Iterator[pb.ReconcileServiceStateResponse] = stub.ReconcileServiceState(
        iter(sent.get, None), timeout=TIMEOUT_S
    )
    for index in range(3):
        sent.put(message(request_id, [(network.scene.people.msisdn(), ACTIVE)], index=index))
        assert next(answers).batch_index == index
    sent.put(None)
    assert list(answers) == []
