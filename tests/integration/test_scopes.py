"""What the permission table says of scopes and of two people is what the service does.

Of every method with the scope `own` a stranger of the same role asks for another's thing and for a
thing that does not exist, and gets the same answer.
"""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from identity.domain.caller import Role
from identity.security.permissions import Scope, permissions
from subid.v1 import arrangement_service_pb2 as arrangement_pb
from subid.v1 import dispute_service_pb2 as dispute_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import wave_service_pb2 as wave_pb
from tests.integration.contract import METHODS, example
from tests.integration.people import Subscriber, row_of
from tests.integration.scene import Scene
from tests.integration.wire import Refused, method_key, new_id, refused, send

NAMES_NOTHING = {
    "SubscriptionService/ImportSubscriptions",
    "SubscriptionService/ListSubscriptions",
    "NotificationService/PullMessages",
    "EnforcementService/PullDirectives",
    "QualityService/GetReport",
    "ComplianceService/GetKpis",
    "ComplianceService/GetMonthlyScore",
    "AuditService/ListEntries",
}
"""Whose request can name nothing of another's: the answer is of the caller, whoever asks."""

SAYS_MORE = {
    # That a number is in service elsewhere is said: two operators must not serve it.
    "SubscriptionService/RegisterSubscription",
    # Their leases and signatures: test_signed_acknowledgements.py, and test_messages.py of the
    # unit tests of the services.
    "EnforcementService/AcknowledgeDirectives",
    "NotificationService/AcknowledgeMessages",
    # Who names another agency is refused, whether it exists or not: test_notifications.py.
    "NotificationService/ListTemplates",
    "NotificationService/GetNotificationStatistics",
    # An entry is a number that a new log does not have: test_anothers_entry_does_not_exist of
    # test_audit.py.
    "AuditService/GetInclusionProof",
    "AuditService/GetReceipt",
}
"""Which this file does not ask, and where it is asked."""

OWN = [
    method
    for method in METHODS
    if permissions()[method_key(method)].scopes.get(Role.OPERATOR) is Scope.OWN
    and method_key(method) not in NAMES_NOTHING | SAYS_MORE
]

Things = Mapping[str, str]
"""A thing for each field of a request that names one."""


@pytest.fixture(scope="module")
def subscriber(scene: Scene) -> Subscriber:
    """Somebody with a number in service."""
    return scene.imported(scene.people.operator_name())


@pytest.fixture(scope="module")
def anothers(scene: Scene, subscriber: Subscriber) -> Things:
    """What an operator has: a number, a session, a dispute, an arrangement, an import."""
    operator = scene.operator(subscriber.operator)
    session = scene.start(subscriber)
    opening = dispute_pb.OpenDisputeRequest(
        request_id=new_id(),
        msisdn=scene.imported(subscriber.operator).msisdn,
        claimant_personal_id=scene.citizen().personal_id,
    )
    batch = subscription_pb.ImportSubscriptionsRequest(
        request_id=new_id(), rows=[row_of(scene.citizen(), scene.people.msisdn())]
    )
    operator.subscriptions.ImportSubscriptions(iter([batch]))
    used = scene.imported(subscriber.operator)
    line = arrangement_pb.ProposeCompanyLineRequest(
        request_id=new_id(),
        msisdn=used.msisdn,
        organisation_code="0100109106",
        employee_personal_id=used.citizen.personal_id,
    )
    return {
        "msisdn": subscriber.msisdn,
        "verification_id": session.verification_id,
        "dispute_id": operator.disputes.OpenDispute(opening).dispute.dispute_id,
        "import_id": batch.request_id,
        "arrangement_id": operator.arrangements.ProposeCompanyLine(line).arrangement.arrangement_id,
    }


@pytest.fixture(scope="module")
def nothing(scene: Scene, anothers: Things) -> Things:
    """Of each of these one that does not exist."""
    return {name: new_id() for name in anothers} | {"msisdn": scene.people.msisdn()}


def asking(method: MethodDescriptor, things: Things) -> Message:
    """A request about things."""
    request: Any = example(method)
    for part in (request, *(getattr(request, "events", ())), *(getattr(request, "states", ()))):
        for name in things.keys() & part.DESCRIPTOR.fields_by_name.keys():
            setattr(part, name, things[name])
    return request  # type: ignore[no-any-return] # a message


def answer(channel: grpc.Channel, method: MethodDescriptor, things: Things) -> object:
    """What is told, without the names of the things."""
    try:
        told = str(send(channel, method, [asking(method, things)]))
    except grpc.RpcError as error:
        refusal = Refused.of(error)
        return refusal.status, refusal.reason, refusal.message, refusal.violations
    for name, thing in things.items():
        told = told.replace(thing, name)
    return told


def test_every_method_with_the_scope_own_is_asked_or_says_why_not() -> None:
    own = {
        method: role
        for method, said in permissions().items()
        for role, scope in said.scopes.items()
        if scope is Scope.OWN
    }
    asked = {method_key(method) for method in OWN}
    assert own.keys() == asked | NAMES_NOTHING | SAYS_MORE


@pytest.mark.parametrize("method", OWN, ids=method_key)
def test_anothers_answers_as_what_does_not_exist(
    scene: Scene, anothers: Things, nothing: Things, method: MethodDescriptor
) -> None:
    assert asking(method, anothers) != asking(method, nothing), "the request names no thing"
    stranger = scene.operator("stranger").channel
    told = answer(stranger, method, anothers)
    assert told == answer(stranger, method, nothing)


@pytest.mark.parametrize(
    "name",
    ["GetSubscription", "GetVerification", "GetDispute", "GetArrangement", "GetSubscriptionImport"],
)
def test_ones_own_is_there(
    scene: Scene, subscriber: Subscriber, anothers: Things, nothing: Things, name: str
) -> None:
    (method,) = (each for each in OWN if each.name == name)
    owner = scene.operator(subscriber.operator).channel
    assert isinstance(answer(owner, method, anothers), str)
    assert answer(owner, method, nothing) == answer(
        scene.operator("stranger").channel, method, anothers
    )


def test_a_list_is_of_the_callers_own(scene: Scene, subscriber: Subscriber) -> None:
    request = subscription_pb.ListSubscriptionsRequest(page_size=1000)
    listed = {
        name: {
            each.msisdn
            for each in scene.operator(name).subscriptions.ListSubscriptions(request).subscriptions
        }
        for name in (subscriber.operator, "stranger")
    }
    assert listed["stranger"] == set()
    assert listed[subscriber.operator]


def approve_wave(scene: Scene) -> list[bool]:
    criteria = wave_pb.WaveCriteria(
        track="T2",
        step=enforcement_pb.DIRECTIVE_KIND_BLOCK_OUTGOING,
        operators=[scene.people.operator_name()],
    )
    preview = wave_pb.PreviewWaveRequest(request_id=new_id(), criteria=criteria)
    wave_id = scene.regulator.waves.PreviewWave(preview).wave_id

    def approved_by(name: str) -> bool:
        request = wave_pb.ApproveWaveRequest(request_id=new_id(), wave_id=wave_id)
        wave = scene.act_as(Role.REGULATOR, name).waves.ApproveWave(request).wave
        return bool(wave.state == wave_pb.WAVE_STATE_APPROVED)

    alone = approved_by("regulator")
    again = wave_pb.ApproveWaveRequest(request_id=new_id(), wave_id=wave_id)
    assert refused(scene.regulator.waves.ApproveWave, again).reason == "WAVE_NOT_READY"
    return [alone, approved_by("deputy")]


def decide_dispute(scene: Scene) -> list[bool]:
    number = scene.imported(scene.people.operator_name())
    opening = dispute_pb.OpenDisputeRequest(
        request_id=new_id(),
        msisdn=number.msisdn,
        claimant_personal_id=scene.citizen().personal_id,
    )
    dispute_id = scene.regulator.disputes.OpenDispute(opening).dispute.dispute_id

    def said() -> dispute_pb.DecideDisputeRequest:
        return dispute_pb.DecideDisputeRequest(
            request_id=new_id(),
            dispute_id=dispute_id,
            decision=dispute_pb.DISPUTE_DECISION_HOLDER,
        )

    def decided_by(name: str) -> bool:
        dispute = scene.act_as(Role.REGULATOR, name).disputes.DecideDispute(said()).dispute
        return bool(dispute.state == dispute_pb.DISPUTE_STATE_DECIDED)

    alone = decided_by("regulator")
    assert refused(scene.regulator.disputes.DecideDispute, said()).reason == "DISPUTE_NOT_READY"
    return [alone, decided_by("deputy")]


BY_TWO: Mapping[str, Callable[[Scene], list[bool]]] = {
    "WaveService/ApproveWave": approve_wave,
    "DisputeService/DecideDispute": decide_dispute,
}


def test_every_method_that_takes_two_people_is_tried() -> None:
    assert BY_TWO.keys() == {method for method, said in permissions().items() if said.is_by_two}


@pytest.mark.parametrize("method", BY_TWO)
def test_one_person_alone_has_no_effect_and_a_second_one_has(scene: Scene, method: str) -> None:
    assert BY_TWO[method](scene) == [False, True]
