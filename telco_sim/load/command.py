"""`telco-sim load`.

Owns its options and its exit code.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from telco_sim.load.plan import SEED, LoadPlan
from telco_sim.load.report import budget_used, is_good, memory_growth, write_chart, write_report
from telco_sim.load.run import LoadRun, run_load
from telco_sim.server import ServiceStartError

EXIT_BAD = 1
EXIT_UNPLAYABLE = 2
_MINUTES_MAX = 24 * 60
_MINUTE_S_MIN = 4.0
_CAPACITY_S_MIN = 2.0


def load(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    minutes: Annotated[int, typer.Option(min=1, max=_MINUTES_MAX, help="How long.")] = 30,
    share: Annotated[
        float, typer.Option(min=0.01, max=10, help="Of the capacity, measured before each minute.")
    ] = 0.8,
    faults: Annotated[bool, typer.Option("--faults", help="A fault in each minute.")] = False,
    seed: Annotated[
        int, typer.Option(help="The same seed draws the same people and calls.")
    ] = SEED,
    minute_seconds: Annotated[
        float, typer.Option(min=_MINUTE_S_MIN, max=60, help="A shorter minute, to try it out.")
    ] = 60.0,
    report: Annotated[Path, typer.Option(help="Where the report is written, as JSON.")] = Path(
        "load-report.json"
    ),
    chart: Annotated[Path, typer.Option(help="Where the chart is written, as SVG.")] = Path(
        "load.svg"
    ),
) -> None:
    """Keep a service of its own busy, do it harm, and look for what it acknowledged."""
    plan = LoadPlan(
        minutes=minutes,
        share=share,
        has_faults=faults,
        seed=seed,
        minute_s=minute_seconds,
        capacity_s=max(minute_seconds / 6, _CAPACITY_S_MIN),
        pause_s=minute_seconds / 12,
    )
    console = Console()
    try:
        with tempfile.TemporaryDirectory(prefix="subid-", ignore_cleanup_errors=True) as temporary:
            run = asyncio.run(run_load(plan, Path(temporary) / "state", say=console.print))
    except ServiceStartError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {error}")
        raise typer.Exit(EXIT_UNPLAYABLE) from error
    write_report(run, report)
    write_chart(run, chart)
    _print(run, console)
    raise typer.Exit(0 if is_good(run) else EXIT_BAD)


def _print(run: LoadRun, console: Console) -> None:
    searched = run.searched
    console.print(
        f"{searched.acknowledged} writes acknowledged, {searched.lost} lost, "
        f"{searched.doubled} doubled; {budget_used(run):.0%} of the error budget used"
    )
    growth = memory_growth(run)
    if growth is not None:
        console.print(f"memory in the second half of a server's life: {growth:.2f} of the first")
