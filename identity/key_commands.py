"""`identity keys …`: the keys that the data is sealed with.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from identity.command_line import (
    DatabaseOption,
    StateOption,
    refusals_in_one_line,
    settings_from,
)

if TYPE_CHECKING:
    from identity.services.key_overview import KeyLine

keys_app = typer.Typer(no_args_is_help=True, help="The keys that the data is sealed with.")


@keys_app.command("list")
def list_keys(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show each key with what it seals. Reads every sealed value: minutes for a country.

    Exit code 1: values need a key that is lost.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.services import key_overview  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings, may_lack_keys=True) as opened,
        opened.transaction() as uow,
    ):
        lines = key_overview.list_keys(uow)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], default=str, indent=2))
    else:
        _print(lines)
    raise typer.Exit(1 if any(line.state is key_overview.KeyState.LOST for line in lines) else 0)


@keys_app.command("rows")
def list_rows(
    key_id: Annotated[int, typer.Argument(help="The key's number.", min=1, max=2**32 - 1)],
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Name each row that a key seals, one a line: for a lost key, the rows that it costs."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings, may_lack_keys=True) as opened,
        opened.transaction() as uow,
    ):
        for row in uow.sealing_keys.rows_of(key_id):
            typer.echo(" ".join([row.place, *(f"{name}={of}" for name, of in row.names.items())]))


@keys_app.command("rotate")
def rotate(
    *,
    is_staged: Annotated[
        bool,
        typer.Option("--stage", help="Only add the key; the next rotate makes it the active one."),
    ] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Seal new values with a new key. Running servers take it up within seconds."""
    from identity import bootstrap  # noqa: PLC0415 - as above
    from identity.services.rotate_keys import rotate_keys  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_current_database(settings) as opened:
        source = bootstrap.key_source(settings)
        done = rotate_keys(source, Transactions(opened), is_staged=is_staged, at=datetime.now(UTC))
    made = "made" if done.is_new else "taken up"
    typer.echo(f"key {done.key_id} {made}; new values are sealed with key {done.active_id}")
    typer.echo(f"back up {source.name} now: without it nothing can be read")


@keys_app.command("reseal")
def reseal(
    slice_size: Annotated[
        int, typer.Option("--slice", min=1, max=10_000, help="Rows of one transaction.")
    ] = 500,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Seal what old keys sealed anew with the active one. Interrupted, it goes on where it was.

    Exit code 1: some values are left; those that do not open, or were locked all the while.
    """
    from rich.progress import Progress  # noqa: PLC0415 - see the module's docstring

    from identity import bootstrap  # noqa: PLC0415 - as above
    from identity.services.reseal_values import (  # noqa: PLC0415 - as above
        count_outdated,
        reseal_values,
    )
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    terminal = Console(stderr=True)
    progress = Progress(console=terminal, disable=not terminal.is_terminal)
    value_count = 0
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings, may_lack_keys=True) as opened,
        progress,
    ):
        transactions = Transactions(opened)
        bar = progress.add_task("rows", total=count_outdated(transactions))
        for done in reseal_values(transactions, at=datetime.now(UTC), size=slice_size):
            value_count += done.value_count
            progress.update(bar, advance=done.row_count, description=done.place)
        left_count = count_outdated(transactions)
    typer.echo(f"{value_count:,} values sealed anew, {left_count:,} rows left")
    raise typer.Exit(1 if left_count else 0)


@keys_app.command("retire")
def retire(
    key_id: Annotated[int, typer.Argument(help="The key's number.")],
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Take an old key out of the key ring, if no value and no process uses it."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.services.retire_key import retire_key  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_current_database(settings) as opened:
        source = bootstrap.key_source(settings)
        retire_key(source, Transactions(opened), key_id, at=datetime.now(UTC))
    typer.echo(f"key {key_id} is retired: {source.name} is without it")


def _print(lines: "Sequence[KeyLine]") -> None:
    table = Table(title="Sealing keys", title_justify="left")
    for column in ("key", "state", "last active", "values"):
        table.add_column(column, justify="right" if column in {"key", "values"} else "left")
    for line in lines:
        active_at = line.last_active_at
        instant = "" if active_at is None else active_at.strftime("%Y-%m-%d %H:%M %Z")
        table.add_row(str(line.key_id), line.state, instant, f"{line.value_count:,}")
    Console().print(table)
    for line in lines:
        for place, count in line.places.items():
            typer.echo(f"key {line.key_id} ({line.state}): {place} {count:,}")
