"""`biometrics evaluate`: a report on a list of pairs, for people and for machines.

Owns options, files and exit codes. Refuses to judge: an alarm is the report's.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from biometrics.commands.networks import (
    ModelOption,
    ModelsOption,
    NetworkChoice,
    PrecisionOption,
)
from biometrics.commands.pair_lists import (
    ENGINE_ERRORS,
    CohortOption,
    ExitCode,
    Input,
    OperatingPointOption,
    PairsOption,
    Photography,
    QualityGate,
    QualityOption,
    Refusal,
    RootOption,
    TemplatesOption,
    ViewsOption,
    read_cohort,
    read_input,
    read_operating_point,
    refuse,
    write_file,
)
from biometrics.evaluation.evaluate import Subject, evaluate
from biometrics.evaluation.photographs import read_photograph
from biometrics.evaluation.report import Report
from biometrics.evaluation.scoring import ScoringError
from biometrics.face.models import Precision, Views
from biometrics.face.plugins.registry import BUILT_IN


def evaluate_command(  # noqa: PLR0913 - one parameter for each option
    *,
    pairs: PairsOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for report.html and report.json.")],
    root: RootOption = None,
    cohort: CohortOption = None,
    operating_point: OperatingPointOption = None,
    model: ModelOption = BUILT_IN,
    models: ModelsOption = None,
    precision: PrecisionOption = Precision.FP32,
    views: ViewsOption = Views.PLAIN,
    quality: QualityOption = QualityGate.NONE,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Show the worst errors. They are photographs.")
    ] = False,
    title: Annotated[str, typer.Option("--title", help="Head of the report.")] = "Face comparison",
    templates: TemplatesOption = None,
) -> None:
    """Measure error rates on a list of pairs and write a report.

    Exit code 0: written. 1: written, and groups differ by more than 1.5 times in false match rate.
    2: a file could not be used or nothing could be scored.
    """
    strangers = read_cohort(cohort)
    point = read_operating_point(operating_point)
    photography = Photography(
        network=NetworkChoice(model=model, precision=precision, directory=models),
        views=views,
        quality=quality,
    )
    given = read_input(pairs, root=root, photography=photography, templates=templates)
    subject = Subject(
        title=title,
        measured_on=datetime.now(UTC).date(),
        cohort=strangers,
        operating_point=point,
    )
    try:
        report = evaluate(given.pair_list, given.photographs, subject=subject)
    except (ScoringError, *ENGINE_ERRORS) as error:
        refuse(error)
    _write(report, out=out, pictures=_thumbnails(report, given) if thumbnails else None)
    for gap in report.alarms:
        typer.echo(f"alarm: {gap.column} {gap.highest} against {gap.lowest}: {gap.ratio:.1f} times")
    raise typer.Exit(ExitCode.ALARM if report.alarms else ExitCode.DONE)


def _thumbnails(report: Report, given: Input) -> dict[str, str]:
    # Imported on use, as in `_write`.
    from biometrics.evaluation.report_files import thumbnail  # noqa: PLC0415 - see above

    paths = {path for error in report.worst_errors for path in (error.path_a, error.path_b)}
    return {path: thumbnail(read_photograph(path, root=given.root)) for path in sorted(paths)}


def _write(report: Report, *, out: Path, pictures: dict[str, str] | None) -> None:
    # Imported on use: what draws costs half a second, which other commands need not pay.
    from biometrics.evaluation.report_files import report_html, report_json  # noqa: PLC0415 - see above

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(error, about=out, code=Refusal.FILE_UNREADABLE)
    write_file(out / "report.json", report_json(report))
    write_file(out / "report.html", report_html(report, thumbnails=pictures).encode())
    typer.echo(f"{out / 'report.html'}")
