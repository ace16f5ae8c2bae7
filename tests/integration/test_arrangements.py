"""Arrangements over the wire: a guardian, a child, an employee, and what strangers see."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from google.protobuf.message import Message

from subid.v1 import arrangement_service_pb2 as pb
from subid.v1 import citizen_service_pb2 as citizen_pb
from tests.integration.arrangement_writes import (
    ORGANISATION,
    Family,
    attesting,
    family,
    guarded,
    line,
    proposed,
    proposing,
)
from tests.integration.scene import Scene
from tests.integration.wire import new_id, refused

NEVER = "00000000-0000-4000-8000-000000000000"
UNKNOWN = "001990000001"


def accepting(personal_id: str, arrangement_id: str) -> pb.AcceptArrangementRequest:
    return pb.AcceptArrangementRequest(
        request_id=new_id(), personal_id=personal_id, arrangement_id=arrangement_id
    )


def ending(arrangement_id: str, personal_id: str = "") -> pb.EndArrangementRequest:
    return pb.EndArrangementRequest(
        request_id=new_id(), arrangement_id=arrangement_id, personal_id=personal_id
    )


def listed(scene: Scene, personal_id: str) -> list[pb.Arrangement]:
    request = pb.ListArrangementsRequest(personal_id=personal_id)
    return list(scene.app.arrangements.ListArrangements(request).arrangements)


def bare(arrangement: pb.Arrangement) -> pb.Arrangement:
    """Without what names it, whom, and when."""
    copy = pb.Arrangement()
    copy.CopyFrom(arrangement)
    for name in ("arrangement_id", "personal_id", "propose_time", "lapse_time"):
        copy.ClearField(name)
    return copy


def test_a_guardianship_goes_its_way_from_the_proposal_to_its_end(scene: Scene) -> None:
    home = family(scene, child_years=15)
    arrangement_id = proposed(scene, home)
    operator = scene.operator(scene.people.operator_name())
    attested = operator.arrangements.AttestGuardianship(attesting(home, arrangement_id))
    assert attested.arrangement.state == pb.ARRANGEMENT_STATE_PROPOSED
    assert attested.arrangement.is_attested
    accepted = scene.app.arrangements.AcceptArrangement(
        accepting(home.child.personal_id, arrangement_id)
    ).arrangement
    assert (accepted.kind, accepted.state) == (
        pb.ARRANGEMENT_KIND_GUARDIANSHIP,
        pb.ARRANGEMENT_STATE_AGREED,
    )
    assert accepted.HasField("agree_time")
    for person in (home.guardian, home.child):
        assert listed(scene, person.personal_id) == [accepted]
    assert accepted.guardian_personal_id == home.guardian.personal_id
    assert accepted.personal_id == home.child.personal_id
    ended = scene.app.arrangements.EndArrangement(
        ending(arrangement_id, home.child.personal_id)
    ).arrangement
    assert ended.end_cause == pb.ARRANGEMENT_END_CAUSE_CITIZEN
    assert ended.HasField("close_time")


def test_a_company_line_goes_its_way_and_its_user_sees_that_it_is_used_and_not_owned(
    scene: Scene,
) -> None:
    subscriber, arrangement_id = line(scene)
    employee, operator = subscriber.citizen.personal_id, scene.operator(subscriber.operator)
    request = citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=employee)
    (before,) = scene.app.citizens.ListSubscriptions(request).subscriptions
    assert not before.is_company_line
    (seen,) = listed(scene, employee)
    assert (seen.organisation_code, seen.msisdn) == (ORGANISATION, subscriber.msisdn)
    scene.app.arrangements.AcceptArrangement(accepting(employee, arrangement_id))
    (after,) = scene.app.citizens.ListSubscriptions(request).subscriptions
    assert after.is_company_line
    got = operator.arrangements.GetArrangement(
        pb.GetArrangementRequest(arrangement_id=arrangement_id)
    ).arrangement
    assert (got.state, got.operator_id) == (pb.ARRANGEMENT_STATE_AGREED, subscriber.operator)
    ended = operator.arrangements.EndArrangement(ending(arrangement_id)).arrangement
    assert ended.end_cause == pb.ARRANGEMENT_END_CAUSE_PROPOSER
    (freed,) = scene.app.citizens.ListSubscriptions(request).subscriptions
    assert not freed.is_company_line


def test_nobody_learns_by_proposing_who_exists(scene: Scene) -> None:
    guardian = scene.citizen()
    named = (family(scene).child.personal_id, scene.citizen().personal_id, UNKNOWN)
    answers = []
    for child in named:
        request = pb.ProposeGuardianshipRequest(
            request_id=new_id(),
            guardian_personal_id=guardian.personal_id,
            child_personal_id=child,
        )
        answers.append(scene.app.arrangements.ProposeGuardianship(request).arrangement)
    assert bare(answers[0]) == bare(answers[1]) == bare(answers[2])
    assert [each.personal_id for each in answers] == list(named)
    assert {bare(each).SerializeToString() for each in listed(scene, guardian.personal_id)} == {
        bare(answers[0]).SerializeToString()
    }


def test_a_refusal_is_a_silence_to_whoever_proposed_it(scene: Scene) -> None:
    subscriber, arrangement_id = line(scene)
    operator = scene.operator(subscriber.operator).arrangements
    get = pb.GetArrangementRequest(arrangement_id=arrangement_id)
    before = operator.GetArrangement(get)
    refuse = pb.RefuseArrangementRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        arrangement_id=arrangement_id,
    )
    told = scene.app.arrangements.RefuseArrangement(refuse).arrangement
    assert told.state == pb.ARRANGEMENT_STATE_REFUSED
    assert operator.GetArrangement(get) == before
    seen = scene.regulator.arrangements.GetArrangement(get).arrangement
    assert seen.state == pb.ARRANGEMENT_STATE_REFUSED


def test_to_whoever_is_no_side_of_it_there_is_no_arrangement(scene: Scene) -> None:
    home, arrangement_id = guarded(scene)
    stranger = scene.citizen().personal_id
    operator = scene.operator(scene.people.operator_name()).arrangements
    wrong = Family(guardian=home.guardian, child=scene.citizen())
    app = scene.app.arrangements
    tries: list[tuple[Callable[..., object], Callable[[str], Message]]] = [
        (app.AcceptArrangement, lambda it: accepting(stranger, it)),
        (app.EndArrangement, lambda it: ending(it, stranger)),
        (operator.EndArrangement, ending),
        (operator.AttestGuardianship, lambda it: attesting(wrong, it)),
        (operator.GetArrangement, lambda it: pb.GetArrangementRequest(arrangement_id=it)),
    ]
    for call, request_of in tries:
        told = [refused(call, request_of(it)) for it in (arrangement_id, NEVER)]
        assert {(each.status, each.reason, each.message) for each in told} == {
            ("NOT_FOUND", "ARRANGEMENT_NOT_FOUND", "there is no such arrangement of yours")
        }


def test_a_guardian_does_for_the_child_what_the_child_may(scene: Scene) -> None:
    home, arrangement_id = guarded(scene)
    subscriber = scene.imported(scene.people.operator_name(), home.child)
    child, guardian = home.child.personal_id, home.guardian.personal_id
    reading = citizen_pb.CitizenServiceListSubscriptionsRequest(
        personal_id=child, acting_personal_id=guardian
    )
    (seen,) = scene.app.citizens.ListSubscriptions(reading).subscriptions
    assert seen.msisdn == subscriber.msisdn
    locking = citizen_pb.SetLockRequest(
        request_id=new_id(), personal_id=child, acting_personal_id=guardian, is_locked=True
    )
    assert scene.app.citizens.SetLock(locking).is_locked
    scene.app.arrangements.EndArrangement(ending(arrangement_id, guardian))
    locking.request_id = new_id()
    for call, request in (
        (scene.app.citizens.ListSubscriptions, reading),
        (scene.app.citizens.SetLock, locking),
    ):
        told = refused(call, request)
        assert (told.status, told.reason) == ("PERMISSION_DENIED", "ACTING_REFUSED")


_Made = tuple[Callable[..., object], Callable[..., Message], Mapping[str, Any]]


def calls_for(
    scene: Scene, subject: str, actor: str
) -> list[tuple[Callable[..., object], Message]]:
    """Every call of a citizen's, made for somebody by somebody else."""
    citizens = scene.app.citizens
    number = {"msisdn": scene.people.msisdn()}
    reads: Sequence[_Made] = (
        (citizens.ListSubscriptions, citizen_pb.CitizenServiceListSubscriptionsRequest, {}),
        (citizens.GetPrimaryNumber, citizen_pb.GetPrimaryNumberRequest, {}),
        (citizens.ListChoices, citizen_pb.ListChoicesRequest, {}),
    )
    writes: Sequence[_Made] = (
        (citizens.SetPrimaryNumber, citizen_pb.SetPrimaryNumberRequest, number),
        (citizens.VetoPrimaryChange, citizen_pb.VetoPrimaryChangeRequest, {"change_id": NEVER}),
        (citizens.ConfirmPrimaryNumber, citizen_pb.ConfirmPrimaryNumberRequest, {}),
        (citizens.SetFallbackNumbers, citizen_pb.SetFallbackNumbersRequest, {}),
        (citizens.SetLock, citizen_pb.SetLockRequest, {"is_locked": True}),
        (citizens.DisownSubscription, citizen_pb.DisownSubscriptionRequest, number),
    )
    sides = {"personal_id": subject, "acting_personal_id": actor}
    return [(call, kind(**sides, **given)) for call, kind, given in reads] + [
        (call, kind(request_id=new_id(), **sides, **given)) for call, kind, given in writes
    ]


@pytest.mark.parametrize("who", ["child", "adult", "nobody"])
def test_acting_for_anybody_else_is_refused_alike(scene: Scene, who: str) -> None:
    home = family(scene)
    scene.app.arrangements.ProposeGuardianship(proposing(home))
    subjects = {
        "child": home.child.personal_id,
        "adult": scene.citizen().personal_id,
        "nobody": UNKNOWN,
    }
    for call, request in calls_for(scene, subjects[who], home.guardian.personal_id):
        told = refused(call, request)
        assert (told.status, told.reason, told.message) == (
            "PERMISSION_DENIED",
            "ACTING_REFUSED",
            "you cannot do this for that person",
        )
