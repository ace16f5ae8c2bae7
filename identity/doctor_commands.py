"""`identity doctor`: is everything well that the service stands on?

Owns the command and how it prints. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from identity.command_line import DatabaseOption, StateOption, settings_from

if TYPE_CHECKING:
    from identity.finding import Finding

_STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}


def doctor(
    *,
    callers: Annotated[
        Path | None, typer.Option(help="Directory of callers' certificates to look at.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Look at keys, certificates, trust, packs, faces, backups, disk and database. Changes nothing.

    Exit code 0: all is well. 1: something needs somebody soon. 2: something does not work, or the
    settings cannot be used.
    """
    from identity.doctor import examine  # noqa: PLC0415 - see the module's docstring
    from identity.finding import Grade  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    found = examine(settings, now=lambda: datetime.now(UTC), callers=callers)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        _print(found)
    worst = max(list(Grade).index(each.grade) for each in found)
    raise typer.Exit(worst)


def _print(found: "list[Finding]") -> None:
    table = Table(title="Examination", title_justify="left")
    for column in ("check", "grade", "found", "to do"):
        table.add_column(column, overflow="fold")
    for each in found:
        grade = Text(each.grade.value, style=_STYLES[each.grade.value])
        # As text: a pattern such as [a-z] in a path is no markup.
        table.add_row(each.name, grade, Text(each.said), Text(each.todo))
    Console().print(table)
