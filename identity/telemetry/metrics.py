"""Metrics in Prometheus' terms: what they are called, and what their labels may say.

Owns the registry and the closed set of every label: a value that is not in it becomes `other`, so
nothing that a caller wrote ever becomes a label, and the number of series has a bound. Knows no
call and no database: it is told of the one, and handed functions that read the other.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from identity.domain.caller import Role

OTHER = "other"
"""Stands for a value that is in no set."""

NO_REASON = "none"
"""The reason of a call that was answered, or that the caller gave up."""

CODES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
"""Codes of gRPC (grpc/doc/statuscodes.md), of which there are no others."""

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the buckets of durations: a look-up takes some 2 ms, a verification up to seconds, and
a long poll waits for up to a minute."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCall:
    """How one call went.

    Attributes:
        method: `Service/Method` of package subid.v1.
        role: The caller's role; None for a caller who is none.
        code: Name of the status code.
        reason: The refusal's stable reason, or `NO_REASON`.
        seconds: From its coming to its end.
    """

    method: str
    role: Role | None
    code: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadGauge:
    """A gauge that is read when it is asked for.

    Attributes:
        name: Name with its unit, as Prometheus has them (`…_seconds`, `…_bytes`).
        text: What it tells, in a sentence.
        read: Its values by the label's value; by `""` where there is no label. It is called from
            threads, must not wait, and may raise: then the gauge is not there.
        label: The label, if it has one.
        values: All that the label may say.
    """

    name: str
    text: str
    read: Callable[[], Mapping[str, float]]
    label: str | None = None
    values: Collection[str] = field(default=())


class Metrics:
    """All metrics of one server.

    Args:
        methods: Every method that can be called.
        reasons: Every reason that a refusal can have.
    """

    def __init__(self, *, methods: Iterable[str], reasons: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self._methods = frozenset(methods)
        self._reasons = frozenset({NO_REASON, *reasons})
        self._ended = Counter(
            "subid_calls",
            "Calls that have ended.",
            ["method", "role", "code", "reason"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "subid_call_duration_seconds",
            "From a call's coming to its end; a stream's or a long poll's waiting is part of it.",
            ["method", "code"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._under_way = Gauge(
            "subid_calls_under_way", "Calls under way.", ["method"], registry=self.registry
        )

    def begin(self, method: str) -> None:
        """Count a call that has begun."""
        self._under_way.labels(_of(self._methods, method)).inc()

    def end(self, call: EndedCall) -> None:
        """Count a call that has ended; each that has begun does, once."""
        method = _of(self._methods, call.method)
        code = _of(CODES, call.code)
        role = "unknown" if call.role is None else call.role.value
        self._under_way.labels(method).dec()
        self._ended.labels(method, role, code, _of(self._reasons, call.reason)).inc()
        self._seconds.labels(method, code).observe(call.seconds)

    def add(self, gauges: Iterable[ReadGauge]) -> None:
        """Have more gauges told.

        Raises:
            ValueError: Another metric has one of the names.
        """
        for gauge in gauges:
            self.registry.register(_Reading(gauge))


class _Reading(Collector):
    """A gauge as the registry wants it."""

    def __init__(self, gauge: ReadGauge) -> None:
        self._gauge = gauge

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Its name, so that a second of the same name is refused."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Its values now; nothing when they cannot be read."""
        gauge, family = self._gauge, self._family()
        try:
            values = gauge.read()
        except Exception as error:  # noqa: BLE001 - one gauge must not cost the others; its absence is told
            _log.warning("gauge not read", name=gauge.name, type=type(error).__name__)
            return
        for value, number in values.items():
            family.add_metric([_of(gauge.values, value)] if gauge.label else [], number)
        yield family

    def _family(self) -> GaugeMetricFamily:
        labels = [self._gauge.label] if self._gauge.label else []
        return GaugeMetricFamily(self._gauge.name, self._gauge.text, labels=labels)


def _of(known: Collection[str], value: str) -> str:
    return value if value in known else OTHER
