"""Verification over the wire: real cards, real photographs, and everybody who cheats."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_pb2, subscription_service_pb2
from subid.v1 import verification_service_pb2 as pb
from telco_sim.cards import CardAuthority, clone_without_key, swap_holder, swap_portrait
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import (
    Evidence,
    Subscriber,
    claim_of,
    complete_request,
    date_message,
    probes_of,
)
from tests.integration.scene import CARD_AGE, Scene
from tests.integration.wire import new_id, refused
from tests.unit.identity.services.faces import blank_jpeg

Faces = tuple[PhotographedPerson, ...]
Forge = Callable[[Scene, Faces, Subscriber, Evidence], Evidence]


def test_a_genuine_card_and_its_holder_put_a_new_number_in_service(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    before = scene.subscription(subscriber)
    assert before.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    assert before.link.state == subscription_pb2.LINK_STATE_LINKED
    session = scene.start(subscriber)
    assert len(session.chip_nonce) == 8
    assert set(session.requirements) == set(pb.Requirement.values()) - {0}
    request = complete_request(session, scene.evidence(subscriber.citizen, faces[0]))
    stub = scene.operator(subscriber.operator).verifications
    answer = stub.CompleteVerification(request)
    assert answer.verdict.state == pb.VERDICT_STATE_VERIFIED
    assert answer.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    for outcome in (
        answer.verdict.personal_id,
        answer.verdict.full_name,
        answer.verdict.birth_date,
        answer.verdict.face,
    ):
        assert outcome.result == subscription_pb2.FIELD_RESULT_MATCH
        assert outcome.source == subscription_pb2.FIELD_SOURCE_CHIP
        assert not outcome.HasField("score")
    assert not answer.verdict.reasons
    after = scene.subscription(subscriber)
    assert after.verify_time == answer.verdict.decide_time
    assert not after.has_open_case
    read = stub.GetVerification(pb.GetVerificationRequest(verification_id=session.verification_id))
    assert read.state == pb.VERIFICATION_STATE_COMPLETED
    assert read.verdict == answer.verdict


def test_each_face_is_told_from_each_other(scene: Scene, faces: Faces) -> None:
    for on_card in faces:
        # Each anew: after five failures of one person the next attempt would wait.
        subscriber = scene.registered()
        card = scene.card(subscriber.citizen, on_card)
        for before_camera in faces:
            evidence = Evidence(card=card, probes=probes_of(before_camera, number=2))
            verdict = scene.verify(subscriber, evidence).verdict
            if on_card is before_camera:
                assert verdict.state == pb.VERDICT_STATE_VERIFIED
            else:
                assert verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
                assert list(verdict.reasons) == ["FACE_NON_MATCH"]
                assert not verdict.face.HasField("score")


def wrong_face(scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence) -> Evidence:
    del scene, subscriber
    return replace(genuine, probes=probes_of(faces[1]))


def swapped_portrait(
    scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence
) -> Evidence:
    del scene, subscriber
    card = swap_portrait(genuine.card, portrait=faces[1].portrait())
    return Evidence(card=card, probes=probes_of(faces[1]))


def swapped_holder(
    scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence
) -> Evidence:
    del genuine
    own = scene.evidence(scene.people.citizen(), faces[1])
    return replace(own, card=swap_holder(own.card, citizen=subscriber.citizen))


def unknown_authority(
    scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence
) -> Evidence:
    del scene
    issued_on = datetime.now(UTC).date() - CARD_AGE
    forger = CardAuthority(
        established_on=date(issued_on.year - 1, 1, 1), active_authentication_keys=1
    )
    card = forger.issue(subscriber.citizen, portrait=faces[0].portrait(), issued_on=issued_on)
    return replace(genuine, card=card)


def cloned_card(scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence) -> Evidence:
    del scene, faces, subscriber
    return replace(genuine, card=clone_without_key(genuine.card))


def anothers_card(
    scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence
) -> Evidence:
    del subscriber, genuine
    return scene.evidence(scene.citizen(), faces[1])


def superseded_card(
    scene: Scene, faces: Faces, subscriber: Subscriber, genuine: Evidence
) -> Evidence:
    del faces
    new_card = population_pb.NewCard(
        personal_id=subscriber.citizen.personal_id,
        issued_on=date_message(datetime.now(UTC).date() - timedelta(days=1)),
    )
    request = population_pb.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[population_pb.PopulationChange(new_card=new_card)]
    )
    scene.population.population.ApplyPopulationChanges(request)
    return genuine


@pytest.mark.parametrize(
    ("forge", "reason", "codes"),
    [
        (wrong_face, "FACE_NON_MATCH", set()),
        (swapped_portrait, "CHIP_NOT_AUTHENTIC", {"DG_HASH_MISMATCH"}),
        (swapped_holder, "CHIP_NOT_AUTHENTIC", {"DG_HASH_MISMATCH"}),
        (unknown_authority, "CHIP_NOT_AUTHENTIC", {"TRUST_ANCHOR_NOT_FOUND"}),
        (cloned_card, "CHIP_NOT_AUTHENTIC", None),
        (anothers_card, "PERSONAL_ID_MISMATCH", set()),
        (superseded_card, "CARD_SUPERSEDED", set()),
    ],
)
def test_a_cheat_is_told_no_and_gains_nothing(
    scene: Scene, faces: Faces, forge: Forge, reason: str, codes: set[str] | None
) -> None:
    subscriber = scene.registered()
    genuine = scene.evidence(subscriber.citizen, faces[0])
    forged = forge(scene, faces, subscriber, genuine)
    answer = scene.verify(subscriber, forged)
    assert answer.verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert reason in answer.verdict.reasons
    if codes is None:
        assert any(code.startswith("AA_") for code in answer.verdict.chip_codes)
    else:
        assert set(answer.verdict.chip_codes) >= codes
    assert answer.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    after = scene.subscription(subscriber)
    assert after.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    assert not after.HasField("verify_time")


def test_a_card_with_a_public_key_must_answer_the_nonce(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    request = complete_request(
        scene.start(subscriber), scene.evidence(subscriber.citizen, faces[0])
    )
    request.active_authentication_signature = b""
    verdict = (
        scene.operator(subscriber.operator).verifications.CompleteVerification(request).verdict
    )
    assert verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "CHIP_NOT_AUTHENTIC" in verdict.reasons


def test_the_answer_to_the_nonce_of_another_session_is_worth_nothing(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    overheard = complete_request(scene.start(subscriber), evidence)
    session = scene.start(subscriber)
    replayed = complete_request(session, evidence)
    replayed.active_authentication_signature = overheard.active_authentication_signature
    stub = scene.operator(subscriber.operator).verifications
    verdict = stub.CompleteVerification(replayed).verdict
    assert verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "AA_DIGEST" in verdict.chip_codes


def test_a_session_serves_one_request_and_answers_it_again(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    stub = scene.operator(subscriber.operator).verifications
    session = scene.start(subscriber)
    request = complete_request(session, replace(evidence, probes=probes_of(faces[1])))
    first = stub.CompleteVerification(request)
    assert first.verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    again = stub.CompleteVerification(request)
    assert again.SerializeToString() == first.SerializeToString()
    right = complete_request(session, evidence)
    refusal = refused(stub.CompleteVerification, right)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "VERIFICATION_USED")
    right.request_id = request.request_id
    refusal = refused(stub.CompleteVerification, right)
    assert (refusal.status, refusal.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")


def test_a_session_ends_by_itself(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    session = scene.start(subscriber)
    stub = scene.operator(subscriber.operator).verifications
    scene.run_until(session.expire_time)
    read = stub.GetVerification(pb.GetVerificationRequest(verification_id=session.verification_id))
    assert read.state == pb.VERIFICATION_STATE_EXPIRED
    assert not read.HasField("verdict")
    request = complete_request(session, scene.evidence(subscriber.citizen, faces[0]))
    refusal = refused(stub.CompleteVerification, request)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "VERIFICATION_EXPIRED")
    assert not scene.subscription(subscriber).HasField("verify_time")


def test_a_photograph_without_a_face_decides_nothing(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    evidence = replace(scene.evidence(subscriber.citizen, faces[0]), probes=(blank_jpeg(),))
    answer = scene.verify(subscriber, evidence)
    assert answer.verdict.state == pb.VERDICT_STATE_FAILURE_TO_ACQUIRE
    assert answer.verdict.acquisition_failure == "NO_FACE"
    assert list(answer.verdict.reasons) == ["FACE_NOT_ACQUIRED"]
    assert answer.service_state == subscription_pb2.SERVICE_STATE_INACTIVE


@pytest.mark.parametrize("probe", [b"\xff\xd8\xff", b"GIF89a", bytes(1000), b"%PDF-1.7"])
def test_bytes_that_are_no_photograph_decide_nothing(
    scene: Scene, faces: Faces, probe: bytes
) -> None:
    subscriber = scene.registered()
    evidence = replace(scene.evidence(subscriber.citizen, faces[0]), probes=(probe,))
    answer = scene.verify(subscriber, evidence)
    assert answer.verdict.state == pb.VERDICT_STATE_FAILURE_TO_ACQUIRE
    assert answer.verdict.acquisition_failure


def test_files_that_no_chip_holds_are_a_verdict_and_not_an_error(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    request = complete_request(
        scene.start(subscriber), scene.evidence(subscriber.citizen, faces[0])
    )
    request.chip_files.sod = b"\x77\x82\xff\xff" + bytes(100)
    request.chip_files.dg1 = b"\x00"
    request.chip_files.dg2 = b"\x75\x00"
    stub = scene.operator(subscriber.operator).verifications
    answer = stub.CompleteVerification(request)
    assert answer.verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "CHIP_NOT_AUTHENTIC" in answer.verdict.reasons


def test_a_session_belongs_to_the_caller_who_opened_it(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    session = scene.start(subscriber)
    stranger = scene.operator(scene.people.operator_name()).verifications
    request = complete_request(session, scene.evidence(subscriber.citizen, faces[0]))
    read = pb.GetVerificationRequest(verification_id=session.verification_id)
    unknown = pb.GetVerificationRequest(verification_id=new_id())
    for refusal in (
        refused(stranger.CompleteVerification, request),
        refused(stranger.GetVerification, read),
        refused(scene.app.verifications.GetVerification, read),
    ):
        assert (refusal.status, refusal.reason) == ("NOT_FOUND", "VERIFICATION_NOT_FOUND")
    seen = refused(stranger.GetVerification, read)
    absent = refused(stranger.GetVerification, unknown)
    assert replace(seen, correlation_id="") == replace(absent, correlation_id="")


def test_the_citizen_app_verifies_its_citizens_own_number_only(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    other = scene.citizen()
    stub = scene.app.verifications
    refusals = [
        refused(
            stub.StartVerification,
            pb.StartVerificationRequest(
                request_id=new_id(), msisdn=msisdn, personal_id=personal_id
            ),
        )
        for msisdn, personal_id in (
            (subscriber.msisdn, other.personal_id),
            (scene.people.msisdn(), subscriber.citizen.personal_id),
        )
    ]
    assert len({replace(each, correlation_id="") for each in refusals}) == 1
    assert refusals[0].reason == "SUBSCRIPTION_NOT_FOUND"
    session = stub.StartVerification(
        pb.StartVerificationRequest(
            request_id=new_id(),
            msisdn=subscriber.msisdn,
            personal_id=subscriber.citizen.personal_id,
        )
    )
    request = complete_request(session, scene.evidence(subscriber.citizen, faces[2]))
    answer = stub.CompleteVerification(request)
    assert answer.verdict.state == pb.VERDICT_STATE_VERIFIED
    assert scene.subscription(subscriber).verify_time == answer.verdict.decide_time


def test_a_number_that_changes_hands_in_between_is_not_verified_for_the_old_holder(
    scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    session = scene.start(subscriber)
    request = complete_request(session, scene.evidence(subscriber.citizen, faces[0]))
    event = subscription_service_pb2.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=subscription_service_pb2.SUBSCRIPTION_EVENT_KIND_TRANSFER,
        holder=claim_of(scene.citizen()),
    )
    event.occur_time.CopyFrom(scene.subscription(subscriber).create_time)
    operator = scene.operator(subscriber.operator)
    reported = operator.subscriptions.ReportEvents(
        subscription_service_pb2.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    assert [result.reason for result in reported.results] == [""]
    verdict = operator.verifications.CompleteVerification(request).verdict
    assert verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "PERSONAL_ID_MISMATCH" in verdict.reasons
    assert not scene.subscription(subscriber).HasField("verify_time")
