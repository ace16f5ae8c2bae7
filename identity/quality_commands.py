"""`identity quality`: how good the data are, on the terminal, as a page or as JSON.

Owns the command. Heavy modules are imported inside it, so that `--help` is quick.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
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

    books = [each for each in report.figures if each.book is not None]
    names = [each.operator_id or "all operators" for each in books]
    words = {
        f"{word.english} ({word.vietnamese})": [
            f"{percent(share)}\n{share.numerator:,} of {share.denominator:,}"
            for share in (each.shares()[measure] for each in books)
        ]
        for measure, word in WORDS.items()
    }
    _print_side_by_side(f"Quality of the data on {report.day}", names, words)
    if all(each.anomalies is not None for each in books):
        oddities = {
            f"{english}\n{vietnamese}": [f"{(e.anomalies or {}).get(kind, 0):,}" for e in books]
            for kind, (english, vietnamese) in ODDITIES.items()
        }
        _print_side_by_side("What is odd, in numbers in service", names, oddities)


def _print_side_by_side(
    title: str, names: Sequence[str], rows: Mapping[str, Sequence[str]]
) -> None:
    """A column for each name; those that the terminal is too narrow for, in tables below."""
    console = Console()
    width = console.width - _width(rows) - _LABEL_FRAME
    fitting = max(1, width // (_width(chain(names, *rows.values())) + _COLUMN_FRAME))
    for first in range(0, len(names), fitting):
        columns = slice(first, first + fitting)
        table = Table("", title=None if first else title)
        for name in names[columns]:
            table.add_column(name, justify="right")
        for label, cells in rows.items():
            table.add_row(label, *cells[columns])
        console.print(table)


_LABEL_FRAME = 4
_COLUMN_FRAME = 3
"""What rich draws around a first and a further column: borders and a space on each side."""


def _width(texts: Iterable[str]) -> int:
    return max(len(line) for text in texts for line in text.splitlines())
