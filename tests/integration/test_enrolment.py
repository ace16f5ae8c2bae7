"""What a verification leaves behind of a face, and what somebody in doubt is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path

import pytest

from biometrics.face.acquisition import Template
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import to_json
from biometrics.face.score import ScoreType
from identity.config import DEFAULT_POLICIES, Settings
from identity.domain.caller import Caller, Role
from identity.domain.personal_id import PersonalID
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, connect
from identity.storage.face_references import FaceReference
from subid.v1 import subscription_pb2
from subid.v1 import verification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.conftest import World, open_channel, served
from tests.integration.people import Evidence, Subscriber, complete_request, probes_of
from tests.integration.scene import Scene
from tests.integration.wire import Stubs

Faces = tuple[PhotographedPerson, ...]


def enrolled(world: World, personal_id: str) -> FaceReference | None:
    assert world.settings.database is not None
    vault = Vault(read_key_ring(world.settings.state / "keys.json"))
    engine = connect(world.settings.database)
    try:
        with Database(engine, vault).transaction() as uow:
            return uow.face_references.find(PersonalID(personal_id))
    finally:
        engine.dispose()


def test_a_verified_citizens_reference_is_kept_sealed(
    world: World, scene: Scene, faces: Faces
) -> None:
    subscriber = scene.verified(faces[0])
    kept = enrolled(world, subscriber.citizen.personal_id)
    assert kept is not None
    assert kept.model_digest == DEFAULT.model_digest
    assert Template.from_bytes(kept.template).model_digest == DEFAULT.model_digest
    assert kept.portrait == faces[0].portrait()
    assert kept.card_issued_on is not None


def test_who_was_not_verified_is_not_enrolled(world: World, scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    request = complete_request(scene.start(subscriber), evidence)
    del request.probe_photographs[:]
    request.probe_photographs.extend(probes_of(faces[1]))
    stub = scene.operator(subscriber.operator).verifications
    verdict = stub.CompleteVerification(request).verdict
    assert verdict.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert verdict.portrait_age_years == 0
    assert verdict.HasField("portrait_age_years")
    assert enrolled(world, subscriber.citizen.personal_id) is None


def test_a_poor_photograph_comes_with_advice(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    request = complete_request(
        scene.start(subscriber), scene.evidence(subscriber.citizen, faces[0])
    )
    del request.probe_photographs[:]
    request.probe_photographs.append(b"not a photograph")
    stub = scene.operator(subscriber.operator).verifications
    verdict = stub.CompleteVerification(request).verdict
    assert verdict.state == pb.VERDICT_STATE_FAILURE_TO_ACQUIRE
    assert verdict.acquisition_failure == "UNSUPPORTED_FORMAT"
    assert "JPEG" in verdict.acquisition_advice.english
    assert "JPEG" in verdict.acquisition_advice.vietnamese


@pytest.fixture
def doubting(world: World, tmp_path: Path) -> Iterator[Settings]:
    """A second server on the same registry, to which every face that might match is in doubt."""
    point = tmp_path / "point.json"
    strict = OperatingPoint(
        score_type=ScoreType.DISTANCE,
        decision_threshold=1e-6,
        review_threshold=0.39,
        source="made in a test",
    )
    point.write_bytes(to_json(strict))
    settings = world.settings.model_copy(update={"operating_point": point})
    with served(settings) as address:
        yield settings.model_copy(update={"listen": address})


@pytest.fixture
def patient(world: World) -> Iterator[Settings]:
    """A second server, under a policy that sends portraits of a year and more to a person."""
    replaced, *others = DEFAULT_POLICIES.split(",")
    shipped = resources.files("identity.policies") / f"{replaced}.toml"
    text = shipped.read_text("utf-8").replace(f'version = "{replaced}"', 'version = "patient"')
    text = text.replace("[verification]\n", "[verification]\nportrait_review_after_years = 1\n")
    directory = world.settings.policies_directory
    directory.mkdir(exist_ok=True)
    (directory / "patient.toml").write_text(text, encoding="utf-8")
    settings = world.settings.model_copy(update={"policies": ",".join(["patient", *others])})
    with served(settings) as address:
        yield settings.model_copy(update={"listen": address})


def test_a_policy_may_send_whoever_no_longer_resembles_an_old_portrait_to_a_person(
    world: World, patient: Settings, scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    # The first day that the authority issued cards: last year.
    issued_on = date(datetime.now(UTC).year - 1, 1, 1)
    old = world.cards.issue(subscriber.citizen, portrait=faces[0].portrait(), issued_on=issued_on)
    aged = Evidence(card=old, probes=probes_of(faces[1]))
    at_home = scene.verify(subscriber, aged).verdict
    assert at_home.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert at_home.portrait_age_years >= 1
    answer = verify_before(patient, scene, subscriber, taken_anew(aged, faces[1]))
    assert answer.verdict.state == pb.VERDICT_STATE_REVIEW
    assert list(answer.verdict.reasons) == ["FACE_UNDECIDED", "PORTRAIT_AGED"]
    assert answer.verdict.portrait_age_years >= 1
    assert answer.verdict.policy_version == "patient"
    assert answer.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    young = Evidence(card=scene.card(subscriber.citizen, faces[0]), probes=probes_of(faces[1]))
    assert (
        verify_before(patient, scene, subscriber, young).verdict.state
        == pb.VERDICT_STATE_NOT_VERIFIED
    )


def taken_anew(evidence: Evidence, person: PhotographedPerson) -> Evidence:
    """The same card with other photographs: one that was used is not taken again."""
    return replace(evidence, probes=probes_of(person))


def verify_before(
    server: Settings, scene: Scene, subscriber: Subscriber, evidence: Evidence
) -> pb.CompleteVerificationResponse:
    # Simulated clocks stand still, each where its server began; a nonce that the earlier one gave
    # would be long expired for the later one.
    scene.advance(hours=1)
    request = complete_request(scene.start(subscriber), evidence)
    caller = Caller(Role.OPERATOR, subscriber.operator)
    with open_channel(server.listen, server.state, caller) as channel:
        return Stubs(channel).verifications.CompleteVerification(request)  # type: ignore[no-any-return] # an untyped stub


def test_a_doubtful_face_goes_to_a_person_and_activates_nothing(
    world: World, doubting: Settings, scene: Scene, faces: Faces
) -> None:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    verdict = verify_before(doubting, scene, subscriber, evidence).verdict
    assert verdict.state == pb.VERDICT_STATE_REVIEW
    assert list(verdict.reasons) == ["FACE_UNDECIDED"]
    assert verdict.face.result == subscription_pb2.FIELD_RESULT_UNDECIDED
    assert not verdict.face.HasField("score")
    after = scene.subscription(subscriber)
    assert after.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    assert not after.HasField("verify_time")
    assert enrolled(world, subscriber.citizen.personal_id) is None


def test_who_is_in_doubt_may_try_again_and_is_cured_by_a_match(
    doubting: Settings, scene: Scene, faces: Faces
) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    scene.block_unverified(subscriber.operator)
    blocked = scene.subscription(subscriber)
    assert blocked.service_state == subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
    before = scene.explain(subscriber)
    evidence = scene.evidence(subscriber.citizen, faces[0])
    answer = verify_before(doubting, scene, subscriber, evidence)
    assert answer.verdict.state == pb.VERDICT_STATE_REVIEW
    # Nothing happened to the number: its clock runs on, no order was given.
    assert answer.service_state == subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
    assert scene.subscription(subscriber) == blocked
    assert scene.explain(subscriber) == before
    (case,) = before.cases
    assert "Verify with your chip ID card and your face" in case.way_out.en
    cured = scene.verify(subscriber, taken_anew(evidence, faces[0]))
    assert cured.verdict.state == pb.VERDICT_STATE_VERIFIED
    assert cured.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    assert not scene.explain(subscriber).cases
