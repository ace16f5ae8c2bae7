"""What came of a run, as JSON and as a chart.

Owns both forms and the error budget. Measures nothing.
"""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from telco_sim.load.plan import Fault
from telco_sim.load.run import LoadRun, Told

FAILED_SHARE_MAX = 0.001
"""The error budget: of a thousand calls that are repeated as the contract says, one may fail."""

MEMORY_GROWTH_MAX = 1.1
"""Memory of the second half of a server's life against the first. What Python and PostgreSQL's
client keep for reuse is kept after some minutes; a leak goes on."""

SETTLING_MINUTES = 2
"""Of a server's life that are not looked at: threads, connections and caches are begun then. The
minute of a kill has the memory of two servers besides."""

JUDGED_FROM_MINUTES = 6
"""Of a server's life, without those: less says nothing about growth."""

_SIZE_INCHES = (8.0, 5.0)


def budget_used(run: LoadRun) -> float:
    """Failed calls as a share of the calls that may fail: 1 is all of the budget.

    Raises:
        ValueError: Nothing was asked.
    """
    asked = sum(each.calls.asked for each in run.minutes)
    failed = sum(each.calls.failures.total() for each in run.minutes)
    if not asked:
        raise ValueError("a run without a call says nothing")
    return failed / asked / FAILED_SHARE_MAX


def memory_growth(run: LoadRun) -> float | None:
    """The most that a server's memory grew; None if none lived long enough to tell.

    Memory is what the minutes of a life's second half had, by their median, against the first's.
    """
    lives: list[list[Told]] = [[]]
    for minute in run.minutes:
        if minute.fault is Fault.SERVER_KILLED:
            lives.append([])
        lives[-1].append(minute)
    settled = [[each.memory_mb for each in life[SETTLING_MINUTES:]] for life in lives]
    grown = [_growth(each) for each in settled if len(each) >= JUDGED_FROM_MINUTES]
    return max(grown, default=None)


def _growth(memory_mb: Sequence[float]) -> float:
    half = len(memory_mb) // 2
    return median(memory_mb[half:]) / median(memory_mb[:half])


def is_good(run: LoadRun) -> bool:
    """Whether nothing acknowledged is lost, the error budget is kept and memory is flat."""
    searched = run.searched
    growth = memory_growth(run)
    is_flat = growth is None or growth <= MEMORY_GROWTH_MAX
    return not searched.lost and not searched.doubled and budget_used(run) <= 1 and is_flat


def report_of(run: LoadRun) -> dict[str, Any]:
    """The report, as JSON has it."""
    plan = run.plan
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "seed": plan.seed,
        "minute_s": plan.minute_s,
        "share": plan.share,
        "patience_s": plan.patience_s,
        "error_budget": {
            "failed_share_max": FAILED_SHARE_MAX,
            "used": round(budget_used(run), 3),
        },
        "memory_growth": {"max": MEMORY_GROWTH_MAX, "found": memory_growth(run)},
        "journal": {
            "acknowledged": run.searched.acknowledged,
            "lost": run.searched.lost,
            "doubled": run.searched.doubled,
            "in_doubt": run.searched.in_doubt,
        },
        "minutes": [_minute(number, each) for number, each in enumerate(run.minutes, start=1)],
    }


def _minute(number: int, told: Told) -> dict[str, Any]:
    calls = told.calls
    return {
        "minute": number,
        "capacity_per_s": round(told.capacity, 1),
        "fault": told.fault.value,
        "asked": calls.asked,
        "answered": len(calls.times_ms),
        "failed": dict(sorted(calls.failures.items())),
        "refused_attempts": dict(sorted(calls.refusals.items())),
        "p50_ms": percentile(told, 50),
        "p99_ms": percentile(told, 99),
        "memory_mb": told.memory_mb,
    }


def percentile(told: Told, share: int) -> float:
    """Of the times of a minute's answers, ms; 0 without any."""
    times = told.calls.times_ms
    return round(float(np.percentile(times, share)), 1) if times else 0.0


def write_report(run: LoadRun, path: Path) -> None:
    """Write the report."""
    text = json.dumps(report_of(run), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_chart(run: LoadRun, path: Path) -> None:
    """Draw times and memory by the minute; the same run draws the same file."""
    # Without a salt the identifiers in it are drawn by chance; without a date it is today's.
    with mpl.rc_context({"svg.hashsalt": "subid", "svg.fonttype": "none"}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        times, memory = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        _draw_times(times, run)
        _draw_memory(memory, run)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _draw_times(axes: Axes, run: LoadRun) -> None:
    minutes = range(1, len(run.minutes) + 1)
    for share in (50, 99):
        values = [percentile(each, share) for each in run.minutes]
        axes.plot(minutes, values, marker=".", label=f"p{share}")
    top = max(percentile(each, 99) for each in run.minutes)
    for minute, told in zip(minutes, run.minutes, strict=True):
        if told.fault is not Fault.NONE:
            axes.text(minute, top, told.fault, rotation=90, va="top", ha="center", fontsize=6)
    axes.set_yscale("log")
    axes.set_ylabel("to the answer, ms")
    capacities = [each.capacity for each in run.minutes]
    axes.set_title(
        f"{run.plan.share:.0%} of what was done just before: "
        f"{min(capacities):.0f} to {max(capacities):.0f} calls/s"
    )
    axes.legend(loc="lower right")


def _draw_memory(axes: Axes, run: LoadRun) -> None:
    minutes = range(1, len(run.minutes) + 1)
    axes.plot(minutes, [each.memory_mb for each in run.minutes], marker=".", color="tab:green")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("service, MB")
    axes.set_xlabel("minute")
