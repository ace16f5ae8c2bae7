"""The report on compliance as one self-contained page, as JSON and as CSV.

Owns how the report looks. Refuses to count anything. The page loads nothing from elsewhere.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from identity.chart_parts import OPERATORS_MAX
from identity.compliance_charts import months_chart, scores_chart, times_chart
from identity.compliance_words import (
    COMPLAINTS,
    PARTS,
    SHARES,
    TIMES,
    duration,
    part_cell,
    points,
)
from identity.domain.calendar_date import DAY_ZONE
from identity.domain.compliance import (
    WEIGHTS,
    ComplianceReport,
    MonthlyScores,
    OperatorKpis,
    OperatorScore,
    ScorePart,
)
from identity.page_parts import render

FORMAT = "identity-compliance/1"
"""Named in the JSON; a change that a reader could trip over gets another number."""


def compliance_json(report: ComplianceReport) -> str:
    """The report as JSON: shares as numerator and denominator, times in seconds."""
    kpis = report.kpis
    body = {
        "format": FORMAT,
        "counted_at": kpis.counted_at.isoformat(),
        "first_day": kpis.days.first.isoformat(),
        "last_day": kpis.days.last.isoformat(),
        "operators": [_fields(each) for each in kpis.operators],
        "months": [_month(each) for each in report.months],
    }
    return json.dumps(body, indent=1, ensure_ascii=False)


def _fields(kpis: OperatorKpis) -> dict[str, Any]:
    at = kpis.reconciled_at
    return asdict(kpis) | {"reconciled_at": None if at is None else at.isoformat()}


def _month(scores: MonthlyScores) -> dict[str, Any]:
    return {
        "month": f"{scores.month.first:%Y-%m}",
        "is_final": scores.is_final,
        "scores": [asdict(each) | {"score": each.score} for each in scores.scores],
    }


def compliance_csv(report: ComplianceReport) -> str:
    """A line for each operator: its figures, and its score of the last month.

    What cannot be said is left empty: a time of nothing, a score without parts.
    """
    file = io.StringIO()
    heads = [head for head, _ in _cells(OperatorKpis(operator_id=""), report)]
    writer = csv.DictWriter(file, heads)
    writer.writeheader()
    writer.writerows(dict(_cells(each, report)) for each in report.kpis.operators)
    return file.getvalue()


def _cells(kpis: OperatorKpis, report: ComplianceReport) -> Iterator[tuple[str, object]]:
    yield "operator_id", kpis.operator_id
    yield "first_day", report.kpis.days.first.isoformat()
    yield "last_day", report.kpis.days.last.isoformat()
    for name in TIMES:
        for field, value in asdict(getattr(kpis, name)).items():
            yield f"{name}_{field}", value
    for name in SHARES:
        share = getattr(kpis, name)
        yield f"{name}_numerator", share.numerator
        yield f"{name}_denominator", share.denominator
    yield "complaint_count", kpis.complaint_count
    last = report.months[-1]
    yield "score_month", f"{last.month.first:%Y-%m}"
    found = {each.operator_id: each.score for each in last.scores}.get(kpis.operator_id)
    yield "score", None if found is None else round(found, 3)


def compliance_html(report: ComplianceReport) -> str:
    """The report as a page."""
    kpis, last = report.kpis, report.months[-1]
    return render(
        "compliance_page.html.j2",
        charts={
            "scores": scores_chart(last.scores),
            "times": times_chart(kpis.operators),
            "months": months_chart(report.months),
        },
        filters={"duration": duration, "points": points, "part": part_cell},
        kpis=kpis,
        counted_at=kpis.counted_at.astimezone(DAY_ZONE),
        last=last,
        months=report.months,
        scored=[(each, parts_by_name(each)) for each in last.scores],
        parts=PARTS,
        weights=WEIGHTS,
        times=TIMES,
        shares=SHARES,
        complaints=COMPLAINTS,
        operators_max=OPERATORS_MAX,
        by_month=_by_month(report.months),
    )


def parts_by_name(score: OperatorScore) -> dict[str, ScorePart | None]:
    """Every part of a score, in the order of `WEIGHTS`; None where it cannot be said."""
    found = {part.name: part for part in score.parts}
    return {name: found.get(name) for name in WEIGHTS}


def _by_month(months: Sequence[MonthlyScores]) -> dict[str, list[float | None]]:
    """The scores of each operator that ever had one, month by month, by name."""
    names = sorted({each.operator_id for month in months for each in month.scores})
    found = [{each.operator_id: each.score for each in month.scores} for month in months]
    return {name: [scores.get(name) for scores in found] for name in names}
