"""How an operator obeys, in figures and in one score a month.

Owns the formulas (docs/concepts/compliance.md) over counts that it is handed. Knows no table and no
clock. A share of nothing does not exist, and a part of a score that cannot be said is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from identity.domain.quality import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTimes:
    """How fast one kind of order is executed.

    Attributes:
        executed_count: Orders executed.
        late_count: Orders executed after their time, and open ones past it.
        p50_s: Seconds from the order (of a change of device: from the event) that half of those
            executed took at most; None where none was.
        p95_s: The same of 95 in 100.
    """

    executed_count: int = 0
    late_count: int = 0
    p50_s: float | None = None
    p95_s: float | None = None

    def on_time(self, *, open_late_count: int) -> Share:
        """What was executed in time, of all that should have been."""
        whole = self.executed_count + open_late_count
        return Share(max(0, whole - self.late_count), whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKpis:
    """The figures of one operator over some days.

    Attributes:
        operator_id: Which operator.
        coverage: Rows whose holder is verified, of all in service, as last measured.
        orders: All orders but notices.
        open_late_count: Of them, those that are open past their time.
        notices: Notices.
        device_changes: Blocks after a change of device, from the event.
        drift: Numbers in another state than acknowledged or ordered, of those last compared.
        reconciled_at: When they were; None when they were not.
        false_acknowledgements: Numbers that were acknowledged and not blocked or restored, of all
            numbers compared within the days.
        cures: Cases that a verification ended, of all that ended.
        reverted_blocks: Blocks that were put back with a wave, of all blocks.
        complaint_count: Complaints.
        failures: Orders that failed at least once, of all that were handed out.
    """

    operator_id: str
    coverage: Share
    orders: ExecutionTimes
    open_late_count: int
    notices: ExecutionTimes
    device_changes: ExecutionTimes
    drift: Share
    reconciled_at: datetime | None
    false_acknowledgements: Share
    cures: Share
    reverted_blocks: Share
    complaint_count: int
    failures: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    """The figures of all operators.

    Attributes:
        counted_at: When.
        first_day: The first day, in Viet Nam's day.
        last_day: The last.
        operators: By name.
    """

    counted_at: datetime
    first_day: date
    last_day: date
    operators: tuple[OperatorKpis, ...]


WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "coverage": 0.25,
        "on_time": 0.25,
        "device_change_on_time": 0.2,
        "without_drift": 0.1,
        "honest": 0.1,
        "without_failure": 0.1,
    }
)
"""What a score is made of. Ours, not the law's: Notice 552/TB-VPCP asks for scores each month and
gives no formula. Identified subscribers and obedience weigh the same; the two-hour duty, the law's
own number, has a part of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """One part of a score.

    Attributes:
        name: Of `WEIGHTS`.
        points: 0 to 100.
        weight: 0 to 1, after the parts that cannot be said have left theirs to the others.
    """

    name: str
    points: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyScore:
    """The score of one operator.

    Attributes:
        operator_id: Which operator.
        parts: What it is made of; empty when nothing can be said.
    """

    operator_id: str
    parts: tuple[ScorePart, ...]

    @property
    def score(self) -> float | None:
        """0 to 100; None when nothing can be said."""
        return sum(part.points * part.weight for part in self.parts) if self.parts else None


def score(kpis: OperatorKpis) -> MonthlyScore:
    """The score that some figures come to."""
    known = {name: share for name, share in _shares(kpis) if share.denominator > 0}
    whole = sum(WEIGHTS[name] for name in known)
    parts = tuple(
        ScorePart(
            name=name,
            points=100 * share.numerator / share.denominator,
            weight=WEIGHTS[name] / whole,
        )
        for name, share in known.items()
    )
    return MonthlyScore(operator_id=kpis.operator_id, parts=parts)


def _shares(kpis: OperatorKpis) -> Iterator[tuple[str, Share]]:
    yield "coverage", kpis.coverage
    yield "on_time", kpis.orders.on_time(open_late_count=kpis.open_late_count)
    times = kpis.device_changes
    in_time = max(0, times.executed_count - times.late_count)
    yield "device_change_on_time", Share(in_time, times.executed_count)
    yield "without_drift", _rest(kpis.drift)
    yield "honest", _rest(kpis.false_acknowledgements)
    yield "without_failure", _rest(kpis.failures)


def _rest(share: Share) -> Share:
    return Share(max(0, share.denominator - share.numerator), share.denominator)
