"""From a model's name to the models an engine runs.

Owns the choice between the built-in network and an installed one. Importing it loads nothing.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from biometrics.face.models import Box, FaceModels, Precision
from biometrics.face.pipeline import dlib_models
from biometrics.face.plugins.align_five_points import TemplateAligner
from biometrics.face.plugins.onnx_embedder import OnnxEmbedder
from biometrics.face.plugins.registry import BUILT_IN, installed_embedder

_REHEARSAL_SIDE_PX = 240
"""The size that the detector looks at first."""


def load_face_models(
    name: str, *, directory: Path, precision: Precision = Precision.FP32
) -> FaceModels:
    """Detector, aligner and embedder for the network of a name.

    Args:
        name: `dlib-resnet29`, or an embedder of the models directory.
        directory: The models directory.
        precision: The numbers that dlib's networks are run with; an installed one is run at fp32.

    Raises:
        ModelNotFoundError: The model is not installed, or is no embedder.
        ManifestError: Its manifest is broken, or says something else than the network does.
        WeightsError: Its weights are missing or are not the manifest's.
        RuntimeUnavailableError: The processor does not compute in `precision`.
    """
    if name == BUILT_IN:
        return dlib_models(precision=precision)
    embedder = OnnxEmbedder(installed_embedder(directory, name))
    aligner = TemplateAligner(side_px=embedder.manifest.input_side_px)
    return replace(dlib_models(), aligner=aligner, embedder=embedder)


def rehearse(models: FaceModels) -> FaceModels:
    """Run each model once on a grey picture, so that the first photograph finds all of them ready.

    Some load at their first use, and every network takes its memory in its first run. The same
    models are given back.
    """
    picture = np.full((_REHEARSAL_SIDE_PX, _REHEARSAL_SIDE_PX, 3), 128, dtype=np.uint8)
    whole = Box(left_px=0, top_px=0, width_px=_REHEARSAL_SIDE_PX, height_px=_REHEARSAL_SIDE_PX)
    models.detector.detect(picture)
    for count in (5, 68):
        points = models.landmarks(count).predict(picture, whole)
        if count in models.aligner.landmark_counts:
            models.embedder.embed(models.aligner.align(picture, points)[None])
    return models
