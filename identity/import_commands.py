"""`identity import …`: hand a file over to a service, as an operator or the population authority.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from identity.client_way import (
    AddressOption,
    AuthorityOption,
    CertificateOption,
    KeyOption,
    Way,
    settings_and_keys,
)
from identity.command_line import StateOption
from identity.domain.caller import Role
from identity.file_commands import (
    EXIT_REJECTS,
    FileArgument,
    IgnoreOption,
    MapOption,
    RestartOption,
    file_faults_in_one_line,
    progress_bar,
    renamed_columns,
)
from identity.import_files.columns import Target

if TYPE_CHECKING:
    from identity.import_run import Order, Outcome
    from identity.rpc.import_client import Reconciliation

_GO_ON = "what is stored stays: run the same command again, and it goes on from there"

import_app = typer.Typer(
    no_args_is_help=True, help="Send a CSV or Parquet file to a service; resumable."
)

_SnapshotOption = Annotated[
    bool,
    typer.Option(
        "--snapshot",
        help="The file is the whole book or register; what it lacks is counted as gone.",
    ),
]


@import_app.command("population")
def import_population(  # noqa: PLR0913 - each parameter is an option of the command
    file: FileArgument,
    *,
    snapshot: _SnapshotOption = False,
    renamed: MapOption = None,
    ignored: IgnoreOption = None,
    restart: RestartOption = False,
    address: AddressOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    authority: AuthorityOption = None,
    state: StateOption = None,
) -> None:
    """Send population records. Interrupted, the same command goes on where it was.

    Exit codes: 1 some rows were refused, 2 nothing can be done as it is, 3 run it again.
    """
    order = _order(file, Target.POPULATION, renamed, ignored, snapshot=snapshot, restart=restart)
    _run(
        order,
        Way(
            role=Role.POPULATION,
            name="population",
            address=address,
            files=(certificate, key, authority),
            state=state,
        ),
    )


@import_app.command("subscriptions")
def import_subscriptions(  # noqa: PLR0913 - as above
    file: FileArgument,
    *,
    snapshot: _SnapshotOption = False,
    renamed: MapOption = None,
    ignored: IgnoreOption = None,
    restart: RestartOption = False,
    address: AddressOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    authority: AuthorityOption = None,
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
        Way(
            role=Role.OPERATOR,
            name=operator,
            address=address,
            files=(certificate, key, authority),
            state=state,
        ),
    )


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
        renamed=renamed_columns(renamed or ()),
        ignored=frozenset(ignored or ()),
        is_restart=restart,
    )


def _run(order: "Order", way: Way) -> None:
    from identity.import_run import run_import  # noqa: PLC0415 - see the module's docstring
    from identity.rpc.import_client import open_import_client  # noqa: PLC0415 - as above

    settings, keys = settings_and_keys(way)
    with file_faults_in_one_line(_GO_ON), progress_bar() as report:
        outcome = run_import(
            order, lambda: open_import_client(settings.listen, keys, order.target), report
        )
    _print(order, outcome)
    raise typer.Exit(EXIT_REJECTS if outcome.rejects else 0)


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
