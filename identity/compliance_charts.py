"""The charts of the report on compliance, as SVG text to put into a page.

Owns the drawing. Refuses to compute figures. Each chart is made on a figure of its own, without the
global state of `pyplot`, and is the same for the same values.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from identity.chart_parts import COLOURS, OPERATORS_MAX, svg
from identity.compliance_words import PARTS, TIMES, duration
from identity.domain.compliance import ExecutionTimes, MonthlyScores, OperatorKpis, OperatorScore

_PART_COLOURS = (*COLOURS[:5], COLOURS[6])

DUTY_S = 7_200
"""The two hours of Circular 08/2026/TT-BKHCN, drawn as a line."""

_TICKS_S = (1, 10, 60, 600, 3_600, 7_200, 36_000, 86_400, 864_000)
_SHORTEST_S = 1
"""Times are drawn on a logarithmic scale; what took less is drawn as this."""


def scores_chart(scores: Sequence[OperatorScore]) -> str:
    """What each score is made of: a bar for each operator, a piece for each part.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=(11, 1.5 + 0.42 * len(scores)), layout="constrained")
    axes = figure.add_subplot()
    names = [each.operator_id for each in scores]
    left = [0.0] * len(scores)
    for (name, word), colour in zip(PARTS.items(), _PART_COLOURS, strict=True):
        widths = [
            sum(part.points * part.weight for part in each.parts if part.name == name)
            for each in scores
        ]
        axes.barh(names, widths, left=left, color=colour, label=word.english, height=0.62)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    _rows_downwards(axes)
    axes.set_xlim(0, 100)
    axes.set_xlabel("points")
    figure.legend(loc="outside upper left", ncols=len(PARTS), frameon=False)
    return svg(figure, salt="scores")


def times_chart(operators: Sequence[OperatorKpis]) -> str:
    """How long orders take: from half of them to 95 of 100, a panel for each kind.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=(11, 1.6 + 0.34 * max(1, len(operators))), layout="constrained")
    panels = figure.subplots(1, len(TIMES), sharey=True, sharex=True)
    for axes, (name, word), colour in zip(panels, TIMES.items(), COLOURS, strict=False):
        for place, each in enumerate(operators):
            _span(axes, getattr(each, name), place=place, colour=colour)
        axes.set_title(f"{word.english} · {word.vietnamese}", loc="left", fontweight="bold")
        axes.set_xscale("log")
        axes.set_xlim(_SHORTEST_S, _TICKS_S[-1])
        axes.xaxis.set_major_locator(FixedLocator(_TICKS_S[::2]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda seconds, _: duration(seconds).replace(".0 ", " "))
        )
        axes.tick_params(axis="x", rotation=45)
        axes.grid(visible=True, alpha=0.35)
        axes.set_yticks(range(len(operators)), [each.operator_id for each in operators])
        axes.set_ylim(-0.6, max(1, len(operators)) - 0.4)
        axes.spines[["top", "right", "left"]].set_visible(False)
        # What took no time stands on the edge: names keep clear of it.
        axes.tick_params(axis="y", length=0, pad=10)
    panels[0].invert_yaxis()
    panels[-1].axvline(DUTY_S, color="#c0392b", linestyle="--", linewidth=1.2)
    return svg(figure, salt="times")


def months_chart(months: Sequence[MonthlyScores]) -> str:
    """Scores month by month, a line for each operator, of whom the lowest `OPERATORS_MAX`.

    Returns:
        An `svg` element.
    """
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.add_subplot()
    labels = [f"{each.month.first:%Y-%m}" for each in months]
    last = months[-1].scores if months else ()
    for each, colour in zip(last[-OPERATORS_MAX:], COLOURS, strict=False):
        found = [_score_in(month, each.operator_id) for month in months]
        axes.plot(labels, found, color=colour, marker="o", label=each.operator_id, clip_on=False)
    # Months without a score have their place too.
    axes.set_xlim(-0.4, max(1, len(labels)) - 0.6)
    axes.set_ylim(0, 100)
    axes.set_ylabel("points")
    axes.grid(visible=True, alpha=0.35)
    axes.spines[["top", "right"]].set_visible(False)
    if last:
        figure.legend(loc="outside lower center", ncols=OPERATORS_MAX, frameon=False)
    return svg(figure, salt="months")


def _score_in(month: MonthlyScores, name: str) -> float:
    scores = (each.score for each in month.scores if each.operator_id == name)
    found = next(scores, None)
    return float("nan") if found is None else found


def _span(axes: Axes, times: ExecutionTimes, *, place: int, colour: str) -> None:
    if times.p50_s is None or times.p95_s is None:
        return
    low, high = max(times.p50_s, _SHORTEST_S), max(times.p95_s, _SHORTEST_S)
    axes.plot([low, high], [place, place], color=colour, linewidth=4, alpha=0.35)
    axes.plot([low], [place], "o", color=colour, markersize=8, clip_on=False)
    axes.plot([high], [place], "|", color=colour, markersize=14, markeredgewidth=3, clip_on=False)


def _rows_downwards(axes: Axes) -> None:
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
