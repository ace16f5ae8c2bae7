"""Traces in OpenTelemetry's terms: a span for each call.

Owns what a span may say: names and attributes from closed lists, never a request, an answer, a
statement or an exception's text. Knows no method. Nothing here is global: a server's spans go to
that server's exporter. What is told inside a call is `steps.py`'s.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from identity.telemetry.metrics import EndedCall
from identity.telemetry.steps import traced_by

PARENT = "traceparent"
"""Metadata that names the caller's own span (W3C Trace Context, section 3.2). `tracestate` is not
taken: it is free text of a caller's, and would be passed on."""

ATTRIBUTES = frozenset(
    {
        *("rpc.system.name", "rpc.method", "rpc.response.status_code"),
        *("subid.role", "subid.reason"),
    }
)
"""All that a span may say beside its name and its times. The first three are OpenTelemetry's
(semantic conventions for gRPC)."""

_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """Makes the spans of one server.

    Args:
        processor: Takes the spans that have ended.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            resource=Resource({"service.name": "subid"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("subid")

    @contextmanager
    def call(self, method: str, parent: str | None) -> Iterator[Span]:
        """The span of one call, which steps inside are children of.

        Args:
            method: `Service/Method`.
            parent: What the caller's metadata says under `PARENT`; what is none counts as none.
        """
        context = _PROPAGATOR.extract({} if parent is None else {PARENT: parent})
        with (
            traced_by(self._tracer),
            self._tracer.start_as_current_span(
                f"subid.v1.{method}",
                context=context,
                kind=SpanKind.SERVER,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
        ):
            yield span

    def close(self) -> None:
        """Send what has not been sent, for a few seconds at most."""
        self._provider.shutdown()


def describe(span: Span, call: EndedCall) -> None:
    """Say on a call's span how it went."""
    span.set_attributes(_allowed(call))
    if call.code in {"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "DEADLINE_EXCEEDED"}:
        # Whose fault it is: of a server, only these are errors (semantic conventions for gRPC).
        span.set_status(Status(StatusCode.ERROR))


def _allowed(call: EndedCall) -> Mapping[str, str]:
    said = {
        "rpc.system.name": "grpc",
        "rpc.method": f"subid.v1.{call.method}",
        "rpc.response.status_code": call.code,
        "subid.role": "unknown" if call.role is None else call.role.value,
        "subid.reason": call.reason,
    }
    return {name: value for name, value in said.items() if name in ATTRIBUTES}
