"""Channels, measured calls and refusals."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from subid.v1.citizen_service_pb2 import (
    ConfirmPrimaryNumberRequest,
    SetPrimaryNumberRequest,
)
from subid.v1.contact_service_pb2 import GetContactRequest, WatchContactChangesRequest
from telco_sim.measurements import Measurements
from telco_sim.wire import (
    Caller,
    CallerKeys,
    Refusal,
    Wiretap,
    Write,
    method_name,
    new_request_id,
)
from tests.unit.telco_sim.credulous_service import Country, caller, serve


@pytest.fixture
def wiretap() -> Wiretap:
    return Wiretap(Measurements())


@pytest.fixture
def country() -> Country:
    return Country()


@pytest.fixture
def app(country: Country, wiretap: Wiretap) -> Iterator[Caller]:
    with serve(country) as channel:
        yield caller(channel, name="citizen-app", wiretap=wiretap)


def packed(message: Message) -> AnyMessage:
    wrapped = AnyMessage()
    wrapped.Pack(message)
    return wrapped


def test_a_refusal_says_when_to_ask_again(country: Country, app: Caller) -> None:
    country.contact_refusal = Status(
        code=code_pb2.RESOURCE_EXHAUSTED,
        details=[packed(RetryInfo(retry_delay=Duration(seconds=90)))],
    )
    with pytest.raises(Refusal) as raised:
        app.ask(app.contacts.GetContact, GetContactRequest(personal_id="001090999999"))
    assert raised.value.retry_after == timedelta(seconds=90)


def test_a_stream_is_followed_up_to_what_will_do(app: Caller) -> None:
    watch = app.contacts.WatchContactChanges
    followed = app.follow(watch, WatchContactChangesRequest(), until=lambda _: True)
    # A stream that ends before anything would do is all that came.
    ended = app.follow(watch, WatchContactChangesRequest(), until=lambda _: False)
    assert [[each.position for each in seen] for seen in (followed, ended)] == [["1"], ["1"]]


def test_a_refusal_carries_reason_and_fields(country: Country, app: Caller) -> None:
    violation = BadRequest.FieldViolation(field="purpose", description="is mandatory")
    country.contact_refusal = Status(
        code=code_pb2.INVALID_ARGUMENT,
        message="one field breaks its limits",
        details=[
            packed(ErrorInfo(reason="REQUEST_INVALID", domain="subid")),
            packed(BadRequest(field_violations=[violation])),
        ],
    )
    with pytest.raises(Refusal) as raised:
        app.ask(app.contacts.GetContact, GetContactRequest(personal_id="001090999999"))
    refusal = raised.value
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")
    assert refusal.violations == ("purpose",)
    assert refusal.message == "one field breaks its limits"


def test_a_method_that_nobody_serves_is_a_refusal(app: Caller, wiretap: Wiretap) -> None:
    request = ConfirmPrimaryNumberRequest(personal_id="001090999999")
    with pytest.raises(Refusal) as raised:
        app.ask(app.citizens.ConfirmPrimaryNumber, request)
    assert raised.value.status == "UNIMPLEMENTED"
    assert wiretap.refusals == {"UNIMPLEMENTED": 1}
    assert wiretap.measurements.latencies() == {}


def test_an_answer_is_measured_under_its_method(app: Caller, wiretap: Wiretap) -> None:
    app.ask(app.contacts.GetContact, GetContactRequest(personal_id="001090999999"))
    assert wiretap.measurements.latencies()["GetContact"].answer_count == 1


def set_primary(app: Caller) -> Message:
    request = SetPrimaryNumberRequest(request_id=new_request_id(), msisdn="+84912345678")
    answer: Message = app.ask(app.citizens.SetPrimaryNumber, request)
    return answer


def test_a_write_is_kept_and_can_be_repeated(app: Caller, wiretap: Wiretap) -> None:
    answer = set_primary(app)
    (write,) = wiretap.take_writes()
    assert write.method == "SetPrimaryNumber"
    assert write.repeat() == write.answer == answer
    assert wiretap.take_writes() == []


def test_a_read_is_not_kept_as_a_write(app: Caller, wiretap: Wiretap) -> None:
    app.ask(app.contacts.GetContact, GetContactRequest(personal_id="001090999999"))
    assert wiretap.take_writes() == []


def test_a_repeated_write_is_measured_apart(app: Caller, wiretap: Wiretap) -> None:
    set_primary(app)
    (write,) = wiretap.take_writes()
    write.repeat()
    latencies = wiretap.measurements.latencies()
    assert latencies["SetPrimaryNumber"].answer_count == 1
    assert latencies["SetPrimaryNumber (repeated)"].answer_count == 1


def test_not_every_write_is_kept(wiretap: Wiretap) -> None:
    answer = GetContactRequest()
    for _ in range(1_000):
        wiretap.saw_write(Write(method="ReportEvents", repeat=lambda: answer, answer=answer))
    wiretap.saw_write(Write(method="PullDirectives", repeat=lambda: answer, answer=answer))
    kept = wiretap.take_writes()
    assert 1 < len(kept) < 100
    assert kept[-1].method == "PullDirectives"


def test_keys_are_read_from_the_files_of_one_caller(tmp_path: Path) -> None:
    for name, content in (("a.crt.pem", b"c"), ("a.key.pem", b"k"), ("ca.crt.pem", b"ca")):
        (tmp_path / name).write_bytes(content)
    keys = CallerKeys.read(tmp_path, name="a")
    assert (keys.certificate, keys.private_key, keys.authority) == (b"c", b"k", b"ca")
    stranger = keys.without_certificate()
    assert (stranger.certificate, stranger.private_key, stranger.authority) == (None, None, b"ca")
    with pytest.raises(FileNotFoundError):
        CallerKeys.read(tmp_path, name="b")


def test_a_request_names_its_method() -> None:
    assert method_name(GetContactRequest()) == "GetContact"
