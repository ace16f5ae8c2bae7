"""Count how operators obey, and score their months.

Owns who sees whose figures: an operator its own, the regulator all. What an operator may not see is
not counted for it either.
"""

from collections.abc import Mapping
from typing import Any

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of
from identity.domain.caller import Role
from identity.domain.compliance import (
    Days,
    ExecutionTimes,
    KpiReport,
    MonthlyScores,
    OperatorKpis,
    ranked,
    score,
)
from identity.domain.quality import Share
from identity.services.call import Call
from identity.storage.compliance import Counts, Reach
from identity.storage.database import UnitOfWork


def get_kpis(uow: UnitOfWork, call: Call, *, days: Days) -> KpiReport:
    """Figures of some days, as they stand now."""
    report = KpiReport(counted_at=call.at, days=days, operators=_count(uow, call, days))
    append(uow.connection, [_entry(call, "get_kpis", days)])
    return report


def get_monthly_scores(uow: UnitOfWork, call: Call, *, month: Days) -> MonthlyScores:
    """The scores of a month, as they stand now; none of one that is still to come."""
    scores = ranked(map(score, _count(uow, call, month)))
    append(uow.connection, [_entry(call, "get_monthly_score", month)])
    return MonthlyScores(month=month, is_final=day_of(call.at) > month.last, scores=scores)


def _count(uow: UnitOfWork, call: Call, days: Days) -> tuple[OperatorKpis, ...]:
    reach = Reach(begin=days.begins_at, end=days.ends_at, operator_id=_whose(call))
    found: tuple[Mapping[str, Counts], ...] = (
        uow.compliance.orders(reach, now=call.at, rules=call.rules),
        uow.compliance.put_back(reach),
        uow.compliance.ended_cases(reach),
        uow.compliance.complaints(reach),
        uow.compliance.reconciliations(reach),
        _coverage(uow, days, operator_id=reach.operator_id),
    )
    counts: dict[str, dict[str, Any]] = {}
    for part in found:
        for name, row in part.items():
            counts.setdefault(name, {}).update(row)
    return tuple(_kpis(name, counts[name]) for name in sorted(counts))


def _whose(call: Call) -> str | None:
    return call.caller.name if call.caller.role is Role.OPERATOR else None


def _coverage(uow: UnitOfWork, days: Days, *, operator_id: str | None) -> Mapping[str, Counts]:
    """Verified rows of each book, as last measured: counting them takes as long as reading all."""
    measured_on = uow.quality.last_day(until=days.last)
    if measured_on is None or measured_on < days.first:
        return {}
    report = uow.quality.report(measured_on, trend_since=measured_on, operator_id=operator_id)
    return {
        each.operator_id: {"verified": each.rows.verified_count, "in_service": each.rows.row_count}
        for each in report.figures
        if each.operator_id is not None and each.book is not None
    }


def _kpis(name: str, counts: Counts) -> OperatorKpis:
    def share(part: str, whole: str) -> Share:
        return Share(counts.get(part, 0), counts.get(whole, 0))

    return OperatorKpis(
        operator_id=name,
        coverage=share("verified", "in_service"),
        orders=_times(counts, "orders"),
        notices=_times(counts, "notices"),
        device_changes=_times(counts, "device_changes"),
        drift=share("drifted", "held"),
        reconciled_at=counts.get("finished_at"),
        false_acknowledgements=share("falsified", "compared"),
        cures=share("cured", "ended"),
        reverted_blocks=share("put_back", "blocks"),
        complaint_count=counts.get("complaints", 0),
        failures=share("failed", "answered"),
    )


def _times(counts: Counts, name: str) -> ExecutionTimes:
    p50, p95 = counts.get(f"{name}_s") or (None, None)
    return ExecutionTimes(
        executed_count=counts.get(f"{name}_executed", 0),
        late_count=counts.get(f"{name}_late", 0),
        open_late_count=counts.get(f"{name}_open_late", 0),
        overtaken_late_count=counts.get(f"{name}_overtaken_late", 0),
        p50_s=p50,
        p95_s=p95,
    )


def _entry(call: Call, action: str, days: Days) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome="answered",
        details={"first_day": days.first.isoformat(), "last_day": days.last.isoformat()},
    )
