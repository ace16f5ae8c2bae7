"""How long the service takes to answer.

Owns the durations seen from outside, on the wire, and their percentiles. It refuses to know what
was asked and whether the answer was right.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What the answers of one method took.

    Attributes:
        answer_count: Answers that were measured, at least 1.
        p50_ms: Half of the answers took no longer, in milliseconds.
        p95_ms: 95 % of the answers took no longer.
        p99_ms: 99 % of the answers took no longer.
        longest_ms: The slowest answer.
    """

    answer_count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float


class Measurements:
    """Collects durations by method, from any number of threads."""

    def __init__(self, *, stopwatch: Callable[[], float] = time.perf_counter) -> None:
        """Start with nothing measured.

        Args:
            stopwatch: Seconds since any fixed instant, never going back.
        """
        self._stopwatch = stopwatch
        self._durations_s: defaultdict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextmanager
    def measured(self, method: str) -> Iterator[None]:
        """Measure what happens inside; a refusal that leaves as an exception is not measured.

        Refusals are left out because most are decided before any work: they would flatter.
        """
        started_s = self._stopwatch()
        yield
        self.record(method, duration_s=self._stopwatch() - started_s)

    def record(self, method: str, *, duration_s: float) -> None:
        """Keep one duration."""
        with self._lock:
            self._durations_s[method].append(duration_s)

    def latencies(self) -> dict[str, Latency]:
        """Return the latency of each method that answered, in order of its name."""
        with self._lock:
            return {name: _latency(each) for name, each in sorted(self._durations_s.items())}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least a share of all values does not exceed.

    The nearest rank: always a value that was really seen, never one in between.

    Args:
        values: At least one.
        share: Above 0, at most 1.

    Raises:
        ValueError: There are no values, or the share lies outside its range.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no {share} percentile of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _latency(durations_s: Sequence[float]) -> Latency:
    def milliseconds(share: float) -> float:
        return round(1000 * percentile(durations_s, share), 2)

    return Latency(
        answer_count=len(durations_s),
        p50_ms=milliseconds(0.50),
        p95_ms=milliseconds(0.95),
        p99_ms=milliseconds(0.99),
        longest_ms=milliseconds(1),
    )
