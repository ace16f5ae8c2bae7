"""The charts of the report on quality, as SVG text to put into a page.

Owns the drawing. Refuses to compute shares. Each chart is made on a figure of its own, without the
global state of `pyplot`, and is the same for the same values.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from identity.domain.quality import Figures, Measure
from identity.quality_words import WORDS, province_name

OPERATORS_MAX = 7
"""More lines than this cannot be told apart; the tables still have every operator."""

_COUNTRY = "#1c2833"
_COLOURS = ("#2471a3", "#ca6f1e", "#1e8449", "#7d3c98", "#17a2b8", "#b9770e", "#c0392b")
_STATES = {
    "linked": ("agrees", "#1e8449"),
    "mismatched": ("name or birth date differs", "#d4ac0d"),
    "not_found": ("personal ID of nobody", "#c0392b"),
    "deceased": ("holder has died", "#566573"),
}
_OF_PROVINCES = {
    Measure.CORRECT: ("o", 90, "#1e8449"),
    Measure.SUFFICIENT: ("s", 42, "#2471a3"),
    Measure.ALIVE: ("D", 16, "#ca6f1e"),
}
"""Mark, its area in square points, and colour: the later ones are smaller and hide none."""

Trend = Sequence[tuple[date, Figures]]


def trend_chart(trends: Mapping[str, Trend]) -> str:
    """Each word over time: a panel a word, a line for each name, the first one heavy.

    Args:
        trends: The days of each book, oldest first; what has no share on a day leaves a hole.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True).flat
    drawn = list(trends.items())[: OPERATORS_MAX + 1]
    for axes, (measure, word) in zip(panels, WORDS.items(), strict=True):
        for place, (name, trend) in enumerate(drawn):
            _line(axes, trend, measure, name=name, place=place)
        axes.set_title(f"{word.english} · {word.vietnamese}", loc="left", fontweight="bold")
        _percentages(axes)
    if drawn:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return _svg(figure, salt="trend")


def states_chart(operators: Sequence[Figures]) -> str:
    """How each operator's rows stand against the population records, as shares of its rows.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=(11, 1.3 + 0.42 * len(operators)), layout="constrained")
    axes = figure.add_subplot()
    names = [each.operator_id or "" for each in operators]
    left = [0.0] * len(operators)
    for state, (label, colour) in _STATES.items():
        widths = [_part(each, state) for each in operators]
        axes.barh(names, widths, left=left, color=colour, label=label, height=0.62)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=len(_STATES), frameon=False)
    return _svg(figure, salt="states")


def provinces_chart(provinces: Sequence[Figures]) -> str:
    """The words that can be said of a province: a row a province, a mark a word.

    Rows whose province is not known are left out: they have none of a province's shares.

    Returns:
        An `svg` element.
    """
    known = [each for each in provinces if not each.is_province_unknown]
    figure = Figure(figsize=(11, 1.4 + 0.27 * len(known)), layout="constrained")
    axes = figure.add_subplot()
    for measure, (marker, area, colour) in _OF_PROVINCES.items():
        ratios = [each.shares()[measure].ratio for each in known]
        axes.scatter(
            [float("nan") if ratio is None else ratio for ratio in ratios],
            range(len(known)),
            marker=marker,
            s=area,
            color=colour,
            label=f"{WORDS[measure].english} · {WORDS[measure].vietnamese}",
            zorder=3,
            clip_on=False,
        )
    axes.set_yticks(range(len(known)), [province_name(each.province_code) for each in known])
    axes.set_ylim(len(known) - 0.4, -0.6)
    # From the ten per cent below the lowest mark, so that provinces can be told apart.
    axes.set_xlim(max(0.0, math.floor(10 * axes.get_xlim()[0]) / 10), 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))
    axes.grid(visible=True, alpha=0.35)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=9)
    figure.legend(loc="outside upper left", ncols=len(_OF_PROVINCES), frameon=False)
    return _svg(figure, salt="provinces")


def _line(axes: Axes, trend: Trend, measure: Measure, *, name: str, place: int) -> None:
    ratios = [figures.shares()[measure].ratio for _, figures in trend]
    is_first = place == 0
    axes.plot(
        [day for day, _ in trend],  # type: ignore[arg-type] # matplotlib takes days as they are
        [float("nan") if ratio is None else ratio for ratio in ratios],
        color=_COUNTRY if is_first else _COLOURS[place - 1],
        linewidth=2.4 if is_first else 1.3,
        # A line of one day would not be seen.
        marker="o" if len(trend) == 1 else None,
        label=name,
        zorder=3 if is_first else 2,
        clip_on=False,  # a line along 0 or 100 % is whole
    )


def _percentages(axes: Axes) -> None:
    low, high = axes.get_ylim()
    # At least five points high, so that noise does not look like news; never outside 0 to 100 %.
    top = min(1.0, max(high, low + 0.05))
    axes.set_ylim(max(0.0, min(low, top - 0.05)), top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call] # matplotlib
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call] # as above
    axes.grid(visible=True, alpha=0.35)
    axes.spines[["top", "right"]].set_visible(False)


def _part(figures: Figures, state: str) -> float:
    rows = figures.rows
    return getattr(rows, f"{state}_count") / rows.row_count if rows.row_count else 0.0


def _svg(figure: Figure, *, salt: str) -> str:
    file = io.StringIO()
    # The salt makes the identifiers inside differ between charts of one page; no date, so that the
    # same values give the same text.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    element = re.search(r"<svg.*</svg>", file.getvalue(), flags=re.DOTALL)
    assert element is not None  # what savefig writes is one svg element
    return re.sub(r"<metadata>.*?</metadata>", "", element.group(), flags=re.DOTALL)
