"""What `calibrate` and `evaluate` have in common: reading a list, its photographs and a cohort.

Owns options, progress and the exit code of bad input. Refuses to compute.
"""

import os
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from biometrics.commands.networks import NetworkChoice
from biometrics.evaluation.pairs import PairList, PairsError, read_pairs
from biometrics.evaluation.photographs import (
    PhotographError,
    Photographs,
    TemplateFolder,
    acquire_photographs,
)
from biometrics.evaluation.scoring import ScoringError
from biometrics.evaluation.thresholds import UnsupportedTargetError
from biometrics.face.acquisition import InvalidTemplateError
from biometrics.face.cohort import Cohort, InvalidCohortError
from biometrics.face.engine import FaceEngine
from biometrics.face.models import Views
from biometrics.face.operating_point import OperatingPoint
from biometrics.face.operating_point_file import OperatingPointFileError, from_json
from biometrics.face.plugins.manifest import ManifestError
from biometrics.face.plugins.onnx_embedder import EmbeddingError
from biometrics.face.plugins.registry import ModelNotFoundError
from biometrics.face.quality_demands import CHIP_REFERENCE, LIVE_PROBE, NO_DEMANDS, Demands
from biometrics.face.runtime import RuntimeUnavailableError
from biometrics.face.score import ModelMismatchError
from biometrics.face.weights import WeightsError


class ExitCode(IntEnum):
    """How the commands end."""

    DONE = 0
    ALARM = 1
    REFUSED = 2


class Refusal(StrEnum):
    """Why a command ends with exit code 2: the first word of its one line. Append only."""

    INPUT_UNUSABLE = "INPUT_UNUSABLE"
    OPTION_INVALID = "OPTION_INVALID"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    PAIRS_INVALID = "PAIRS_INVALID"
    PHOTOGRAPH_UNREADABLE = "PHOTOGRAPH_UNREADABLE"
    NOTHING_TO_SCORE = "NOTHING_TO_SCORE"
    TARGET_UNSUPPORTED = "TARGET_UNSUPPORTED"
    COHORT_INVALID = "COHORT_INVALID"
    OPERATING_POINT_INVALID = "OPERATING_POINT_INVALID"
    SIGN_KEY_INVALID = "SIGN_KEY_INVALID"
    MODEL_UNUSABLE = "MODEL_UNUSABLE"
    MODEL_MISMATCH = "MODEL_MISMATCH"


_REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (PairsError, Refusal.PAIRS_INVALID),
    (PhotographError, Refusal.PHOTOGRAPH_UNREADABLE),
    (ScoringError, Refusal.NOTHING_TO_SCORE),
    (UnsupportedTargetError, Refusal.TARGET_UNSUPPORTED),
    (InvalidCohortError, Refusal.COHORT_INVALID),
    (OperatingPointFileError, Refusal.OPERATING_POINT_INVALID),
    (ModelMismatchError, Refusal.MODEL_MISMATCH),
    (ModelNotFoundError, Refusal.MODEL_UNUSABLE),
    (ManifestError, Refusal.MODEL_UNUSABLE),
    (WeightsError, Refusal.MODEL_UNUSABLE),
    (RuntimeUnavailableError, Refusal.MODEL_UNUSABLE),
    (EmbeddingError, Refusal.MODEL_UNUSABLE),
    (InvalidTemplateError, Refusal.MODEL_UNUSABLE),
)

ENGINE_ERRORS = (
    ModelMismatchError,
    InvalidCohortError,
    InvalidTemplateError,
    EmbeddingError,
)
"""What network, operating point and cohort raise when they do not fit together, or when a network
gives no usable vector: nothing that a photograph can do."""


class QualityGate(StrEnum):
    """How good the photographs must be."""

    NONE = "none"
    """Whatever shows one face: for photographs taken for other ends."""
    DOCUMENT = "document"
    """What is demanded of the portrait of a document."""
    LIVE = "live"
    """What is demanded of a live photograph, which can be taken again at once."""

    @property
    def demands(self) -> Demands:
        """The limits."""
        gates = {QualityGate.DOCUMENT: CHIP_REFERENCE, QualityGate.LIVE: LIVE_PROBE}
        return gates.get(self, NO_DEMANDS)


PairsOption = Annotated[
    Path,
    typer.Option("--pairs", help="CSV: path_a, path_b, mated (1 or 0), and columns of groups."),
]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", help="Folder the paths are relative to; else that of the list."),
]
CohortOption = Annotated[
    Path | None,
    typer.Option("--cohort", help="Cohort file of people who are not in the list."),
]
OperatingPointOption = Annotated[
    Path | None,
    typer.Option("--operating-point", help="JSON of `biometrics calibrate`: its thresholds."),
]
ViewsOption = Annotated[
    Views, typer.Option("--views", help="Which pictures of a face are averaged.")
]
QualityOption = Annotated[
    QualityGate, typer.Option("--quality", help="How good the photographs must be.")
]
TemplatesOption = Annotated[
    Path | None,
    typer.Option(
        "--templates",
        help="Keep templates in this folder between runs of one release. They are biometric data.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Input:
    """What both commands work on."""

    pair_list: PairList
    photographs: Photographs
    root: Path


def refuse(
    reason: str | Exception, *, about: Path | None = None, code: Refusal = Refusal.INPUT_UNUSABLE
) -> NoReturn:
    """Say why in one line on standard error and end with exit code 2.

    Args:
        reason: In words, or the error; the kind of error is the code then.
        about: The file it is about.
        code: The first word of the line, for a reason in words.
    """
    kinds = (kind for error, kind in _REFUSALS if isinstance(reason, error))
    text = str(reason.strerror if isinstance(reason, OSError) else reason)
    prefix = "" if about is None else f"{about}: "
    typer.echo(f"{next(kinds, code)}: {prefix}{' '.join(text.split())}", err=True)
    raise typer.Exit(ExitCode.REFUSED)


def read_file(path: Path) -> bytes:
    """The bytes of a file, or a refusal."""
    try:
        return path.read_bytes()
    except OSError as error:
        refuse(error, about=path, code=Refusal.FILE_UNREADABLE)


def check_folder(path: Path | None) -> None:
    """Refuse a file to be written whose folder is missing or closed, before any work is done."""
    if path is not None and not os.access(path.parent, os.W_OK | os.X_OK):
        refuse("its folder is missing or closed", about=path, code=Refusal.FILE_UNREADABLE)


def write_file(path: Path, data: bytes) -> None:
    """Write a file, or refuse."""
    try:
        path.write_bytes(data)
    except OSError as error:
        refuse(error, about=path, code=Refusal.FILE_UNREADABLE)


def read_cohort(path: Path | None) -> Cohort | None:
    """The cohort of a file, or a refusal; None without a file."""
    if path is None:
        return None
    try:
        return Cohort.from_bytes(read_file(path))
    except InvalidCohortError as error:
        refuse(error, about=path)


def warm_engine(engine: FaceEngine) -> FaceEngine:
    """The engine with its models loaded, or a refusal."""
    try:
        engine.warm_up()
    except (
        ModelMismatchError,
        ModelNotFoundError,
        ManifestError,
        WeightsError,
        RuntimeUnavailableError,
    ) as error:
        refuse(error)
    return engine


def read_operating_point(path: Path | None) -> OperatingPoint | None:
    """The operating point of a file, or a refusal; None without a file."""
    if path is None:
        return None
    try:
        return from_json(read_file(path))
    except OperatingPointFileError as error:
        refuse(error, about=path)


@dataclass(frozen=True, kw_only=True)
class Photography:
    """How templates are made of the photographs of a list.

    Attributes:
        network: What embeds them.
        views: Which pictures of a face are averaged.
        quality: How good they must be.
    """

    network: NetworkChoice
    views: Views
    quality: QualityGate

    def engine(self) -> FaceEngine:
        """An engine with its models loaded, or a refusal."""
        return warm_engine(
            FaceEngine(
                load_models=self.network.load,
                views=self.views,
                probe_demands=self.quality.demands,
            )
        )


def read_input(
    pairs: Path, *, root: Path | None, photography: Photography, templates: Path | None
) -> Input:
    """The list and a template of each of its photographs, with a progress bar, or a refusal."""
    folder = root or pairs.parent
    try:
        pair_list = read_pairs(read_file(pairs))
        engine = photography.engine()
        mark = f"{engine.template_digest}:{photography.quality}"
        # On standard error, so that what is printed can be piped, and only for a person.
        console = Console(stderr=True)
        with Progress(transient=True, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("photographs", total=len(pair_list.paths))
            photographs = acquire_photographs(
                pair_list.paths,
                root=folder,
                engine=engine,
                folder=TemplateFolder(templates, engine_mark=mark) if templates else None,
                on_progress=lambda done: progress.update(task, completed=done),
            )
    except (PairsError, PhotographError, *ENGINE_ERRORS) as error:
        refuse(error)
    except OSError as error:
        # Photographs and the list have told theirs: what is left is the folder of templates.
        refuse(error, about=templates, code=Refusal.FILE_UNREADABLE)
    return Input(pair_list=pair_list, photographs=photographs, root=folder)
