"""Who is told of calls. Owns nothing but the two."""

from dataclasses import dataclass

from identity.telemetry.metrics import Metrics
from identity.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Who is told of every call of one server.

    Attributes:
        metrics: Counts calls, if anybody wants to know.
        tracing: Makes their spans, if anybody wants to have them.
    """

    metrics: Metrics | None = None
    tracing: Tracing | None = None
