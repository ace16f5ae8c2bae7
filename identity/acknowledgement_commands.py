"""`identity acknowledgements …`: what operators have signed.

Owns the commands. Heavy modules are imported inside, so that `--help` is quick.
"""

from pathlib import Path
from typing import Annotated

import typer

from identity.command_line import (
    DatabaseOption,
    StateOption,
    refusals_in_one_line,
    settings_from,
)

acknowledgements_app = typer.Typer(no_args_is_help=True, help="What operators have signed.")


@acknowledgements_app.callback()
def _group() -> None:
    """Keep the name of the one command."""


@acknowledgements_app.command("check")
def check(
    authority: Annotated[
        Path | None,
        typer.Option(help="Certificate of the callers' authority, PEM; else the state's own."),
    ] = None,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Verify the signature of every acknowledgement that is kept; needs no running service.

    Exit code 1: some do not verify; one line says which and why.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.security.certificates import read_certificate  # noqa: PLC0415 - as above
    from identity.security.external_authorities import (  # noqa: PLC0415 - as above
        read_authorities,
    )
    from identity.security.local_authority import known_authorities  # noqa: PLC0415 - as above
    from identity.services.signed_acknowledgements import find_flaws  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    checked_count = flawed_count = 0
    with refusals_in_one_line():
        issuers = (
            (
                *known_authorities(settings.state / "certificates"),
                *(each.certificate for each in read_authorities(settings.state / "authorities")),
            )
            if authority is None
            else (read_certificate(authority),)
        )
        with bootstrap.open_current_database(settings) as opened, opened.transaction() as uow:
            for found in find_flaws(uow, issuers):
                checked_count += 1
                if found is not None:
                    flawed_count += 1
                    kept = found.kept
                    at = kept.received_at.isoformat(timespec="seconds")
                    typer.echo(f"{kept.caller} {kept.request_id} {at}: {found.flaw}")
    typer.echo(f"{checked_count:,} acknowledgements checked, {flawed_count:,} do not verify")
    raise typer.Exit(1 if flawed_count else 0)
