"""The registry's growth as a chart. Owns the drawing; what is drawn is `registry.py`'s."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from tests.benchmarks.registry import Step


def draw_growth(steps: Sequence["Step"], path: Path) -> None:
    """Write the chart: rows a second, and how long look-ups take, by the registry's size."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    rates, times = figure.subplots(1, 2)
    rows = [step.rows for step in steps]
    rates.plot(rows, [step.rate for step in steps], marker="o", color="#1f5a96")
    rates.set_ylabel("rows a second")
    rates.set_title("Import of subscriptions")
    times.plot(rows, [step.get_ms for step in steps], marker="o", label="GetSubscription")
    times.plot(rows, [step.list_ms for step in steps], marker="s", label="a citizen's list")
    times.set_ylabel("median, ms")
    times.set_title("Look-ups, one at a time")
    times.legend(frameon=False)
    for axes in (rates, times):
        axes.set_xscale("log")
        axes.set_xlabel("subscriptions in the registry")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd")
    figure.savefig(path, metadata={"Date": None})
