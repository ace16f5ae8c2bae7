"""A photograph without a face says why, as far as that can be told."""

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure as Reason
from biometrics.face.align import closer_box
from biometrics.face.models import Box, FaceModels, RGBImage
from biometrics.face.quality_absence import explain_absence

GENERATOR = np.random.default_rng(20260401)


def noise(low: int, high: int) -> RGBImage:
    return GENERATOR.integers(low, high, (300, 400, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (noise(0, 25), Reason.TOO_DARK),
        (noise(249, 255), Reason.OVER_EXPOSED),
        (noise(120, 128), Reason.LOW_CONTRAST),
        (noise(40, 200), Reason.NO_FACE),
    ],
)
def test_the_whole_photograph_is_judged_when_nothing_looks_like_a_face(
    pixels: RGBImage, reason: Reason, models: FaceModels
) -> None:
    assert explain_absence(pixels, models=models) == (reason,)


def test_a_face_blurred_beyond_recognition_is_blurred(
    face: Image.Image, models: FaceModels
) -> None:
    pixels = np.array(face.resize((436, 480)))
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 40), np.uint8)
    assert models.detector.detect(blurred) == ()
    assert Reason.BLURRED in explain_absence(blurred, models=models)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_a_thing_or_an_animal_is_no_face(name: str, models: FaceModels) -> None:
    pixels = np.ascontiguousarray(getattr(skimage.data, name)())
    assert models.detector.detect(pixels) == ()
    assert explain_absence(pixels, models=models) == (Reason.NO_FACE,)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3), (59, 400)])
def test_a_photograph_smaller_than_a_face_is_too_small(
    size: tuple[int, int], models: FaceModels
) -> None:
    pixels = np.full((*size, 3), 127, np.uint8)
    assert explain_absence(pixels, models=models) == (Reason.FACE_TOO_SMALL,)


def test_an_even_picture_has_no_contrast_and_shows_no_suspect(models: FaceModels) -> None:
    pixels = np.full((200, 300, 3), 127, np.uint8)
    assert explain_absence(pixels, models=models) == (Reason.LOW_CONTRAST,)


def test_a_suspect_is_a_box_and_never_a_face_found(models: FaceModels, face: Image.Image) -> None:
    pixels = np.array(face.crop((45, 45, 140, 150)))
    suspect = models.detector.suspect(pixels)
    assert isinstance(suspect, Box)
    assert suspect.side_px > 60


def test_half_a_face_at_the_edge_is_cut_off(models: FaceModels, face: Image.Image) -> None:
    pixels = np.array(face.resize((436, 480)))
    (box,) = models.detector.detect(pixels)
    half = np.ascontiguousarray(pixels[:, : box.left_px + box.width_px // 2])
    assert models.detector.detect(half) == ()
    assert explain_absence(half, models=models) == (Reason.FACE_CUT_OFF,)


@pytest.mark.parametrize("colour", [(235, 235, 235), (30, 30, 32), (60, 90, 130)])
def test_a_mask_on_a_face_that_fills_the_picture_is_told(
    models: FaceModels, face: Image.Image, colour: tuple[int, int, int]
) -> None:
    pixels = np.array(face.resize((436, 480)))
    (box,) = models.detector.detect(pixels)
    closer = closer_box(models.landmarks_5.predict(pixels, box))
    landmarks68 = models.landmarks_68.predict(pixels, closer)
    mask = np.concatenate((landmarks68[2:15], landmarks68[[29]])).round().astype(np.int32)
    cv2.fillPoly(pixels, [mask], colour)
    (left, top), (right, bottom) = landmarks68.min(axis=0), landmarks68.max(axis=0)
    tight = np.ascontiguousarray(pixels[int(top) - 25 : int(bottom), int(left) : int(right)])
    assert models.detector.detect(tight) == ()
    assert Reason.MOUTH_COVERED in explain_absence(tight, models=models)


@pytest.mark.parametrize("shape", [(120, 9000, 3), (9000, 120, 3), (61, 61, 3)])
def test_a_noisy_picture_of_any_shape_has_a_reason(
    models: FaceModels, shape: tuple[int, int, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert explain_absence(noise, models=models)
