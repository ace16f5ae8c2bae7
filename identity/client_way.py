"""How a command of `identity …` reaches a service, and as whom.

Owns the options that say it. Heavy modules are imported inside, so that `--help` is quick.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity.command_line import fail, refusals_in_one_line, settings_from
from identity.domain.caller import Caller, Role

if TYPE_CHECKING:
    from identity.config import Settings
    from identity.security.client_keys import ClientKeys

AddressOption = Annotated[
    str | None, typer.Option(help="host:port of the service; else what `serve` listens on here.")
]
CertificateOption = Annotated[Path | None, typer.Option(help="Your certificate, PEM.")]
KeyOption = Annotated[Path | None, typer.Option(help="Its private key, PEM.")]
AuthorityOption = Annotated[
    Path | None, typer.Option(help="The certificate by which the service is known, PEM.")
]


_NAMING_OPTIONS: Mapping[Role, str] = {
    Role.OPERATOR: "--operator",
    Role.AGENCY: "--agency",
    Role.WITNESS: "--caller",
}
"""By which a caller on the service's own machine is named; the other roles have one caller each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the service is reached, and as whom.

    Attributes:
        role: As what.
        name: Whom this machine speaks for, where the authority's key is at hand; None for whoever
            the certificate names.
        address: `host:port`; None for what `serve` listens on here.
        files: Certificate, private key and authority, all or none.
        state: The state directory.
    """

    role: Role
    name: str | None
    address: str | None
    files: tuple[Path | None, Path | None, Path | None]
    state: Path | None


def settings_and_keys(way: Way) -> tuple["Settings", "ClientKeys"]:
    """Where the service listens, and what the command proves itself with."""
    # The C core of gRPC writes lines of its own to stderr; what matters is raised as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if way.address is not None and not way.address.rpartition(":")[2].isdigit():
        fail("--address is host:port")
    settings = settings_from(state=way.state, listen=way.address)
    with refusals_in_one_line():
        return settings, _client_keys(way, settings.state / "certificates")


def _client_keys(way: Way, authority_directory: Path) -> "ClientKeys":
    from identity.security.client_keys import (  # noqa: PLC0415 - see the module's docstring
        issue_client_keys,
        read_client_keys,
    )

    certificate, private_key, authority = way.files
    option = _NAMING_OPTIONS.get(way.role)
    if any(way.files) and option and way.name is not None:
        fail(f"{option} is said instead of --certificate, which names the {way.role} itself")
    if certificate and private_key and authority:
        return read_client_keys(
            certificate=certificate, private_key=private_key, authority=authority
        )
    if certificate or private_key or authority:
        fail("--certificate, --key and --authority belong together")
    if way.name is None:
        fail(f"say who you are: --certificate, --key and --authority, or {option} on this machine")
    return issue_client_keys(authority_directory, _caller(way), at=datetime.now(UTC))


def _caller(way: Way) -> Caller:
    try:
        return Caller(way.role, way.name or "")
    except ValueError as error:
        return fail(str(error))  # type: ignore[no-any-return] # it never returns
