"""What every benchmark answers, and how it is printed and kept.

Owns the report's format. A benchmark is a ratio against a baseline measured in the same run: on a
shared machine no absolute time means anything by itself.
"""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]


class NotMeasurableError(Exception):
    """This machine cannot show it; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One measured ratio.

    Attributes:
        name: Stable name.
        ratio: The measured ratio; what of what is said in `notes`.
        goal: The ratio to reach.
        is_met: Whether it was reached (at least, or at most, as `notes` says).
        n: Measurements behind the percentiles.
        p50: Median of the measured thing, ms.
        p95: 95th percentile, ms.
        p99: 99th percentile, ms.
        notes: What was measured against what.
    """

    name: str
    ratio: float
    goal: float
    is_met: bool
    n: int
    p50: float
    p95: float
    p99: float
    notes: str


Run = Callable[[], Benchmark]


def benchmark(
    name: str,
    *,
    ratio: float,
    goal: float,
    times_ms: Sequence[float],
    notes: str,
    is_at_most: bool = False,
) -> Benchmark:
    """A benchmark from its ratio and the times behind it.

    Args:
        name: Stable name.
        ratio: The measured ratio.
        goal: The ratio to reach.
        times_ms: Times of the measured thing, ms.
        notes: What was measured against what.
        is_at_most: The goal is an upper bound.
    """
    p50, p95, p99 = (float(value) for value in np.percentile(times_ms, [50, 95, 99]))
    return Benchmark(
        name=name,
        ratio=round(ratio, 3),
        goal=goal,
        is_met=ratio <= goal if is_at_most else ratio >= goal,
        n=len(times_ms),
        p50=round(p50, 3),
        p95=round(p95, 3),
        p99=round(p99, 3),
        notes=notes,
    )


def machine() -> Mapping[str, str | int]:
    """The machine, as far as it bears on speed."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def commit() -> str:
    """The commit that was measured, `-dirty` when the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - the developer's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def write_report(results: Sequence[Benchmark], path: Path) -> None:
    """Write `bench-report.json`."""
    rows = [{**asdict(result), "met": result.is_met} for result in results]
    for row in rows:
        del row["is_met"]
    report = {"machine": machine(), "commit": commit(), "benchmarks": rows}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def print_report(results: Sequence[Benchmark]) -> None:
    """Print the table."""
    about = machine()
    title = f"{about['cpu']}, {about['cores']} cores, Python {about['python']}, commit {commit()}"
    table = Table(title=title)
    for column in ("benchmark", "ratio", "goal", "met", "n", "p50 ms", "p95 ms", "p99 ms", "notes"):
        table.add_column(column, justify="left" if column in {"benchmark", "notes"} else "right")
    for result in results:
        table.add_row(
            result.name,
            f"{result.ratio:g}",
            f"{result.goal:g}",
            "[green]yes" if result.is_met else "[red]no",
            str(result.n),
            f"{result.p50:g}",
            f"{result.p95:g}",
            f"{result.p99:g}",
            result.notes,
        )
    Console(width=None).print(table)
