"""Which network a command runs: the built-in one or an installed one.

Owns the options and the choice. Importing it loads nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from biometrics.face.models import FaceModels, Precision
from biometrics.face.plugins.registry import BUILT_IN

ModelOption = Annotated[
    str, typer.Option("--model", help="The network: built in, or a name of `biometrics models`.")
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", envvar="SUBID_MODELS", help="Directory of installed models."),
]
PrecisionOption = Annotated[
    Precision, typer.Option("--precision", help="The numbers the built-in network is run with.")
]


def default_models_directory() -> Path:
    """Where models lie unless told otherwise (XDG base directory)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "subid" / "models"


@dataclass(frozen=True, kw_only=True)
class NetworkChoice:
    """A network to run.

    Attributes:
        model: Its name.
        precision: The numbers the built-in network is run with.
        directory: Where installed models lie; None: the default.
    """

    model: str = BUILT_IN
    precision: Precision = Precision.FP32
    directory: Path | None = None

    def load(self) -> FaceModels:
        """The models of an engine.

        Raises:
            ModelNotFoundError: The model is not installed.
            ManifestError: Its manifest is broken.
            WeightsError: Its weights are missing or are not the manifest's.
            RuntimeUnavailableError: The processor does not compute in this precision.
        """
        # Imported on use: OpenCV and dlib cost 0.2 s, which `--help` need not pay.
        from biometrics.face.plugins.loading import load_face_models  # noqa: PLC0415 - see above

        directory = self.directory or default_models_directory()
        return load_face_models(self.model, directory=directory, precision=self.precision)
