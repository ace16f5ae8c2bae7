"""`biometrics verify`: compare a portrait with photographs.

Owns reading files, printing and exit codes. Refuses to decide anything: it shows what the engine
says. Templates are biometric data and are never printed.
"""

import json
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from biometrics.commands.networks import (
    ModelOption,
    ModelsOption,
    NetworkChoice,
    PrecisionOption,
)
from biometrics.commands.pair_lists import (
    ENGINE_ERRORS,
    CohortOption,
    OperatingPointOption,
    read_cohort,
    read_operating_point,
    refuse,
    warm_engine,
)
from biometrics.face.acquisition import Acquisition
from biometrics.face.advice import advice
from biometrics.face.compare import Comparison, ComparisonDecision
from biometrics.face.engine import PROBES_MAX, FaceEngine
from biometrics.face.models import Precision
from biometrics.face.operating_point import DEFAULT
from biometrics.face.plugins.registry import BUILT_IN

IMAGE_BYTES_READ_MAX = 8 * 1024 * 1024 + 1
"""One byte more than the engine accepts, so that it refuses a larger file and not half of one."""


class ExitCode(IntEnum):
    """How `biometrics verify` ends."""

    MATCH = 0
    NON_MATCH = 1
    NO_COMPARISON = 2
    REVIEW = 3


def verify(  # noqa: PLR0913 - a command's options are its words
    reference: Annotated[Path, typer.Argument(help="The portrait, upright.")],
    probes: Annotated[list[Path], typer.Argument(help="1 to 5 photographs of one person.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    operating_point: OperatingPointOption = None,
    cohort: CohortOption = None,
    model: ModelOption = BUILT_IN,
    models: ModelsOption = None,
    precision: PrecisionOption = Precision.FP32,
) -> None:
    """Compare the face of REFERENCE with the face of the PROBES.

    Exit code 0 is a match, 1 a non-match, 3 a face that a person must look at, 2 no comparison: a
    file could not be read or shows no usable face, or the operating point is another network's.
    """
    if len(probes) > PROBES_MAX:
        raise typer.BadParameter(f"at most {PROBES_MAX} photographs make one probe")
    reference_image = _read(reference)
    probe_images = [_read(probe) for probe in probes]
    point = read_operating_point(operating_point) or DEFAULT
    network = NetworkChoice(model=model, precision=precision, directory=models)
    # Loaded before the first stage, so that the table shows the stages alone.
    engine = warm_engine(
        FaceEngine(
            operating_point=point,
            load_models=network.load,
            views=point.views,
            cohort=read_cohort(cohort),
        )
    )
    try:
        acquisitions = {
            "reference": engine.reference(reference_image),
            # Several photographs are compared with each other here.
            "probe": engine.probe(probe_images),
        }
        comparison = _compare(engine, acquisitions)
    except ENGINE_ERRORS as error:
        refuse(error)
    if as_json:
        typer.echo(json.dumps(_as_json(comparison, acquisitions), indent=2))
    else:
        _print(comparison, acquisitions)
    raise typer.Exit(_exit_code(comparison))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(IMAGE_BYTES_READ_MAX)
    except OSError as error:
        typer.echo(f"{path}: {error.strerror}", err=True)
        raise typer.Exit(ExitCode.NO_COMPARISON) from error


def _compare(engine: FaceEngine, acquisitions: dict[str, Acquisition]) -> Comparison | None:
    reference = acquisitions["reference"].template
    probe = acquisitions["probe"].template
    if reference is None or probe is None:
        return None
    return engine.compare(reference, probe, photographs=acquisitions["probe"].photographs)


_EXIT_CODES = {
    ComparisonDecision.MATCH: ExitCode.MATCH,
    ComparisonDecision.REVIEW: ExitCode.REVIEW,
    ComparisonDecision.NON_MATCH: ExitCode.NON_MATCH,
}


def _exit_code(comparison: Comparison | None) -> ExitCode:
    if comparison is None:
        return ExitCode.NO_COMPARISON
    return _EXIT_CODES[comparison.decision]


def _as_json(comparison: Comparison | None, acquisitions: dict[str, Acquisition]) -> dict[str, Any]:
    return {
        "result": comparison.decision if comparison else "failure_to_acquire",
        "comparison": asdict(comparison) if comparison else None,
        **{
            role: {
                "failure": acquisition.failure,
                "advice": asdict(advice(acquisition.failure)) if acquisition.failure else None,
                "measurements": asdict(acquisition.measurements),
            }
            for role, acquisition in acquisitions.items()
        },
    }


def _print(comparison: Comparison | None, acquisitions: dict[str, Acquisition]) -> None:
    console = Console(soft_wrap=True)
    if comparison:
        better = "lower" if comparison.score_type.is_dissimilarity else "higher"
        console.print(f"result              {comparison.decision}")
        console.print(f"score               {comparison.score_type}, {better} is more alike")
        console.print(f"comparison score    {comparison.comparison_score:.4f}")
        console.print(f"decision threshold  {comparison.decision_threshold:.4f}")
        if comparison.review_threshold is not None:
            console.print(f"review threshold    {comparison.review_threshold:.4f}")
    else:
        console.print("result              failure to acquire")
    for role, acquisition in acquisitions.items():
        if acquisition.failure:
            told = advice(acquisition.failure)
            console.print(f"{role:<19} {acquisition.failure}")
            console.print(f"{'':<19} {told.vi}")
            console.print(f"{'':<19} {told.en}")
    console.print(_stage_table(acquisitions))


def _stage_table(acquisitions: dict[str, Acquisition]) -> Table:
    table = Table("stage", title="time of each stage, ms")
    times_ms = {role: a.measurements.stage_times_ms for role, a in acquisitions.items()}
    stages = list(dict.fromkeys(stage for times in times_ms.values() for stage in times))
    for role in times_ms:
        table.add_column(role, justify="right")
    for stage in stages:
        cells = (times.get(stage) for times in times_ms.values())
        table.add_row(stage, *("-" if cell is None else f"{cell:.1f}" for cell in cells))
    return table
