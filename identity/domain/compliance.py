"""How an operator obeys, in figures and in one score a month.

Owns the formulas (docs/concepts/compliance.md) over counts that it is handed, and which days can be
asked for. Knows no table and no clock. A share of nothing does not exist, and a part of a score
that cannot be said is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Self

from identity.domain.calendar_date import DAY_ZONE, YEAR_MAX, YEAR_MIN
from identity.domain.errors import FieldViolation, RequestInvalidError
from identity.domain.quality import Share

DAYS_DEFAULT = 30
"""Days that are counted unless told otherwise."""

DAYS_MAX = 366
"""A leap year: more at once is asked for in parts."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days in Viet Nam, one after another.

    Attributes:
        first: The first.
        last: The last; 1 to `DAYS_MAX` in all.
    """

    first: date
    last: date

    @classmethod
    def chosen(cls, first: date | None, last: date | None, *, today: date) -> Self:
        """The days that somebody asks for.

        Args:
            first: The first; None for `DAYS_DEFAULT` days up to the last one.
            last: The last; None for today.
            today: The day that it is.

        Raises:
            RequestInvalidError: None, more than `DAYS_MAX`, or in years that no day can have.
        """
        end = last or today
        if not YEAR_MIN <= end.year <= YEAR_MAX:
            raise _refused("last_day", f"the year is {YEAR_MIN} to {YEAR_MAX}")
        begin = first or end - timedelta(days=DAYS_DEFAULT - 1)
        if not 0 <= (end - begin).days < DAYS_MAX:
            raise _refused("first_day", f"1 to {DAYS_MAX} days, the first not after the last")
        return cls(begin, end)

    @classmethod
    def of_month(cls, year: int, month: int) -> Self:
        """The days of a month of the years 1 to 9998."""
        return cls(date(year, month, 1), _next_month(year, month) - timedelta(days=1))

    @property
    def begins_at(self) -> datetime:
        """The first midnight, in Viet Nam."""
        return datetime.combine(self.first, time(), tzinfo=DAY_ZONE)

    @property
    def ends_at(self) -> datetime:
        """The midnight after the last day: the first instant that is no part of it."""
        return datetime.combine(self.last + timedelta(days=1), time(), tzinfo=DAY_ZONE)


def months_until(last: date, *, count: int) -> tuple[Days, ...]:
    """The months up to that of a day, oldest first.

    Args:
        last: A day of the last month.
        count: How many.
    """
    months = [Days.of_month(last.year, last.month)]
    while len(months) < count:
        before = months[0].first - timedelta(days=1)
        months.insert(0, Days.of_month(before.year, before.month))
    return tuple(months)


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _refused(field: str, description: str) -> RequestInvalidError:
    fault = FieldViolation(field=field, reason="DAYS_OUT_OF_RANGE", description=description)
    return RequestInvalidError((fault,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTimes:
    """How fast one kind of order is executed.

    Attributes:
        executed_count: Orders executed.
        late_count: Orders executed after their time, and those past it that are still open or were
            overtaken then.
        open_late_count: Of them, those that are still open.
        overtaken_late_count: Of them, those that were overtaken.
        p50_s: Seconds from the order (of a change of device: from the event) that half of those
            executed took at most; None where none was.
        p95_s: The same of 95 in 100.
    """

    executed_count: int = 0
    late_count: int = 0
    open_late_count: int = 0
    overtaken_late_count: int = 0
    p50_s: float | None = None
    p95_s: float | None = None

    @property
    def on_time(self) -> Share:
        """What was executed in time, of all that should have been."""
        whole = self.executed_count + self.open_late_count + self.overtaken_late_count
        return Share(whole - self.late_count, whole)


_NOTHING = Share(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKpis:
    """The figures of one operator over some days; none unless something happened.

    Attributes:
        operator_id: Which operator.
        coverage: Rows whose holder is verified, of all in service, as last measured in these days.
        orders: All orders but notices.
        notices: Notices.
        device_changes: Blocks after a change of device, from the event.
        drift: Numbers in another state than ordered or not named at all, of those of the last
            reconciliation in these days.
        reconciled_at: When that was; None when there was none.
        false_acknowledgements: Numbers that were acknowledged and not blocked or restored, of all
            numbers compared in these days.
        cures: Cases that a verification ended, of all that ended.
        reverted_blocks: Blocks that were put back with their wave, of all blocks ordered.
        complaint_count: Complaints.
        failures: Orders and notices that failed at least once, of all that were answered.
    """

    operator_id: str
    coverage: Share = _NOTHING
    orders: ExecutionTimes = ExecutionTimes()
    notices: ExecutionTimes = ExecutionTimes()
    device_changes: ExecutionTimes = ExecutionTimes()
    drift: Share = _NOTHING
    reconciled_at: datetime | None = None
    false_acknowledgements: Share = _NOTHING
    cures: Share = _NOTHING
    reverted_blocks: Share = _NOTHING
    complaint_count: int = 0
    failures: Share = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    """The figures of all operators, or of the one that asks.

    Attributes:
        counted_at: When.
        days: Which days.
        operators: By name.
    """

    counted_at: datetime
    days: Days
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
class OperatorScore:
    """The score of one operator.

    Attributes:
        operator_id: Which operator.
        parts: What it is made of, in the order of `WEIGHTS`; empty when nothing can be said.
    """

    operator_id: str
    parts: tuple[ScorePart, ...]

    @property
    def score(self) -> float | None:
        """0 to 100; None when nothing can be said."""
        if not self.parts:
            return None
        # The weights add up to 1 but for the last bit of a float.
        return min(100.0, sum(part.points * part.weight for part in self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyScores:
    """The scores of a month.

    Attributes:
        month: Its days.
        is_final: Whether it is over.
        scores: The best first; nobody of whom nothing can be said.
    """

    month: Days
    is_final: bool
    scores: tuple[OperatorScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceReport:
    """Figures of some days, and the scores of months.

    Attributes:
        kpis: The figures.
        months: Months up to that of the last day, oldest first, at least one.
    """

    kpis: KpiReport
    months: tuple[MonthlyScores, ...]


def score(kpis: OperatorKpis) -> OperatorScore:
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
    return OperatorScore(operator_id=kpis.operator_id, parts=parts)


def ranked(scores: Iterable[OperatorScore]) -> tuple[OperatorScore, ...]:
    """Those that can be said, the best first; of equal ones by name."""
    said = (each for each in scores if each.parts)
    return tuple(sorted(said, key=lambda each: (-(each.score or 0), each.operator_id)))


def _shares(kpis: OperatorKpis) -> Iterator[tuple[str, Share]]:
    yield "coverage", kpis.coverage
    yield "on_time", _worse(kpis.orders.on_time, kpis.notices.on_time)
    yield "device_change_on_time", kpis.device_changes.on_time
    yield "without_drift", _rest(kpis.drift)
    yield "honest", _rest(kpis.false_acknowledgements)
    yield "without_failure", _rest(kpis.failures)


def _worse(one: Share, other: Share) -> Share:
    """There are five notices to a block: added up, one would hide what becomes of the other."""
    known = [share for share in (one, other) if share.denominator]
    return min(known, key=lambda share: share.numerator / share.denominator, default=one)


def _rest(share: Share) -> Share:
    return Share(share.denominator - share.numerator, share.denominator)
