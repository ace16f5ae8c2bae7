"""The report on quality as one self-contained page, and as JSON.

Owns how the report looks. Refuses to count anything. The page loads nothing from elsewhere.
"""

import json
from dataclasses import asdict
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from identity.domain.quality import DAY_ZONE, Figures, Measure, QualityReport, Share
from identity.quality_charts import OPERATORS_MAX, provinces_chart, states_chart, trend_chart
from identity.quality_words import ODDITIES, WORDS, change, findings, percent, province_name

ALL_OPERATORS = "all operators"

FORMAT = "identity-quality/1"
"""Named in the JSON; a change that a reader could trip over gets another number."""


def quality_json(report: QualityReport) -> str:
    """The report as JSON: shares as numerator and denominator, never as a percentage."""
    body = {
        "format": FORMAT,
        "day": report.day.isoformat(),
        "measured_at": report.measured_at.isoformat(),
        "figures": [_fields(each) for each in report.figures],
        "trend": [{"day": day.isoformat()} | _fields(each) for day, each in report.trend],
    }
    return json.dumps(body, indent=1, ensure_ascii=False)


def _fields(figures: Figures) -> dict[str, Any]:
    return {
        "operator_id": figures.operator_id,
        "province_code": figures.province_code,
        "shares": {measure.value: asdict(share) for measure, share in figures.shares().items()},
        "rows": asdict(figures.rows),
        "book": None if figures.book is None else asdict(figures.book),
        "anomalies": None if figures.anomalies is None else dict(figures.anomalies),
    }


def quality_html(report: QualityReport) -> str:
    """The report as a page.

    Raises:
        ValueError: It is not the whole country's.
    """
    country = report.country
    if country is None:
        raise ValueError("a page is made of all operators together")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "province": province_name}
    return environment.get_template("quality_page.html.j2").render(
        report=report,
        country=country,
        measured_at=report.measured_at.astimezone(DAY_ZONE),
        words=WORDS,
        oddities=ODDITIES,
        books=(*report.operators, country),
        changes=_changes(report, country),
        findings=findings(report),
        provinces=_weakest_first(report.provinces),
        operators_max=OPERATORS_MAX,
        charts=_charts(report),
    )


def _charts(report: QualityReport) -> dict[str, Markup]:
    largest = sorted(report.operators, key=lambda each: -each.rows.row_count)
    names = [each.operator_id for each in largest]
    trends = {ALL_OPERATORS: report.trend_of(None)}
    trends |= {name: report.trend_of(name) for name in names if name is not None}
    drawn = {
        "trend": trend_chart(trends),
        "states": states_chart(largest),
        "provinces": provinces_chart(_weakest_first(report.provinces)),
    }
    # Drawn by us; matplotlib escapes the names in it.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - see above


def _changes(report: QualityReport, country: Figures) -> dict[Measure, tuple[str, date]]:
    """How each word has moved since the first day of the trend on which there was any to count."""
    days = [(day, figures.shares()) for day, figures in report.trend_of(None) if day != report.day]
    changes: dict[Measure, tuple[str, date]] = {}
    for measure, now in country.shares().items():
        counted = ((day, shares[measure]) for day, shares in days if shares[measure].denominator)
        for day, before in islice(counted, 1):
            if words := change(now, before):
                changes[measure] = (words, day)
    return changes


def _weakest_first(provinces: tuple[Figures, ...]) -> tuple[Figures, ...]:
    """Provinces by the share of correct rows, those without a name last."""
    return tuple(
        sorted(provinces, key=lambda each: (each.is_province_unknown, _ratio(_correct(each))))
    )


def _correct(figures: Figures) -> Share:
    return figures.shares()[Measure.CORRECT]


def _ratio(share: Share) -> float:
    return 0.0 if share.ratio is None else share.ratio
