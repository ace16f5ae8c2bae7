"""Figures of operators for the tests of scores and of how they are shown; nothing is counted."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from identity.domain.compliance import (
    ComplianceReport,
    Days,
    ExecutionTimes,
    KpiReport,
    MonthlyScores,
    OperatorKpis,
    months_until,
    ranked,
    score,
)
from identity.domain.quality import Share

DAYS = Days(date(2026, 5, 1), date(2026, 5, 30))
COUNTED_AT = datetime(2026, 5, 30, 17, 30, tzinfo=UTC)

NONE = Share(0, 0)


def kpis(operator_id: str = "song-hong", **given: Any) -> OperatorKpis:  # noqa: ANN401 - any figure
    """An operator who obeys quite well."""
    usual: dict[str, Any] = {
        "operator_id": operator_id,
        "coverage": Share(900, 1_000),
        "orders": ExecutionTimes(
            executed_count=198, late_count=6, open_late_count=2, p50_s=5_400.0, p95_s=80_000.0
        ),
        "notices": ExecutionTimes(executed_count=500, p50_s=60.0, p95_s=600.0),
        "device_changes": ExecutionTimes(
            executed_count=9, late_count=2, open_late_count=1, p50_s=1_800.0, p95_s=7_500.0
        ),
        "drift": Share(5, 1_000),
        "reconciled_at": COUNTED_AT,
        "false_acknowledgements": Share(4, 2_000),
        "cures": Share(30, 40),
        "reverted_blocks": Share(10, 150),
        "complaint_count": 7,
        "failures": Share(3, 700),
    }
    return OperatorKpis(**usual | given)


def silent(operator_id: str = "cuu-long") -> OperatorKpis:
    """An operator of whom nothing can be said."""
    return OperatorKpis(operator_id=operator_id)


def report() -> KpiReport:
    """Three operators: one who lies and lags, one who obeys, one of whom nothing is known."""
    liar = kpis(
        "me-kong",
        orders=ExecutionTimes(
            executed_count=100,
            late_count=75,
            open_late_count=30,
            overtaken_late_count=5,
            p50_s=90_000.0,
            p95_s=400_000.0,
        ),
        device_changes=ExecutionTimes(open_late_count=4, late_count=4),
        drift=Share(300, 1_000),
        false_acknowledgements=Share(280, 2_000),
    )
    return KpiReport(counted_at=COUNTED_AT, days=DAYS, operators=(silent(), liar, kpis()))


def months(count: int = 3) -> tuple[MonthlyScores, ...]:
    """Scores of the months up to the report's: the last is not over."""
    made = report()
    return tuple(
        MonthlyScores(
            month=month,
            is_final=month.last < DAYS.last,
            scores=ranked(
                score(replace(each, failures=Share(10 * place, 700))) for each in made.operators
            ),
        )
        for place, month in enumerate(months_until(DAYS.last, count=count))
    )


def whole(month_count: int = 3) -> ComplianceReport:
    """All of it, as it is shown."""
    return ComplianceReport(kpis=report(), months=months(month_count))


def empty() -> ComplianceReport:
    """Of a registry in which nothing was ever ordered."""
    nothing = replace(report(), operators=())
    return ComplianceReport(
        kpis=nothing, months=tuple(replace(each, scores=()) for each in months(2))
    )
