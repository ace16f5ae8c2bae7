"""Every refusal on the wire: code, reason, fields, when to try again."""

from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from identity.domain import errors
from identity.rpc.errors import (
    DOMAIN,
    STATUS_CODES,
    VIOLATION_BYTES_MAX,
    VIOLATIONS_MAX,
    status_of,
    status_of_bug,
    violation_of,
)

Kind = TypeVar("Kind", bound=Message)


def made(leaf: type[errors.DomainError]) -> errors.DomainError:
    if issubclass(leaf, errors.RequestInvalidError):
        violation = errors.FieldViolation(field="a.b[2]", reason="R", description="no such b")
        return leaf((violation, violation))
    return leaf("a sentence")


def details(status: Status, kind: type[Kind]) -> list[Kind]:
    found = []
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


every_leaf = pytest.mark.parametrize("leaf", errors.leaves(), ids=lambda leaf: leaf.__name__)


@every_leaf
def test_every_leaf_carries_its_reason_and_a_correlation_id(
    leaf: type[errors.DomainError],
) -> None:
    status = status_of(made(leaf), correlation_id="c-1")
    (info,) = details(status, ErrorInfo)
    assert info.reason == leaf.reason
    assert info.domain == DOMAIN == "subid"
    assert dict(info.metadata) == {"correlation_id": "c-1"}
    assert status.code == STATUS_CODES[leaf].value[0]
    assert status.message


@every_leaf
def test_every_leaf_says_which_field_and_when_to_try_again_if_it_can(
    leaf: type[errors.DomainError],
) -> None:
    status = status_of(made(leaf), correlation_id="c-1")
    names_field = issubclass(leaf, errors.MalformedValueError | errors.RequestInvalidError)
    assert len(details(status, BadRequest)) == names_field
    assert len(details(status, RetryInfo)) == (leaf.retry_after_s is not None)
    is_transient = STATUS_CODES[leaf] in {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    has_delay = is_transient or leaf in {
        errors.ContendedError,
        errors.AuditNotSealedError,
        errors.CallTooLongError,
    }
    assert has_delay == (leaf.retry_after_s is not None)


def test_every_violation_is_told_in_its_order() -> None:
    violations = tuple(
        errors.FieldViolation(field=f"events[{n}].msisdn", reason=f"R{n}", description=f"d{n}")
        for n in range(3)
    )
    status = status_of(errors.RequestInvalidError(violations), correlation_id="c")
    (bad_request,) = details(status, BadRequest)
    told = [(v.field, v.reason, v.description) for v in bad_request.field_violations]
    assert told == [(v.field, v.reason, v.description) for v in violations]


def test_of_many_violations_the_first_are_told_and_all_are_counted() -> None:
    violations = tuple(
        errors.FieldViolation(field=f"personal_ids[{n}]", reason="R", description="d")
        for n in range(1000)
    )
    status = status_of(errors.RequestInvalidError(violations), correlation_id="c")
    (bad_request,) = details(status, BadRequest)
    told = [violation.field for violation in bad_request.field_violations]
    assert told == [f"personal_ids[{n}]" for n in range(VIOLATIONS_MAX)]
    assert "1000 field(s)" in status.message
    assert f"first {VIOLATIONS_MAX} " in status.message


def test_violations_with_long_descriptions_keep_to_their_bytes() -> None:
    violation = errors.FieldViolation(field="f", reason="R", description="d" * 1000)
    status = status_of(errors.RequestInvalidError((violation,) * 9), correlation_id="c")
    (bad_request,) = details(status, BadRequest)
    assert 3 <= len(bad_request.field_violations) < 9
    assert bad_request.ByteSize() <= VIOLATION_BYTES_MAX
    assert "9 field(s)" in status.message


def test_a_malformed_value_is_told_under_its_own_field_or_another() -> None:
    error = errors.MSISDNMalformedError("no number")
    (bad_request,) = details(status_of(error, correlation_id="c"), BadRequest)
    assert [v.field for v in bad_request.field_violations] == ["msisdn"]
    assert violation_of(error, field="rows[3].msisdn") == errors.FieldViolation(
        field="rows[3].msisdn", reason="MSISDN_MALFORMED", description="no number"
    )


@pytest.mark.parametrize(("delay_s", "nanos"), [(1.0, 0), (5.0, 0), (0.25, 250_000_000)])
def test_a_delay_keeps_its_fraction(delay_s: float, nanos: int) -> None:
    error = errors.OverloadedError("too much")
    error.retry_after_s = delay_s
    (retry,) = details(status_of(error, correlation_id="c"), RetryInfo)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (int(delay_s), nanos)


def test_a_bug_tells_nothing_but_where_to_look_it_up() -> None:
    status = status_of_bug(correlation_id="c-2")
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert status.message == "internal error"
    (info,) = details(status, ErrorInfo)
    assert (info.reason, dict(info.metadata)) == ("INTERNAL", {"correlation_id": "c-2"})
    assert len(status.details) == 1
