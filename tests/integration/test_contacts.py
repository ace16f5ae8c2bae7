"""Primary numbers and the agencies that ask for them."""

from dataclasses import replace

import pytest

from identity.rpc.load import LimitSettings
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import contact_service_pb2 as pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_pb2, verification_service_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.agency_pb2 import PURPOSE_PUBLIC_SAFETY
from subid.v1.agency_service_pb2 import RIGHT_MASKED_NUMBER
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import claim_of, record_of
from tests.integration.scene import Scene, grounds
from tests.integration.wire import Refused, new_id, refused

Faces = tuple[PhotographedPerson, ...]
SUBJECT_TOKEN_DIGITS = 32


def set_request(personal_id: str, msisdn: str) -> citizen_pb.SetPrimaryNumberRequest:
    return citizen_pb.SetPrimaryNumberRequest(
        request_id=new_id(), personal_id=personal_id, msisdn=msisdn
    )


def is_none_to_give(answer: pb.GetContactResponse) -> bool:
    """Whether an answer says that there is no number, and nothing but a name of 32 digits."""
    expected = pb.Contact(
        status=pb.CONTACT_STATUS_NOT_AVAILABLE, subject_token=answer.contact.subject_token
    )
    return answer.contact == expected and len(expected.subject_token) == SUBJECT_TOKEN_DIGITS


def primary_of(scene: Scene, personal_id: str) -> citizen_pb.GetPrimaryNumberResponse:
    request = citizen_pb.GetPrimaryNumberRequest(personal_id=personal_id)
    return scene.app.citizens.GetPrimaryNumber(request)  # type: ignore[no-any-return] # untyped


def test_a_verified_number_becomes_the_contact(scene: Scene, faces: Faces) -> None:
    subscriber = scene.verified(faces[0])
    personal_id = subscriber.citizen.personal_id
    assert not primary_of(scene, personal_id).HasField("primary_number")
    marked = scene.set_primary(subscriber).primary_number
    assert marked.msisdn == subscriber.msisdn
    assert primary_of(scene, personal_id).primary_number == marked
    contact = scene.contact(personal_id).contact
    assert contact.status == pb.CONTACT_STATUS_AVAILABLE
    assert contact.msisdn == subscriber.msisdn
    assert contact.set_time == marked.set_time
    assert contact.verify_time == scene.subscription(subscriber).verify_time
    assert scene.subscription(subscriber).is_primary


def test_there_is_one_primary_number_at_a_time(scene: Scene, faces: Faces) -> None:
    first = scene.verified(faces[0])
    second = scene.verified(faces[0], citizen=first.citizen)
    personal_id = first.citizen.personal_id
    scene.set_primary(first)
    asked = scene.set_primary(second, verification_id=scene.step_up(second, faces[0]))
    assert asked.primary_number.msisdn == first.msisdn
    assert asked.pending_change.msisdn == second.msisdn
    assert primary_of(scene, personal_id).pending_change == asked.pending_change
    assert scene.contact(personal_id).contact.msisdn == first.msisdn
    scene.advance(days=1)
    assert not primary_of(scene, personal_id).HasField("pending_change")
    assert scene.contact(personal_id).contact.msisdn == second.msisdn
    listed = scene.app.citizens.ListSubscriptions(
        citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=personal_id)
    )
    primaries = {item.msisdn: item.is_primary for item in listed.subscriptions}
    assert primaries == {first.msisdn: False, second.msisdn: True}


def test_a_number_that_may_not_be_primary_is_refused_for_no_told_reason(
    scene: Scene, faces: Faces
) -> None:
    unverified = scene.registered()
    in_service = scene.imported(scene.people.operator_name())
    anothers = scene.verified(faces[0])
    personal_id = unverified.citizen.personal_id
    stub = scene.app.citizens
    refusals = {
        replace(refused(stub.SetPrimaryNumber, set_request(who, msisdn)), correlation_id="")
        for who, msisdn in (
            (personal_id, unverified.msisdn),
            (in_service.citizen.personal_id, in_service.msisdn),
            (personal_id, anothers.msisdn),
            (personal_id, scene.people.msisdn()),
            (scene.people.citizen().personal_id, anothers.msisdn),
        )
    }
    assert len(refusals) == 1
    (refusal,) = refusals
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "PRIMARY_NOT_ELIGIBLE")
    assert not primary_of(scene, personal_id).HasField("primary_number")


def test_unknown_and_none_are_the_same_bytes(scene: Scene, faces: Faces) -> None:
    with_number = scene.verified(faces[0])
    nobody = scene.people.citizen()
    for personal_id in (with_number.citizen.personal_id, nobody.personal_id):
        assert is_none_to_give(scene.contact(personal_id))
        assert primary_of(scene, personal_id).SerializeToString() == b""
    listed = [
        scene.app.citizens.ListSubscriptions(
            citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=personal_id)
        ).SerializeToString()
        for personal_id in (nobody.personal_id, scene.citizen().personal_id)
    ]
    assert listed == [b"", b""]


def test_a_batch_answers_in_the_order_of_the_question(scene: Scene, faces: Faces) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    ids = [scene.people.citizen().personal_id for _ in range(20)]
    ids.insert(7, subscriber.citizen.personal_id)
    answer = scene.agency.contacts.BatchGetContacts(
        pb.BatchGetContactsRequest(personal_ids=ids, grounds=grounds(PURPOSE_PUBLIC_SAFETY))
    )
    assert [contact.msisdn for contact in answer.contacts] == [
        subscriber.msisdn if index == 7 else "" for index in range(21)
    ]


def test_a_primary_number_is_cleared_when_it_stops_being_the_citizens(
    scene: Scene, faces: Faces
) -> None:
    kinds = subscription_pb.SubscriptionEventKind
    for event in (
        {"kind": kinds.SUBSCRIPTION_EVENT_KIND_RELEASE},
        {"kind": kinds.SUBSCRIPTION_EVENT_KIND_PORT_OUT},
        {
            "kind": kinds.SUBSCRIPTION_EVENT_KIND_TRANSFER,
            "holder": claim_of(scene.citizen()),
        },
    ):
        subscriber = scene.verified(faces[0])
        scene.set_primary(subscriber)
        reported = subscription_pb.SubscriptionEvent(
            msisdn=subscriber.msisdn, occur_time=scene.advance().as_of_time, **event
        )
        answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
            subscription_pb.ReportEventsRequest(request_id=new_id(), events=[reported])
        )
        assert [each.reason for each in answer.results] == [""]
        personal_id = subscriber.citizen.personal_id
        assert is_none_to_give(scene.contact(personal_id))
        assert not primary_of(scene, personal_id).HasField("primary_number")


def test_a_primary_number_is_cleared_when_its_link_breaks(scene: Scene, faces: Faces) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    renamed = record_of(subscriber.citizen)
    renamed.full_name = "Lê Thị Hoàn Toàn Khác"
    correction = population_pb.Correction(record=renamed)
    scene.population.population.ApplyPopulationChanges(
        population_pb.ApplyPopulationChangesRequest(
            request_id=new_id(), changes=[population_pb.PopulationChange(correction=correction)]
        )
    )
    link = scene.subscription(subscriber).link
    assert link.state == subscription_pb2.LINK_STATE_MISMATCHED
    personal_id = subscriber.citizen.personal_id
    assert is_none_to_give(scene.contact(personal_id))


def test_a_blocked_primary_number_can_still_be_reached(scene: Scene, faces: Faces) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE,
        occur_time=scene.advance().as_of_time,
    )
    scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    blocked = scene.subscription(subscriber).service_state
    assert blocked == subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
    assert scene.contact(subscriber.citizen.personal_id).contact.msisdn == subscriber.msisdn


def test_two_numbers_marked_at_once_leave_one(scene: Scene, faces: Faces) -> None:
    first = scene.verified(faces[0])
    second = scene.verified(faces[0], citizen=first.citizen)
    personal_id = first.citizen.personal_id
    calls = [
        scene.app.citizens.SetPrimaryNumber.future(
            set_request(personal_id, each.msisdn), timeout=60
        )
        for each in (first, second) * 4
    ]
    ends = [
        "" if call.code().name == "OK" else Refused.of(call.exception()).reason for call in calls
    ]
    # The first is marked and then confirmed; the other one would be a change.
    assert sorted(ends) == [""] * 4 + ["STEP_UP_REQUIRED"] * 4
    marked = primary_of(scene, personal_id).primary_number.msisdn
    assert marked in {first.msisdn, second.msisdn}
    assert scene.contact(personal_id).contact.msisdn == marked


def test_one_bad_look_up_among_many_at_once_fails_alone(scene: Scene) -> None:
    # No more than are let in however slow the machine was before.
    citizens = [scene.people.citizen() for _ in range(LimitSettings().least - 1)]
    agencies = [scene.register_agency(f"agency-{index}", RIGHT_MASKED_NUMBER) for index in range(3)]
    requests = [
        pb.GetContactRequest(
            personal_id=each.personal_id,
            grounds=grounds(legal_basis="\x00\x00\x00") if index % 3 == 0 else grounds(),
        )
        for index, each in enumerate(citizens)
    ]
    calls = [
        agencies[index % 3].contacts.GetContact.future(request, timeout=60)
        for index, request in enumerate(requests)
    ]
    for index, call in enumerate(calls):
        if index % 3 == 0:
            assert Refused.of(call.exception()).fields == ("grounds.legal_basis",)
        else:
            assert is_none_to_give(call.result())


@pytest.mark.parametrize("times", [1, 2])
def test_a_number_disowned_once_or_twice_has_one_case_that_a_verification_ends(
    scene: Scene, faces: Faces, times: int
) -> None:
    subscriber = scene.verified(faces[0])
    request = citizen_pb.DisownSubscriptionRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdn=subscriber.msisdn,
    )
    instants = set()
    for _ in range(times):
        request.request_id = new_id()
        answer = scene.app.citizens.DisownSubscription(request)
        instants.add(answer.next_step_time.ToDatetime())
    assert len(instants) == 1
    assert scene.subscription(subscriber).has_open_case
    assert len(scene.explain(subscriber).cases) == 1
    cured = scene.verify(subscriber, scene.evidence(subscriber.citizen, faces[0]))
    assert cured.verdict.state == verification_service_pb2.VERDICT_STATE_VERIFIED
    assert not scene.explain(subscriber).cases
