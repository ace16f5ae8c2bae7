"""Curves and distributions as SVG text to put into a page.

Owns the drawing. Refuses to compute rates. Each plot is made on a figure of its own, without the
global state of `pyplot`, and is the same for the same values.
"""

import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biometrics.evaluation.report import Curve, Histogram

SIZE_INCHES = (6.4, 4.6)

_Corner = Literal["upper right", "upper left"]

_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5, 0.8, 0.95)
_COLOURS = ("#1b4f72", "#c0392b", "#1e8449", "#7d3c98", "#b9770e", "#17a2b8", "#2c3e50", "#e377c2")


def det_plot(curves: Mapping[str, Curve], *, title: str) -> str:
    """DET curves on normal deviate scales (ISO/IEC 19795-1), one line for each name.

    A curve ends where there is no error left to count: a rate of zero has no place on these scales,
    and a line along the edge would look like one that was measured.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    for (name, curve), colour in zip(curves.items(), _cycled(len(curves)), strict=True):
        # Drawn as steps: between two thresholds nothing was measured.
        axes.step(
            _deviates(curve.fmr),
            _deviates(curve.fnmr),
            where="pre",
            label=_plain(name),
            color=colour,
        )
    ticks = _deviates(_TICKS)
    labels = [f"{tick * 100:g} %" for tick in _TICKS]
    axes.set_xticks(ticks, labels=labels, rotation=45)
    axes.set_yticks(ticks, labels=labels)
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_ylim(ticks[0], ticks[-1])
    _finish(axes, title=title, x="false match rate", y="false non-match rate")
    return _svg(figure, salt=title)


def distribution_plot(histogram: Histogram, *, threshold: float, title: str, score: str) -> str:
    """How the scores of mated and non-mated trials are distributed, with the threshold.

    Args:
        histogram: Shares for each bin.
        threshold: Where the line is drawn.
        title: Above the plot.
        score: Under the plot: which score, and which direction is more alike.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    for name, shares, colour in (
        ("different people", histogram.non_mated, _COLOURS[1]),
        ("one person", histogram.mated, _COLOURS[0]),
    ):
        axes.stairs(shares, histogram.edges, fill=True, alpha=0.45, label=name, color=colour)
    axes.axvline(threshold, color="black", linestyle="--", label="threshold")
    _finish(axes, title=title, x=score, y="share of the trials", legend="upper left")
    return _svg(figure, salt=title)


def _cycled(count: int) -> Iterable[str]:
    return (_COLOURS[index % len(_COLOURS)] for index in range(count))


def _deviates(rates: Iterable[float]) -> list[float]:
    normal = NormalDist()
    return [normal.inv_cdf(rate) if 0 < rate < 1 else math.nan for rate in rates]


def _finish(axes: Axes, *, title: str, x: str, y: str, legend: _Corner = "upper right") -> None:
    axes.set_title(_plain(title))
    axes.set_xlabel(_plain(x))
    axes.set_ylabel(_plain(y))
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc=legend, fontsize="small")


def _plain(text: str) -> str:
    """Text as it is: no formula between dollar signs, and nothing that SVG cannot hold."""
    visible = (
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in {"Cc", "Cs", "Cn"}
        else character
        for character in text
    )
    return "".join(visible).replace("$", r"\$")


def _svg(figure: Figure, *, salt: str) -> str:
    file = io.StringIO()
    # The salt makes the identifiers inside differ between plots of one page; no date, so that the
    # same values give the same text.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    element = re.search(r"<svg.*</svg>", file.getvalue(), flags=re.DOTALL)
    assert element is not None  # what savefig writes is one svg element
    return re.sub(r"<metadata>.*?</metadata>", "", element.group(), flags=re.DOTALL)
