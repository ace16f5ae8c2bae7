"""The command line of the simulation.

Owns the options, the progress while the story is played, and the exit code.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from telco_sim.demo import Stage, own_stage, perform, running_stage
from telco_sim.load.command import load
from telco_sim.photographs import PhotographLibrary, PhotographsUnavailableError
from telco_sim.recording import Recording
from telco_sim.report import Report, print_report
from telco_sim.scenarios import TITLES
from telco_sim.server import ServiceStartError
from telco_sim.wire import Refusal
from telco_sim.world import Plan

EXIT_UNPLAYABLE = 2
"""The story could not be played at all: no photographs, no service."""

_UNPLAYABLE = (
    ServiceStartError,
    PhotographsUnavailableError,
    Refusal,
    FileNotFoundError,
)

_DEFAULTS = Plan()
_CITIZENS_MIN = 50
_VERIFICATIONS_MIN = 9
_REGISTRATIONS_MIN = 3
_DAYS_MIN = 7
_FACES_MAX = 200

app = typer.Typer(
    help="The outside world of a subscriber identity service, simulated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command()(load)


@app.callback()
def main() -> None:
    """Keep `demo` a command of its own, so that others can stand beside it."""


@app.command()
def demo(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    citizens: Annotated[
        int, typer.Option(min=_CITIZENS_MIN, help="Records of the register.")
    ] = _DEFAULTS.citizen_count,
    seed: Annotated[int, typer.Option(help="The same seed draws the same country.")] = (
        _DEFAULTS.seed
    ),
    verifications: Annotated[
        int, typer.Option(min=_VERIFICATIONS_MIN, help="Existing numbers that are verified.")
    ] = _DEFAULTS.verification_count,
    registrations: Annotated[
        int, typer.Option(min=_REGISTRATIONS_MIN, help="New numbers.")
    ] = _DEFAULTS.registration_count,
    days: Annotated[
        int, typer.Option(min=_DAYS_MIN, help="Days that pass before the disputes.")
    ] = _DEFAULTS.day_count,
    report: Annotated[Path, typer.Option(help="Where the report is written, as JSON.")] = Path(
        "demo-report.json"
    ),
    photos: Annotated[
        Path | None, typer.Option(help="Faces to borrow: one folder for each person.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="New folder for the service's state; kept.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder for what the service is told of people, and refuses with."),
    ] = None,
    connect: Annotated[
        str, typer.Option(help="Play against the service at HOST:PORT, with --callers.")
    ] = "",
    callers: Annotated[
        Path | None, typer.Option(help="With --connect: folder of the callers' certificates.")
    ] = None,
    trust_anchors: Annotated[
        Path | None,
        typer.Option(help="With --connect: folder where the service finds its trust anchors."),
    ] = None,
) -> None:
    """Play a small country against the service, cheats included, and report."""
    plan = Plan(
        citizen_count=citizens,
        seed=seed,
        verification_count=verifications,
        registration_count=registrations,
        day_count=days,
    )
    console = Console()
    recording = None if record is None else Recording()
    try:
        library = _library(photos)
        with _stage(connect, callers=callers, trust_anchors=trust_anchors, state=state) as stage:
            played = _perform(
                plan, stage=stage, library=library, console=console, recording=recording
            )
    except _UNPLAYABLE as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {error}")
        raise typer.Exit(EXIT_UNPLAYABLE) from error
    if record is not None and recording is not None:
        recording.write(record)
    played.write(report)
    print_report(played, console=console)
    console.print(f"The whole report is in {report}.")
    raise typer.Exit(played.exit_code)


def _library(photos: Path | None) -> PhotographLibrary:
    if photos is None:
        return PhotographLibrary.built_in()
    return PhotographLibrary.from_folder(photos, people_max=_FACES_MAX)


@contextmanager
def _stage(
    connect: str, *, callers: Path | None, trust_anchors: Path | None, state: Path | None
) -> Iterator[Stage]:
    """Choose the stage: a running service, or one of our own with or without a trace left."""
    if connect:
        if callers is None or trust_anchors is None:
            raise typer.BadParameter("--connect needs --callers and --trust-anchors")
        yield running_stage(connect, callers=callers, trust_anchors=trust_anchors)
    elif state is not None:
        with own_stage(state) as stage:
            yield stage
    else:
        with (
            tempfile.TemporaryDirectory(prefix="subid-", ignore_cleanup_errors=True) as temporary,
            own_stage(Path(temporary) / "state") as stage,
        ):
            yield stage


def _perform(
    plan: Plan,
    *,
    stage: Stage,
    library: PhotographLibrary,
    console: Console,
    recording: Recording | None,
) -> Report:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        story = progress.add_task("The service is up", total=len(TITLES))

        def begin(title: str) -> None:
            progress.update(story, description=title, completed=TITLES.index(title))

        return perform(plan, stage=stage, library=library, begin=begin, recording=recording)


if __name__ == "__main__":
    app()
