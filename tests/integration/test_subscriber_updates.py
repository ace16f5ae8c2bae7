"""The population authority over the wire: what it is owed, by lease and acknowledgement.

Tests share the server, so each looks only at its own people among all that is pulled.
"""

from concurrent.futures import ThreadPoolExecutor

from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import population_service_pb2 as pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import Subscriber, claim_of
from tests.integration.scene import Scene, acknowledgement_of
from tests.integration.wire import new_id

Faces = tuple[PhotographedPerson, ...]
Pulled = pb.PullSubscriberUpdatesResponse
ACCEPTED = pb.SUBSCRIBER_UPDATE_RESULT_ACCEPTED


def of(pulled: Pulled, *subscribers: Subscriber) -> list[pb.SubscriberUpdate]:
    ids = {each.citizen.personal_id for each in subscribers}
    return [each for each in pulled.updates if each.personal_id in ids]


def enter_all(scene: Scene) -> Pulled:
    """Pull and acknowledge what there is; of more than a lease holds, the last."""
    while True:
        pulled = scene.pull_updates()
        if pulled.updates:
            assert set(scene.acknowledge_updates(pulled)) == {ACCEPTED}
        if len(pulled.updates) < 4_000:
            return pulled


def report(
    scene: Scene,
    subscriber: Subscriber,
    kind: subscription_pb.SubscriptionEventKind,
    heir: Subscriber | None = None,
) -> None:
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        occur_time=scene.advance().as_of_time,
        kind=kind,
        holder=None if heir is None else claim_of(heir.citizen),
    )
    answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    assert [each.reason for each in answer.results] == [""]


def test_a_register_follows_a_number_from_proof_to_end(scene: Scene, faces: Faces) -> None:
    unproved = scene.imported(scene.people.operator_name())
    subscriber = scene.verified(faces[0])
    (proved,) = of(enter_all(scene), subscriber, unproved)
    known = scene.subscription(subscriber)
    assert (proved.msisdn, proved.operator_id) == (subscriber.msisdn, subscriber.operator)
    assert (proved.subscription_id, proved.sequence) == (known.subscription_id, 1)
    assert proved.link_state == subscription_pb2.LINK_STATE_LINKED
    assert proved.assurance.method == pb.ASSURANCE_METHOD_CHIP_AND_FACE
    assert proved.assurance.verify_time == known.verify_time
    assert proved.assurance.policy_version
    assert not proved.HasField("primary_time")
    marked = scene.set_primary(subscriber).primary_number
    (primary,) = of(enter_all(scene), subscriber)
    assert (primary.sequence, primary.primary_time) == (2, marked.set_time)
    report(scene, subscriber, subscription_pb.SUBSCRIPTION_EVENT_KIND_PORT_OUT)
    (ended,) = of(enter_all(scene), subscriber)
    assert (ended.sequence, ended.end) == (3, pb.SUBSCRIPTION_END_PORTED_OUT)
    assert not ended.HasField("primary_time")
    assert of(enter_all(scene), subscriber) == []


def test_both_holders_of_a_transferred_number_are_told_of(scene: Scene, faces: Faces) -> None:
    subscriber, heir = scene.verified(faces[0]), scene.registered()
    report(scene, subscriber, subscription_pb.SUBSCRIPTION_EVENT_KIND_TRANSFER, heir)
    present = Subscriber(
        citizen=heir.citizen, msisdn=subscriber.msisdn, operator=subscriber.operator
    )
    scene.verify(present, scene.evidence(heir.citizen, faces[0]))
    pulled = enter_all(scene)
    (former_update,), (present_update,) = of(pulled, subscriber), of(pulled, present)
    assert former_update.end == pb.SUBSCRIPTION_END_TRANSFERRED
    assert present_update.end == pb.SUBSCRIPTION_END_UNSPECIFIED
    assert former_update.subscription_id == present_update.subscription_id


def test_not_mine_is_told_without_a_proof(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    scene.app.citizens.DisownSubscription(
        citizen_pb.DisownSubscriptionRequest(
            request_id=new_id(),
            personal_id=subscriber.citizen.personal_id,
            msisdn=subscriber.msisdn,
        )
    )
    (told,) = of(enter_all(scene), subscriber)
    assert told.HasField("disown_time")
    assert not told.HasField("assurance")


def test_a_lapsed_lease_comes_back_and_its_late_word_does_not_count(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.verified(faces[0])
    first = scene.pull_updates(lease_s=60)
    mine = of(first, subscriber)
    assert of(scene.pull_updates(), subscriber) == []
    scene.advance(hours=2)
    late = acknowledgement_of(Pulled(lease_id=first.lease_id, updates=mine))
    answer = scene.population.population.AcknowledgeSubscriberUpdates(late)
    assert list(answer.results) == [pb.SUBSCRIBER_UPDATE_RESULT_LEASE_LOST]
    again = scene.pull_updates()
    assert of(again, subscriber) == mine
    assert set(scene.acknowledge_updates(again)) == {ACCEPTED}
    already = pb.SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED
    assert set(scene.acknowledge_updates(again)) == {already}


def test_two_who_pull_at_once_get_each_update_once(scene: Scene, faces: Faces) -> None:
    first = scene.verified(faces[0])
    subscribers = [first, *(scene.verified(faces[0]) for _ in range(5))]
    enter_all(scene)
    for each in subscribers:
        scene.set_primary(each)

    def work(_: int) -> list[pb.SubscriberUpdate]:
        """As an office works that takes two at a time."""
        entered: list[pb.SubscriberUpdate] = []
        while True:
            request = pb.PullSubscriberUpdatesRequest(request_id=new_id(), update_count_max=2)
            pulled = scene.population.population.PullSubscriberUpdates(request)
            if not pulled.updates:
                return entered
            assert set(scene.acknowledge_updates(pulled)) == {ACCEPTED}
            entered += of(pulled, *subscribers)

    with ThreadPoolExecutor(2) as threads:
        updates = [each for entered in threads.map(work, range(2)) for each in entered]
    assert sorted((each.msisdn, each.sequence) for each in updates) == sorted(
        (each.msisdn, 2) for each in subscribers
    )


def test_what_changed_in_the_meantime_comes_as_one_and_after_what_is_out(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.verified(faces[0])
    pulled = scene.pull_updates()
    scene.set_primary(subscriber)
    report(scene, subscriber, subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE)
    assert of(scene.pull_updates(), subscriber) == []
    assert set(scene.acknowledge_updates(pulled)) == {ACCEPTED}
    (told,) = of(enter_all(scene), subscriber)
    assert (told.sequence, told.end) == (3, pb.SUBSCRIPTION_END_RELEASED)
