"""Random bodies to every method: any coded refusal will do, a bug will not.

Owns a strategy for any message of the contract, built from its descriptor: valid looking values
beside broken ones, so that random requests reach past the first check.
"""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subid.v1.enforcement_service_pb2 import AdvanceEnforcementRequest
from tests.integration.conftest import Connect
from tests.integration.contract import METHODS, MSISDN, PERSONAL_ID, allowed_role, example
from tests.integration.wire import Refused, method_key, method_path, send

EXAMPLES_PER_METHOD = 60
CALLER = "fuzz"
BUGS = {"INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}

TEXTS = st.one_of(
    st.sampled_from(["", PERSONAL_ID, MSISDN, "0912 345 678", "Nguyễn Văn Thử", "\x00", "\u202e"]),
    st.uuids().map(str),
    st.text(max_size=40),
    st.text(min_size=190, max_size=420),
)
NUMBERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
}


def messages(kind: Descriptor) -> st.SearchStrategy[Message]:
    """Any message of a kind, each field present or not."""
    fields = {field.name: values(field) for field in kind.fields}
    drawn = st.fixed_dictionaries({}, optional=fields)
    return drawn.map(lambda content: build(kind, content))


def build(kind: Descriptor, content: dict[str, Any]) -> Message:
    message = GetMessageClass(kind)()
    for name, value in content.items():
        if isinstance(value, list):
            getattr(message, name).extend(value)
        elif isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Any value of a field."""
    one = single(field)
    return st.lists(one, max_size=3) if field.is_repeated else one


def single(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    inner = field.message_type
    if inner is not None:
        return st.deferred(lambda: messages(inner))
    if field.type == field.TYPE_STRING:
        return TEXTS
    if field.type == field.TYPE_BYTES:
        return st.binary(max_size=300)
    if field.type == field.TYPE_BOOL:
        return st.booleans()
    if field.type == field.TYPE_ENUM:
        return st.integers(-2, 12)
    low, high = NUMBERS[field.type]
    return st.one_of(st.integers(0, 31), st.integers(1900, 2199), st.integers(low, high))


def half_right(method: MethodDescriptor) -> st.SearchStrategy[Message]:
    """A request that the method takes, with some fields replaced: it reaches the deepest."""

    def merge(drawn: Message) -> Message:
        request = example(method)
        for field, value in drawn.ListFields():
            request.ClearField(field.name)
            if field.is_repeated:
                getattr(request, field.name).extend(value)
            elif isinstance(value, Message):
                getattr(request, field.name).CopyFrom(value)
            else:
                setattr(request, field.name, value)
        return request

    return messages(method.input_type).map(merge)


def status_of(connect_as: Connect, method: MethodDescriptor, request: Message) -> str:
    if isinstance(request, AdvanceEnforcementRequest) and _would_move_the_clock(request):
        request.ClearField("as_of_time")  # the clock is every test's
    try:
        send(connect_as(allowed_role(method), CALLER), method, [request])
    except grpc.RpcError as error:
        refusal = Refused.of(error)
        assert refusal.reason, refusal
        assert refusal.correlation_id
        return refusal.status
    return "OK"


def _would_move_the_clock(request: AdvanceEnforcementRequest) -> bool:
    return 0 < request.as_of_time.seconds < 8_000_000_000


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_no_request_finds_a_bug(connect_as: Connect, method: MethodDescriptor) -> None:
    @settings(
        max_examples=EXAMPLES_PER_METHOD,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(request=st.one_of(messages(method.input_type), half_right(method)))
    def holds(request: Message) -> None:
        assert status_of(connect_as, method, request) not in BUGS

    holds()


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_no_bytes_find_a_bug(connect_as: Connect, method: MethodDescriptor) -> None:
    channel = connect_as(allowed_role(method), CALLER)
    path = method_path(method)
    stream = method.client_streaming
    call: Any = channel.stream_unary(path) if stream else channel.unary_unary(path)

    @settings(max_examples=10, deadline=None)
    @given(body=st.binary(max_size=60))
    def holds(body: bytes) -> None:
        answer = call.future(iter([body]) if stream else body, timeout=20)
        assert answer.code().name not in BUGS

    holds()
