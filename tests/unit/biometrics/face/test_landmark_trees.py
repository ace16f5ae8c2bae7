"""The points are dlib's own, and a file that is no model of dlib is refused."""

import math
from collections.abc import Sequence
from pathlib import Path

import dlib
import numpy as np
import pytest

from biometrics.face.align import FIVE_POINTS, SIXTY_EIGHT_POINTS
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.landmark_trees import LandmarkStreamError, LandmarkTrees, read_landmark_trees
from biometrics.face.models import Box, ModelManifest, RGBImage
from biometrics.face.weights import installed_weights

FILES = {
    "shape_predictor_5_face_landmarks.dat": FIVE_POINTS,
    "shape_predictor_68_face_landmarks.dat": SIXTY_EIGHT_POINTS,
}


def integer(value: int) -> bytes:
    """A number as dlib writes it."""
    size = (abs(value).bit_length() + 7) // 8
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def real(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integer(int(mantissa * 2**24)) + integer(exponent - 24)


def reals(values: Sequence[float]) -> bytes:
    return b"".join(real(value) for value in values)


def shape(values: Sequence[float]) -> bytes:
    return integer(-len(values)) + integer(-1) + reals(values)


def model(
    *,
    version: int = 1,
    mean: Sequence[float] = (0.25, 0.5, 0.75, 0.5),
    pair: tuple[int, int] = (0, 1),
    leaves: Sequence[Sequence[float]] = ((0.25, 0, 0.25, 0), (0, 0.25, 0, 0.25)),
    anchors: Sequence[int] = (0, 1),
    levels: int = 1,
) -> bytes:
    """Two points, two pixels, and trees of one node that asks whether the left is brighter."""
    node = integer(pair[0]) + integer(pair[1]) + real(10)
    tree = integer(1) + node + integer(len(leaves)) + b"".join(shape(leaf) for leaf in leaves)
    level = integer(1) + tree
    anchor = integer(len(anchors)) + b"".join(integer(point) for point in anchors)
    offset = integer(len(anchors)) + reals([0, 0] * len(anchors))
    count = integer(levels)
    return (
        integer(version)
        + shape(mean)
        + (count + level * levels)
        + (count + anchor * levels)
        + (count + offset * levels)
    )


def picture(left: int, right: int) -> RGBImage:
    pixels = np.full((21, 21, 3), left, dtype=np.uint8)
    pixels[:, 11:] = right
    return pixels


WHOLE = Box(left_px=0, top_px=0, width_px=21, height_px=21)


def test_the_brighter_side_decides_which_leaf_moves_the_points() -> None:
    trees = read_landmark_trees(model())
    right = trees.predict(picture(200, 100), WHOLE)
    down = trees.predict(picture(100, 200), WHOLE)
    assert right.tolist() == [[10, 10], [20, 10]]
    assert down.tolist() == [[5, 15], [15, 15]]


def test_each_level_begins_where_the_last_one_ended() -> None:
    trees = read_landmark_trees(model(levels=2, mean=(0.45, 0.5, 0.75, 0.5)))
    # Moved right once, both points lie on the dark half, where neither side is brighter.
    assert trees.predict(picture(200, 100), WHOLE).tolist() == [[14, 15], [20, 15]]


def test_pixels_past_the_edge_count_as_black() -> None:
    trees = read_landmark_trees(model())
    beside = Box(left_px=-15, top_px=0, width_px=21, height_px=21)
    assert trees.predict(picture(200, 200), beside).tolist() == [[-10, 15], [0, 15]]


@pytest.mark.parametrize("file_name", FILES)
def test_the_points_are_those_that_dlib_finds(shared_data: Path, file_name: str) -> None:
    path, trees = loaded(file_name, FILES[file_name])
    theirs = dlib.shape_predictor(str(path))
    random = np.random.default_rng(0)
    photographs = sorted((shared_data / "faces" / "london").glob("*/*.jpg"))[:10]
    photographs += sorted((shared_data / "faces" / "lfw").glob("*/*.jpg"))[::40][:90]
    for photograph in photographs:
        decoded = decode(photograph.read_bytes(), has_orientation=True)
        assert isinstance(decoded, DecodedImage)
        height, width = decoded.pixels.shape[:2]
        for _ in range(3):
            side = int(random.integers(20, min(height, width)))
            box = Box(
                left_px=int(random.integers(-side // 2, width - side // 2)),
                top_px=int(random.integers(-side // 2, height - side // 2)),
                width_px=side,
                height_px=side,
            )
            assert trees.predict(decoded.pixels, box).tolist() == points(
                theirs, decoded.pixels, box
            )


def loaded(file_name: str, manifest: ModelManifest) -> tuple[Path, LandmarkTrees]:
    path = installed_weights(file_name, sha256=manifest.weights_sha256)
    return path, read_landmark_trees(path.read_bytes())


def points(predictor: dlib.shape_predictor, pixels: RGBImage, box: Box) -> list[list[float]]:
    right, bottom = box.left_px + box.width_px - 1, box.top_px + box.height_px - 1
    rectangle = dlib.rectangle(box.left_px, box.top_px, right, bottom)
    return [[part.x, part.y] for part in predictor(pixels, rectangle).parts()]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        model()[:-1],
        model() + b"\0",
        model(version=2),
        model(mean=(0.25, 0.5, 0.75)),
        model(mean=()),
        model(pair=(0, 2)),
        model(pair=(-1, 0)),
        model(pair=(0, 70_000)),
        model(anchors=(0, 2)),
        model(anchors=(0,)),
        model(leaves=((0, 0, 0, 0),)),
        model(leaves=((0, 0, 0, 0), (0, 0))),
        model(mean=(0.25, 0.5, 0.75, 2.0**500)),
        b"\x41\x01" + model()[2:],
        b"\x09" + model()[1:],
        integer(1) + integer(-(2**40)) + integer(-1),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(LandmarkStreamError):
        read_landmark_trees(content)


def test_a_model_is_kept_as_it_is() -> None:
    trees = read_landmark_trees(model(levels=2))
    kept = trees.to_bytes()
    again = LandmarkTrees.from_bytes(memoryview(kept))
    assert again.to_bytes() == kept
    pixels = picture(200, 100)
    assert again.predict(pixels, WHOLE).tolist() == trees.predict(pixels, WHOLE).tolist()


@pytest.mark.parametrize("size", [0, 19, 20, 60])
def test_bytes_that_end_early_are_no_model(size: int) -> None:
    with pytest.raises(LandmarkStreamError):
        LandmarkTrees.from_bytes(read_landmark_trees(model()).to_bytes()[:size])


def test_kept_bytes_cannot_point_past_the_model() -> None:
    kept = bytearray(read_landmark_trees(model()).to_bytes())
    kept[-1] = 127
    with pytest.raises(LandmarkStreamError):
        LandmarkTrees.from_bytes(bytes(kept))
