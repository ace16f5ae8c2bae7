"""Disputes over the wire: two people, an operator, the regulator, and what strangers see."""

import pytest

from identity.domain.caller import Role
from subid.v1 import dispute_service_pb2 as pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import Refused, Stubs, new_id, refused

NEVER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def subscriber(scene: Scene) -> Subscriber:
    """Somebody with a number in service that was never verified."""
    return scene.imported(scene.people.operator_name())


def opening(subscriber: Subscriber, claimant: str) -> pb.OpenDisputeRequest:
    return pb.OpenDisputeRequest(
        request_id=new_id(), msisdn=subscriber.msisdn, claimant_personal_id=claimant
    )


def piece(place: str = "Hoan Kiem shop, file 2026/118") -> pb.Evidence:
    return pb.Evidence(
        kind=pb.EVIDENCE_KIND_RECENT_CALLS,
        document_digest=bytes(range(32)),
        place=place,
        is_for_claimant=True,
    )


def adding(dispute_id: str, personal_id: str = "", place: str = "a shop") -> pb.AddEvidenceRequest:
    return pb.AddEvidenceRequest(
        request_id=new_id(),
        dispute_id=dispute_id,
        personal_id=personal_id,
        evidence=[piece(place)],
    )


def deciding(dispute_id: str, decision: "pb.DisputeDecision") -> pb.DecideDisputeRequest:
    return pb.DecideDisputeRequest(request_id=new_id(), dispute_id=dispute_id, decision=decision)


def appealing(dispute_id: str, personal_id: str) -> pb.AppealDisputeRequest:
    return pb.AppealDisputeRequest(
        request_id=new_id(), dispute_id=dispute_id, personal_id=personal_id
    )


def got(stubs: Stubs, dispute_id: str, personal_id: str = "") -> pb.Dispute:
    request = pb.GetDisputeRequest(dispute_id=dispute_id, personal_id=personal_id)
    return stubs.disputes.GetDispute(request).dispute  # type: ignore[no-any-return] # an untyped stub


def regulator(scene: Scene, name: str) -> Stubs:
    return scene.act_as(Role.REGULATOR, name)


def test_a_dispute_goes_its_way_from_opening_to_the_claimants_number(
    scene: Scene, subscriber: Subscriber
) -> None:
    holder, claimant = subscriber.citizen.personal_id, scene.citizen().personal_id
    operator = scene.operator(subscriber.operator)
    request = opening(subscriber, claimant)
    dispute = scene.app.disputes.OpenDispute(request).dispute
    assert scene.app.disputes.OpenDispute(request).dispute == dispute
    assert (dispute.state, dispute.msisdn) == (pb.DISPUTE_STATE_OPEN, subscriber.msisdn)
    held = scene.explain(subscriber)
    assert held.dispute_id == dispute.dispute_id
    assert held.cases[0].HasField("freeze_time")

    for stubs, person in ((scene.app, holder), (scene.app, claimant), (operator, "")):
        stubs.disputes.AddEvidence(adding(dispute.dispute_id, person))
    seen = got(scene.app, dispute.dispute_id, holder)
    assert [each.adder for each in seen.evidence] == [
        "holder",
        "claimant",
        f"operator:{subscriber.operator}",
    ]
    assert seen.evidence[0].evidence == piece("a shop")

    decide = deciding(dispute.dispute_id, pb.DISPUTE_DECISION_CLAIMANT)
    regulator(scene, "one").disputes.DecideDispute(decide)
    proposed = got(regulator(scene, "two"), dispute.dispute_id)
    assert [each.caller for each in proposed.proposals] == ["regulator:one"]
    assert not got(operator, dispute.dispute_id).proposals
    assert not proposed.deciders
    regulator(scene, "two").disputes.DecideDispute(
        deciding(dispute.dispute_id, pb.DISPUTE_DECISION_CLAIMANT)
    )
    late = refused(scene.app.disputes.AddEvidence, adding(dispute.dispute_id, holder))
    assert (late.status, late.reason) == ("FAILED_PRECONDITION", "DISPUTE_NOT_READY")

    scene.app.disputes.AppealDispute(appealing(dispute.dispute_id, holder))
    for name in ("three", "four"):
        last = regulator(scene, name).disputes.DecideDispute(
            deciding(dispute.dispute_id, pb.DISPUTE_DECISION_CLAIMANT)
        )
    assert last.dispute.state == pb.DISPUTE_STATE_CLOSED
    assert last.dispute.HasField("close_time")
    assert list(last.dispute.deciders) == [
        f"regulator:{name}" for name in ("one", "two", "three", "four")
    ]
    after = scene.explain(subscriber)
    assert after.dispute_id == ""
    assert [line.cause for line in after.link_history] == [
        enforcement_pb.LINK_CHANGE_CAUSE_DISPUTE_DECIDED
    ]
    own = enforcement_pb.ExplainSubscriptionRequest(msisdn=subscriber.msisdn, personal_id=claimant)
    assert scene.app.enforcement.ExplainSubscription(own).cases
    own.personal_id = holder
    assert refused(scene.app.enforcement.ExplainSubscription, own).status == "NOT_FOUND"


def test_to_a_citizen_without_the_right_there_is_no_dispute(
    scene: Scene, subscriber: Subscriber
) -> None:
    request = opening(subscriber, scene.citizen().personal_id)
    known = scene.app.disputes.OpenDispute(request).dispute.dispute_id
    stranger = scene.citizen().personal_id
    for method, make in (
        (scene.app.disputes.GetDispute, _getting),
        (scene.app.disputes.AddEvidence, adding),
        (scene.app.disputes.AppealDispute, appealing),
    ):
        refusals = [_plain(refused(method, make(which, stranger))) for which in (known, NEVER)]
        assert refusals[0] == refusals[1]
        assert refusals[0].reason == "DISPUTE_NOT_FOUND"
    nobody = _plain(refused(scene.app.disputes.GetDispute, _getting(known, "")))
    assert nobody == _plain(refused(scene.app.disputes.GetDispute, _getting(NEVER, "")))
    other = scene.operator(scene.people.operator_name())
    assert refused(other.disputes.GetDispute, _getting(known, "")).status == "NOT_FOUND"


def test_a_stranger_who_claims_a_disputed_number_learns_nothing_of_the_dispute(
    scene: Scene, subscriber: Subscriber
) -> None:
    scene.app.disputes.OpenDispute(opening(subscriber, scene.citizen().personal_id))
    stranger = scene.citizen().personal_id
    disputed = refused(scene.app.disputes.OpenDispute, opening(subscriber, stranger))
    free = opening(subscriber, stranger)
    free.msisdn = scene.people.msisdn()
    assert _plain(disputed) == _plain(refused(scene.app.disputes.OpenDispute, free))
    operator = scene.operator(subscriber.operator)
    told = refused(operator.disputes.OpenDispute, opening(subscriber, stranger))
    assert (told.status, told.reason) == ("ALREADY_EXISTS", "DISPUTE_EXISTS")


def test_an_operator_that_tries_out_people_in_disputes_is_stopped(
    scene: Scene, subscriber: Subscriber
) -> None:
    disputes = scene.operator(subscriber.operator).disputes
    told = ["DISPUTE_INVALID"]
    # Twice the 200 from which a day is judged: midnight may lie between two of them.
    while told[-1] == "DISPUTE_INVALID" and len(told) <= 400:
        nobody = scene.people.citizen().personal_id
        told.append(refused(disputes.OpenDispute, opening(subscriber, nobody)).reason)
    assert told[-1] == "LOOKUPS_STOPPED"
    assert len(told) > 200
    assert scene.app.disputes.OpenDispute(opening(subscriber, scene.citizen().personal_id))


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("", "STRING_MIN_LEN"),
        ("x" * 201, "STRING_MAX_LEN"),
        ("a\nb", "STRING_PATTERN"),
        ("file of 001090123456", "PLACE_LONG_NUMBER"),
        ("call ٠٩١٢٣٤٥٦٧٨", "PLACE_LONG_NUMBER"),
    ],
)
def test_evidence_names_no_person(scene: Scene, place: str, reason: str) -> None:
    refusal = refused(scene.regulator.disputes.AddEvidence, adding(NEVER, place=place))
    assert refusal.violations == (("evidence[0].place", reason),)


def _getting(dispute_id: str, personal_id: str) -> pb.GetDisputeRequest:
    return pb.GetDisputeRequest(dispute_id=dispute_id, personal_id=personal_id)


def _plain(refusal: Refused) -> Refused:
    """All of a refusal that two of them could have in common."""
    assert refusal.correlation_id
    return Refused(
        status=refusal.status,
        message=refusal.message,
        reason=refusal.reason,
        domain=refusal.domain,
        violations=refusal.violations,
        retry_after_s=refusal.retry_after_s,
    )
