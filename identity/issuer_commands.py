"""`identity issuers …`: whose assertions prove a citizen.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from identity.command_line import StateOption, fail, refusals_in_one_line, settings_from

issuers_app = typer.Typer(no_args_is_help=True, help="Whose assertions prove a citizen.")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
NameArgument = Annotated[str, typer.Argument(help="What it is called here: a-z, 0-9, hyphens.")]


def _file(state: Path | None, name: str) -> Path:
    if not _NAME.fullmatch(name):
        fail("an issuer's name is 1 to 63 of a-z, 0-9 and inner hyphens")
    return Path(settings_from(state=state).state) / "issuers" / f"{name}.json"


@issuers_app.command("add")
def add(
    name: NameArgument,
    keys: Annotated[Path, typer.Argument(help="Its public keys, a JWK set: P-256 or Ed25519.")],
    issuer: Annotated[str, typer.Option(help="What it writes as `iss`.")],
    state: StateOption = None,
) -> None:
    """Believe an issuer's assertions, or take its keys anew. A running service does so at once."""
    from identity.security.issuers import (  # noqa: PLC0415 - see the module's docstring
        FILE_BYTES_MAX,
        IssuerError,
        parse_keys,
        read_issuers,
    )
    from identity.state_directory import read_whole, write_whole  # noqa: PLC0415 - as above

    file = _file(state, name)
    with refusals_in_one_line():
        try:
            said = json.loads(read_whole(keys, bytes_max=FILE_BYTES_MAX))
        except ValueError as error:
            raise IssuerError(f"{keys} cannot be read as JSON") from error
        taken = parse_keys(said, source=str(keys))
        if issuer in read_issuers(file.parent) and not file.exists():
            raise IssuerError(f"{issuer} is known by another name: remove that first")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = json.dumps({"issuer": issuer, "keys": said["keys"]}, indent=1)
        write_whole(file, content.encode(), mode=0o644, may_replace=True)
    typer.echo(f"{issuer}: {', '.join(taken)}")


@issuers_app.command("list")
def list_issuers(state: StateOption = None) -> None:
    """Show whose assertions are believed, by which keys."""
    from identity.security.issuers import read_issuers  # noqa: PLC0415 - see the module's docstring

    directory = Path(settings_from(state=state).state) / "issuers"
    with refusals_in_one_line():
        issuers = read_issuers(directory)
    table = Table("issuer", "keys")
    for issuer, keys in issuers.items():
        table.add_row(issuer, ", ".join(keys))
    Console(soft_wrap=True).print(table)


@issuers_app.command("remove")
def remove(name: NameArgument, state: StateOption = None) -> None:
    """Believe an issuer no more, from now on.

    Exit code 1: there was none of this name.
    """
    file = _file(state, name)
    is_there = file.exists()
    file.unlink(missing_ok=True)
    typer.echo(f"{name} is removed" if is_there else f"there is no issuer {name}")
    raise typer.Exit(0 if is_there else 1)
