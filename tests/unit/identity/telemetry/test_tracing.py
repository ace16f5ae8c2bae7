"""Spans: names and attributes from closed lists, and never what an exception says."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from identity.domain.caller import Role
from identity.telemetry.metrics import NO_REASON, EndedCall
from identity.telemetry.steps import Step, step
from identity.telemetry.tracing import ATTRIBUTES, Tracing, describe

METHOD = "ContactService/GetContact"
SECRET = "001099012345"  # noqa: S105 - a personal ID that must not be told
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Traced:
    """Tracing whose spans can be looked at."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Tracing(SimpleSpanProcessor(self._exporter))

    def spans(self) -> dict[str, ReadableSpan]:
        """Those that have ended, by name."""
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def traced() -> Iterator[Traced]:
    made = Traced()
    yield made
    made.tracing.close()


def ended(code: str = "OK", reason: str = NO_REASON) -> EndedCall:
    return EndedCall(method=METHOD, role=Role.AGENCY, code=code, reason=reason, seconds=0.1)


def test_a_call_and_its_steps_are_one_trace_under_the_callers_span(traced: Traced) -> None:
    with traced.tracing.call(METHOD, f"00-{TRACE}-{PARENT}-01") as span:
        with step(Step.DATABASE), step(Step.FACES):
            pass
        describe(span, ended("NOT_FOUND", "CITIZEN_NOT_FOUND"))
    spans = traced.spans()
    call, database, faces = (
        spans[name] for name in (f"subid.v1.{METHOD}", "database transaction", "face comparison")
    )
    assert {f"{each.context.trace_id:032x}" for each in spans.values()} == {TRACE}
    assert call.parent is not None
    assert f"{call.parent.span_id:016x}" == PARENT
    assert database.parent == call.context
    assert faces.parent == database.context
    assert dict(call.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": f"subid.v1.{METHOD}",
        "rpc.response.status_code": "NOT_FOUND",
        "subid.role": "agency",
        "subid.reason": "CITIZEN_NOT_FOUND",
    }
    assert call.status.status_code is StatusCode.UNSET
    assert set(call.attributes or ()) == ATTRIBUTES


def test_what_an_exception_says_is_not_told(traced: Traced) -> None:
    with traced.tracing.call(METHOD, None) as span:
        with pytest.raises(RuntimeError), step(Step.DATABASE):
            raise RuntimeError(SECRET)
        describe(span, ended("INTERNAL", "INTERNAL"))
    spans = traced.spans()
    assert {each.status.status_code for each in spans.values()} == {StatusCode.ERROR}
    for each in spans.values():
        assert not each.events
        assert SECRET not in each.to_json()


def test_a_step_outside_a_traced_call_is_told_to_nobody(traced: Traced) -> None:
    with step(Step.DATABASE):
        pass
    with traced.tracing.call(METHOD, None):
        pass
    with step(Step.FACES):
        pass
    assert list(traced.spans()) == [f"subid.v1.{METHOD}"]


@given(parent=st.text(max_size=80))
def test_a_parent_that_is_none_begins_a_new_trace(parent: str) -> None:
    traced = Traced()
    with traced.tracing.call(METHOD, parent):
        pass
    (span,) = traced.spans().values()
    assert span.parent is None
    assert not span.attributes
