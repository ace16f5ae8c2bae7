"""Faces are found small first, at bounded cost; exactly one large enough passes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.detect import (
    ASPECT_RATIO_MAX,
    FACE_SIDE_PX_MIN,
    LOOK_SIDES_PX,
    UPSCALE_MAX,
    looks,
    single_face,
)
from biometrics.face.models import Box, FaceModels, RGBImage


def box(side_px: int) -> Box:
    return Box(left_px=0, top_px=0, width_px=side_px, height_px=side_px)


def on_canvas(face: Image.Image, *, size: tuple[int, int], share: float) -> RGBImage:
    """`face` with its height at `share` of the canvas height, in the middle of grey."""
    canvas = Image.new("RGB", size, (128, 128, 128))
    height = round(size[1] * share)
    small = face.resize((round(face.width * height / face.height), height))
    canvas.paste(small, ((size[0] - small.width) // 2, (size[1] - height) // 2))
    return np.array(canvas)


@pytest.mark.parametrize(
    ("size", "share"), [((640, 480), 1.0), ((640, 480), 0.5), ((1280, 720), 0.3)]
)
def test_a_face_is_found_where_it_is(
    models: FaceModels, face: Image.Image, size: tuple[int, int], share: float
) -> None:
    (found,) = models.detector.detect(on_canvas(face, size=size, share=share))
    assert abs(found.left_px + found.width_px / 2 - size[0] / 2) < size[1] * share * 0.15
    assert abs(found.top_px + found.height_px / 2 - size[1] / 2) < size[1] * share * 0.15
    assert 0.3 < found.height_px / (size[1] * share) < 0.8


def test_two_faces_are_two(models: FaceModels, face: Image.Image) -> None:
    pair = np.hstack([np.asarray(face), np.asarray(face)])
    assert len(models.detector.detect(np.ascontiguousarray(pair))) == 2


def test_a_face_between_two_sizes_does_not_hide_a_smaller_one_beside_it(
    models: FaceModels, face: Image.Image
) -> None:
    # The larger answers weakly to the look that finds it, the smaller to the next look alone.
    assert len(models.detector.detect(_beside(face, 400, 320))) == 2


def _beside(face: Image.Image, *widths_px: int) -> RGBImage:
    """One face beside another on a grey wall, 480 pixels high."""
    wall = Image.new("RGB", (sum(widths_px) + 40, 528), (128, 128, 128))
    left_px = 20
    for width_px in widths_px:
        wall.paste(face.resize((width_px, round(width_px * 1.1))), (left_px, 0))
        left_px += width_px
    return np.asarray(wall)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 8_000_000, 3), (8_000_000, 1, 3), (2, 5000, 3)])
def test_a_ribbon_of_an_image_has_no_face(models: FaceModels, shape: tuple[int, int, int]) -> None:
    assert models.detector.detect(np.zeros(shape, dtype=np.uint8)) == ()


@pytest.mark.parametrize(
    ("width_px", "height_px"), [(1, 1), (640, 480), (3264, 2448), (8_000_000, 1), (179, 181)]
)
def test_no_look_costs_more_than_its_bound(width_px: int, height_px: int) -> None:
    scales = [look.scale for look in looks(width_px, height_px)]
    assert 1 <= len(scales) <= len(LOOK_SIDES_PX)
    assert len(scales) == len(set(scales))
    assert max(scales) <= UPSCALE_MAX
    for look in looks(width_px, height_px):
        assert min(width_px, height_px) * look.scale <= look.side_px * 1.001
        assert max(width_px, height_px) * look.scale <= ASPECT_RATIO_MAX * look.side_px * 1.001


def test_an_ordinary_photograph_is_looked_at_small_first() -> None:
    first, *_ = found = looks(640, 480)
    assert [look.side_px for look in found] == list(LOOK_SIDES_PX)
    assert first.scale == 119 / 480


def test_one_large_face_passes() -> None:
    assert single_face([box(FACE_SIDE_PX_MIN)]) == box(FACE_SIDE_PX_MIN)


def test_each_refusal_of_faces_has_its_name() -> None:
    assert single_face([]) is AcquisitionFailure.NO_FACE
    assert single_face([box(200), box(10)]) is AcquisitionFailure.SEVERAL_FACES
    assert single_face([box(FACE_SIDE_PX_MIN - 1)]) is AcquisitionFailure.FACE_TOO_SMALL


def test_the_detector_says_what_it_is(models: FaceModels) -> None:
    manifest = models.detector.manifest
    assert manifest.name == "dlib-mmod-face"
    assert manifest.version
    assert len(manifest.weights_sha256) == 64


def test_pictures_of_nature_show_no_face(models: FaceModels, faces: Path) -> None:
    pictures = sorted((faces / "no_face").iterdir())
    found = 0
    for path in pictures:
        image = decode(path.read_bytes(), has_orientation=True)
        assert isinstance(image, DecodedImage)
        found += bool(models.detector.detect(image.pixels))
    assert (found, len(pictures)) == (0, 18)
