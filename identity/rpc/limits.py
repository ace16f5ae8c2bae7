"""From a body to a request that keeps within its contract.

Owns every limit that one message is held against, in the order of what it costs: size, number of
elements on the wire, the parser, number of elements, the rules of protovalidate. Each stage may
rely on the one before, so a small body cannot make a large message, nor a long answer. Knows no
caller and no method's meaning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import protovalidate
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from buf.validate import validate_pb2
from identity.domain.errors import FieldViolation, RequestInvalidError

MESSAGE_BYTES_MAX = 20 * 1024 * 1024
"""The largest request of all: five photographs, two of them of the allowed size, and the chip."""

SMALL_MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""The largest request of a method that is not in `LARGE_METHODS`; the contract needs 1 MiB."""

LOOP_BYTES_MAX = 64 * 1024
"""The largest request of an asynchronous method that is read on the event loop: about 1 ms."""

LARGE_METHODS = frozenset(
    {
        "VerificationService/CompleteVerification",
        "VerificationService/CompletePresence",
        "PopulationService/ImportPopulation",
        "SubscriptionService/ImportSubscriptions",
        "MatchService/MatchRecords",
        # 10,000 acknowledgements, each with 200 characters of up to 4 bytes, are 9 MiB.
        "EnforcementService/AcknowledgeDirectives",
    }
)
"""May use all of `MESSAGE_BYTES_MAX`."""

JOBS = frozenset(
    {
        "EnforcementService/AdvanceEnforcement",
        "PrivacyService/DecideDataRequest",
        "WaveService/PreviewWave",
        "WaveService/ApproveWave",
        "WaveService/ExecuteWave",
        "WaveService/RevertWave",
    }
)
"""Methods that work on the whole registry, and may take as long as that does."""

DEEP_MESSAGE_BYTES_MAX = 128 * 1024
"""The largest request with lists below its top, where nobody counts on the wire: what it can hold
is small in memory, too."""

STRAY_FIELDS_MAX = 100
"""Top-level fields of a body beyond those of the contract: a newer client may know some."""

UNCOUNTED_BYTES_MAX = 64 * 1024
"""Bodies too small to hold more elements than the parser may see."""

_FIELD_RULES: Any = validate_pb2.field
_VALIDATOR = protovalidate.Validator()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the body of one method may be.

    Attributes:
        kind: The class of its message.
        bytes_max: The largest body.
        items_max: The largest number of elements, for each repeated field.
        names: Names of repeated strings, bytes and messages by field number: the elements that
            stand one by one on the wire.
        entries_max: The largest number of top-level fields, elements counted one by one.
    """

    kind: type[Message]
    bytes_max: int
    items_max: Mapping[str, int]
    names: Mapping[int, str]
    entries_max: int


def read(method: str, body: bytes) -> Message:
    """The request that a body holds.

    Args:
        method: Service and method, such as `ContactService/GetContact`.
        body: What came.

    Raises:
        RequestInvalidError: Too large, no message of this method, or any field at fault.
    """
    form = form_of(method)
    if len(body) > form.bytes_max:
        raise too_large(form.bytes_max)
    if len(body) > UNCOUNTED_BYTES_MAX:
        _refuse_many_on_the_wire(form, body)
    try:
        request = form.kind.FromString(body)
    except DecodeError as error:
        raise malformed() from error
    check(request)
    return request


@lru_cache(maxsize=128)
def form_of(method: str) -> Form:
    """The form of a method's request, read from its descriptor."""
    name = f"subid.v1.{method.replace('/', '.')}"
    described = descriptor_pool.Default().FindMethodByName(name).input_type
    items_max = _items_max(described)
    return Form(
        kind=GetMessageClass(described),
        bytes_max=_bytes_max(method, described),
        items_max=items_max,
        names={
            field.number: field.name
            for field in described.fields
            if field.is_repeated and not _is_packed(field)
        },
        entries_max=len(described.fields) + sum(items_max.values()) + STRAY_FIELDS_MAX,
    )


def _bytes_max(method: str, described: Any) -> int:  # noqa: ANN401 - as _items_max
    if _parts(described) or _lists_of_lists(described):
        return DEEP_MESSAGE_BYTES_MAX
    return MESSAGE_BYTES_MAX if method in LARGE_METHODS else SMALL_MESSAGE_BYTES_MAX


@lru_cache(maxsize=128)
def _parts(described: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as _items_max
    """The fields that hold one message each, with lists in it."""
    return tuple(field for field in _with_lists(described) if not field.is_repeated)


@lru_cache(maxsize=128)
def _lists_of_lists(described: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as _items_max
    """The fields that hold many messages, with lists in each."""
    return tuple(field for field in _with_lists(described) if field.is_repeated)


def _with_lists(described: Any) -> Iterator[Any]:  # noqa: ANN401 - as _items_max
    for field in described.fields:
        if field.message_type is not None and _items_max(field.message_type):
            yield field


@lru_cache(maxsize=128)
def _items_max(described: Any) -> Mapping[str, int]:  # noqa: ANN401 - descriptors of upb have no stubs
    return {
        field.name: field.GetOptions().Extensions[_FIELD_RULES].repeated.max_items
        for field in described.fields
        if field.is_repeated
    }


def _is_packed(field: Any) -> bool:  # noqa: ANN401 - as _items_max
    return field.type not in {field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE}


def check(request: Message) -> None:
    """Hold a request against the limits that its contract states.

    Raises:
        RequestInvalidError: Any field at fault; a list that is too long is named alone, and its
            elements are not looked at.
    """
    _refuse_long_lists(request)
    violations = tuple(
        FieldViolation(
            field=field_path(violation.proto),
            reason=_reason(violation.proto.rule_id),
            description=violation.proto.message,
        )
        for violation in _VALIDATOR.collect_violations(request)
    )
    if violations:
        raise RequestInvalidError(violations)


def _refuse_long_lists(message: Message, *, path: str = "") -> None:
    for name, most in _items_max(message.DESCRIPTOR).items():
        if len(getattr(message, name)) > most:
            raise _too_many(path + name, most)
    for part in _parts(message.DESCRIPTOR):
        if message.HasField(part.name):
            _refuse_long_lists(getattr(message, part.name), path=f"{path}{part.name}.")
    for part in _lists_of_lists(message.DESCRIPTOR):
        for index, element in enumerate(getattr(message, part.name)):
            _refuse_long_lists(element, path=f"{path}{part.name}[{index}].")


def field_path(violation: Any) -> str:  # noqa: ANN401 - protovalidate's message has no stubs
    """A violation's field as `events[2].msisdn`."""
    if violation.field is None:
        return ""
    return ".".join(_element(element) for element in violation.field.elements)


def _element(element: Any) -> str:  # noqa: ANN401 - as field_path
    subscript = element.subscript
    if subscript is None or subscript.field != "index":
        return str(element.field_name)
    return f"{element.field_name}[{subscript.value}]"


def _reason(rule_id: str) -> str:
    """`string.min_len` becomes `STRING_MIN_LEN`."""
    return rule_id.upper().replace(".", "_")


def malformed() -> RequestInvalidError:
    """The refusal of a body that is no message of its method."""
    return _refusal("MESSAGE_MALFORMED", "the body is no message of this method")


def too_large(bytes_max: int) -> RequestInvalidError:
    """The refusal of a body of more bytes than its method takes."""
    return _refusal("MESSAGE_TOO_LARGE", f"a request is at most {bytes_max} bytes")


def _refusal(reason: str, description: str, *, field: str = "") -> RequestInvalidError:
    return RequestInvalidError(
        (FieldViolation(field=field, reason=reason, description=description),)
    )


def _too_many(name: str, most: int) -> RequestInvalidError:
    return _refusal("REPEATED_MAX_ITEMS", f"must contain no more than {most} item(s)", field=name)


# The wire. An empty element takes two bytes there and many times that in memory, so the parser may
# not see more of them than the contract allows.
# Source: Protocol Buffers documentation, "Encoding": tags, wire types, base-128 varints.

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


def _refuse_many_on_the_wire(form: Form, body: bytes) -> None:
    counts = dict.fromkeys(form.names, 0)
    for entry, number in enumerate(_field_numbers(body), start=1):
        if entry > form.entries_max:
            raise malformed()
        if number in counts:
            counts[number] += 1
            most = form.items_max[form.names[number]]
            if counts[number] > most:
                raise _too_many(form.names[number], most)


def _field_numbers(body: bytes) -> Iterator[int]:
    """The numbers of a body's top-level fields, one for each time a field stands there."""
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _, position = _varint(body, position)
        elif wire_type == _LENGTH_DELIMITED:
            length, position = _varint(body, position)
            position += length
        elif wire_type in _FIXED_SIZES:
            position += _FIXED_SIZES[wire_type]
        else:
            # Groups: the contract has none, and no client of proto3 writes them.
            raise malformed()
        yield tag >> 3


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """A varint of at most 10 bytes, and where it ends."""
    # Nearly all are one byte: tags, and lengths of rows. Of millions of rows the long way costs.
    if position < len(body) and body[position] < 0x80:  # noqa: PLR2004 - the continuation bit
        return body[position], position + 1
    value = 0
    for shift, byte in zip(range(0, 70, 7), body[position : position + 10], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, position + shift // 7 + 1
    raise malformed()
