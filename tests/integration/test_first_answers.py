"""A repeated write gets its first answer: at once, later, from another server, in a crowd."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from identity.domain.caller import Caller, Role
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration import counters
from tests.integration.arrangement_writes import WRITES_OF_ARRANGEMENTS
from tests.integration.conftest import Connect, IdentityOf, World, open_channel, served
from tests.integration.contract import METHODS
from tests.integration.correspondence import WRITES_OF_NOTIFICATIONS
from tests.integration.matching import WRITES_OF_MATCHING
from tests.integration.people import Subscriber, claim_of, complete_request, record_of, row_of
from tests.integration.scene import Scene, acknowledgement_of
from tests.integration.wire import Refused, method_key, new_id, send
from tests.integration.witnessing import WRITES_OF_WITNESSES
from tests.integration.writes import (
    METHOD_OF,
    WRITES_OF_ENFORCEMENT,
    WRITES_OF_PRIVACY,
    Write,
    with_other,
)

Faces = tuple[PhotographedPerson, ...]


def operator_of(scene: Scene) -> Caller:
    return Caller(Role.OPERATOR, scene.people.operator_name())


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


def start_presence(scene: Scene, faces: Faces) -> Write:
    del scene, faces
    request = counters.start_request()
    return Write(
        caller=Caller(Role.AGENCY, counters.COUNTER),
        request=request,
        other=with_other(request, with_face=True),
    )


def complete_presence(scene: Scene, faces: Faces) -> Write:
    evidence = scene.evidence(scene.citizen(), faces[0])
    request = counters.presented(counters.start(scene), evidence)
    return Write(
        caller=Caller(Role.AGENCY, counters.COUNTER),
        request=request,
        other=with_other(request, active_authentication_signature=b"another"),
    )


def set_primary(scene: Scene, faces: Faces) -> Write:
    subscriber = scene.verified(faces[0])
    request = citizen_pb.SetPrimaryNumberRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdn=subscriber.msisdn,
    )
    other = with_other(request, msisdn=scene.people.msisdn())
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def with_primary(scene: Scene, faces: Faces) -> Subscriber:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    return subscriber


def confirm_primary(scene: Scene, faces: Faces) -> Write:
    subscriber, another = with_primary(scene, faces), with_primary(scene, faces)
    request = citizen_pb.ConfirmPrimaryNumberRequest(
        request_id=new_id(), personal_id=subscriber.citizen.personal_id
    )
    other = with_other(request, personal_id=another.citizen.personal_id)
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def veto_change(scene: Scene, faces: Faces) -> Write:
    old = with_primary(scene, faces)
    new = scene.verified(faces[0], citizen=old.citizen)
    asked = scene.set_primary(new, verification_id=scene.step_up(new, faces[0]))
    request = citizen_pb.VetoPrimaryChangeRequest(
        request_id=new_id(),
        personal_id=old.citizen.personal_id,
        change_id=asked.pending_change.change_id,
    )
    other = with_other(request, change_id=new_id())
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def set_fallbacks(scene: Scene, faces: Faces) -> Write:
    subscriber = scene.verified(faces[0])
    request = citizen_pb.SetFallbackNumbersRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdns=[subscriber.msisdn],
    )
    other = with_other(request, personal_id=scene.citizen().personal_id)
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def set_lock(scene: Scene, faces: Faces) -> Write:
    del faces
    request = citizen_pb.SetLockRequest(
        request_id=new_id(), personal_id=scene.citizen().personal_id, is_locked=True
    )
    other = with_other(request, is_locked=False)
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
    request = scene.operator(write.caller.name).sign(request)
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


def without_faces(write: Callable[[Scene], Write]) -> Callable[[Scene, Faces], Write]:
    return lambda scene, _faces: write(scene)


WRITES: dict[str, Callable[[Scene, Faces], Write]] = {
    **{key: without_faces(write) for key, write in WRITES_OF_ENFORCEMENT.items()},
    **{key: without_faces(write) for key, write in WRITES_OF_NOTIFICATIONS.items()},
    **{key: without_faces(write) for key, write in WRITES_OF_ARRANGEMENTS.items()},
    **{key: without_faces(write) for key, write in WRITES_OF_PRIVACY.items()},
    **{key: without_faces(write) for key, write in WRITES_OF_MATCHING.items()},
    **{key: without_faces(write) for key, write in WRITES_OF_WITNESSES.items()},
    "PopulationService/ImportPopulation": import_population,
    "PopulationService/ApplyPopulationChanges": apply_changes,
    "PopulationService/PullSubscriberUpdates": pull_updates,
    "PopulationService/AcknowledgeSubscriberUpdates": acknowledge_updates,
    "SubscriptionService/ImportSubscriptions": import_book,
    "SubscriptionService/RegisterSubscription": register,
    "SubscriptionService/ReportEvents": report_events,
    "VerificationService/StartVerification": start,
    "VerificationService/CompleteVerification": complete,
    "VerificationService/StartPresence": start_presence,
    "VerificationService/CompletePresence": complete_presence,
    "CitizenService/SetPrimaryNumber": set_primary,
    "CitizenService/VetoPrimaryChange": veto_change,
    "CitizenService/ConfirmPrimaryNumber": confirm_primary,
    "CitizenService/SetFallbackNumbers": set_fallbacks,
    "CitizenService/SetLock": set_lock,
    "CitizenService/DisownSubscription": disown,
    "EnforcementService/AdvanceEnforcement": advance,
    "EnforcementService/PullDirectives": pull,
    "EnforcementService/AcknowledgeDirectives": acknowledge,
}

every_write = pytest.mark.parametrize("key", WRITES)


@pytest.fixture(scope="module")
def restarted(world: World, identity_of: IdentityOf) -> Iterator[Callable[[Caller], grpc.Channel]]:
    """Channels to a second server on the same data: it remembers nothing but what is stored."""
    channels: list[grpc.Channel] = []
    with served(world.settings) as address:

        def connect(caller: Caller) -> grpc.Channel:
            state = world.settings.state
            identity = identity_of(caller.role, caller.name)
            channels.append(open_channel(address, state, caller, identity=identity))
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
