"""`identity compliance`: how operators obey, on the terminal, as a page, as CSV or as JSON.

Owns the command. Heavy modules are imported inside it, so that `--help` is quick.
"""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity.command_line import (
    DatabaseOption,
    StateOption,
    parse_day,
    refusals_in_one_line,
    settings_from,
)
from identity.domain.calendar_date import YEAR_MAX, YEAR_MIN
from identity.table_parts import print_side_by_side

if TYPE_CHECKING:
    from identity.domain.compliance import ComplianceReport


def _month(text: str) -> date:
    """The first day of a month."""
    try:
        first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise typer.BadParameter("it must be a month such as 2026-05") from None
    if not YEAR_MIN <= first.year <= YEAR_MAX:
        raise typer.BadParameter(f"the year must be {YEAR_MIN} to {YEAR_MAX}")
    return first


def compliance(  # noqa: PLR0913 - each is an option of the command
    *,
    first_day: Annotated[
        date | None,
        typer.Option("--from", parser=parse_day, metavar="DAY", help="First day in Viet Nam."),
    ] = None,
    last_day: Annotated[
        date | None, typer.Option("--to", parser=parse_day, metavar="DAY", help="Last day; today.")
    ] = None,
    month: Annotated[
        date | None,
        typer.Option(parser=_month, metavar="MONTH", help="The days of a month, as 2026-05."),
    ] = None,
    month_count: Annotated[
        int, typer.Option("--months", min=1, max=36, help="Months that are scored.")
    ] = 6,
    html: Annotated[Path | None, typer.Option(help="Write the report here, as one page.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the figures here, as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Count how operators obey: times, drift, lies, complaints, and a score for each month."""
    from identity import administration  # noqa: PLC0415 - see the module's docstring
    from identity.compliance_page import (  # noqa: PLC0415 - as above
        compliance_csv,
        compliance_html,
        compliance_json,
    )

    if month is not None and (first_day is not None or last_day is not None):
        raise typer.BadParameter("--month stands alone, without --from and --to")
    settings = settings_from(state=state, database=database)
    with refusals_in_one_line():
        report = administration.compliance_now(
            settings, first_day=first_day, last_day=last_day, month=month, month_count=month_count
        )
        if html is not None:
            html.write_text(compliance_html(report), encoding="utf-8")
        if csv is not None:
            csv.write_text(compliance_csv(report), encoding="utf-8", newline="")
    if as_json:
        typer.echo(compliance_json(report))
        return
    _print(report)
    for path in (html, csv):
        if path is not None:
            typer.echo(f"report: {path}")


def _print(report: "ComplianceReport") -> None:
    from identity.compliance_page import parts_by_name  # noqa: PLC0415 - see the module's docstring
    from identity.compliance_words import (  # noqa: PLC0415 - as above
        PARTS,
        figure_rows,
        part_cell,
        points,
    )

    kpis, last = report.kpis, report.months[-1]
    days = f"{kpis.days.first} to {kpis.days.last}"
    if not kpis.operators:
        typer.echo(f"Nothing was ordered, compared or measured from {days}.")
        return
    names = [each.operator_id for each in kpis.operators]
    print_side_by_side(f"How operators obey, {days}", names, figure_rows(kpis.operators))
    if last.scores:
        parts = [parts_by_name(each) for each in last.scores]
        rows = {
            f"{word.english}\n({word.vietnamese})": [part_cell(each[name]) for each in parts]
            for name, word in PARTS.items()
        }
        so_far = "" if last.is_final else ", so far"
        print_side_by_side(
            f"Score of {last.month.first:%Y-%m}{so_far}",
            [each.operator_id for each in last.scores],
            {"Score (Điểm)": [points(each.score) for each in last.scores], **rows},
        )
