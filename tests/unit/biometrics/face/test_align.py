"""The aligned face is upright, of one size and the same from any size of photograph."""

import cv2
import numpy as np
from PIL import Image

from biometrics.face.align import closer_box
from biometrics.face.models import Box, FaceModels, RGBImage


def aligned(models: FaceModels, image: Image.Image) -> RGBImage:
    pixels = np.array(image)
    (box,) = models.detector.detect(pixels)
    return models.aligner.align(pixels, models.landmarks_5.predict(pixels, box))


def test_an_aligned_face_has_the_side_the_embedder_reads(
    models: FaceModels, face: Image.Image
) -> None:
    side_px = models.embedder.manifest.input_side_px
    square = aligned(models, face)
    assert square.shape == (side_px, side_px, 3)
    assert square.dtype == np.uint8


def test_a_tilted_face_is_brought_upright(models: FaceModels, face: Image.Image) -> None:
    straight = aligned(models, face)
    tilted = aligned(models, face.rotate(12, resample=Image.Resampling.BICUBIC))
    untouched = np.asarray(face.resize((150, 150))).astype(float)
    difference = np.abs(straight[30:120, 30:120].astype(float) - tilted[30:120, 30:120]).mean()
    assert difference < 0.5 * np.abs(straight - untouched).mean()


def test_the_size_of_the_photograph_does_not_matter(models: FaceModels, face: Image.Image) -> None:
    small = aligned(models, face)
    large = aligned(models, face.resize((face.width * 3, face.height * 3)))
    core = slice(20, 130)
    assert cv2.norm(small[core, core], large[core, core], cv2.NORM_L1) / (110 * 110 * 3) < 8


def test_the_aligner_says_what_it_is(models: FaceModels) -> None:
    assert models.landmarks_5.manifest.name == "dlib-5-face-landmarks"


def test_landmarks_from_a_closer_box_do_not_hang_on_the_first_box(
    models: FaceModels, face: Image.Image
) -> None:
    pixels = np.asarray(face.resize((face.width * 2, face.height * 2)))
    (found,) = models.detector.detect(pixels)
    predict = models.landmarks_5.predict
    boxes = [
        Box(
            left_px=round(found.left_px + (right - (factor - 1) / 2) * found.width_px),
            top_px=round(found.top_px + (down - (factor - 1) / 2) * found.height_px),
            width_px=round(found.width_px * factor),
            height_px=round(found.height_px * factor),
        )
        for factor in (0.7, 1.0, 1.4)
        for right, down in ((0.0, 0.0), (0.12, 0.12), (-0.12, -0.12))
    ]
    first = [predict(pixels, box) for box in boxes]
    second = [predict(pixels, closer_box(landmarks)) for landmarks in first]
    eye_distance = float(np.linalg.norm(second[0][0] - second[0][2]))
    spreads = [np.std(points, axis=0).max() / eye_distance for points in (first, second)]
    assert spreads[1] < 0.6 * spreads[0]
    assert spreads[1] < 0.02


def test_landmarks_that_coincide_give_a_box_of_some_size() -> None:
    box = closer_box(np.full((5, 2), 7.0, dtype=np.float32))
    assert box.side_px >= 1
