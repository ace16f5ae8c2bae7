"""From an agency to a telephone and back, over the wire."""

from datetime import date

import pytest

from identity.domain.caller import Role
from subid.v1 import agency_service_pb2 as agency_pb
from subid.v1 import notification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.correspondence import (
    Correspondence,
    pull_request,
    receipts,
    register_request,
    send_request,
)
from tests.integration.people import Subscriber, date_message
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, new_id, refused

Faces = tuple[PhotographedPerson, ...]


@pytest.fixture(scope="module")
def subscriber(scene: Scene, faces: Faces) -> Subscriber:
    """Somebody with a primary number at an operator of its own."""
    somebody = scene.verified(faces[0])
    scene.set_primary(somebody)
    return somebody


@pytest.fixture
def letters(scene: Scene) -> Correspondence:
    return Correspondence.of(scene)


def test_a_notification_reaches_the_telephone_and_its_agency_learns_of_it(
    letters: Correspondence, subscriber: Subscriber
) -> None:
    sent = letters.send(subscriber.citizen.personal_id)
    assert letters.get(sent).state == pb.NOTIFICATION_STATE_ACCEPTED
    pulled = letters.pull(subscriber.operator)
    handed = next(each for each in pulled.messages if each.message_id == sent)
    assert handed.msisdn == subscriber.msisdn
    assert (handed.text.vi, handed.text.en) == ("Mời bạn đến nhận passport.", "")
    assert letters.get(sent).state == pb.NOTIFICATION_STATE_HANDED_OVER
    stub = letters.scene.operator(subscriber.operator).notifications
    answer = stub.AcknowledgeMessages(receipts(pulled))
    assert set(answer.results) == {pb.RECEIPT_RESULT_ACCEPTED}
    shown = letters.get(sent)
    assert shown.state == pb.NOTIFICATION_STATE_DELIVERED
    assert shown.HasField("done_time")
    listed = letters.stubs.notifications.ListNotifications(pb.ListNotificationsRequest())
    assert list(listed.notifications) == [shown]


def test_nobody_can_tell_from_the_answers_whether_there_is_such_a_person(
    scene: Scene, subscriber: Subscriber
) -> None:
    letters = Correspondence.of(scene, agency_pb.RIGHT_NOTIFY)
    people = (
        subscriber.citizen.personal_id,
        scene.citizen().personal_id,
        scene.people.citizen().personal_id,
    )
    shown = [letters.get(letters.send(person)) for person in people]
    for each in shown:
        each.ClearField("notification_id")
        each.ClearField("create_time")
        each.ClearField("expire_time")
    assert shown[0] == shown[1] == shown[2]
    assert shown[0].state == pb.NOTIFICATION_STATE_ACCEPTED


def test_a_message_wakes_a_pull_of_its_operator_that_waits(
    letters: Correspondence, subscriber: Subscriber
) -> None:
    stub = letters.scene.operator(subscriber.operator).notifications
    while (left := letters.pull(subscriber.operator)).messages:
        stub.AcknowledgeMessages(receipts(left))
    request = pull_request()
    request.wait_duration.FromSeconds(30)
    waiting = stub.PullMessages.future(request, timeout=TIMEOUT_S)
    assert not waiting.done()
    sent = letters.send(subscriber.citizen.personal_id)
    assert [each.message_id for each in waiting.result().messages] == [sent]


def test_another_agencys_notification_and_another_agencys_numbers_are_not_shown(
    scene: Scene, letters: Correspondence, subscriber: Subscriber
) -> None:
    sent = letters.send(subscriber.citizen.personal_id)
    other = Correspondence.of(scene)
    get = pb.GetNotificationRequest(notification_id=sent)
    refusal = refused(other.stubs.notifications.GetNotification, get)
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "NOTIFICATION_NOT_FOUND")
    listing = pb.ListTemplatesRequest(agency=letters.agency)
    day = date_message(date(2026, 5, 1))
    for agency in (letters.agency, "none-of-this-name"):
        counting = pb.GetNotificationStatisticsRequest(agency=agency, first_date=day, last_date=day)
        for refusal in (
            refused(
                other.stubs.notifications.ListTemplates, pb.ListTemplatesRequest(agency=agency)
            ),
            refused(other.stubs.notifications.GetNotificationStatistics, counting),
        ):
            assert refusal.reason == "PERMISSION_REFUSED"
            assert refusal.message == "an agency sees its own notifications only"
    found = scene.regulator.notifications.ListTemplates(listing)
    assert [each.name for each in found.templates] == ["come"]


def test_a_template_is_never_changed(scene: Scene, letters: Correspondence) -> None:
    request = register_request(letters.agency)
    register = scene.regulator.notifications.RegisterTemplate
    assert register(request).template.name == request.name
    request.request_id, request.text_en = new_id(), "Bring your {item}."
    refusal = refused(register, request)
    assert (refusal.status, refusal.reason) == ("ALREADY_EXISTS", "TEMPLATE_EXISTS")
    request.request_id, request.agency = new_id(), "nobody"
    refusal = refused(register, request)
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "AGENCY_NOT_FOUND")


@pytest.mark.parametrize(
    ("text_vi", "text_en"),
    [("{a}", "{b}"), ("{a.b} x", "{a.b} x"), ("{0} x", "{0} x"), ("{a", "a"), ("{a!r} x", "{a} x")],
)
def test_a_template_that_could_not_be_filled_alike_is_refused(
    scene: Scene, letters: Correspondence, text_vi: str, text_en: str
) -> None:
    request = register_request(letters.agency)
    request.name, request.text_vi, request.text_en = "bad", text_vi, text_en
    refusal = refused(scene.regulator.notifications.RegisterTemplate, request)
    assert {reason for _, reason in refusal.violations} == {"TEMPLATE_UNFIT"}


def test_what_an_agency_may_not_send_is_refused_with_its_reason(
    scene: Scene, letters: Correspondence
) -> None:
    request = send_request(scene.people.citizen().personal_id)
    request.template = "unknown"
    send = letters.stubs.notifications.SendNotification
    assert refused(send, request).reason == "TEMPLATE_NOT_FOUND"
    stranger = scene.act_as(Role.AGENCY, "stranger").notifications.SendNotification
    request.request_id = new_id()
    assert refused(stranger, request).reason == "PURPOSE_NOT_ALLOWED"
    request = send_request(scene.people.citizen().personal_id)
    request.grounds.case_id = "12/2026"
    request.grounds.shown_time.GetCurrentTime()
    assert refused(send, request).reason in {"PURPOSE_NOT_ALLOWED", "REQUEST_INVALID"}
