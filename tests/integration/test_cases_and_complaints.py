"""Cases that somebody opens, and complaints, over the wire."""

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, func, make_url, select

from identity.storage.enforcement_tables import complaint
from subid.v1 import enforcement_service_pb2 as pb
from tests.integration.conftest import World
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import Stubs, new_id, refused

OPERATOR_REPORT = pb.CASE_CAUSE_OPERATOR_REPORT
FACE = pb.CASE_CAUSE_FACE_UNDER_ANOTHER_ID


def case_request(msisdn: str, cause: int, reference: str = "F-2026/118") -> pb.OpenCaseRequest:
    return pb.OpenCaseRequest(
        request_id=new_id(),
        msisdn=msisdn,
        cause=cause,  # type: ignore[arg-type] # a number of the enumeration
        case_reference=reference,
    )


def operator(scene: Scene, subscriber: Subscriber) -> Stubs:
    return scene.operator(subscriber.operator)


def regulator(scene: Scene, _subscriber: Subscriber) -> Stubs:
    return scene.regulator


@pytest.mark.parametrize(("caller", "cause"), [(operator, OPERATOR_REPORT), (regulator, FACE)])
def test_a_case_is_opened_explained_and_repeated(
    scene: Scene,
    faces: tuple[object, ...],
    caller: Callable[[Scene, Subscriber], Stubs],
    cause: int,
) -> None:
    subscriber = scene.verified(faces[0], operator=scene.people.operator_name())  # type: ignore[arg-type] # a photographed person
    request = case_request(subscriber.msisdn, cause)
    stub = caller(scene, subscriber).enforcement
    opened = stub.OpenCase(request).enforcement_case
    assert (opened.track, opened.cause) == ("T2", cause)
    assert opened.next_step == pb.DIRECTIVE_KIND_NOTIFY
    assert opened.explanation.vi
    assert opened.way_out.en
    assert list(scene.explain(subscriber).cases) == [opened]
    assert stub.OpenCase(request).enforcement_case == opened
    scene.advance()
    pulled = scene.pull(subscriber.operator).directives
    notice = next(each for each in pulled if each.kind == pb.DIRECTIVE_KIND_NOTIFY)
    assert list(notice.causes) == [cause]


def test_a_number_on_the_same_ladder_already_keeps_its_clock(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    (before,) = scene.explain(subscriber).cases
    scene.advance(days=1)
    stub = scene.operator(subscriber.operator).enforcement
    opened = stub.OpenCase(case_request(subscriber.msisdn, OPERATOR_REPORT)).enforcement_case
    assert (opened.cause, opened.open_time) == (before.cause, before.open_time)
    assert len(scene.explain(subscriber).cases) == 1


@pytest.mark.parametrize(("caller", "cause"), [(operator, FACE), (regulator, OPERATOR_REPORT)])
def test_each_cause_is_one_callers_to_name(
    scene: Scene, caller: Callable[[Scene, Subscriber], Stubs], cause: int
) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    method = caller(scene, subscriber).enforcement.OpenCase
    refusal = refused(method, case_request(subscriber.msisdn, cause))
    assert refusal.violations == (("cause", "CASE_CAUSE_REFUSED"),)


def test_anothers_number_answers_as_one_that_nobody_has(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    stranger = scene.operator(scene.people.operator_name()).enforcement.OpenCase
    answers = [
        refused(stranger, case_request(number, OPERATOR_REPORT))
        for number in (subscriber.msisdn, scene.people.msisdn())
    ]
    assert answers[0].reason == answers[1].reason == "SUBSCRIPTION_NOT_FOUND"
    assert answers[0].message == answers[1].message
    assert len(scene.explain(subscriber).cases) == 1  # its own, as before


def test_a_number_that_was_never_in_service_and_a_file_that_names_a_person_are_refused(
    scene: Scene,
) -> None:
    subscriber = scene.registered()
    method = scene.operator(subscriber.operator).enforcement.OpenCase
    refusal = refused(method, case_request(subscriber.msisdn, OPERATOR_REPORT))
    assert refusal.reason == "EVENT_INVALID"
    named = case_request(subscriber.msisdn, OPERATOR_REPORT, reference="F 001090123456")
    assert refused(method, named).violations == (("case_reference", "CASE_REFERENCE_LONG_NUMBER"),)


def complaint_request(msisdn: str, personal_id: str = "") -> pb.FileComplaintRequest:
    return pb.FileComplaintRequest(request_id=new_id(), msisdn=msisdn, personal_id=personal_id)


def count(world: World, name: str) -> int:
    assert world.settings.database is not None
    url = make_url(world.settings.database).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    query = select(func.count()).select_from(complaint).where(complaint.c.operator_id == name)
    with engine.connect() as connection:
        found = int(connection.execute(query).scalar_one())
    engine.dispose()
    return found


def test_of_one_number_one_complaint_a_day_counts_whoever_files_it(
    world: World, scene: Scene
) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    msisdn, personal_id = subscriber.msisdn, subscriber.citizen.personal_id
    operator_stub = scene.operator(subscriber.operator).enforcement
    request = complaint_request(msisdn, personal_id)
    first = scene.app.enforcement.FileComplaint(request)
    assert scene.app.enforcement.FileComplaint(request) == first
    assert operator_stub.FileComplaint(complaint_request(msisdn)) == first
    assert count(world, subscriber.operator) == 1
    scene.advance(days=1)
    second = operator_stub.FileComplaint(complaint_request(msisdn))
    assert second.file_time.ToDatetime() > first.file_time.ToDatetime()
    assert count(world, subscriber.operator) == 2


def test_nobody_complains_about_what_is_not_theirs(world: World, scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    stranger, free = scene.citizen(), scene.people.msisdn()
    other = scene.operator(scene.people.operator_name()).enforcement
    app = scene.app.enforcement
    for method, request in (
        (other.FileComplaint, complaint_request(subscriber.msisdn)),
        (other.FileComplaint, complaint_request(free)),
        (app.FileComplaint, complaint_request(subscriber.msisdn, stranger.personal_id)),
        (app.FileComplaint, complaint_request(free, stranger.personal_id)),
    ):
        refusal = refused(method, request)
        assert (refusal.status, refusal.reason) == ("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND")
        assert refusal.message == "no such number of yours"
    nobody = refused(app.FileComplaint, complaint_request(subscriber.msisdn))
    assert nobody.reason == "PERMISSION_REFUSED"
    assert count(world, subscriber.operator) == 0
