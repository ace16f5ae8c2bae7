"""A repeated write gets its first answer: at once, later, from another server, in a crowd."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf.message import Message

from identity.domain.caller import Caller, Role
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.conftest import Connect, World, open_channel, served
from tests.integration.contract import METHODS
from tests.integration.people import claim_of, complete_request, record_of, row_of
from tests.integration.scene import Scene, acknowledgement_of
from tests.integration.wire import Refused, method_key, new_id, send

Faces = tuple[PhotographedPerson, ...]
METHOD_OF = {method_key(method): method for method in METHODS}


@dataclass(frozen=True, kw_only=True)
class Write:
    """A write that will be accepted, and one under the same request_id that says something else."""

    caller: Caller
    request: Message
    other: Message

    def send(self, channel: grpc.Channel, key: str) -> bytes:
        """The answer, as bytes."""
        return send(channel, METHOD_OF[key], [self.request]).SerializeToString()


def operator_of(scene: Scene) -> Caller:
    return Caller(Role.OPERATOR, scene.people.operator_name())


def with_other(request: Message, **fields: object) -> Message:
    other = type(request)()
    other.CopyFrom(request)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def import_population(scene: Scene, faces: Faces) -> Write:
    del faces
    records = [record_of(scene.people.citizen()) for _ in range(3)]
    request = population_pb.ImportPopulationRequest(request_id=new_id(), records=records)
    other = population_pb.ImportPopulationRequest(
        request_id=request.request_id, records=records[:2]
    )
    return Write(caller=Caller(Role.POPULATION, "register"), request=request, other=other)


def apply_changes(scene: Scene, faces: Faces) -> Write:
    del faces
    births = [
        population_pb.PopulationChange(
            birth=population_pb.Birth(record=record_of(scene.people.citizen()))
        )
        for _ in range(2)
    ]
    request = population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=births)
    other = population_pb.ApplyPopulationChangesRequest(
        request_id=request.request_id, changes=births[:1]
    )
    return Write(caller=Caller(Role.POPULATION, "register"), request=request, other=other)


def import_book(scene: Scene, faces: Faces) -> Write:
    del faces
    rows = [row_of(scene.people.citizen(), scene.people.msisdn()) for _ in range(3)]
    rows[1].msisdn = "broken"
    request = subscription_pb.ImportSubscriptionsRequest(request_id=new_id(), rows=rows)
    other = subscription_pb.ImportSubscriptionsRequest(request_id=request.request_id, rows=rows[:2])
    return Write(caller=operator_of(scene), request=request, other=other)


def register(scene: Scene, faces: Faces) -> Write:
    del faces
    request = subscription_pb.RegisterSubscriptionRequest(
        request_id=new_id(), msisdn=scene.people.msisdn(), holder=claim_of(scene.citizen())
    )
    other = with_other(request, msisdn=scene.people.msisdn())
    return Write(caller=operator_of(scene), request=request, other=other)


def report_events(scene: Scene, faces: Faces) -> Write:
    subscriber = scene.verified(faces[0])
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE,
        occur_time=scene.advance().as_of_time,
    )
    request = subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    other = subscription_pb.ReportEventsRequest(
        request_id=request.request_id, events=[event, event]
    )
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def start(scene: Scene, faces: Faces) -> Write:
    del faces
    operator = operator_of(scene)
    first, second = (scene.registered(operator.name) for _ in range(2))
    request = verification_pb.StartVerificationRequest(request_id=new_id(), msisdn=first.msisdn)
    return Write(caller=operator, request=request, other=with_other(request, msisdn=second.msisdn))


def complete(scene: Scene, faces: Faces) -> Write:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    request = complete_request(scene.start(subscriber), evidence)
    other = with_other(request, active_authentication_signature=b"another")
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def set_primary(scene: Scene, faces: Faces) -> Write:
    subscriber = scene.verified(faces[0])
    request = citizen_pb.SetPrimaryNumberRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdn=subscriber.msisdn,
    )
    other = with_other(request, msisdn=scene.people.msisdn())
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def disown(scene: Scene, faces: Faces) -> Write:
    del faces
    subscriber = scene.registered()
    request = citizen_pb.DisownSubscriptionRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdn=subscriber.msisdn,
    )
    other = with_other(request, msisdn=scene.people.msisdn())
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def advance(scene: Scene, faces: Faces) -> Write:
    del faces
    scene.imported(scene.people.operator_name())
    request = enforcement_pb.AdvanceEnforcementRequest(request_id=new_id())
    other = enforcement_pb.AdvanceEnforcementRequest(request_id=request.request_id)
    other.as_of_time.GetCurrentTime()
    return Write(caller=Caller(Role.REGULATOR, "regulator"), request=request, other=other)


def pull(scene: Scene, faces: Faces) -> Write:
    del faces
    operator = operator_of(scene)
    scene.imported(operator.name)
    scene.advance()
    request = enforcement_pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=10)
    return Write(
        caller=operator, request=request, other=with_other(request, directive_count_max=11)
    )


def acknowledge(scene: Scene, faces: Faces) -> Write:
    write = pull(scene, faces)
    pulled = scene.pull(write.caller.name)
    items = [
        enforcement_pb.Acknowledgement(
            directive_id=each.directive_id,
            outcome=enforcement_pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
        )
        for each in pulled.directives
    ]
    request = enforcement_pb.AcknowledgeDirectivesRequest(
        request_id=new_id(), lease_id=pulled.lease_id, acknowledgements=items
    )
    other = with_other(request, lease_id=new_id())
    return Write(caller=write.caller, request=request, other=other)


def pull_updates(scene: Scene, faces: Faces) -> Write:
    scene.verified(faces[0])
    request = population_pb.PullSubscriberUpdatesRequest(request_id=new_id(), update_count_max=4000)
    return Write(
        caller=Caller(Role.POPULATION, "register"),
        request=request,
        other=with_other(request, update_count_max=3999),
    )


def acknowledge_updates(scene: Scene, faces: Faces) -> Write:
    scene.verified(faces[0])
    pulled = scene.pull_updates()
    request = acknowledgement_of(pulled)
    return Write(
        caller=Caller(Role.POPULATION, "register"),
        request=request,
        other=with_other(request, lease_id=new_id()),
    )


WRITES: dict[str, Callable[[Scene, Faces], Write]] = {
    "PopulationService/ImportPopulation": import_population,
    "PopulationService/ApplyPopulationChanges": apply_changes,
    "PopulationService/PullSubscriberUpdates": pull_updates,
    "PopulationService/AcknowledgeSubscriberUpdates": acknowledge_updates,
    "SubscriptionService/ImportSubscriptions": import_book,
    "SubscriptionService/RegisterSubscription": register,
    "SubscriptionService/ReportEvents": report_events,
    "VerificationService/StartVerification": start,
    "VerificationService/CompleteVerification": complete,
    "CitizenService/SetPrimaryNumber": set_primary,
    "CitizenService/DisownSubscription": disown,
    "EnforcementService/AdvanceEnforcement": advance,
    "EnforcementService/PullDirectives": pull,
    "EnforcementService/AcknowledgeDirectives": acknowledge,
}

every_write = pytest.mark.parametrize("key", WRITES)


@pytest.fixture(scope="module")
def restarted(world: World) -> Iterator[Callable[[Caller], grpc.Channel]]:
    """Channels to a second server on the same data: it remembers nothing but what is stored."""
    channels: list[grpc.Channel] = []
    with served(world.settings) as address:

        def connect(caller: Caller) -> grpc.Channel:
            channels.append(open_channel(address, world.settings.state, caller))
            return channels[-1]

        yield connect
        for channel in channels:
            channel.close()


def test_every_write_of_the_contract_is_tried() -> None:
    assert set(WRITES) == {
        method_key(method) for method in METHODS if "request_id" in method.input_type.fields_by_name
    }


@every_write
def test_a_repeated_write_gets_its_first_answer_also_after_a_restart(
    scene: Scene,
    faces: Faces,
    connect_as: Connect,
    restarted: Callable[[Caller], grpc.Channel],
    key: str,
) -> None:
    write = WRITES[key](scene, faces)
    channel = connect_as(write.caller.role, write.caller.name)
    first = write.send(channel, key)
    assert write.send(channel, key) == first
    scene.advance(seconds=30)  # an answer made anew would tell of a later instant
    assert write.send(channel, key) == first
    assert write.send(restarted(write.caller), key) == first


@every_write
def test_a_request_id_with_another_body_is_refused(
    scene: Scene, faces: Faces, connect_as: Connect, key: str
) -> None:
    write = WRITES[key](scene, faces)
    channel = connect_as(write.caller.role, write.caller.name)
    first = write.send(channel, key)
    with pytest.raises(grpc.RpcError) as caught:
        send(channel, METHOD_OF[key], [write.other])
    refusal = Refused.of(caught.value)
    assert (refusal.status, refusal.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert write.send(channel, key) == first


@every_write
def test_a_write_sent_many_times_at_once_is_answered_once(
    scene: Scene, faces: Faces, connect_as: Connect, key: str
) -> None:
    write = WRITES[key](scene, faces)
    channel = connect_as(write.caller.role, write.caller.name)
    with ThreadPoolExecutor(6) as threads:
        answers = set(threads.map(lambda _: write.send(channel, key), range(6)))
    assert len(answers) == 1


def test_a_request_id_is_its_callers_own(scene: Scene) -> None:
    numbers = [scene.people.msisdn() for _ in range(2)]
    name = new_id()
    for msisdn in numbers:
        operator = scene.operator(scene.people.operator_name())
        answer = operator.subscriptions.RegisterSubscription(
            subscription_pb.RegisterSubscriptionRequest(
                request_id=name, msisdn=msisdn, holder=claim_of(scene.citizen())
            )
        )
        assert answer.subscription.msisdn == msisdn


def test_a_request_id_of_one_method_is_refused_by_another(scene: Scene) -> None:
    subscriber = scene.registered()
    operator = scene.operator(subscriber.operator)
    request = verification_pb.StartVerificationRequest(
        request_id=new_id(), msisdn=subscriber.msisdn
    )
    operator.verifications.StartVerification(request)
    with pytest.raises(grpc.RpcError) as caught:
        operator.enforcement.PullDirectives(
            enforcement_pb.PullDirectivesRequest(
                request_id=request.request_id, directive_count_max=1
            )
        )
    assert Refused.of(caught.value).reason == "REQUEST_ID_REUSED"


def test_a_refused_write_leaves_its_request_id_free(scene: Scene) -> None:
    subscriber = scene.registered()
    name = new_id()
    operator = scene.operator(subscriber.operator).subscriptions
    taken = subscription_pb.RegisterSubscriptionRequest(
        request_id=name, msisdn=subscriber.msisdn, holder=claim_of(subscriber.citizen)
    )
    with pytest.raises(grpc.RpcError) as caught:
        operator.RegisterSubscription(taken)
    assert Refused.of(caught.value).reason == "SUBSCRIPTION_EXISTS"
    free = with_other(taken, msisdn=scene.people.msisdn())
    assert operator.RegisterSubscription(free).subscription.msisdn
