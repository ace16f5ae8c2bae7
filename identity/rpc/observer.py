"""What is told of every call: that it came, how it ended, how long it took.

Owns the interceptor around the guard. It reads off a call what the guard has answered and changes
nothing. It tells methods, roles, codes and reasons: never a request, an answer or a caller's name.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from identity.domain.caller import Role
from identity.domain.errors import CallerUnknownError
from identity.rpc.errors import DOMAIN
from identity.rpc.interceptor import PACKAGE
from identity.security.callers import identify
from identity.telemetry.metrics import NO_REASON, EndedCall
from identity.telemetry.told import Telemetry
from identity.telemetry.tracing import PARENT, describe

STATUS_DETAILS = "grpc-status-details-bin"
"""Trailing metadata that a rich status travels in (grpc/doc/PROTOCOL-HTTP2.md)."""


class Observer(grpc.aio.ServerInterceptor):
    """Tells of every method of subid. Stands before the guard, so that refusals are seen too."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - grpc's handlers have no useful type
        """Put the observer around the guard around a method's handler."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler
        method = handler_call_details.method.removeprefix(PACKAGE)
        # The guard takes every method as a stream of requests.
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._observed(handler.stream_stream, method), None, handler.response_serializer
            )
        return grpc.stream_unary_rpc_method_handler(
            self._observed(handler.stream_unary, method), None, handler.response_serializer
        )

    def _observed(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def answer(bodies: Any, context: Any) -> Any:  # noqa: ANN401 - as intercept_service
            with self._watching(method, context):
                return await behaviour(bodies, context)

        return answer

    @contextmanager
    def _watching(self, method: str, context: Any) -> Iterator[None]:  # noqa: ANN401 - as intercept_service
        metrics, tracing = self._telemetry.metrics, self._telemetry.tracing
        began_at = time.monotonic()
        with ExitStack() as open_until_told:
            span = None
            if tracing is not None:
                span = open_until_told.enter_context(tracing.call(method, _parent(context)))
            if metrics is not None:
                metrics.begin(method)
            is_cut_off = True
            try:
                yield
                is_cut_off = False
            except grpc.aio.AbortError:
                is_cut_off = False
                raise
            finally:
                ended = _ended(method, context, began_at, is_cut_off=is_cut_off)
                if metrics is not None:
                    metrics.end(ended)
                if span is not None:
                    describe(span, ended)


def _ended(method: str, context: Any, began_at: float, *, is_cut_off: bool) -> EndedCall:  # noqa: ANN401 - as intercept_service
    # Whoever is neither answered nor refused went away, or was sent away by a deadline or a stop.
    code = "CANCELLED" if is_cut_off else _code(context)
    return EndedCall(
        method=method,
        role=_role(context),
        code=code,
        reason=NO_REASON if code in {"OK", "CANCELLED"} else _reason(context),
        seconds=time.monotonic() - began_at,
    )


def _code(context: Any) -> str:  # noqa: ANN401 - as intercept_service
    # Of a call that was answered and had none set, a plain 0.
    code = context.code()
    return code.name if isinstance(code, grpc.StatusCode) else "OK"


def _parent(context: Any) -> str | None:  # noqa: ANN401 - as intercept_service
    found = (value for name, value in context.invocation_metadata() or () if name == PARENT)
    parent = next(found, None)
    return parent if isinstance(parent, str) else None


def _role(context: Any) -> Role | None:  # noqa: ANN401 - as intercept_service
    return _role_in(tuple(context.auth_context().get("x509_subject_alternative_name", ())))


@lru_cache(maxsize=1024)
def _role_in(names: tuple[bytes, ...]) -> Role | None:
    """What a certificate says that its owner is; whether that is believed is the guard's."""
    try:
        return identify(name.decode("utf-8", "replace") for name in names).role
    except CallerUnknownError:
        return None


def _reason(context: Any) -> str:  # noqa: ANN401 - as intercept_service
    """The reason in a refusal's details, of those that we have made."""
    for name, value in context.trailing_metadata() or ():
        if name == STATUS_DETAILS:
            return _reason_in(status_pb2.Status.FromString(value))
    return NO_REASON


def _reason_in(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    return NO_REASON
