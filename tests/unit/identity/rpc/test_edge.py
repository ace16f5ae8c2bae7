"""The key under which a request's first answer is kept."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from identity.domain.caller import Caller, Role
from identity.rpc.edge import request_key
from identity.services.call import Call
from subid.v1 import citizen_service_pb2 as pb
from tests.unit.identity.makers import rules

CALL = Call(
    caller=Caller(Role.CITIZEN_APP, "app"),
    at=datetime(2026, 4, 15, 3, tzinfo=UTC),
    rules=rules(),
)
REQUEST_ID = "12345678-1234-5678-1234-567812345678"


def request(msisdn: str = "0912345678") -> pb.SetPrimaryNumberRequest:
    return pb.SetPrimaryNumberRequest(
        request_id=REQUEST_ID, personal_id="001090123456", msisdn=msisdn
    )


def test_the_same_request_has_the_same_key_whenever_it_comes() -> None:
    later = replace(CALL, at=CALL.at.replace(year=2027))
    assert request_key(request(), CALL) == request_key(request(), later)


def test_a_key_tells_caller_method_and_body_apart() -> None:
    disown = pb.DisownSubscriptionRequest(
        request_id=REQUEST_ID, personal_id="001090123456", msisdn="0912345678"
    )
    other_caller = replace(CALL, caller=Caller(Role.CITIZEN_APP, "another"))
    keys = {
        request_key(request(), CALL),
        request_key(request("0912345679"), CALL),
        request_key(disown, CALL),
        request_key(request(), other_caller),
    }
    assert len(keys) == 4
    assert {key.request_id for key in keys} == {UUID(REQUEST_ID)}


def test_a_key_holds_no_data_of_the_request() -> None:
    shown = repr(request_key(request(), CALL))
    assert "912345678" not in shown
    assert "001090123456" not in shown
