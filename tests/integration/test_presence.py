"""Presence over the wire: real cards, real photographs, a real server, and everybody who cheats."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from identity.bootstrap import open_current_database
from identity.domain.agency import Purpose
from identity.domain.caller import Caller, Role
from identity.domain.presence import ChipLevel, PresenceToken, TokenRefusedError
from identity.security.service_signing import parse_key_set
from identity.services.check_presence import check_presence
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_pb2
from subid.v1 import verification_service_pb2 as pb
from telco_sim.cards import CardAuthority, clone_without_key, swap_holder, swap_portrait
from telco_sim.photographs import PhotographedPerson
from telco_sim.population import Citizen
from tests.integration.conftest import World, open_channel, served
from tests.integration.counters import (
    CARD_COUNTER,
    COUNTER,
    GROUNDS,
    ID_COUNTER,
    counter,
    present,
    presented,
    start,
    start_request,
)
from tests.integration.people import Evidence, complete_request, date_message, probes_of
from tests.integration.scene import CARD_AGE, Scene
from tests.integration.wire import Refused, Stubs, new_id, refused
from tests.unit.identity.services.faces import blank_jpeg

Faces = tuple[PhotographedPerson, ...]
NOT_PRESENT = pb.PRESENCE_STATE_NOT_PRESENT
INCONCLUSIVE = pb.PRESENCE_STATE_INCONCLUSIVE


def checked(
    scene: Scene, answer: pb.CompletePresenceResponse, name: str = COUNTER
) -> PresenceToken:
    """The token, as the agency checks it."""
    said = counter(scene, name).verifications.GetPresenceKeys(pb.GetPresenceKeysRequest())
    at = answer.decide_time.ToDatetime(UTC)
    return check_presence(answer.token, parse_key_set(said.key_set), audience=name, at=at)


def test_a_card_at_a_counter_is_present_and_nothing_else_is_told(
    scene: Scene, faces: Faces
) -> None:
    citizen = scene.citizen()
    session = start(scene)
    assert len({session.chip_nonce, *session.further_chip_nonces}) == 4
    assert set(session.requirements) == {
        pb.REQUIREMENT_CHIP_FILES,
        pb.REQUIREMENT_ACTIVE_AUTHENTICATION,
    }
    request = presented(session, scene.evidence(citizen, faces[0]))
    answer = counter(scene).verifications.CompletePresence(request)
    assert answer.state == pb.PRESENCE_STATE_PRESENT
    assert not answer.reasons
    assert not answer.chip_codes
    said = checked(scene, answer)
    assert (said.verification_id, said.audience) == (session.verification_id, COUNTER)
    assert (said.methods, said.level) == (("chip",), ChipLevel.ACTIVE)
    assert (said.purpose, said.case_id) == (Purpose.IDENTITY_CHECK, GROUNDS.case_id)
    assert said.expires_at - said.issued_at == timedelta(minutes=5)
    assert citizen.personal_id not in str(said)
    told = {field.name for field, _ in answer.ListFields()}
    assert told == {"state", "decide_time", "policy_version", "token"}


def test_card_and_face_are_present_together(scene: Scene, faces: Faces) -> None:
    session = start(scene, with_face=True)
    assert pb.REQUIREMENT_PROBE_PHOTOGRAPHS in session.requirements
    evidence = scene.evidence(scene.citizen(), faces[0])
    answer = present(scene, evidence, with_face=True)
    assert answer.state == pb.PRESENCE_STATE_PRESENT
    assert checked(scene, answer).methods == ("chip", "face")


def test_a_person_has_one_name_at_each_agency(scene: Scene, faces: Faces) -> None:
    citizen = scene.citizen()
    evidence = scene.evidence(citizen, faces[0])
    names = (COUNTER, COUNTER, CARD_COUNTER, ID_COUNTER)
    subjects = [checked(scene, present(scene, evidence, name), name).subject for name in names]
    assert subjects[0] == subjects[1]
    assert len(set(subjects)) == 3
    assert subjects[3] == citizen.personal_id


Forge = Callable[[Scene, Faces, Citizen], Evidence]


def wrong_face(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    return replace(scene.evidence(citizen, faces[0]), probes=probes_of(faces[1]))


def no_face(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    return replace(scene.evidence(citizen, faces[0]), probes=(blank_jpeg(),))


def swapped_portrait(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    card = swap_portrait(scene.card(citizen, faces[0]), portrait=faces[1].portrait())
    return Evidence(card=card, probes=probes_of(faces[1]))


def swapped_holder(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    own = scene.evidence(scene.citizen(), faces[0])
    return replace(own, card=swap_holder(own.card, citizen=citizen))


def unknown_authority(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    issued_on = datetime.now(UTC).date() - CARD_AGE
    forger = CardAuthority(
        established_on=issued_on.replace(year=issued_on.year - 1, day=1),
        active_authentication_keys=1,
    )
    card = forger.issue(citizen, portrait=faces[0].portrait(), issued_on=issued_on)
    return replace(scene.evidence(citizen, faces[0]), card=card)


def cloned_card(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    genuine = scene.evidence(citizen, faces[0])
    return replace(genuine, card=clone_without_key(genuine.card))


def of_nobody(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    del citizen
    return scene.evidence(scene.people.citizen(), faces[0])


def changed(scene: Scene, change: population_pb.PopulationChange) -> None:
    request = population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=[change])
    scene.population.population.ApplyPopulationChanges(request)


def superseded(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    yesterday = date_message(datetime.now(UTC).date() - timedelta(days=1))
    new_card = population_pb.NewCard(personal_id=citizen.personal_id, issued_on=yesterday)
    changed(scene, population_pb.PopulationChange(new_card=new_card))
    return scene.evidence(citizen, faces[0])


def of_the_dead(scene: Scene, faces: Faces, citizen: Citizen) -> Evidence:
    yesterday = date_message(datetime.now(UTC).date() - timedelta(days=1))
    death = population_pb.Death(personal_id=citizen.personal_id, deceased_on=yesterday)
    changed(scene, population_pb.PopulationChange(death=death))
    return scene.evidence(citizen, faces[0])


@pytest.mark.parametrize(
    ("forge", "with_face", "state", "reason"),
    [
        (wrong_face, True, NOT_PRESENT, "FACE_NON_MATCH"),
        (no_face, True, INCONCLUSIVE, "FACE_NOT_ACQUIRED"),
        (swapped_portrait, True, NOT_PRESENT, "CHIP_NOT_AUTHENTIC"),
        (swapped_holder, False, NOT_PRESENT, "CHIP_NOT_AUTHENTIC"),
        (unknown_authority, False, NOT_PRESENT, "CHIP_NOT_AUTHENTIC"),
        (cloned_card, False, NOT_PRESENT, "CHIP_NOT_AUTHENTIC"),
        (of_nobody, False, NOT_PRESENT, "RECORD_NOT_FOUND"),
        (superseded, False, NOT_PRESENT, "CARD_SUPERSEDED"),
        (of_the_dead, False, NOT_PRESENT, "HOLDER_DECEASED"),
    ],
)
def test_a_cheat_is_told_no_and_gets_no_token(
    scene: Scene,
    faces: Faces,
    *,
    forge: Forge,
    with_face: bool,
    state: pb.PresenceState,
    reason: str,
) -> None:
    answer = present(scene, forge(scene, faces, scene.citizen()), with_face=with_face)
    assert (answer.state, list(answer.reasons)) == (state, [reason])
    assert not answer.token
    assert answer.HasField("acquisition_advice") == bool(answer.acquisition_failure)


def test_the_answer_to_the_nonce_of_another_session_is_worth_nothing(
    scene: Scene, faces: Faces
) -> None:
    evidence = scene.evidence(scene.citizen(), faces[0])
    overheard = presented(start(scene), evidence)
    replayed = presented(start(scene), evidence)
    replayed.active_authentication_signature = overheard.active_authentication_signature
    answer = counter(scene).verifications.CompletePresence(replayed)
    assert answer.state == NOT_PRESENT
    assert "AA_DIGEST" in answer.chip_codes


def test_a_session_serves_one_request_and_answers_it_with_the_same_token(
    scene: Scene, faces: Faces
) -> None:
    evidence = scene.evidence(scene.citizen(), faces[0])
    request = presented(start(scene), evidence)
    stub = counter(scene).verifications
    first = stub.CompletePresence(request)
    assert first.token
    scene.advance(seconds=30)
    assert stub.CompletePresence(request).token == first.token
    request.request_id = new_id()
    refusal = refused(stub.CompletePresence, request)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "VERIFICATION_USED")


def test_a_session_ends_by_itself(scene: Scene, faces: Faces) -> None:
    session = start(scene)
    request = presented(session, scene.evidence(scene.citizen(), faces[0]))
    scene.run_until(session.expire_time)
    refusal = refused(counter(scene).verifications.CompletePresence, request)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "VERIFICATION_EXPIRED")


def test_a_session_of_another_agency_or_of_a_number_cannot_be_told_from_none(
    scene: Scene, faces: Faces
) -> None:
    evidence = scene.evidence(scene.citizen(), faces[0])
    of_other = presented(start(scene, CARD_COUNTER), evidence)
    of_number = presented(start(scene), evidence)
    of_number.verification_id = scene.start(scene.registered()).verification_id
    of_none = presented(start(scene), evidence)
    of_none.verification_id = new_id()
    stub = counter(scene).verifications
    refusals = {
        replace(refused(stub.CompletePresence, request), correlation_id="")
        for request in (of_other, of_number, of_none)
    }
    (refusal,) = refusals
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "VERIFICATION_NOT_FOUND")
    assert counter(scene, CARD_COUNTER).verifications.CompletePresence(of_other).token


def test_operators_have_nothing_from_counters_nor_agencies_from_operators(
    scene: Scene, faces: Faces
) -> None:
    session = start(scene)
    evidence = scene.evidence(scene.citizen(), faces[0])
    operator = scene.operator(scene.people.operator_name()).verifications
    agency = counter(scene).verifications
    read = pb.GetVerificationRequest(verification_id=session.verification_id)
    begin = pb.StartVerificationRequest(request_id=new_id(), msisdn=scene.people.msisdn())
    for method, request in (
        (operator.StartPresence, start_request()),
        (operator.CompletePresence, presented(session, evidence)),
        (operator.GetPresenceKeys, pb.GetPresenceKeysRequest()),
        (scene.app.verifications.StartPresence, start_request()),
        (agency.StartVerification, begin),
        (agency.CompleteVerification, complete_request(session, evidence)),
        (agency.GetVerification, read),
    ):
        refusal = refused(method, request)
        assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PERMISSION_REFUSED")
    unseen = refused(operator.GetVerification, read)
    assert unseen.reason == "VERIFICATION_NOT_FOUND"
    unusable = refused(operator.CompleteVerification, complete_request(session, evidence))
    assert unusable.reason == "VERIFICATION_NOT_FOUND"


def test_a_face_takes_its_own_right(scene: Scene, faces: Faces) -> None:
    stub = counter(scene, CARD_COUNTER).verifications
    refusal = refused(stub.StartPresence, start_request(with_face=True))
    assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")
    evidence = scene.evidence(scene.citizen(), faces[0])
    request = presented(start(scene, CARD_COUNTER), evidence, with_face=True)
    refusal = refused(stub.CompletePresence, request)
    assert refusal.violations == (("probe_photographs", "PHOTOGRAPH_NOT_ASKED_FOR"),)
    del request.probe_photographs[:]
    request.request_id = new_id()
    assert stub.CompletePresence(request).token  # the refusal used nothing up


def test_a_session_with_the_face_needs_a_photograph_and_its_refusal_stays_on_record(
    scene: Scene, world: World, faces: Faces
) -> None:
    evidence = scene.evidence(scene.citizen(), faces[0])
    request = presented(start(scene, with_face=True), evidence)
    query = text("SELECT count(*) FROM audit_entry WHERE action = :action AND outcome = :outcome")
    named = {"action": request.DESCRIPTOR.full_name, "outcome": "REQUEST_INVALID"}
    with open_current_database(world.settings) as database, database.engine.connect() as records:
        before = records.execute(query, named).scalar_one()
        refusal = refused(counter(scene).verifications.CompletePresence, request)
        assert refusal.violations == (("probe_photographs", "PHOTOGRAPH_MISSING"),)
        assert records.execute(query, named).scalar_one() == before + 1


def test_an_agency_that_nobody_registered_learns_nothing(scene: Scene) -> None:
    stub = scene.act_as(Role.AGENCY, "nobody-knows").verifications
    refusal: Refused = refused(stub.StartPresence, start_request())
    assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")


def test_a_session_of_one_server_ends_on_another_and_its_token_is_checked_by_a_third(
    scene: Scene, faces: Faces, world: World
) -> None:
    evidence = scene.evidence(scene.citizen(), faces[0])
    request = presented(start(scene), evidence)
    with served(world.settings) as address:
        channel = open_channel(address, world.settings.state, Caller(Role.AGENCY, COUNTER))
        with channel:
            other = Stubs(channel).verifications
            answer = other.CompletePresence(request)
            there = other.GetPresenceKeys(pb.GetPresenceKeysRequest()).key_set
    here = counter(scene).verifications.GetPresenceKeys(pb.GetPresenceKeysRequest()).key_set
    assert answer.state == pb.PRESENCE_STATE_PRESENT
    assert there == here
    assert checked(scene, answer).audience == COUNTER
    assert counter(scene).verifications.CompletePresence(request).token == answer.token


def test_a_token_is_of_no_use_to_another_agency_or_later(scene: Scene, faces: Faces) -> None:
    answer = present(scene, scene.evidence(scene.citizen(), faces[0]))
    with pytest.raises(TokenRefusedError, match="AUDIENCE_MISMATCH"):
        checked(scene, answer, CARD_COUNTER)
    answer.decide_time.FromDatetime(answer.decide_time.ToDatetime() + timedelta(minutes=6))
    with pytest.raises(TokenRefusedError, match="EXPIRED"):
        checked(scene, answer)


def test_presence_touches_no_number(scene: Scene, faces: Faces) -> None:
    subscriber = scene.registered()
    evidence = scene.evidence(subscriber.citizen, faces[0])
    assert present(scene, evidence, with_face=True).token
    after = scene.subscription(subscriber)
    assert after.service_state == subscription_pb2.SERVICE_STATE_INACTIVE
    assert not after.HasField("verify_time")
