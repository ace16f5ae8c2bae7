"""Steps inside a call that are told in its trace, by name alone.

Owns their names and how code that does such a step says so. It imports next to nothing, because
processes that compare faces import it too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from opentelemetry.trace import Status, StatusCode, Tracer


class Step(StrEnum):
    """What is told of inside a call: the names of its child spans."""

    DATABASE = "database transaction"
    FACES = "face comparison"


_tracer: ContextVar[Tracer | None] = ContextVar("subid_tracer", default=None)
"""The tracer of the call that runs, if it is traced."""


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    """Have the steps inside the block told to a tracer."""
    before = _tracer.set(tracer)
    try:
        yield
    finally:
        _tracer.reset(before)


@contextmanager
def step(name: Step) -> Iterator[None]:
    """A child span of the call that runs; nothing outside a traced call."""
    tracer = _tracer.get()
    if tracer is None:
        yield
        return
    # What an exception says is nobody's business here: libraries put values into it.
    with tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException:
            span.set_status(Status(StatusCode.ERROR))
            raise
