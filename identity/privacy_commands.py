"""`identity export …` and `identity requests`: what people have asked about their data.

Owns the commands. Checking a document takes no service, no state and no network. Heavy modules are
imported inside, so that `--help` is quick.
"""

import json
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

export_app = typer.Typer(
    no_args_is_help=True, help="Signed documents for citizens: exports, and proofs of erasures."
)


@export_app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="An export, or the proof of an erasure.")],
    keys: Annotated[Path, typer.Option(help="A JWK set, from `identity export keys`.")],
    out: Annotated[Path | None, typer.Option(help="Write what was signed here, as JSON.")] = None,
) -> None:
    """Check a document that the service has signed, without the service.

    Exit code 1: it proves nothing; the code that begins the line says why.
    """
    from identity.security.service_signing import (  # noqa: PLC0415 - see the module's docstring
        KeySetError,
        SignatureRefusedError,
        parse_key_set,
    )
    from identity.services.export_data import open_document  # noqa: PLC0415 - as above

    try:
        with refusals_in_one_line():
            public_keys = parse_key_set(keys.read_text(encoding="utf-8"))
            document = file.read_text(encoding="utf-8", errors="replace").strip()
        purpose, payload = open_document(document, public_keys)
    except (KeySetError, UnicodeDecodeError) as error:
        fail(f"{keys}: {error}")
    except SignatureRefusedError as error:
        typer.echo(str(error))
        raise typer.Exit(1) from None
    if out is not None:
        with refusals_in_one_line():
            out.write_bytes(payload)
    typer.echo(f"{file}: {purpose}, as it was signed")
    said = json.loads(payload)
    for name in ("version", "data_request_id", "made_at", "erased_at", "secret_digest"):
        if name in said:
            typer.echo(f"{name}: {said[name]}")


@export_app.command("keys")
def show_keys(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Print every public key that a document may have been signed with, as a JWK set."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.security.service_signing import format_key_set  # noqa: PLC0415 - as above
    from identity.services.signing_keys import all_public_keys  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        opened.transaction() as uow,
    ):
        keys = all_public_keys(uow, at=datetime.now(UTC))
    typer.echo(format_key_set(keys))


def requests(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Say how it stands with people's requests about their data.

    Exit code 1: one that is open is late.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        opened.transaction() as uow,
    ):
        counts = uow.data_requests.count(at=datetime.now(UTC))
    typer.echo(f"{counts.open_count:,} open")
    typer.echo(f"{counts.unacknowledged_count:,} not acknowledged in time")
    typer.echo(f"{counts.late_count:,} not done in time")
    typer.echo(f"{counts.closed_late_count:,} closed ones were late")
    is_late = counts.unacknowledged_count or counts.late_count
    raise typer.Exit(1 if is_late else 0)
