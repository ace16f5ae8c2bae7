"""KycService on the wire: what operators are told of their own numbers, and of no others."""

from dataclasses import replace

from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1 import kyc_service_pb2 as pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.date_pb2 import Date
from tests.integration.people import Subscriber, date_message
from tests.integration.scene import Scene
from tests.integration.wire import new_id, refused

TRUE = pb.AttributeResult(match=pb.ATTRIBUTE_MATCH_TRUE)


def ask(subscriber: Subscriber, **given: object) -> pb.MatchIdentityRequest:
    return pb.MatchIdentityRequest(request_id=new_id(), msisdn=subscriber.msisdn, **given)  # type: ignore[arg-type] # whatever the request takes


def test_attributes_of_the_holder_are_true_and_what_was_not_given_is_absent(scene: Scene) -> None:
    subscriber = scene.registered()
    citizen = subscriber.citizen
    kyc = scene.operator(subscriber.operator).kyc
    request = ask(
        subscriber,
        personal_id=citizen.personal_id,
        full_name=citizen.full_name.upper(),
        birth_date=date_message(citizen.birth_date),
    )
    assert kyc.MatchIdentity(request) == pb.MatchIdentityResponse(
        personal_id=TRUE, full_name=TRUE, birth_date=TRUE
    )
    false = kyc.MatchIdentity(ask(subscriber, full_name="Trần Quốc Bảo Long"))
    assert false.full_name.match == pb.ATTRIBUTE_MATCH_FALSE
    assert false.full_name.HasField("score")
    assert not false.HasField("birth_date")


def test_a_number_of_another_operator_and_no_number_are_refused_in_the_same_words(
    scene: Scene,
) -> None:
    subscriber = scene.registered()
    stranger = scene.operator(scene.people.operator_name()).kyc
    day = Date(year=2020, month=1, day=1)
    for msisdn in (subscriber.msisdn, scene.people.msisdn()):
        refusals = {
            replace(refused(method, request), correlation_id="")
            for method, request in (
                (
                    stranger.MatchIdentity,
                    pb.MatchIdentityRequest(request_id=new_id(), msisdn=msisdn, full_name="Lê An"),
                ),
                (stranger.CheckSimSwap, pb.CheckSimSwapRequest(msisdn=msisdn, max_age_hours=24)),
                (stranger.GetSimSwap, pb.GetSimSwapRequest(msisdn=msisdn)),
                (
                    stranger.CheckDeviceSwap,
                    pb.CheckDeviceSwapRequest(msisdn=msisdn, max_age_hours=24),
                ),
                (stranger.GetDeviceSwap, pb.GetDeviceSwapRequest(msisdn=msisdn)),
                (
                    stranger.CheckNumberRecycling,
                    pb.CheckNumberRecyclingRequest(msisdn=msisdn, specified_date=day),
                ),
                (stranger.CheckTenure, pb.CheckTenureRequest(msisdn=msisdn, tenure_date=day)),
            )
        }
        (refusal,) = refusals
        assert (refusal.status, refusal.reason) == ("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND")


def test_nothing_given_and_days_that_do_not_exist_are_refused(scene: Scene) -> None:
    subscriber = scene.registered()
    kyc = scene.operator(subscriber.operator).kyc
    assert refused(kyc.MatchIdentity, ask(subscriber)).status == "INVALID_ARGUMENT"
    no_day = Date(year=2020, month=2, day=30)
    tenure = pb.CheckTenureRequest(msisdn=subscriber.msisdn, tenure_date=no_day)
    assert ("tenure_date", "DATE_IMPOSSIBLE") in refused(kyc.CheckTenure, tenure).violations
    ages = (0, 2_401)
    for hours in ages:
        request = pb.CheckSimSwapRequest(msisdn=subscriber.msisdn, max_age_hours=hours)
        assert refused(kyc.CheckSimSwap, request).status == "INVALID_ARGUMENT"


def test_false_answers_about_a_number_end_with_a_time_to_ask_again(scene: Scene) -> None:
    subscriber = scene.registered()
    kyc = scene.operator(subscriber.operator).kyc
    for number in range(5):
        answer = kyc.MatchIdentity(ask(subscriber, full_name=f"Trần Quốc Bảo {'ABCDE'[number]}"))
        assert answer.full_name.match == pb.ATTRIBUTE_MATCH_FALSE
    right = ask(subscriber, full_name=subscriber.citizen.full_name)
    refusal = refused(kyc.MatchIdentity, right)
    assert (refusal.status, refusal.reason) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert refusal.retry_after_s is not None
    assert 0 < refusal.retry_after_s <= 24 * 3_600


def test_too_many_questions_about_one_number_are_refused(scene: Scene) -> None:
    subscriber = scene.registered()
    kyc = scene.operator(subscriber.operator).kyc
    request = pb.GetSimSwapRequest(msisdn=subscriber.msisdn)
    for _ in range(60):
        kyc.GetSimSwap(request)
    refusal = refused(kyc.GetSimSwap, request)
    assert refusal.reason == "RATE_LIMITED"
    assert refusal.retry_after_s is not None
    other = scene.registered(subscriber.operator)
    kyc.GetSimSwap(pb.GetSimSwapRequest(msisdn=other.msisdn))


def report(
    scene: Scene, subscriber: Subscriber, kind: subscription_pb.SubscriptionEventKind
) -> Timestamp:
    """Have the operator tell of a change; returns when it was."""
    at = scene.advance().as_of_time
    event = subscription_pb.SubscriptionEvent(msisdn=subscriber.msisdn, kind=kind, occur_time=at)
    answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    assert [each.reason for each in answer.results] == [""]
    return at


def test_a_reported_swap_is_told_and_before_it_nobody_can_say(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    kyc = scene.operator(subscriber.operator).kyc
    recent = pb.CheckSimSwapRequest(msisdn=subscriber.msisdn, max_age_hours=1)
    when = pb.GetSimSwapRequest(msisdn=subscriber.msisdn)
    assert not kyc.CheckSimSwap(recent).HasField("is_swapped")
    assert not kyc.GetSimSwap(when).HasField("latest_change_time")
    at = report(scene, subscriber, subscription_pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP)
    assert kyc.CheckSimSwap(recent).is_swapped
    assert kyc.GetSimSwap(when).latest_change_time == at


def test_a_reported_device_is_told_and_before_it_nobody_can_say(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    kyc = scene.operator(subscriber.operator).kyc
    recent = pb.CheckDeviceSwapRequest(msisdn=subscriber.msisdn, max_age_hours=1)
    when = pb.GetDeviceSwapRequest(msisdn=subscriber.msisdn)
    assert not kyc.CheckDeviceSwap(recent).HasField("is_swapped")
    assert not kyc.GetDeviceSwap(when).HasField("latest_change_time")
    at = report(scene, subscriber, subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE)
    assert kyc.CheckDeviceSwap(recent).is_swapped
    assert kyc.GetDeviceSwap(when).latest_change_time == at


def test_tenure_and_recycling_are_told_of_the_time_that_is_known(scene: Scene) -> None:
    subscriber = scene.registered()
    kyc = scene.operator(subscriber.operator).kyc
    long_ago = Date(year=2001, month=1, day=1)
    tenure = pb.CheckTenureRequest(msisdn=subscriber.msisdn, tenure_date=long_ago)
    recycling = pb.CheckNumberRecyclingRequest(msisdn=subscriber.msisdn, specified_date=long_ago)
    assert not kyc.CheckTenure(tenure).HasField("is_since_tenure_date")
    assert not kyc.CheckNumberRecycling(recycling).HasField("is_recycled")
    later = Date(year=2190, month=1, day=1)
    tenure.tenure_date.CopyFrom(later)
    recycling.specified_date.CopyFrom(later)
    assert kyc.CheckTenure(tenure).is_since_tenure_date
    answer = kyc.CheckNumberRecycling(recycling)
    assert answer.HasField("is_recycled")
    assert not answer.is_recycled
