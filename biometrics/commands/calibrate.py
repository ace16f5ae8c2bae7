"""`biometrics calibrate`: a threshold from a target false match rate, with its evidence, signed.

Owns options, files and exit codes. Refuses to choose a target.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from biometrics.commands.networks import (
    ModelOption,
    ModelsOption,
    NetworkChoice,
    PrecisionOption,
)
from biometrics.commands.pair_lists import (
    CohortOption,
    Input,
    PairsOption,
    Photography,
    QualityGate,
    QualityOption,
    Refusal,
    RootOption,
    TemplatesOption,
    ViewsOption,
    check_folder,
    read_cohort,
    read_file,
    read_input,
    refuse,
    write_file,
)
from biometrics.evaluation.calibration import DataSet, Targets, calibrate, data_digest
from biometrics.evaluation.intervals import counted_rate
from biometrics.evaluation.scoring import NamedCohort, ScoringError, pair_up
from biometrics.evaluation.thresholds import UnsupportedTargetError
from biometrics.face.cohort import Cohort
from biometrics.face.models import Precision, Views
from biometrics.face.operating_point import OperatingPoint
from biometrics.face.operating_point_file import to_json
from biometrics.face.plugins.registry import BUILT_IN
from biometrics.face.score import ModelMismatchError


def calibrate_command(  # noqa: PLR0913 - one parameter for each option
    *,
    pairs: PairsOption,
    target_fmr: Annotated[
        float, typer.Option("--target-fmr", help="For the worst group, such as 1e-4.")
    ],
    review_fmr: Annotated[
        float | None,
        typer.Option("--review-fmr", help="Where review begins; ten times the target unless set."),
    ] = None,
    root: RootOption = None,
    cohort: CohortOption = None,
    make_cohort: Annotated[
        Path | None,
        typer.Option(
            "--make-cohort",
            help="Make a cohort of the people of the list, leave out whoever is compared, and "
            "write it here. It holds biometric data: seal it.",
        ),
    ] = None,
    model: ModelOption = BUILT_IN,
    models: ModelsOption = None,
    precision: PrecisionOption = Precision.FP32,
    views: ViewsOption = Views.PLAIN,
    quality: QualityOption = QualityGate.NONE,
    population: Annotated[
        str, typer.Option("--population", help="Whom the photographs show, in words.")
    ] = "not stated",
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the JSON goes; else it is printed.")
    ] = None,
    sign_key: Annotated[
        Path | None, typer.Option("--sign-key", help="Ed25519 private key, PEM (PKCS #8).")
    ] = None,
    templates: TemplatesOption = None,
) -> None:
    """Choose thresholds for a target false match rate on a list of pairs.

    Exit code 2 means that there is no operating point: the target is below what the pairs can
    support, or a file could not be used.
    """
    if cohort and make_cohort:
        refuse("--cohort and --make-cohort exclude each other", code=Refusal.OPTION_INVALID)
    check_folder(make_cohort)
    check_folder(out)
    targets = _targets(target_fmr, review_fmr)
    key = _sign_key(sign_key)
    strangers = read_cohort(cohort)
    photography = Photography(
        network=NetworkChoice(model=model, precision=precision, directory=models),
        views=views,
        quality=quality,
    )
    given = read_input(pairs, root=root, photography=photography, templates=templates)
    data = _data_set(given, population=population, views=views, quality=quality)
    point = _point(given, targets=targets, data=data, cohort=strangers, make_cohort=make_cohort)
    _hand_over(point, out=out, sign_key=key)


def _targets(target_fmr: float, review_fmr: float | None) -> Targets:
    try:
        if review_fmr is None:
            # A share of comparisons that people can look at.
            review_fmr = min(10 * target_fmr, 0.5)
        return Targets(fmr=target_fmr, review_fmr=review_fmr)
    except ValueError as error:
        refuse(error, code=Refusal.OPTION_INVALID)


def _sign_key(path: Path | None) -> Ed25519PrivateKey | None:
    if path is None:
        return None
    try:
        key = load_pem_private_key(read_file(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        refuse("not an unencrypted private key in PEM", about=path, code=Refusal.SIGN_KEY_INVALID)
    if not isinstance(key, Ed25519PrivateKey):
        refuse("not an Ed25519 key", about=path, code=Refusal.SIGN_KEY_INVALID)
    return key


def _data_set(given: Input, *, population: str, views: Views, quality: QualityGate) -> DataSet:
    failed = len(given.photographs.failures)
    return DataSet(
        fta=counted_rate(failed, len(given.pair_list.paths)),
        digest=data_digest(given.pair_list, given.photographs),
        population=population,
        measured_on=datetime.now(UTC).date(),
        views=views,
        quality_gate=quality,
    )


def _point(
    given: Input,
    *,
    targets: Targets,
    data: DataSet,
    cohort: Cohort | None,
    make_cohort: Path | None,
) -> OperatingPoint:
    try:
        scored = pair_up(given.pair_list, given.photographs.templates)
        used: Cohort | NamedCohort | None = cohort
        if make_cohort:
            used = NamedCohort.from_pairs(scored)
        point = calibrate(scored, targets=targets, data=data, cohort=used)
    except (ScoringError, UnsupportedTargetError, ModelMismatchError, ValueError) as error:
        refuse(error)
    if make_cohort and isinstance(used, NamedCohort):
        with suppress(OSError):  # said when it is written
            make_cohort.touch(mode=0o600)
        write_file(make_cohort, used.cohort().to_bytes())
    return point


def _hand_over(
    point: OperatingPoint, *, out: Path | None, sign_key: Ed25519PrivateKey | None
) -> None:
    document = to_json(point, sign_key=sign_key)
    if out is None:
        typer.echo(document.decode(), nl=False)
        return
    write_file(out, document)
    for line in _summary(point):
        typer.echo(line)


def _summary(point: OperatingPoint) -> Iterator[str]:
    yield f"score               {point.score_type}"
    yield f"decision threshold  {point.decision_threshold:.4f}"
    if point.review_threshold is not None:
        yield f"review threshold    {point.review_threshold:.4f}"
    evidence = point.evidence
    if evidence is None:
        return
    yield f"FMR                 {evidence.fmr}"
    yield f"FMR, people unseen  {evidence.held_out_fmr}"
    yield f"FNMR                {evidence.fnmr}"
    yield f"FTA                 {evidence.fta}"
    for group in evidence.groups:
        few = "" if group.is_supported else "; too few pairs of people for the target"
        yield f"{group.column} {group.value}: FMR {group.fmr}{few}"
        yield f"    on people unseen {group.held_out_fmr}; FNMR {group.fnmr}"
    if point.fallback:
        threshold = f"{point.fallback.decision_threshold:.4f}"
        yield f"without a cohort: {point.fallback.score_type}, threshold {threshold}"
