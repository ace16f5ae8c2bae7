"""Random bodies to every method, as every role that may call it: any coded refusal will do.

Owns a strategy for any message of the contract, built from its descriptor: valid looking values
beside broken ones, so that random requests reach past the first check. How bodies are broken is
`broken_bodies`'s.
"""

from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from identity.domain.caller import Role
from identity.rpc.errors import DOMAIN
from subid.v1.enforcement_service_pb2 import AdvanceEnforcementRequest
from tests.integration.broken_bodies import break_body
from tests.integration.conftest import Connect
from tests.integration.contract import METHODS, MSISDN, PERSONAL_ID, allowed_roles, example
from tests.integration.wire import TIMEOUT_S, Refused, method_key, method_path, send

EXAMPLES_PER_METHOD = 60
BODIES_PER_METHOD = 40
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


def refusal_of(error: grpc.RpcError) -> str:
    """The status of a refusal, which must be one of ours."""
    refusal = Refused.of(error)
    assert refusal.reason, refusal
    assert refusal.domain == DOMAIN
    assert refusal.correlation_id
    return refusal.status


def status_of(channel: grpc.Channel, method: MethodDescriptor, request: Message) -> str:
    if isinstance(request, AdvanceEnforcementRequest) and _would_move_the_clock(request):
        request.ClearField("as_of_time")  # the clock is every test's
    try:
        send(channel, method, [request])
    except grpc.RpcError as error:
        return refusal_of(error)
    return "OK"


def status_of_body(channel: grpc.Channel, method: MethodDescriptor, body: bytes) -> str:
    """How any octets at all are answered, sent as a stream of one."""
    call: Any = channel.stream_unary(method_path(method))
    try:
        call(iter([body]), timeout=TIMEOUT_S)
    except grpc.RpcError as error:
        return refusal_of(error)
    return "OK"


def _would_move_the_clock(request: AdvanceEnforcementRequest) -> bool:
    return 0 < request.as_of_time.seconds < 8_000_000_000


def _body_would_move_the_clock(method: MethodDescriptor, body: bytes) -> bool:
    if method.input_type != AdvanceEnforcementRequest.DESCRIPTOR:
        return False
    try:
        return _would_move_the_clock(AdvanceEnforcementRequest.FromString(body))
    except DecodeError:
        return False


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_no_request_finds_a_bug(connect_as: Connect, method: MethodDescriptor) -> None:
    @settings(
        max_examples=EXAMPLES_PER_METHOD,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        role=st.sampled_from(allowed_roles(method)),
        request=st.one_of(messages(method.input_type), half_right(method)),
    )
    def holds(role: Role, request: Message) -> None:
        assert status_of(connect_as(role, CALLER), method, request) not in BUGS

    holds()


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_no_bytes_find_a_bug(connect_as: Connect, method: MethodDescriptor) -> None:
    body = example(method).SerializeToString()
    octets = st.one_of(
        st.binary(max_size=60),
        st.randoms(use_true_random=False).map(lambda generator: break_body(body, generator)),
    )

    @settings(
        max_examples=BODIES_PER_METHOD,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(role=st.sampled_from(allowed_roles(method)), octets=octets)
    def holds(role: Role, octets: bytes) -> None:
        assume(not _body_would_move_the_clock(method, octets))
        assert status_of_body(connect_as(role, CALLER), method, octets) not in BUGS

    holds()


def test_the_server_is_well_after_all_that(connect_as: Connect) -> None:
    """Broken bodies of every kind, many under way at once; then it says that it serves."""
    generator = Random(20261122)
    calls = []
    for method in METHODS:
        channel = connect_as(allowed_roles(method)[0], CALLER)
        body = break_body(example(method).SerializeToString(), generator)
        if not _body_would_move_the_clock(method, body):
            call: Any = channel.stream_unary(method_path(method))
            calls.append(call.future(iter([body]), timeout=TIMEOUT_S))
    assert {call.code().name for call in calls}.isdisjoint(BUGS)
    health = health_pb2_grpc.HealthStub(connect_as(Role.AGENCY, CALLER))
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
