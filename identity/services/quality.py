"""Measure how good the data are, once a day, and report it to who may see it.

Owns the use cases: measuring now, keeping the measurement of a day, reading it back. An operator
reads its own rows only. Measuring has a transaction of its own: it takes as long as reading every
subscription does, and nothing waits for it.
"""

from datetime import date, datetime, timedelta

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Role
from identity.domain.errors import QualityNotMeasuredError
from identity.domain.policy import PolicyPack
from identity.domain.quality import QualityReport, day_of, with_anomalies
from identity.services.call import Call
from identity.services.count_anomalies import AnomalyCounts
from identity.storage.database import UnitOfWork


def measure_quality(
    uow: UnitOfWork,
    policy: PolicyPack,
    *,
    at: datetime,
    trend_days: int,
    anomalies: AnomalyCounts | None = None,
) -> QualityReport:
    """Measure now, without keeping it: the trend is that of the days kept, and this one.

    Args:
        uow: The transaction.
        policy: The bounds.
        at: The present.
        trend_days: How many days the trend goes back, this one counted.
        anomalies: What `count_anomalies` has found, where it was asked.
    """
    day = day_of(at)
    figures = uow.quality.measure(
        policy.quality, numbers_max=policy.holders.numbers_per_operator_max, at=at
    )
    if anomalies is not None:
        figures = with_anomalies(figures, anomalies)
    kept = uow.quality.trend(since=_first_day(day, trend_days), until=day - timedelta(days=1))
    books = tuple((day, each) for each in figures if each.book is not None)
    return QualityReport(day=day, measured_at=at, figures=figures, trend=(*kept, *books))


def record_quality(
    uow: UnitOfWork,
    policy: PolicyPack,
    *,
    caller: str,
    at: datetime,
    trend_days: int = 1,
    anomalies: AnomalyCounts | None = None,
) -> QualityReport:
    """Measure, and keep it as the measurement of its day; a later one takes its place."""
    report = measure_quality(uow, policy, at=at, trend_days=trend_days, anomalies=anomalies)
    uow.quality.record(report.day, report.figures, at=at)
    append(
        uow.connection,
        [
            AuditEntry(
                occurred_at=at,
                caller=caller,
                action="record_quality",
                outcome="recorded",
                details={"day": report.day.isoformat(), "parts": len(report.figures)},
            )
        ],
    )
    return report


def record_quality_of_the_day(
    uow: UnitOfWork, policy: PolicyPack, *, caller: str, at: datetime
) -> bool:
    """Measure unless the day was, or somebody else is measuring; say whether it was done."""
    if uow.quality.has(day_of(at)) or not uow.quality.take_turn():
        return False
    record_quality(uow, policy, caller=caller, at=at)
    return True


def read_quality(
    uow: UnitOfWork, call: Call, *, day: date | None, trend_days: int
) -> QualityReport:
    """The measurement of a day, or the last one: all of it, or the calling operator's part.

    Raises:
        QualityNotMeasuredError: Nothing was measured on that day, or ever.
    """
    last = uow.quality.last_day(until=day)
    if last is None or day not in (None, last):
        raise QualityNotMeasuredError("the quality of the data was not measured then")
    report = uow.quality.report(
        last,
        trend_since=_first_day(last, trend_days),
        operator_id=call.caller.name if call.caller.role is Role.OPERATOR else None,
    )
    append(
        uow.connection,
        [
            AuditEntry(
                occurred_at=call.at,
                caller=str(call.caller),
                action="get_quality_report",
                outcome="read",
                details={"day": last.isoformat()},
            )
        ],
    )
    return report


def _first_day(last: date, days: int) -> date:
    return last - timedelta(days=days - 1)
