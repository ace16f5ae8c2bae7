"""`identity config …`: which settings are in force, and where they came from.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from identity.command_line import (
    DatabaseOption,
    StateOption,
    loaded_settings,
    refusals_in_one_line,
)

config_app = typer.Typer(no_args_is_help=True, help="Settings, and where they come from.")


@config_app.command("show")
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show every setting in force and where it came from. Secrets are not shown."""
    loaded = loaded_settings(state=state, database=database)
    rows = [(name, value, loaded.origins[name]) for name, value in loaded.shown().items()]
    if as_json:
        told = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        typer.echo(json.dumps(told, indent=2))
        return
    table = Table(title="Settings", title_justify="left")
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for name, value, origin in rows:
        # As text: a pattern such as [a-z] in a path is no markup.
        table.add_row(name, Text("" if value is None else _text(value)), Text(origin))
    Console().print(table)


@config_app.command("check")
def check(state: StateOption = None, database: DatabaseOption = None) -> None:
    """See whether the settings can be used, with the packs, keys and network that they name.

    Starts nothing and opens no database: what those are like, `identity doctor` looks at. Exit code
    1: they can, and the environment has a variable that looks like one and is none. Exit code 2:
    they cannot; one line says why.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.config_file import unread_variables  # noqa: PLC0415 - as above
    from identity.policy_files import load_policies  # noqa: PLC0415 - as above

    # Before the settings are read, which takes keys out of it.
    unread = unread_variables(os.environ)
    loaded = loaded_settings(state=state, database=database)
    file: Path | None = loaded.file
    with refusals_in_one_line():
        rules = load_policies(loaded.settings).at(datetime.now(UTC))
        bootstrap.key_source(loaded.settings)
        bootstrap.load_proven_face_setup(loaded.settings, rules)
    for name in unread:
        typer.echo(f"{name}: there is no such setting", err=True)
    typer.echo(f"settings: {'no file' if file is None else file} and the environment can be used")
    raise typer.Exit(1 if unread else 0)


def _text(value: object) -> str:
    """A value as the file has it, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
