"""What happens around every method: paths of fields, and logs that tell nothing personal."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.message import Message

from identity.bootstrap import load_policy
from identity.domain.errors import OverloadedError, RequestInvalidError
from identity.rpc.errors import status_of
from identity.rpc.interceptor import Guard, Unreadable, check
from identity.services.clock import SimulatedClock
from subid.v1 import contact_service_pb2, enforcement_service_pb2, population_service_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.date_pb2 import Date
from tests.integration.contract import example
from tests.integration.wire import new_id

NOW = datetime(2026, 4, 15, 3, tzinfo=UTC)
SECRET = "001090123456 Nguyễn Thị Thử +84912345678"  # noqa: S105 - what must not be logged
METHOD = "/subid.v1.ContactService/GetContact"


def faults(request: Message) -> list[tuple[str, str]]:
    with pytest.raises(RequestInvalidError) as caught:
        check(request)
    return [(each.field, each.reason) for each in caught.value.violations]


def test_a_field_inside_a_list_inside_a_message_has_its_whole_path() -> None:
    change = population_service_pb2.PopulationChange(
        death=population_service_pb2.Death(
            personal_id="1", deceased_on=Date(year=2024, month=13, day=1)
        )
    )
    good = population_service_pb2.PopulationChange(
        new_card=population_service_pb2.NewCard(
            personal_id="001090123456", issued_on=Date(year=2024, month=1, day=1)
        )
    )
    request = population_service_pb2.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[good, good, change]
    )
    assert faults(request) == [
        ("changes[2].death.personal_id", "STRING_PATTERN"),
        ("changes[2].death.deceased_on.month", "INT32_GTE_LTE"),
    ]


def test_an_element_of_a_list_of_values_has_its_index() -> None:
    request = contact_service_pb2.BatchGetContactsRequest(
        personal_ids=["001090123456", "1"],
        purpose=contact_service_pb2.PURPOSE_LEGAL_NOTICE,
        legal_basis="Law",
    )
    assert faults(request) == [("personal_ids[1]", "STRING_PATTERN")]


def test_a_message_that_must_be_there_is_named() -> None:
    request = subscription_pb.RegisterSubscriptionRequest(request_id=new_id(), msisdn="0912345678")
    assert faults(request) == [("holder", "REQUIRED")]


def test_a_oneof_that_must_be_set_is_named() -> None:
    request = population_service_pb2.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[population_service_pb2.PopulationChange()]
    )
    assert faults(request) == [("changes[0].change", "REQUIRED")]


def test_rows_of_an_import_are_left_to_the_domain() -> None:
    check(
        population_service_pb2.ImportPopulationRequest(
            request_id=new_id(),
            records=[population_service_pb2.PopulationRecord(birth_date=Date(year=1))],
        )
    )


def test_no_description_of_a_fault_repeats_the_value() -> None:
    request = enforcement_service_pb2.ExplainSubscriptionRequest(msisdn=SECRET, personal_id=SECRET)
    with pytest.raises(RequestInvalidError) as caught:
        check(request)
    told = str(status_of(caught.value, correlation_id="c"))
    assert not any(word in told for word in SECRET.split())


def test_a_body_that_is_no_message_names_no_field() -> None:
    with pytest.raises(RequestInvalidError) as caught:
        check(Unreadable())
    (violation,) = caught.value.violations
    assert (violation.field, violation.reason) == ("", "MESSAGE_MALFORMED")


class Aborted(Exception):  # noqa: N818 - what gRPC's own context raises
    """Ends a call, as gRPC does it."""


class Connection:
    """What a method sees of its call, with a certificate of an agency."""

    def __init__(self) -> None:
        self.abortion: tuple[grpc.StatusCode, str] | None = None

    def auth_context(self) -> dict[str, tuple[bytes, ...]]:
        """As a call with mutual TLS has it."""
        return {"x509_subject_alternative_name": (b"urn:subid:agency:tax",)}

    async def abort(self, code: grpc.StatusCode, details: str, metadata: object) -> None:
        """End the call."""
        del metadata
        self.abortion = (code, details)
        raise Aborted


async def guarded_call(behaviour: Any) -> tuple[Connection, list[Any]]:  # noqa: ANN401 - any handler
    """Call a handler behind the guard; returns what it did and what was logged."""
    guard = Guard(clock=SimulatedClock(NOW), policy=load_policy("vn-2026-04-15"))

    async def continuation(_details: object) -> Any:  # noqa: ANN401 - as grpc has it
        return grpc.unary_unary_rpc_method_handler(behaviour)

    details: Any = type("Details", (), {"method": METHOD})
    handler = await guard.intercept_service(continuation, details)
    connection = Connection()
    request = example(contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"].methods[0])
    with structlog.testing.capture_logs() as logs, pytest.raises(Aborted):
        await handler.unary_unary(request, connection)
    return connection, logs


async def test_a_bug_is_answered_with_constant_text_and_logged_without_its_message() -> None:
    async def buggy(_request: object, _call: object) -> object:
        await asyncio.sleep(0)
        raise RuntimeError(SECRET)

    connection, (entry,) = await guarded_call(buggy)
    assert connection.abortion == (grpc.StatusCode.INTERNAL, "internal error")
    assert entry["error"] == "RuntimeError"
    assert entry["log_level"] == "error"
    assert entry["method"] == "ContactService/GetContact"
    assert entry["caller"] == "agency:tax"
    assert any("buggy" in place for place in entry["places"])
    assert not any(word in str(entry) for word in SECRET.split())


async def test_a_refusal_is_logged_by_its_reason_alone() -> None:
    async def refusing(_request: object, _call: object) -> object:
        await asyncio.sleep(0)
        raise OverloadedError(SECRET)

    connection, (entry,) = await guarded_call(refusing)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (entry["reason"], entry["log_level"]) == ("OVERLOADED", "info")
    assert not any(word in str(entry) for word in SECRET.split())
