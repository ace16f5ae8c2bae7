"""What keeps links true, over the wire: merged records, the history of a link, recycled numbers."""

from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import Subscriber, claim_of
from tests.integration.scene import Scene
from tests.integration.wire import new_id, refused

Faces = tuple[PhotographedPerson, ...]


def merged(retired: Subscriber, surviving: Subscriber) -> pb.ApplyPopulationChangesRequest:
    records = pb.MergedRecords(
        retired_personal_id=retired.citizen.personal_id,
        surviving_personal_id=surviving.citizen.personal_id,
    )
    return pb.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[pb.PopulationChange(merged_records=records)]
    )


def test_a_merge_of_records_breaks_the_link_and_the_history_says_why(
    scene: Scene, faces: Faces
) -> None:
    subscriber, other = scene.verified(faces[0]), scene.registered()
    answer = scene.population.population.ApplyPopulationChanges(merged(subscriber, other))
    assert (answer.applied_count, answer.relinked_count) == (1, 1)
    broken = scene.subscription(subscriber)
    assert broken.link.state == subscription_pb2.LINK_STATE_MISMATCHED
    assert broken.link.personal_id.result == subscription_pb2.FIELD_RESULT_MISMATCH
    assert broken.has_open_case
    (line,) = scene.explain(subscriber).link_history
    assert line.cause == enforcement_pb.LINK_CHANGE_CAUSE_POPULATION_CHANGE
    assert (line.from_state, line.to_state) == (
        subscription_pb2.LINK_STATE_LINKED,
        subscription_pb2.LINK_STATE_MISMATCHED,
    )
    assert scene.subscription(other).link.state == subscription_pb2.LINK_STATE_LINKED


def test_a_personal_id_is_not_merged_into_itself_nor_out_of_a_retired_one(scene: Scene) -> None:
    first, second = scene.registered(), scene.registered()
    apply = scene.population.population.ApplyPopulationChanges
    itself = refused(apply, merged(first, first))
    assert itself.violations[0][1] == "MERGED_RECORDS_ITSELF"
    apply(merged(first, second))
    assert refused(apply, merged(first, second)).reason == "PERSONAL_ID_RETIRED"


def test_a_released_number_is_kept_from_its_next_holder(scene: Scene, faces: Faces) -> None:
    subscriber, heir = scene.verified(faces[0]), scene.registered()
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        occur_time=scene.advance().as_of_time,
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE,
    )
    own = scene.operator(subscriber.operator).subscriptions
    own.ReportEvents(subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event]))
    for operator in (subscriber.operator, heir.operator):
        answer = refused(
            scene.operator(operator).subscriptions.RegisterSubscription,
            subscription_pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=subscriber.msisdn, holder=claim_of(heir.citizen)
            ),
        )
        assert answer.reason == "NUMBER_QUARANTINED"
