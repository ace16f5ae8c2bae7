"""What the commands share that send a file to a service and go on after a break.

Owns their options, their exit codes, the bar, and how what went wrong is told. Heavy modules are
imported inside, so that `--help` is quick.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from identity.command_line import fail

if TYPE_CHECKING:
    from identity.import_run import Report, Stage

EXIT_REJECTS = 1
EXIT_GO_ON = 3
"""It broke off, and the same command goes on with it."""

EXIT_INTERRUPTED = 130
"""128 and SIGINT, as shells have it."""

FileArgument = Annotated[Path, typer.Argument(help="CSV (UTF-8, with a line of names) or Parquet.")]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="THEIRS=OURS: a column by another name.")
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="A column of the file that is not wanted.")
]
RestartOption = Annotated[
    bool, typer.Option("--restart", help="Forget an import of this file that broke off.")
]


def renamed_columns(pairs: Sequence[str]) -> Mapping[str, str]:
    """What `--map` says, by the names of the file."""
    found: dict[str, str] = {}
    for pair in pairs:
        theirs, is_pair, ours = pair.rpartition("=")
        if not is_pair or theirs in found:
            fail(f"--map takes THEIRS=OURS, each column once: {pair}")
        found[theirs] = ours
    return found


@contextmanager
def file_faults_in_one_line(go_on: str) -> Iterator[None]:
    """End with one line on stderr, and the exit code that says whether to run it again.

    Args:
        go_on: What is said where the same command goes on.
    """
    from identity.import_files.faults import (  # noqa: PLC0415 - see the module's docstring
        ImportFileError,
    )
    from identity.rpc.client_calls import ImportRefusedError  # noqa: PLC0415 - as above

    try:
        yield
    except ImportFileError as error:
        fail(str(error))
    except ImportRefusedError as error:
        if error.is_worth_repeating:
            fail(f"{error}; {go_on}", exit_code=EXIT_GO_ON)
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"interrupted; {go_on}", exit_code=EXIT_INTERRUPTED)


@contextmanager
def progress_bar() -> Iterator["Report"]:
    """A bar on a terminal, and nothing elsewhere."""
    from rich.progress import (  # noqa: PLC0415 - see the module's docstring
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    terminal = Console(stderr=True)
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=terminal, disable=not terminal.is_terminal)
    with progress:
        bar = progress.add_task("", total=None, rows="")

        def report(stage: "Stage", done: int, of: int | None) -> None:
            rows = "" if of is None else f"{done:,} of {of:,} rows"
            progress.update(bar, description=stage, completed=done, total=of, rows=rows)

        yield report
