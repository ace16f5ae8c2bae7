"""`identity trust …`: whose signature on a document counts.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from identity.command_line import StateOption, refusals_in_one_line, settings_from

if TYPE_CHECKING:
    from identity.services.trust_changes import Source, TrustChange

trust_app = typer.Typer(
    no_args_is_help=True, help="Whose signature on a document counts: anchors and revocation lists."
)

_DirectoryOption = Annotated[
    Path | None, typer.Option("--trust-anchors", help="Trust directory, in place of the state's.")
]
_ProfileOption = Annotated[
    str, typer.Option("--profile", help="vn-cccd (identity cards), vn-passport or icao.")
]
_OriginOption = Annotated[
    str | None, typer.Option(help="Where it came from, for whoever asks later; else the file name.")
]
_File = Annotated[Path, typer.Argument(help="DER or PEM.", exists=True, dir_okay=False)]

TABLE_COLUMNS_MIN = 132
"""Narrower, dates and names would break; what programs read is not a terminal and has no width."""
WITHIN_DAYS_MAX = 36_500
"""A century: no authority's certificate lasts longer."""

_SHORT_FINGERPRINT = 16
_PROSE = frozenset({"subject", "issuer", "origin", "reason"})


@trust_app.command("list")
def list_trust(
    *,
    within: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=WITHIN_DAYS_MAX,
            help="Only anchors that end, or stop signing, within so many days.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Show profiles, anchors and revocation lists with their ages and ends.

    Exit code 1: something ends within the time asked for, or a revocation list is of no use.
    """
    from identity.services.trust_overview import describe  # noqa: PLC0415 - see the module's docstring
    from identity.services.trust_store import load_trust  # noqa: PLC0415 - as above

    settings = settings_from(state=state, trust_anchors=trust_anchors)
    with refusals_in_one_line():
        overview = describe(
            load_trust(settings.trust_directory), at=datetime.now(UTC), within_days=within
        )
    if as_json:
        typer.echo(json.dumps(overview, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"Trust directory {settings.trust_directory}")
        _print(overview)
    is_ending = within is not None and bool(overview["anchors"])
    is_blind = any(not each["is_usable"] for each in overview["revocation_lists"])
    raise typer.Exit(1 if is_ending or is_blind else 0)


@trust_app.command("add")
def add_certificate(
    file: _File,
    *,
    profile: _ProfileOption = "vn-cccd",
    is_signer: Annotated[
        bool,
        typer.Option("--document-signer", help="A signer that documents leave out, no anchor."),
    ] = False,
    origin: _OriginOption = None,
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Trust an authority's certificates: compare their fingerprints with the authority first."""
    from identity.services.trust_changes import add_certificates  # noqa: PLC0415 - as above
    from identity.services.trust_records import TrustKind  # noqa: PLC0415 - as above

    settings = settings_from(state=state, trust_anchors=trust_anchors)
    kind = TrustKind.DOCUMENT_SIGNER if is_signer else TrustKind.ANCHOR
    with refusals_in_one_line():
        source = _source(file.read_bytes(), profile, origin or file.name)
        _tell(add_certificates(settings.trust_directory, source, kind=kind))


@trust_app.command("distrust")
def distrust_certificate(
    certificate: Annotated[
        str, typer.Argument(help="A file, or SHA-256 as `trust list` shows it (16 digits do).")
    ],
    *,
    reason: Annotated[str, typer.Option(help="For whoever asks later.")],
    profile: _ProfileOption = "vn-cccd",
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Believe a certificate's key no more: an anchor added by mistake, a key that was stolen.

    Whatever else is in the directory, or comes with a master list later. A signer is revoked.
    """
    from identity.services.trust_changes import distrust, find_certificate  # noqa: PLC0415 - as above

    directory = settings_from(state=state, trust_anchors=trust_anchors).trust_directory
    with refusals_in_one_line():
        path = Path(certificate)
        if path.is_file():
            content = path.read_bytes()
        else:
            content = find_certificate(directory, profile, sha256=certificate)
        _tell(distrust(directory, _source(content, profile, reason)))


@trust_app.command("restore")
def restore_certificate(
    sha256: Annotated[str, typer.Argument(help="As `trust list` shows it (16 digits do).")],
    *,
    profile: _ProfileOption = "vn-cccd",
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Take a distrust back: whoever was an anchor before is one again."""
    from identity.services.trust_changes import restore  # noqa: PLC0415 - as above

    settings = settings_from(state=state, trust_anchors=trust_anchors)
    with refusals_in_one_line():
        restore(settings.trust_directory, profile, sha256=sha256)
    typer.echo("distrust taken back")


@trust_app.command("import-master-list")
def import_master_list(
    file: Annotated[Path, typer.Argument(help="CMS, DER.", exists=True, dir_okay=False)],
    *,
    profile: _ProfileOption = "icao",
    pinned: Annotated[
        Path | None,
        typer.Option(
            help="Certificate of the authority behind the list, from another source.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    origin: _OriginOption = None,
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Trust the authorities of a master list whose signer chains to one that is trusted already."""
    from identity.services.trust_changes import import_list  # noqa: PLC0415 - as above

    settings = settings_from(state=state, trust_anchors=trust_anchors)
    with refusals_in_one_line():
        source = _source(file.read_bytes(), profile, origin or file.name)
        known = [] if pinned is None else [pinned.read_bytes()]
        _tell(import_list(settings.trust_directory, source, pinned=known, at=datetime.now(UTC)))


@trust_app.command("import-crl")
def import_revocation_list(
    file: _File,
    *,
    profile: _ProfileOption = "vn-cccd",
    origin: _OriginOption = None,
    trust_anchors: _DirectoryOption = None,
    state: StateOption = None,
) -> None:
    """Put a revocation list in the place of its issuer's older one."""
    from identity.services.trust_changes import import_crl  # noqa: PLC0415 - as above

    settings = settings_from(state=state, trust_anchors=trust_anchors)
    with refusals_in_one_line():
        _tell(
            import_crl(
                settings.trust_directory, _source(file.read_bytes(), profile, origin or file.name)
            )
        )


def _source(content: bytes, profile: str, origin: str) -> "Source":
    from identity.services.trust_changes import Source  # noqa: PLC0415 - see the module's docstring

    return Source(
        profile=profile,
        content=content,
        origin=origin,
        added_on=datetime.now(UTC).date(),
    )


def _tell(change: "TrustChange") -> None:
    typer.echo(
        f"{change.added_count} added, {change.known_count} known before, "
        f"{change.removed_count} replaced"
    )


def _print(overview: dict[str, Any]) -> None:
    console = Console()
    console.width = max(console.width, TABLE_COLUMNS_MIN)
    for name in ("profiles", "anchors", "revocation_lists", "distrusted"):
        title, rows = name.replace("_", " ").capitalize(), overview[name]
        console.print(_table(title, rows) if rows else f"{title}: none")


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", "\n"), no_wrap=name not in _PROSE, overflow="fold")
    for row in rows:
        # Text and not markup: an origin may hold brackets.
        table.add_row(*(Text(_cell(name, value)) for name, value in row.items()))
    return table


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}"
    text = str(value)
    if name.endswith("_at"):
        return text.partition("T")[0]
    return text[:_SHORT_FINGERPRINT] if name == "sha256" else text
