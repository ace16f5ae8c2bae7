"""`identity presence …`: the keys that presence tokens are checked with, and the check itself.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from identity.command_line import (
    DatabaseOption,
    StateOption,
    fail,
    refusals_in_one_line,
    settings_from,
)

presence_app = typer.Typer(
    no_args_is_help=True, help="Tokens that say who is present at an agency's counter."
)


@presence_app.command("keys")
def show_keys(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Print the public keys that tokens are checked with: a JWK set, for anybody to have."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.security.service_signing import format_key_set  # noqa: PLC0415 - as above
    from identity.services.signing_keys import presence_public_keys  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        opened.transaction() as uow,
    ):
        keys = presence_public_keys(uow, at=datetime.now(UTC))
    typer.echo(format_key_set(keys))


@presence_app.command("rotate")
def rotate(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Sign with a new key from now on; every server does at once, and the old key is destroyed.

    Its public half is told for another hour, so that no token that still counts is lost.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.services.signing_keys import rotate_signing_key  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_current_database(settings) as opened:
        made = Transactions(opened).run(lambda uow: rotate_signing_key(uow, at=datetime.now(UTC)))
    typer.echo(f"key {made.key_id} signs now")


@presence_app.command("verify")
def verify(
    token: Annotated[str, typer.Argument(help="The token, as CompletePresence answered it.")],
    keys: Annotated[
        Path, typer.Option("--keys", help="A JWK set, from GetPresenceKeys.", dir_okay=False)
    ],
    audience: Annotated[str, typer.Option("--audience", help="The agency's own name.")],
) -> None:
    """Check a token offline and print what it says. Asks nobody.

    Exit code 1: it does not count; the code that begins the line says why.
    """
    from identity.domain.presence import TokenRefusedError  # noqa: PLC0415 - as above
    from identity.security.service_signing import (  # noqa: PLC0415 - as above
        KeySetError,
        SignatureRefusedError,
        parse_key_set,
    )
    from identity.services.check_presence import check_presence  # noqa: PLC0415 - as above

    try:
        with refusals_in_one_line():
            public_keys = parse_key_set(keys.read_text(encoding="utf-8"))
        said = check_presence(token, public_keys, audience=audience, at=datetime.now(UTC))
    except (KeySetError, UnicodeDecodeError) as error:
        fail(f"{keys}: {error}")
    except (SignatureRefusedError, TokenRefusedError) as error:
        typer.echo(str(error))
        raise typer.Exit(1) from None
    typer.echo(json.dumps(asdict(said), default=str, indent=2, ensure_ascii=False))
