"""`identity quality`: how good the data are, on the terminal, as a page or as JSON.

Owns the command. Heavy modules are imported inside it, so that `--help` is quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from identity.command_line import (
    DatabaseOption,
    StateOption,
    refusals_in_one_line,
    settings_from,
)

if TYPE_CHECKING:
    from identity.domain.quality import QualityReport


def quality(  # noqa: PLR0913 - each is an option of the command
    *,
    html: Annotated[Path | None, typer.Option(help="Write the report here, as one page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Keep it as the measurement of the day.")
    ] = False,
    anomalies: Annotated[
        bool, typer.Option("--anomalies", help="Count what is odd too: opens every record once.")
    ] = False,
    trend_days: Annotated[
        int, typer.Option(min=1, max=3_660, help="Days of the trend, today counted.")
    ] = 90,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Measure how good the data are: the six words of Notice 552 as numbers."""
    from identity import administration  # noqa: PLC0415 - see the module's docstring
    from identity.quality_page import quality_html, quality_json  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line():
        report = administration.quality_now(
            settings, is_recorded=record, trend_days=trend_days, has_anomalies=anomalies
        )
        if html is not None:
            html.write_text(quality_html(report), encoding="utf-8")
    if as_json:
        typer.echo(quality_json(report))
        return
    _print(report)
    if html is not None:
        typer.echo(f"report: {html}")


def _print(report: "QualityReport") -> None:
    from identity.quality_words import ODDITIES, WORDS, percent  # noqa: PLC0415 - see the module's docstring

    columns = [each for each in report.figures if each.book is not None]
    table = Table(title=f"Quality of the data on {report.day}")
    table.add_column("")
    for each in columns:
        table.add_column(each.operator_id or "all operators", justify="right")
    for measure, word in WORDS.items():
        shares = [each.shares()[measure] for each in columns]
        table.add_row(
            f"{word.english} ({word.vietnamese})",
            *(f"{percent(s)}\n{s.numerator:,} of {s.denominator:,}" for s in shares),
        )
    Console().print(table)
    if all(each.anomalies is not None for each in columns):
        odd = Table(title="What is odd, in numbers in service")
        odd.add_column("")
        for each in columns:
            odd.add_column(each.operator_id or "all operators", justify="right")
        for kind, (english, vietnamese) in ODDITIES.items():
            counts = [(each.anomalies or {}).get(kind, 0) for each in columns]
            odd.add_row(f"{english} ({vietnamese})", *(f"{count:,}" for count in counts))
        Console().print(odd)
