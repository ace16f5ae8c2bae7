"""Count how operators obey, and score their months.

Owns which days are counted and who sees whose figures: an operator its own, the regulator all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.caller import Role
from identity.domain.compliance import (
    ExecutionTimes,
    KpiReport,
    MonthlyScore,
    OperatorKpis,
    score,
)
from identity.domain.quality import Share
from identity.services.call import Call
from identity.storage.database import UnitOfWork

DAYS_DEFAULT = 30
"""Days that are counted unless told otherwise."""

_NOTHING: Mapping[str, Any] = defaultdict(int)


def get_kpis(
    uow: UnitOfWork, call: Call, *, first_day: date | None, last_day: date | None
) -> KpiReport:
    """Figures of some days, up to now.

    Args:
        uow: The transaction.
        call: The circumstances.
        first_day: The first day; None for 30 days up to the last one.
        last_day: The last day; None for today.
    """
    last = last_day or day_of(call.at)
    first = first_day or last - timedelta(days=DAYS_DEFAULT - 1)
    report = KpiReport(
        counted_at=call.at,
        first_day=first,
        last_day=last,
        operators=_count(uow, call, _midnight(first), _midnight(last + timedelta(days=1))),
    )
    append(uow.connection, [_entry(call, "get_kpis")])
    return report


def get_monthly_scores(
    uow: UnitOfWork, call: Call, *, year: int, month: int
) -> tuple[tuple[MonthlyScore, ...], bool]:
    """The scores of a month, the best first, and whether it is over."""
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    figures = _count(uow, call, _midnight(first), _midnight(after))
    scores = sorted(map(score, figures), key=lambda each: -(each.score or 0))
    append(uow.connection, [_entry(call, "get_monthly_score")])
    return tuple(each for each in scores if each.parts), day_of(call.at) >= after


def _count(uow: UnitOfWork, call: Call, begin: datetime, end: datetime) -> tuple[OperatorKpis, ...]:
    orders = _by_operator(uow.compliance.orders(begin, end, now=call.at, rules=call.rules))
    cases = _by_operator(uow.compliance.ended_cases(begin, end))
    complaints = _by_operator(uow.compliance.complaints(begin, end))
    compared = _by_operator(uow.compliance.reconciliations(begin, end))
    books = _coverage(uow, until=day_of(end))
    names = sorted({*orders, *cases, *complaints, *compared, *books})
    if call.caller.role is Role.OPERATOR:
        names = [name for name in names if name == call.caller.name]
    return tuple(
        _kpis(
            name,
            orders.get(name, _NOTHING),
            cases.get(name, _NOTHING),
            complaints.get(name, _NOTHING),
            compared.get(name),
            coverage=books.get(name, Share(0, 0)),
        )
        for name in names
    )


def _coverage(uow: UnitOfWork, *, until: date) -> dict[str, Share]:
    """Verified rows of each book, as last measured: counting them takes as long as reading all."""
    day = uow.quality.last_day(until=until)
    if day is None:
        return {}
    report = uow.quality.report(day, trend_since=day, operator_id=None)
    return {
        each.operator_id: Share(each.rows.verified_count, each.rows.row_count)
        for each in report.figures
        if each.operator_id is not None and each.book is not None
    }


def _kpis(
    name: str,
    orders: Mapping[str, Any],
    cases: Mapping[str, Any],
    complaints: Mapping[str, Any],
    compared: Mapping[str, Any] | None,
    *,
    coverage: Share,
) -> OperatorKpis:
    last = compared or _NOTHING
    return OperatorKpis(
        operator_id=name,
        coverage=coverage,
        orders=_times(
            orders["executed"], orders["executed_late"] + orders["open_late"], orders["order_s"]
        ),
        open_late_count=orders["open_late"],
        notices=_times(orders["told"], orders["told_late"], orders["notice_s"]),
        device_changes=_times(orders["moved"], orders["moved_late"], orders["moved_s"]),
        drift=Share(last["drift_count"], last["compared_count"]),
        reconciled_at=None if compared is None else compared["finished_at"],
        false_acknowledgements=Share(int(last["false_count"]), int(last["all_compared"])),
        cures=Share(cases["cured"], cases["ended"]),
        reverted_blocks=Share(orders["reverted"], orders["blocks"]),
        complaint_count=complaints["complaints"],
        failures=Share(orders["failed"], orders["handed"]),
    )


def _times(executed: int, late: int, percentiles: Sequence[float | None]) -> ExecutionTimes:
    p50, p95 = percentiles or (None, None)
    return ExecutionTimes(executed_count=executed, late_count=late, p50_s=p50, p95_s=p95)


def _by_operator(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {row["operator_id"]: row for row in rows}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=DAY_ZONE)


def _entry(call: Call, action: str) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at, caller=str(call.caller), action=action, outcome="answered"
    )
