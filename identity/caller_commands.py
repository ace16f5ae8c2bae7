"""`identity callers …`: who may call, with which certificate.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from identity.command_line import StateOption, fail, refusals_in_one_line, settings_from
from identity.domain.caller import Caller, Role

if TYPE_CHECKING:
    from identity.security.issued import IssuedCertificate

callers_app = typer.Typer(no_args_is_help=True, help="Who may call, with which certificate.")

DAYS, DAYS_MAX = 30, 398
"""As `identity.security.certificates` says; a test holds the two together."""


def _directory(state: Path | None) -> Path:
    return Path(settings_from(state=state).state) / "certificates"


@callers_app.command("issue")
def issue(
    role: Annotated[Role, typer.Option(help="What the caller is.")],
    name: Annotated[str, typer.Option(help="Which one: a-z, 0-9 and inner hyphens.")],
    out: Annotated[Path, typer.Option(help="Directory for the three files.")] = Path(),
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How long it holds.")] = DAYS,
    state: StateOption = None,
) -> None:
    """Write a client certificate: NAME.crt.pem, NAME.key.pem, and ca.crt.pem to trust."""
    from identity.security.certificates import (  # noqa: PLC0415 - see the module's docstring
        write_public,
        write_secret,
    )
    from identity.security.local_authority import issue_recorded  # noqa: PLC0415 - as above

    try:
        caller = Caller(role, name)
    except ValueError as error:
        fail(str(error))
    with refusals_in_one_line():
        issued, local = issue_recorded(_directory(state), caller, at=datetime.now(UTC), days=days)
        out.mkdir(parents=True, exist_ok=True)
        write_secret(out / f"{name}.key.pem", issued.private_key)
        write_public(out / f"{name}.crt.pem", issued.certificate)
        write_public(out / "ca.crt.pem", local.bundle)
    typer.echo(
        f"{caller}: {out / f'{name}.crt.pem'}, {out / f'{name}.key.pem'}, {out / 'ca.crt.pem'}"
    )


@callers_app.command("list")
def list_callers(
    *,
    has_ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    state: StateOption = None,
) -> None:
    """Show the certificates that were issued: whose, until when, and which are revoked."""
    from identity.security.issued import read_record  # noqa: PLC0415 - see the module's docstring

    now = datetime.now(UTC)
    with refusals_in_one_line():
        entries = read_record(_directory(state))
    table = Table("caller", "serial", "until", "state")
    for entry in entries:
        if has_ended or entry.ends_at > now:
            ends = entry.ends_at.isoformat(timespec="minutes")
            table.add_row(entry.caller, entry.serial, ends, _state(entry, now))
    Console(soft_wrap=True).print(table)


def _state(entry: "IssuedCertificate", now: datetime) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    return "valid" if entry.ends_at > now else "ended"


@callers_app.command("revoke")
def revoke_callers(
    serial: Annotated[str | None, typer.Option(help="One certificate, as `list` shows it.")] = None,
    caller: Annotated[
        str | None, typer.Option(help="All of a caller, ROLE:NAME, such as agency:tax.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="One certificate by its file, PEM, whoever issued it.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Refuse certificates from now on, also on connections that are open.

    Exit code 1: there was none to revoke.
    """
    from identity.security.issued import revoke  # noqa: PLC0415 - see the module's docstring

    if sum(each is not None for each in (serial, caller, certificate)) != 1:
        fail("say --serial, --caller or --certificate, one of them")
    directory, now = _directory(state), datetime.now(UTC)
    with refusals_in_one_line():
        if certificate is not None:
            serial = _record_shown(directory, certificate, now)
        revoked = revoke(directory, _meant(serial, caller), at=now)
    for entry in revoked:
        typer.echo(f"{entry.caller}: {entry.serial} is revoked")
    raise typer.Exit(0 if revoked else 1)


def _meant(serial: str | None, caller: str | None) -> "Callable[[IssuedCertificate], bool]":
    return lambda entry: entry.serial == serial or entry.caller == caller


def _record_shown(directory: Path, file: Path, now: datetime) -> str:
    """Put a certificate into the record that another authority issued; gives its serial number."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - see the module's docstring
        Encoding,
    )

    from identity.security.certificates import (  # noqa: PLC0415 - as above
        caller_in,
        read_certificate,
    )
    from identity.security.issued import (  # noqa: PLC0415 - as above
        entry_for,
        fingerprint_of,
        read_record,
        record,
    )

    shown = read_certificate(file)
    known = {each.fingerprint for each in read_record(directory)}
    if fingerprint_of(shown) not in known:
        named = str(caller_in(shown.public_bytes(Encoding.DER)))
        record(directory, entry_for(shown, named, authority="", at=now))
    return f"{shown.serial_number:x}"


@callers_app.command("rotate")
def rotate_authority(state: StateOption = None) -> None:
    """Begin to change the authority's key: from now on a new one issues, both are believed."""
    from identity.security.local_authority import (  # noqa: PLC0415 - see the module's docstring
        begin_rotation,
    )

    with refusals_in_one_line():
        begin_rotation(_directory(state), at=datetime.now(UTC))
    typer.echo("a new authority issues: issue every caller anew, then `identity callers retire`")


@callers_app.command("retire")
def retire_authority(
    *,
    is_forced: Annotated[
        bool, typer.Option("--force", help="Also when callers would be locked out.")
    ] = False,
    state: StateOption = None,
) -> None:
    """End the change: the former authority is believed no more, and its key is removed."""
    from identity.security.local_authority import (  # noqa: PLC0415 - see the module's docstring
        end_rotation,
    )

    with refusals_in_one_line():
        end_rotation(_directory(state), at=datetime.now(UTC), is_forced=is_forced)
    typer.echo("the former authority is retired")
