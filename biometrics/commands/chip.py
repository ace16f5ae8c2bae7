"""`biometrics chip`: verify a dump of a chip and print the whole report.

Owns the options, the table, the JSON and the exit codes. Decides nothing: verdict and checks are
the library's. Prints nothing that a data group says about its holder.
"""

import json
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biometrics.chip.portrait import Picture, decode_portrait
from biometrics.chip.profiles import ProfileName
from biometrics.chip.report import Check, CheckResult, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import verify_chip
from biometrics.commands.chip_inputs import (
    InputCode,
    InputError,
    read_dump,
    read_evidence,
    read_instant,
    read_trust,
)

TABLE_COLUMNS_MIN = 132
"""Narrower, the codes would break; what is read by programs is not a terminal and has no width."""

_STYLES = {
    CheckResult.SUCCESSFUL: "green",
    CheckResult.FAILED: "red",
    CheckResult.UNDETERMINED: "yellow",
    CheckResult.NOT_SUPPORTED: "dim",
    CheckResult.ABORTED: "dim",
}
_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})


class ExitCode(IntEnum):
    """How `biometrics chip` ends."""

    PASS = 0
    NO_PASS = 1
    BAD_INPUT = 2


def chip_command(  # noqa: PLR0913 - a command's options are its words
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="sod.bin, dg1.bin, dg2.bin, …")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    profile: Annotated[
        str, typer.Option(help=f"Trust profile: {', '.join(ProfileName)}.")
    ] = ProfileName.ICAO,
    anchors: Annotated[
        Path | None,
        typer.Option(help="Authorities: a certificate, a folder of them, or a master list."),
    ] = None,
    pinned: Annotated[
        list[Path] | None,
        typer.Option("--pin", help="Authority that stands behind the master list."),
    ] = None,
    dsc: Annotated[
        list[Path] | None, typer.Option(help="Document signer, where sod.bin leaves it out.")
    ] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="Revocation list.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Judge as of this day, YYYY-MM-DD; else now.")
    ] = None,
    nonce: Annotated[
        str | None, typer.Option(metavar="HEX", help="What the chip had to sign: 8 or 32 octets.")
    ] = None,
    aa_signature: Annotated[
        list[Path] | None, typer.Option("--aa-signature", help="What it answered.")
    ] = None,
    portrait: Annotated[
        Path | None, typer.Option(help="Write the decoded portrait here: .jpg as JPEG, else PNG.")
    ] = None,
) -> None:
    """Verify the chip files in DIR and print every check.

    Exit code 0 is PASS, 1 is REVIEW or FAIL, 2 an input that cannot be used.
    """
    try:
        files = read_dump(directory)
        instant = read_instant(at)
        evidence = read_evidence(nonce, aa_signature or [])
        trust = read_trust(
            profile, anchors=anchors, pins=pinned or [], signers=dsc or [], crls=crl or []
        )
        report = verify_chip(
            files, trust=trust, at=instant, active=evidence, decode=decode_portrait
        )
        if portrait is not None:
            _write_portrait(report.picture, portrait)
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    if as_json:
        typer.echo(json.dumps(_as_json(report, trust, instant), indent=2))
    else:
        _print(report, trust, instant)
    is_pass = report.verdict is ChipVerdict.AUTHENTIC
    raise typer.Exit(ExitCode.PASS if is_pass else ExitCode.NO_PASS)


def _as_json(report: ChipReport, trust: TrustProfile, instant: datetime) -> dict[str, Any]:
    digest = report.document_digest
    return {
        "verdict": report.verdict,
        "profile": trust.name,
        "policy": report.policy.version,
        "at": instant.isoformat(),
        "document_digest": digest.hex() if digest else None,
        "checks": [
            {
                "name": check.name,
                "result": check.result,
                "code": check.code,
                "evidence": check.evidence,
                "is_binding": check.is_binding,
            }
            for check in report.checks
        ],
    }


def _print(report: ChipReport, trust: TrustProfile, instant: datetime) -> None:
    console = Console()
    console.width = max(console.width, TABLE_COLUMNS_MIN)
    table = Table("check", "result", "code", "evidence", "counts", title_justify="left")
    table.title = (
        f"{report.verdict}  profile {trust.name}, policy {report.policy.version}, "
        f"{len(trust.anchors)} anchors, at {instant:%Y-%m-%d %H:%M} UTC"
    )
    for column in table.columns:
        column.no_wrap = column.header != "evidence"
    for check in report.checks:
        table.add_row(*_cells(check))
    console.print(table)


def _cells(check: Check) -> tuple[Text, ...]:
    # Text and not markup: evidence may hold brackets.
    return (
        Text(check.name, style="" if check.is_binding else "dim"),
        Text(check.result, style=_STYLES[check.result]),
        Text(check.code or ""),
        Text(check.evidence),
        Text("yes" if check.is_binding else "no"),
    )


def _write_portrait(picture: Picture | None, path: Path) -> None:
    """Write the pixels; there are none unless a good signature covers the portrait."""
    if picture is None:
        typer.echo(
            "no portrait was written: the checks portrait and portrait_image say why", err=True
        )
        return
    # Imported on use: Pillow costs 60 ms, which `--help` need not pay.
    from PIL import Image  # noqa: PLC0415 - see above

    image = Image.frombytes("RGB", (picture.width_px, picture.height_px), picture.rgb)
    image_format = "JPEG" if path.suffix.lower() in _JPEG_SUFFIXES else "PNG"
    try:
        image.save(path, image_format)
    except OSError as error:
        raise InputError(
            InputCode.PORTRAIT_UNWRITABLE, f"{path}: {error.strerror or error}"
        ) from error
