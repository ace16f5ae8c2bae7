"""`identity callers …`: who may call, with which certificate.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
import re
from collections.abc import Callable, Container
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from identity.command_line import StateOption, fail, refusals_in_one_line, settings_from
from identity.domain.caller import Caller, Role

if TYPE_CHECKING:
    from identity.security.issued import IssuedCertificate

callers_app = typer.Typer(no_args_is_help=True, help="Who may call, with which certificate.")

DAYS, DAYS_MAX = 30, 398
"""As `identity.security.certificates` says; a test holds the two together."""

AUTHORITY_NAME = "ca"
"""Of the file beside a caller's own that holds the authority's certificate."""

SERIAL_LENGTH_MAX = 40
"""Hexadecimal digits: a serial number has 20 octets at most (RFC 5280, 4.1.2.2)."""


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
    if name == AUTHORITY_NAME:
        fail(f"{name}.crt.pem is the authority's certificate: give the caller another name")
    certificate, key = out / f"{name}.crt.pem", out / f"{name}.key.pem"
    authority = out / f"{AUTHORITY_NAME}.crt.pem"
    with refusals_in_one_line():
        _make_writable(out)  # before anything is recorded that nobody would have
        issued, local = issue_recorded(_directory(state), caller, at=datetime.now(UTC), days=days)
        write_secret(key, issued.private_key)
        write_public(certificate, issued.certificate)
        write_public(authority, local.bundle)
    typer.echo(f"{caller}: {certificate}, {key}, {authority}")


def _make_writable(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        TemporaryFile(dir=directory).close()
    except OSError as error:
        fail(f"{directory}: nothing can be written there: {error.strerror}")


@callers_app.command("list")
def list_callers(
    *,
    has_ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    state: StateOption = None,
) -> None:
    """Show the certificates that were issued: whose, until when, and which are refused by now."""
    from identity.security.issued import read_record  # noqa: PLC0415 - see the module's docstring
    from identity.security.local_authority import believed  # noqa: PLC0415 - as above

    now, directory = datetime.now(UTC), _directory(state)
    with refusals_in_one_line():
        record, authorities = read_record(directory), believed(directory)
    entries = [
        (entry, _state(entry, authorities, now))
        for entry in record
        if has_ended or entry.ends_at > now
    ]
    if as_json:
        typer.echo(json.dumps([_told(entry, said) for entry, said in entries], indent=2))
        return
    table = Table()
    for column in ("caller", "serial", "until", "state"):
        # `revoke` takes a serial number as a whole: it stays in one line, however narrow.
        width = SERIAL_LENGTH_MAX if column == "serial" else None
        table.add_column(column, overflow="fold", min_width=width)
    for entry, said in entries:
        until = entry.ends_at.isoformat(timespec="minutes")
        table.add_row(Text(entry.caller), Text(entry.serial), until, said)
    Console(soft_wrap=True).print(table)


def _told(entry: "IssuedCertificate", state: str) -> dict[str, str]:
    return {
        "caller": entry.caller,
        "serial": entry.serial,
        "issued_at": entry.issued_at.isoformat(),
        "ends_at": entry.ends_at.isoformat(),
        "state": state,
    }


def _state(entry: "IssuedCertificate", authorities: Container[str], now: datetime) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    if entry.ends_at <= now:
        return "ended"
    # One of another's authority is recorded without it, to be revoked.
    is_believed = not entry.authority or entry.authority in authorities
    return "valid" if is_believed else "authority retired"


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
    is_meant: Callable[[IssuedCertificate], bool]
    with refusals_in_one_line():
        if certificate is not None:
            shown = _record_shown(directory, certificate, now)
            is_meant = lambda entry: entry.fingerprint == shown  # noqa: E731 - one of three
        elif caller is not None:
            named = _caller_named(caller)
            is_meant = lambda entry: entry.caller == named  # noqa: E731 - as above
        else:
            number = _serial_in(str(serial))
            is_meant = lambda entry: entry.serial == number  # noqa: E731 - as above
        revoked = revoke(directory, is_meant, at=now)
    if not revoked:
        fail("there was none to revoke: `identity callers list --all` shows them", exit_code=1)
    for entry in revoked:
        typer.echo(f"{entry.caller}: {entry.serial} is revoked")


def _caller_named(said: str) -> str:
    role, _, name = said.partition(":")
    try:
        return str(Caller(Role(role), name))
    except ValueError:
        return str(fail("--caller is ROLE:NAME, such as agency:tax"))


def _serial_in(said: str) -> str:
    """A serial number as the record has it, of one as any program prints it."""
    digits = said.replace(":", "").lower().lstrip("0")
    if not re.fullmatch(r"[0-9a-f]{1,40}", digits):
        fail("--serial is a number in hexadecimal digits, as `identity callers list` shows it")
    return digits


def _record_shown(directory: Path, file: Path, now: datetime) -> str:
    """Put a certificate into the record that another authority issued; gives its fingerprint."""
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
    fingerprint = fingerprint_of(shown)
    if fingerprint not in {each.fingerprint for each in read_record(directory)}:
        named = str(caller_in(shown.public_bytes(Encoding.DER)))
        record(directory, entry_for(shown, named, authority="", at=now))
    return fingerprint


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
