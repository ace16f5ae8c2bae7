"""`identity match FILE`: compare an agency's own records with the population records.

Owns the command and how it prints. Heavy modules are imported inside, so that `--help` is quick.
"""

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
from identity.command_line import StateOption, fail
from identity.domain.agency import Purpose
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

if TYPE_CHECKING:
    from identity.match_run import MatchOrder, MatchOutcome

_GO_ON = "what was answered stays: run the same command again, and it goes on from there"
_FILE_FORMATS = {".csv", ".parquet"}


def match(  # noqa: PLR0913 - each parameter is an option of the command
    file: FileArgument,
    *,
    legal_basis: Annotated[
        str, typer.Option(help="The article of law, as the regulator registered it.")
    ],
    purpose: Annotated[Purpose, typer.Option(help="What for.")] = Purpose.RECORD_UPKEEP,
    case: Annotated[str, typer.Option(help="Your own file number; it names nobody.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="CSV or Parquet; else FILE.matches.csv or .parquet.")
    ] = None,
    renamed: MapOption = None,
    ignored: IgnoreOption = None,
    restart: RestartOption = False,
    address: AddressOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    authority: AuthorityOption = None,
    agency: Annotated[
        str | None, typer.Option(help="Instead of a certificate, here: which agency asks.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Compare your records with the population records. Interrupted, the same command goes on.

    The result has the place of each row and what came of each field that it gave, nothing else.

    Exit codes: 1 some rows were refused, 2 nothing can be done as it is, 3 run it again.
    """
    from identity.match_run import MatchOrder  # noqa: PLC0415 - see the module's docstring
    from identity.rpc.match_client import MatchGrounds  # noqa: PLC0415 - as above

    if out is not None and out.suffix.lower() not in _FILE_FORMATS:
        fail("--out is a name that ends in .csv or .parquet")
    is_parquet = file.suffix.lower() == ".parquet"
    beside = file.with_name(f"{file.name}.matches.{'parquet' if is_parquet else 'csv'}")
    order = MatchOrder(
        file=file,
        output=out or beside,
        grounds=MatchGrounds(purpose=purpose, legal_basis=legal_basis, case_id=case),
        renamed=renamed_columns(renamed or ()),
        ignored=frozenset(ignored or ()),
        is_restart=restart,
    )
    way = Way(
        role=Role.AGENCY,
        name=agency,
        address=address,
        files=(certificate, key, authority),
        state=state,
    )
    outcome = _run(order, way)
    _print(order, outcome)
    raise typer.Exit(EXIT_REJECTS if outcome.counts.get(("reason", "refused")) else 0)


def _run(order: "MatchOrder", way: Way) -> "MatchOutcome":
    from identity.match_run import run_match  # noqa: PLC0415 - as above
    from identity.rpc.match_client import open_match_client  # noqa: PLC0415 - as above

    settings, keys = settings_and_keys(way)
    with file_faults_in_one_line(_GO_ON), progress_bar() as report:
        return run_match(order, lambda: open_match_client(settings.listen, keys), report)


def _print(order: "MatchOrder", outcome: "MatchOutcome") -> None:
    table = Table("", Column(justify="right"), show_header=False)
    table.add_row("rows", f"{outcome.row_count:,}")
    for (column, word), count in sorted(outcome.counts.items()):
        table.add_row(f"{column}: {word.replace('_', ' ')}", f"{count:,}")
    Console().print(table)
    if outcome.answered_before:
        typer.echo(f"{outcome.answered_before:,} rows were answered to an earlier run")
    typer.echo(f"results: {order.output}")
