"""Whatever the size of a face, its landmarks end where the template says."""

import cv2
import numpy as np
import pytest
from PIL import Image

from biometrics.face.models import FaceModels
from biometrics.face.plugins.align_five_points import (
    ARCFACE_TEMPLATE,
    TemplateAligner,
    five_points,
)

TEMPLATE = np.array(ARCFACE_TEMPLATE)
WHITE = (255, 255, 255)


def landmarks_at(points: np.ndarray) -> np.ndarray:
    """68 landmarks whose eyes, nose and mouth stand on five points."""
    landmarks = np.zeros((68, 2), dtype=np.float32)
    landmarks[36:42], landmarks[42:48] = points[0], points[1]
    landmarks[[30, 48, 54]] = points[2:]
    return landmarks


@pytest.mark.parametrize("side_px", [112, 160])
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0, 6.0])
def test_marks_on_a_photograph_fall_on_the_template(scale: float, side_px: int) -> None:
    points = scale * TEMPLATE + [40, 25]
    size_px = int(112 * scale) + 80
    image = np.zeros((size_px, size_px, 3), dtype=np.uint8)
    for column, row in points:
        cv2.circle(image, (round(column), round(row)), max(2, round(3 * scale)), WHITE, -1)
    cut = TemplateAligner(side_px=side_px).align(image, landmarks_at(points))
    assert cut.shape == (side_px, side_px, 3)
    for column, row in TEMPLATE * side_px / 112:
        left, top = round(column) - 8, round(row) - 8
        rows, columns = np.nonzero(cut[top : top + 17, left : left + 17, 0] > 100)
        centre = (columns.mean() + left, rows.mean() + top)
        np.testing.assert_allclose(centre, (column, row), atol=1.5)


def test_eyes_are_the_mean_of_their_outlines() -> None:
    landmarks = np.stack([np.arange(68.0), 2 * np.arange(68.0)], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(five_points(landmarks)[:, 0], [38.5, 44.5, 30, 48, 54])


def test_a_turned_photograph_gives_nearly_the_same_cut(
    face: Image.Image, models: FaceModels
) -> None:
    aligner = TemplateAligner(side_px=112)
    (count,) = aligner.landmark_counts
    cuts = []
    for degrees in (0, 8):
        pixels = np.asarray(face.rotate(degrees, Image.Resampling.BICUBIC).convert("RGB"))
        (box,) = models.detector.detect(pixels)
        landmarks = models.landmarks(count).predict(pixels, box)
        cuts.append(aligner.align(pixels, landmarks)[20:92, 20:92].astype(float))
    assert np.corrcoef(cuts[0].ravel(), cuts[1].ravel())[0, 1] > 0.95
