"""A report as two files: JSON for machines, one self-contained page for people.

Owns how a report looks. Refuses to compute anything. The page loads nothing from elsewhere, and
pictures are shown only when the caller hands them over.
"""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image, ImageOps

from biometrics.evaluation.plots import det_plot, distribution_plot
from biometrics.evaluation.report import FMR_STEPS, Curve, Report, ScoreReport
from biometrics.face.error_rate import ErrorRate, percent

THUMBNAIL_SIDE_PX = 160

GROUP_CURVES_MAX = 8
"""More lines than this cannot be told apart; the tables still have every group."""


def report_json(report: Report) -> bytes:
    """The report as JSON in UTF-8."""
    body = asdict(report) | {"format": "biometrics-evaluation/1"}
    return json.dumps(body, indent=1, default=_plain, ensure_ascii=False).encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def report_html(report: Report, *, thumbnails: Mapping[str, str] | None = None) -> str:
    """The report as a page.

    Args:
        report: What was found.
        thumbnails: Photograph to data URI, for every photograph of the worst errors; without them
            the page shows paths only.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["percent"] = percent
    curves = {score.score_type: _curves(score) for score in report.scores}
    return environment.get_template("report.html.j2").render(
        report=report,
        cells=_cells,
        steps=FMR_STEPS,
        curves=curves,
        plots={
            score.score_type: _plots(score, curves[score.score_type]) for score in report.scores
        },
        thumbnails=thumbnails,
    )


def _curves(score: ScoreReport) -> dict[str, Curve]:
    curves = {"all": score.curve} | {f"{g.column} {g.value}": g.curve for g in score.groups}
    return {name: curve for name, curve in curves.items() if curve is not None}


def _plots(score: ScoreReport, curves: Mapping[str, Curve]) -> list[Markup]:
    name = score.score_type.replace("_", " ")
    direction = "lower" if score.score_type.is_dissimilarity else "higher"
    few = dict(list(curves.items())[:GROUP_CURVES_MAX])
    svgs = (
        det_plot(few, title=f"{name}: detection error tradeoff"),
        distribution_plot(
            score.histogram,
            threshold=score.threshold,
            title=f"{name}: distribution of scores",
            score=f"{name} ({direction} is more alike)",
        ),
    )
    # Drawn by us; matplotlib escapes the names of groups in it.
    return [Markup(svg) for svg in svgs]  # noqa: S704 - see above


def _cells(rate: ErrorRate) -> Markup:
    """Four cells of a table: rate, errors, trials, interval."""
    texts = (
        "none" if rate.rate is None else percent(rate.rate),
        str(rate.errors),
        str(rate.trials),
        f"{percent(rate.low)} to {percent(rate.high)}",
    )
    return Markup("").join(Markup('<td class="n">{}</td>').format(text) for text in texts)


def thumbnail(image: bytes) -> str:
    """A photograph as a small JPEG in a data URI.

    Args:
        image: A file that gave a template, so that it is known to decode within limits.
    """
    with Image.open(io.BytesIO(image)) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX))
    file = io.BytesIO()
    upright.save(file, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
