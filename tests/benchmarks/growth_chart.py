"""The registry's growth as a chart. Owns the drawing; what is drawn is `registry.py`'s."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from tests.benchmarks.registry import Step

LOOK_UP_GOAL = 1.5
"""What a look-up among two million may take of its time among a few."""


def draw_growth(steps: Sequence["Step"], path: Path) -> None:
    """Write the chart: rows a second, and what look-ups take, by the registry's size."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    rates, times = figure.subplots(1, 2)
    rows = [step.rows for step in steps]
    rates.plot(rows, [step.rate for step in steps], marker="o", color="#1f5a96")
    rates.set_ylabel("rows a second")
    rates.set_title("Import of subscriptions")
    # Against a small registry asked in turn: minutes apart, the machine alone changes times much.
    times.plot(rows, [step.get_ratio for step in steps], marker="o", label="GetSubscription")
    times.plot(rows, [step.list_ratio for step in steps], marker="s", label="a citizen's list")
    times.axhline(LOOK_UP_GOAL, color="#888888", linestyle="--", label="goal: at most")
    times.set_ylabel("of the median among a thousand")
    times.set_title("Look-ups, one at a time")
    times.legend(frameon=False, loc="lower left")
    for axes in (rates, times):
        axes.set_xscale("log")
        axes.set_xlabel("subscriptions in the registry")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd")
    figure.savefig(path, metadata={"Date": None})
