"""The ladder over the wire: cases, directives, leases, the clock, and the way out."""

from dataclasses import replace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.caller import Role
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import subscription_pb2, verification_service_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import Subscriber, claim_of
from tests.integration.scene import Scene
from tests.integration.wire import new_id, refused

Faces = tuple[PhotographedPerson, ...]
ACCEPTED = pb.ACKNOWLEDGEMENT_RESULT_ACCEPTED


def report(
    scene: Scene,
    subscriber: Subscriber,
    kind: subscription_pb.SubscriptionEventKind,
    holder: subscription_pb.HolderClaim | None = None,
) -> str:
    """Report one event that happened just now; returns its reason."""
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=kind,
        occur_time=scene.advance().as_of_time,
        holder=holder,
    )
    answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    (result,) = answer.results
    return str(result.reason)


def kinds(pulled: pb.PullDirectivesResponse, msisdn: str) -> list[int]:
    return [each.kind for each in pulled.directives if each.msisdn == msisdn]


def test_an_unverified_number_walks_down_the_ladder_and_a_verification_brings_it_back(
    scene: Scene, faces: Faces
) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    (case,) = scene.explain(subscriber).cases
    assert case.cause == pb.CASE_CAUSE_UNVERIFIED
    assert case.next_step == pb.DIRECTIVE_KIND_NOTIFY
    assert case.citation
    assert case.way_out.vi
    assert case.way_out.en
    scene.advance()
    first = scene.pull(name)
    assert kinds(first, subscriber.msisdn) == [pb.DIRECTIVE_KIND_NOTIFY]
    assert scene.acknowledge(name, first) == [ACCEPTED] * len(first.directives)
    for _ in range(4):
        scene.advance(days=1)
        assert kinds(scene.obey(name), subscriber.msisdn) == [pb.DIRECTIVE_KIND_NOTIFY]
    scene.advance(days=1)
    (case,) = scene.explain(subscriber).cases
    assert (case.next_step, case.waits_for_wave) == (pb.DIRECTIVE_KIND_BLOCK_OUTGOING, True)
    assert scene.block_by_wave(name).directive_count == 1
    blocked = scene.subscription(subscriber)
    assert blocked.service_state == subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
    assert blocked.applied_state == subscription_pb2.SERVICE_STATE_ACTIVE
    second = scene.pull(name)
    assert kinds(second, subscriber.msisdn) == [pb.DIRECTIVE_KIND_BLOCK_OUTGOING]
    assert scene.acknowledge(name, second) == [ACCEPTED] * len(second.directives)
    assert scene.subscription(subscriber).applied_state == blocked.service_state
    (case,) = scene.explain(subscriber).cases
    assert case.next_step == pb.DIRECTIVE_KIND_SUSPEND

    answer = scene.verify(subscriber, scene.evidence(subscriber.citizen, faces[0]))
    assert answer.verdict.state == verification_service_pb2.VERDICT_STATE_VERIFIED
    assert answer.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    explained = scene.explain(subscriber)
    assert not explained.cases
    assert explained.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    third = scene.pull(name)
    (restore,) = third.directives
    assert restore.kind == pb.DIRECTIVE_KIND_RESTORE
    assert not restore.causes
    scene.acknowledge(name, third)
    restored = scene.subscription(subscriber)
    assert restored.applied_state == subscription_pb2.SERVICE_STATE_ACTIVE


def test_a_number_whose_notices_have_not_come_is_left_out_of_a_wave(scene: Scene) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    for days in (0, 1, 1, 1, 1, 1):
        scene.advance(days=days)
    assert scene.block_by_wave(name).directive_count == 0
    assert scene.subscription(subscriber).service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    assert kinds(scene.obey(name), subscriber.msisdn) == [pb.DIRECTIVE_KIND_NOTIFY] * 5
    assert scene.block_by_wave(name).directive_count == 1


def test_an_order_carries_its_reason_and_what_must_stay_open(scene: Scene) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    scene.advance()
    (notice,) = scene.obey(name).directives
    assert (notice.track, list(notice.causes)) == ("T2", [pb.CASE_CAUSE_UNVERIFIED])
    assert notice.is_last_number
    for text in (notice.notice, notice.way_out):
        assert text.vi
        assert text.en
    # Whoever reads over a shoulder learns no number.
    assert subscriber.msisdn[-6:] not in notice.notice.en
    assert not notice.kept_routes
    for _ in range(5):
        scene.advance(days=1)
        scene.obey(name)
    wave = scene.block_by_wave(name)
    (block,) = scene.pull(name).directives
    assert block.wave_id == wave.wave_id
    assert set(block.kept_routes) == {pb.KEPT_ROUTE_EMERGENCY_CALLS, pb.KEPT_ROUTE_VERIFICATION}
    assert not block.HasField("notice")


def test_the_ladder_ends_with_the_number_withdrawn_and_free(scene: Scene) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    scene.block_unverified(name)
    for days in (60, 5):
        scene.advance(days=days)
    assert scene.subscription(subscriber).service_state == subscription_pb2.SERVICE_STATE_TERMINATED
    assert kinds(scene.pull(name), subscriber.msisdn)[-1] == pb.DIRECTIVE_KIND_TERMINATE
    refusal = refused(
        scene.operator(name).verifications.StartVerification,
        verification_service_pb2.StartVerificationRequest(
            request_id=new_id(), msisdn=subscriber.msisdn
        ),
    )
    assert refusal.reason == "SUBSCRIPTION_NOT_FOUND"


def test_a_device_change_blocks_at_once(scene: Scene, faces: Faces) -> None:
    name = scene.people.operator_name()
    subscriber = scene.verified(faces[0], operator=name)
    scene.acknowledge(name, scene.pull(name))
    kind = subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE
    assert report(scene, subscriber, kind) == ""
    after = scene.subscription(subscriber)
    assert after.service_state == subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED
    pulled = scene.pull(name)
    assert kinds(pulled, subscriber.msisdn) == [
        pb.DIRECTIVE_KIND_NOTIFY,
        pb.DIRECTIVE_KIND_BLOCK_OUTGOING,
    ]
    block = pulled.directives[-1]
    assert list(block.causes) == [pb.CASE_CAUSE_DEVICE_CHANGE]
    within = block.due_time.ToDatetime() - block.create_time.ToDatetime()
    assert within.total_seconds() <= 2 * 3600
    answer = scene.verify(subscriber, scene.evidence(subscriber.citizen, faces[0]))
    assert answer.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    overtaken = scene.acknowledge(name, pulled)
    assert overtaken[-1] == pb.ACKNOWLEDGEMENT_RESULT_SUPERSEDED
    assert kinds(scene.pull(name), subscriber.msisdn)[-1:] == [pb.DIRECTIVE_KIND_RESTORE]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE, "EVENT_INVALID"),
        (subscription_pb.SUBSCRIPTION_EVENT_KIND_TRANSFER, "EVENT_INVALID"),
        (subscription_pb.SUBSCRIPTION_EVENT_KIND_PORT_IN, "EVENT_INVALID"),
        (subscription_pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP, ""),
        (subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE, ""),
    ],
)
def test_an_event_answers_for_itself(
    scene: Scene, kind: subscription_pb.SubscriptionEventKind, reason: str
) -> None:
    assert report(scene, scene.registered(), kind) == reason


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(1, "INSTANT_IN_FUTURE"), (-90 * 86_400 - 1, "EVENT_INVALID"), (-90 * 86_400, "")],
)
def test_an_event_is_of_the_last_ninety_days(scene: Scene, seconds: int, reason: str) -> None:
    subscriber = scene.registered()
    now = scene.advance().as_of_time
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP,
        occur_time=Timestamp(seconds=now.seconds + seconds, nanos=now.nanos),
    )
    answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    assert [each.reason for each in answer.results] == [reason]


def test_an_event_of_anothers_number_answers_as_one_of_no_number(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    stranger = scene.people.operator_name()
    kind = subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE
    taken = replace(subscriber, operator=stranger)
    free = replace(taken, msisdn=scene.people.msisdn())
    assert report(scene, taken, kind) == report(scene, free, kind) == "SUBSCRIPTION_NOT_FOUND"
    assert scene.subscription(subscriber).service_state == subscription_pb2.SERVICE_STATE_ACTIVE


def test_a_number_moves_to_another_operator_when_the_first_lets_it_go(scene: Scene) -> None:
    subscriber = scene.registered(scene.people.operator_name())
    receiver = replace(subscriber, operator=scene.people.operator_name())
    holder = claim_of(subscriber.citizen)
    port_in = subscription_pb.SUBSCRIPTION_EVENT_KIND_PORT_IN
    port_out = subscription_pb.SUBSCRIPTION_EVENT_KIND_PORT_OUT
    assert report(scene, receiver, port_in, holder=holder) == "NUMBER_IN_SERVICE_ELSEWHERE"
    assert report(scene, subscriber, port_out) == ""
    assert report(scene, receiver, port_in, holder=holder) == ""
    old, new = scene.subscription(subscriber), scene.subscription(receiver)
    assert old.service_state == subscription_pb2.SERVICE_STATE_TERMINATED
    assert new.service_state == subscription_pb2.SERVICE_STATE_ACTIVE
    assert old.subscription_id != new.subscription_id


def test_a_number_that_has_its_first_notice_does_not_move(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    scene.advance()
    port_out = subscription_pb.SUBSCRIPTION_EVENT_KIND_PORT_OUT
    assert report(scene, subscriber, port_out) == "EVENT_INVALID"
    assert scene.subscription(subscriber).service_state == subscription_pb2.SERVICE_STATE_ACTIVE


def test_a_lease_that_is_not_acknowledged_comes_back(scene: Scene) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    scene.advance()
    first = scene.pull(name, lease_s=60)
    assert kinds(first, subscriber.msisdn) == [pb.DIRECTIVE_KIND_NOTIFY]
    assert not scene.pull(name).directives
    scene.advance(seconds=59)
    assert not scene.pull(name).directives
    scene.advance(seconds=1)
    second = scene.pull(name, lease_s=60)
    assert [each.directive_id for each in second.directives] == [
        each.directive_id for each in first.directives
    ]
    assert scene.acknowledge(name, first) == [pb.ACKNOWLEDGEMENT_RESULT_LEASE_LOST]
    assert scene.acknowledge(name, second) == [ACCEPTED]
    assert scene.acknowledge(name, second) == [pb.ACKNOWLEDGEMENT_RESULT_ALREADY_ACKNOWLEDGED]
    assert not scene.pull(name).directives


def test_a_directive_that_failed_comes_back(scene: Scene) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    pulled = scene.pull(name)
    failed = pb.AcknowledgeDirectivesRequest(
        request_id=new_id(),
        lease_id=pulled.lease_id,
        acknowledgements=[
            pb.Acknowledgement(
                directive_id=pulled.directives[0].directive_id,
                outcome=pb.ACKNOWLEDGEMENT_OUTCOME_FAILED,
                failure="the gateway said no",
            )
        ],
    )
    stubs = scene.operator(name)
    answer = stubs.enforcement.AcknowledgeDirectives(stubs.sign(failed))
    assert list(answer.results) == [ACCEPTED]
    assert [each.directive_id for each in scene.pull(name).directives] == [
        pulled.directives[0].directive_id
    ]


def test_anothers_directive_answers_as_one_that_does_not_exist(scene: Scene) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    pulled = scene.pull(name)
    stranger = scene.people.operator_name()
    assert not scene.pull(stranger).directives
    assert scene.acknowledge(stranger, pulled) == [pb.ACKNOWLEDGEMENT_RESULT_UNKNOWN]
    assert scene.acknowledge(name, pulled) == [ACCEPTED]


def test_the_clock_does_not_go_backwards(scene: Scene) -> None:
    now = scene.advance(minutes=5).as_of_time
    before = Timestamp(seconds=now.seconds - 1)
    request = pb.AdvanceEnforcementRequest(request_id=new_id(), as_of_time=before)
    refusal = refused(scene.regulator.enforcement.AdvanceEnforcement, request)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "CLOCK_BACKWARDS")
    assert scene.advance().as_of_time == now


def test_running_twice_does_nothing_the_second_time(scene: Scene) -> None:
    scene.imported(scene.people.operator_name())
    assert scene.advance().step_count >= 1
    again = scene.advance()
    assert (again.step_count, again.directive_count) == (0, 0)


def test_runs_at_once_take_each_step_once(scene: Scene) -> None:
    name = scene.people.operator_name()
    for _ in range(3):
        scene.imported(name)
    scene.advance()
    scene.acknowledge(name, scene.pull(name))
    now = scene.advance().as_of_time
    stub = scene.regulator.enforcement
    calls = [
        stub.AdvanceEnforcement.future(
            pb.AdvanceEnforcementRequest(
                request_id=new_id(),
                as_of_time=Timestamp(seconds=now.seconds + 86_400 + minutes * 60, nanos=now.nanos),
            ),
            timeout=60,
        )
        for minutes in (4, 3, 2, 1, 0)
    ]
    codes = {call.code().name for call in calls}
    assert codes <= {"OK", "FAILED_PRECONDITION"}
    assert "OK" in codes
    assert [each.kind for each in scene.pull(name).directives] == [pb.DIRECTIVE_KIND_NOTIFY] * 3


def test_a_citizen_disowns_a_number_and_its_user_is_told(scene: Scene) -> None:
    name = scene.people.operator_name()
    subscriber = scene.imported(name)
    stub = scene.app.citizens
    request = citizen_pb.DisownSubscriptionRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        msisdn=subscriber.msisdn,
    )
    answer = stub.DisownSubscription(request)
    assert answer.HasField("next_step_time")
    causes = [case.cause for case in scene.explain(subscriber).cases]
    assert sorted(causes) == [pb.CASE_CAUSE_UNVERIFIED, pb.CASE_CAUSE_DISOWNED]
    stranger = citizen_pb.DisownSubscriptionRequest(
        request_id=new_id(), personal_id=scene.citizen().personal_id, msisdn=subscriber.msisdn
    )
    seen = refused(stub.DisownSubscription, stranger)
    stranger.msisdn = scene.people.msisdn()
    stranger.request_id = new_id()
    absent = refused(stub.DisownSubscription, stranger)
    assert replace(seen, correlation_id="") == replace(absent, correlation_id="")
    assert seen.reason == "SUBSCRIPTION_NOT_FOUND"


def test_an_explanation_is_for_operator_holder_and_regulator_only(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    other = scene.citizen()
    regulator = scene.regulator.enforcement
    app = scene.app.enforcement
    number = pb.ExplainSubscriptionRequest(msisdn=subscriber.msisdn)
    as_holder = pb.ExplainSubscriptionRequest(
        msisdn=subscriber.msisdn, personal_id=subscriber.citizen.personal_id
    )
    explained = scene.explain(subscriber)
    assert explained.cases
    assert regulator.ExplainSubscription(number) == explained
    assert app.ExplainSubscription(as_holder) == explained
    as_other = pb.ExplainSubscriptionRequest(
        msisdn=subscriber.msisdn, personal_id=other.personal_id
    )
    free = pb.ExplainSubscriptionRequest(msisdn=scene.people.msisdn())
    free_of_other = pb.ExplainSubscriptionRequest(msisdn=free.msisdn, personal_id=other.personal_id)
    stranger = scene.act_as(Role.OPERATOR, scene.people.operator_name()).enforcement
    refusals = {
        replace(refused(method, request), correlation_id="")
        for method, request in (
            (app.ExplainSubscription, as_other),
            (app.ExplainSubscription, free_of_other),
            (stranger.ExplainSubscription, number),
            (stranger.ExplainSubscription, as_holder),
            (stranger.ExplainSubscription, free),
            (regulator.ExplainSubscription, free),
        )
    }
    assert {each.reason for each in refusals} == {"SUBSCRIPTION_NOT_FOUND"}
    assert len(refusals) == 1
