"""What happens around every method: who calls, may they, is the request within its limits.

Owns the one interceptor. It turns domain errors into statuses and everything else into `INTERNAL`
with a correlation id, and writes one log line for what did not go well. Log lines hold methods,
roles, reasons and times; never a request, a response or an exception's text.
"""

import inspect
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from typing import Any
from uuid import uuid4

import grpc
import protovalidate
import structlog
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status

from identity.domain.caller import Caller
from identity.domain.errors import DomainError, FieldViolation, RequestInvalidError
from identity.domain.policy import PolicyPack
from identity.rpc.errors import status_of, status_of_bug
from identity.security.callers import authorise, identify
from identity.services.call import Call
from identity.services.clock import Clock

PACKAGE = "/subid.v1."
"""Methods outside it (health, reflection) are the library's own and pass untouched."""

_MESSAGE_MALFORMED = FieldViolation(
    field="", reason="MESSAGE_MALFORMED", description="the body is no message of this method"
)
_VALIDATOR = protovalidate.Validator()
_log = structlog.get_logger("subid.rpc")


class Guard(grpc.aio.ServerInterceptor):
    """Surrounds every method of subid."""

    def __init__(self, *, clock: Clock, policy: PolicyPack) -> None:
        self._clock = clock
        self._policy = policy

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - grpc's handlers have no useful type
        """Put the guard around a method's handler."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler
        method = handler_call_details.method.removeprefix(PACKAGE)
        return self._guarded(handler, method)

    def _guarded(self, handler: Any, method: str) -> Any:  # noqa: ANN401 - as intercept_service
        if handler.request_streaming:
            wrap, behaviour = grpc.stream_unary_rpc_method_handler, handler.stream_unary
            guarded: Callable[..., Any] = self._around_stream(behaviour, method)
        else:
            wrap, behaviour = grpc.unary_unary_rpc_method_handler, handler.unary_unary
            is_async = inspect.iscoroutinefunction(behaviour)
            around = self._around_async if is_async else self._around_sync
            guarded = around(behaviour, method)
        return wrap(guarded, _tolerant(handler.request_deserializer), handler.response_serializer)

    def _around_sync(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        def answer(request: Message, context: Any) -> Any:  # noqa: ANN401 - as _guarded
            watch = _Watch(method)
            try:
                call = self._admit(context, method, watch)
                check(request)
                return behaviour(request, call)
            except Exception as error:  # noqa: BLE001 - the boundary: nothing may leave uncoded
                context.abort(*watch.refusal(error))

        return answer

    def _around_async(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def answer(request: Message, context: Any) -> Any:  # noqa: ANN401 - as _guarded
            watch = _Watch(method)
            try:
                call = self._admit(context, method, watch)
                check(request)
                return await behaviour(request, call)
            except Exception as error:  # noqa: BLE001 - as _around_sync
                await context.abort(*watch.refusal(error))

        return answer

    def _around_stream(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def answer(requests: AsyncIterator[Message], context: Any) -> Any:  # noqa: ANN401 - as _guarded
            watch = _Watch(method)
            try:
                call = self._admit(context, method, watch)
                return await behaviour(_checked(requests), call)
            except Exception as error:  # noqa: BLE001 - as _around_sync
                await context.abort(*watch.refusal(error))

        return answer

    def _admit(self, context: Any, method: str, watch: "_Watch") -> Call:  # noqa: ANN401 - as _guarded
        caller = _caller(tuple(context.auth_context().get("x509_subject_alternative_name", ())))
        watch.caller = str(caller)
        authorise(caller, method)
        return Call(caller=caller, at=self._clock.now(), policy=self._policy)


class _Watch:
    """One call's place in the log."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.caller = "unknown"
        self._began_at = time.monotonic()

    def refusal(self, error: Exception) -> tuple[grpc.StatusCode, str, Any]:
        """Log what went wrong and return the arguments of `abort`."""
        correlation_id = str(uuid4())
        fields = {
            "method": self.method,
            "caller": self.caller,
            "correlation_id": correlation_id,
            "duration_ms": round(1000 * (time.monotonic() - self._began_at), 1),
        }
        if isinstance(error, DomainError):
            _log.info("refused", reason=error.reason, **fields)
            status = status_of(error, correlation_id=correlation_id)
        else:
            # Never the message: libraries put values into it. Where it happened is enough.
            places = traceback.format_tb(error.__traceback__)
            _log.error("failed", error=type(error).__name__, places=places, **fields)
            status = status_of_bug(correlation_id=correlation_id)
        rich = rpc_status.to_status(status)
        return rich.code, rich.details, rich.trailing_metadata


class Unreadable:
    """Stands for a body that is no message of its method."""


def _tolerant(deserialize: Callable[[bytes], Message]) -> Callable[[bytes], Message | Unreadable]:
    # Raised by the deserializer, the error would never reach the guard: gRPC answers it with
    # UNKNOWN and writes the exception to the log.
    def read(body: bytes) -> Message | Unreadable:
        try:
            return deserialize(body)
        except DecodeError:
            return Unreadable()

    return read


def check(request: Message | Unreadable) -> None:
    """Hold a request against the limits that its contract states.

    Raises:
        RequestInvalidError: Any field at fault, or no message at all.
    """
    if isinstance(request, Unreadable):
        raise RequestInvalidError((_MESSAGE_MALFORMED,))
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


async def _checked(requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for request in requests:
        check(request)
        yield request


@lru_cache(maxsize=1024)
def _caller(names: tuple[bytes, ...]) -> Caller:
    return identify(name.decode("utf-8", "replace") for name in names)
