"""`identity import …`: hand a file over to a service, as an operator or the population authority.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from identity.command_line import StateOption, fail, refusals_in_one_line, settings_from
from identity.domain.caller import Caller, Role
from identity.import_files.columns import Target

if TYPE_CHECKING:
    from identity.import_run import Order, Outcome, Report, Stage
    from identity.rpc.import_client import Reconciliation
    from identity.security.client_keys import ClientKeys

EXIT_REJECTS = 1
EXIT_GO_ON = 3
"""It broke off, and the same command goes on with it."""

EXIT_INTERRUPTED = 130
"""128 and SIGINT, as shells have it."""

import_app = typer.Typer(
    no_args_is_help=True, help="Send a CSV or Parquet file to a service; resumable."
)

_File = Annotated[Path, typer.Argument(help="CSV (UTF-8, with a line of names) or Parquet.")]
_SnapshotOption = Annotated[
    bool,
    typer.Option(
        "--snapshot",
        help="The file is the whole book or register; what it lacks is counted as gone.",
    ),
]
_MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="THEIRS=OURS: a column by another name.")
]
_IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="A column of the file that is not wanted.")
]
_RestartOption = Annotated[
    bool, typer.Option("--restart", help="Forget an import of this file that broke off.")
]
_AddressOption = Annotated[
    str | None, typer.Option(help="host:port of the service; else what `serve` listens on here.")
]
_CertificateOption = Annotated[Path | None, typer.Option(help="Your certificate, PEM.")]
_KeyOption = Annotated[Path | None, typer.Option(help="Its private key, PEM.")]
_AuthorityOption = Annotated[
    Path | None, typer.Option(help="The certificate by which the service is known, PEM.")
]


@import_app.command("population")
def import_population(  # noqa: PLR0913 - each parameter is an option of the command
    file: _File,
    *,
    snapshot: _SnapshotOption = False,
    renamed: _MapOption = None,
    ignored: _IgnoreOption = None,
    restart: _RestartOption = False,
    address: _AddressOption = None,
    certificate: _CertificateOption = None,
    key: _KeyOption = None,
    authority: _AuthorityOption = None,
    state: StateOption = None,
) -> None:
    """Send population records. Interrupted, the same command goes on where it was.

    Exit codes: 1 some rows were refused, 2 nothing can be done as it is, 3 run it again.
    """
    order = _order(file, Target.POPULATION, renamed, ignored, snapshot=snapshot, restart=restart)
    _run(
        order,
        _Way(
            caller=Caller(Role.POPULATION, "population"),
            address=address,
            files=(certificate, key, authority),
            state=state,
        ),
    )


@import_app.command("subscriptions")
def import_subscriptions(  # noqa: PLR0913 - as above
    file: _File,
    *,
    snapshot: _SnapshotOption = False,
    renamed: _MapOption = None,
    ignored: _IgnoreOption = None,
    restart: _RestartOption = False,
    address: _AddressOption = None,
    certificate: _CertificateOption = None,
    key: _KeyOption = None,
    authority: _AuthorityOption = None,
    operator: Annotated[
        str | None, typer.Option(help="Instead of a certificate, here: whose book it is.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Send an operator's book. Interrupted, the same command goes on where it was.

    Exit codes: 1 some rows were refused, 2 nothing can be done as it is, 3 run it again.
    """
    order = _order(file, Target.SUBSCRIPTIONS, renamed, ignored, snapshot=snapshot, restart=restart)
    _run(
        order,
        _Way(
            caller=None if operator is None else _operator(operator),
            address=address,
            files=(certificate, key, authority),
            state=state,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How the service is reached, and as whom."""

    caller: Caller | None
    address: str | None
    files: tuple[Path | None, Path | None, Path | None]
    state: Path | None


def _order(
    file: Path,
    target: Target,
    renamed: Sequence[str] | None,
    ignored: Sequence[str] | None,
    *,
    snapshot: bool,
    restart: bool,
) -> "Order":
    from identity.import_run import Order  # noqa: PLC0415 - see the module's docstring

    return Order(
        file=file,
        target=target,
        is_snapshot=snapshot,
        renamed=_renamed(renamed or ()),
        ignored=frozenset(ignored or ()),
        is_restart=restart,
    )


def _renamed(pairs: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        theirs, is_pair, ours = pair.rpartition("=")
        if not is_pair or theirs in found:
            fail(f"--map takes THEIRS=OURS, each column once: {pair}")
        found[theirs] = ours
    return found


def _operator(name: str) -> Caller:
    try:
        return Caller(Role.OPERATOR, name)
    except ValueError as error:
        return fail(str(error))  # type: ignore[no-any-return] # it never returns


def _run(order: "Order", way: _Way) -> None:
    # The C core of gRPC writes lines of its own to stderr; what matters is raised as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from identity.import_files.faults import ImportFileError  # noqa: PLC0415 - as above
    from identity.import_run import run_import  # noqa: PLC0415 - as above
    from identity.rpc.import_client import (  # noqa: PLC0415 - as above
        ImportRefusedError,
        open_import_client,
    )

    if way.address is not None and not way.address.rpartition(":")[2].isdigit():
        fail("--address is host:port")
    settings = settings_from(state=way.state, listen=way.address)
    with refusals_in_one_line():
        keys = _keys(way, settings.state / "certificates")
    try:
        with _progress() as report:
            outcome = run_import(
                order, lambda: open_import_client(settings.listen, keys, order.target), report
            )
    except ImportFileError as error:
        fail(str(error))
    except ImportRefusedError as error:
        if error.is_worth_repeating:
            fail(f"{error}; {_GO_ON}", exit_code=EXIT_GO_ON)
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"interrupted; {_GO_ON}", exit_code=EXIT_INTERRUPTED)
    _print(order, outcome)
    raise typer.Exit(EXIT_REJECTS if outcome.rejects else 0)


_GO_ON = "what is stored stays: run the same command again, and it goes on from there"


def _keys(way: _Way, directory: Path) -> "ClientKeys":
    from identity.security.client_keys import (  # noqa: PLC0415 - see the module's docstring
        issue_client_keys,
        read_client_keys,
    )

    certificate, private_key, authority = way.files
    if any(way.files) and way.caller is not None and way.caller.role is Role.OPERATOR:
        fail("--operator is said instead of --certificate, which names the operator itself")
    if certificate and private_key and authority:
        return read_client_keys(
            certificate=certificate, private_key=private_key, authority=authority
        )
    if certificate or private_key or authority:
        fail("--certificate, --key and --authority belong together")
    if way.caller is None:
        fail("say who you are: --certificate, --key and --authority, or --operator on this machine")
    return issue_client_keys(directory, way.caller, at=datetime.now(UTC))  # type: ignore[arg-type] # `fail` never returns


@contextmanager
def _progress() -> Iterator["Report"]:
    """A bar on a terminal, and nothing elsewhere."""
    from rich.progress import (  # noqa: PLC0415 - see the module's docstring
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    terminal = Console(stderr=True)
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=terminal, disable=not terminal.is_terminal)
    with progress:
        bar = progress.add_task("", total=None, rows="")

        def report(stage: "Stage", done: int, of: int | None) -> None:
            rows = "" if of is None else f"{done:,} of {of:,} rows"
            progress.update(bar, description=stage, completed=done, total=of, rows=rows)

        yield report


def _print(order: "Order", outcome: "Outcome") -> None:
    table = Table("", Column(justify="right"), show_header=False)
    for name, count in _lines(outcome.reconciliation, is_snapshot=order.is_snapshot):
        table.add_row(name, f"{count:,}")
    typer.echo(f"{order.target}: {order.file}")
    Console().print(table)
    if outcome.stored_before:
        typer.echo(f"{outcome.stored_before:,} rows were stored by an earlier run")
    if outcome.rejects:
        typer.echo(f"refused rows: {outcome.rejects}")


def _lines(counts: "Reconciliation", *, is_snapshot: bool) -> Iterator[tuple[str, int]]:
    yield "received", counts.received_count
    yield "new", counts.created_count
    yield "changed", counts.changed_count
    yield "unchanged", counts.unchanged_count
    yield "rejected", counts.rejected_count
    if is_snapshot:
        yield "gone", counts.gone_count
        if counts.unidentified_count:
            yield "rejected, unidentified", counts.unidentified_count
    for state, count in counts.link_counts.items():
        yield f"link: {state.replace('_', ' ')}", count
