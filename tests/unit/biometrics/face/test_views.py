"""Averaged views are the mean of what each view gives, and never compare with other views."""

import io

import numpy as np
import pytest
from PIL import Image

from biometrics.face.acquisition import Template
from biometrics.face.align import closer_box
from biometrics.face.compare import dissimilarity
from biometrics.face.engine import FaceEngine
from biometrics.face.models import FaceModels, Views
from biometrics.face.score import ModelMismatchError


def template(models: FaceModels, views: Views, face_jpeg: bytes) -> Template:
    acquisition = FaceEngine(load_models=lambda: models, views=views).reference(face_jpeg)
    assert acquisition.template is not None, acquisition.failure
    return acquisition.template


def test_the_mirror_view_is_the_mean_of_the_face_and_its_mirror_image(
    models: FaceModels, face_jpeg: bytes
) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(face_jpeg)).convert("RGB"))
    (box,) = models.detector.detect(pixels)
    closer = closer_box(models.landmarks_5.predict(pixels, box))
    aligned = models.aligner.align(pixels, models.landmarks_5.predict(pixels, closer))
    views = np.stack([aligned, aligned[:, ::-1]])
    expected = models.embedder.embed(views).mean(axis=0)
    assert np.abs(template(models, Views.MIRROR, face_jpeg).vector - expected).max() < 1e-5


def test_two_alignments_are_another_mean(models: FaceModels, face_jpeg: bytes) -> None:
    mirror = template(models, Views.MIRROR, face_jpeg).vector
    both = template(models, Views.MIRROR_TWO_ALIGNMENTS, face_jpeg).vector
    assert 0 < np.linalg.norm(mirror - both) < 0.3


@pytest.mark.parametrize("views", [Views.MIRROR, Views.MIRROR_TWO_ALIGNMENTS])
def test_templates_of_different_views_do_not_compare(
    models: FaceModels, face_jpeg: bytes, views: Views
) -> None:
    with pytest.raises(ModelMismatchError):
        dissimilarity(template(models, Views.PLAIN, face_jpeg), template(models, views, face_jpeg))


def test_a_reference_and_a_probe_together_give_what_they_give_alone(
    models: FaceModels, face_jpeg: bytes
) -> None:
    engine = FaceEngine(load_models=lambda: models)
    together = engine.reference_and_probe(face_jpeg, [face_jpeg, face_jpeg])
    alone = engine.reference(face_jpeg), engine.probe([face_jpeg, face_jpeg])
    for left, right in zip(together, alone, strict=True):
        assert left.failure == right.failure
        if left.template is not None and right.template is not None:
            assert np.abs(left.template.vector - right.template.vector).max() < 1e-5


def test_a_reference_and_a_probe_need_one_to_five_photographs(models: FaceModels) -> None:
    engine = FaceEngine(load_models=lambda: models)
    with pytest.raises(ValueError, match="1 to 5"):
        engine.reference_and_probe(b"", [])
    with pytest.raises(ValueError, match="1 to 5"):
        engine.reference_and_probe(b"", [b""] * 6)
