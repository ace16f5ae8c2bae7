"""dlib's shape predictors: cascades of regression trees that pull a mean face onto a photograph.

Owns dlib's stream of such a model and its evaluation, point for point what `dlib.shape_predictor`
finds. Refuses to know what the points mean and where the face's box comes from.

dlib keeps each of 120,000 leaves in a place of its own in memory and waits for one after another;
here the same numbers lie side by side, which takes a half to a third of the time (docs/decisions/
0018). After Kazemi and Sullivan, "One millisecond face alignment with an ensemble of regression
trees", CVPR 2014; formats and arithmetic of dlib 20 (`dlib/image_processing/shape_predictor.h`).
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from biometrics.face.models import Box, Landmarks, RGBImage

STREAM_VERSION = 1
"""Version that dlib writes before a shape predictor."""

SIZE_MAX = 1024
"""Most levels, trees, nodes of a tree, points or pixels that a model may announce."""

_SIZES = struct.Struct("<5I")
"""Points, levels, trees of a level, nodes of a tree, pixels of a level."""

Reals = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]
Function = TypeVar("Function", bound=Callable[..., object])


class LandmarkStreamError(ValueError):
    """The bytes are not a shape predictor that is understood here."""


def _compiled(function: Function) -> Function:
    """The function as machine code, made at its first call and kept beside this file."""
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no place can be written: compiled anew in each process
        compiled = numba.njit(nogil=True)(function)
    return cast("Function", compiled)


@dataclass(frozen=True, kw_only=True, eq=False)
class LandmarkTrees:
    """A model. Safe between threads: nothing in it changes.

    Points are shares of the face's box, column and row. Levels are passed one after another, and
    each compares the brightness of some pixels, which hang on the points found so far.

    Attributes:
        mean: The shape to begin with, points x 2.
        pairs: Which two pixels a node compares, levels x trees x nodes x 2.
        limits: The difference above which a node leads left, levels x trees x nodes.
        leaves: What a leaf adds to the shape, levels x trees x (nodes + 1) x (2 * points).
        anchors: The point that a pixel hangs on, levels x pixels.
        offsets: Where it lies from there on the mean shape, levels x pixels x 2.
    """

    mean: Reals
    pairs: Indices
    limits: Reals
    leaves: Reals
    anchors: Indices
    offsets: Reals

    def to_bytes(self) -> bytes:
        """The model as `from_bytes` reads it: five sizes, then the arrays one after another."""
        levels, trees, nodes = self.limits.shape
        sizes = (len(self.mean), levels, trees, nodes, self.anchors.shape[1])
        return b"".join([_SIZES.pack(*sizes), *(array.tobytes() for array in self._arrays())])

    @classmethod
    def from_bytes(cls, content: bytes | memoryview) -> "LandmarkTrees":
        """The model in the bytes of `to_bytes`, which are not copied.

        Raises:
            LandmarkStreamError: They are something else.
        """
        if len(content) < _SIZES.size:
            raise LandmarkStreamError("too short for a model")
        points, levels, trees, nodes, pixels = _SIZES.unpack_from(content)
        shapes: list[tuple[tuple[int, ...], type[np.generic]]] = [
            ((points, 2), np.float32),
            ((levels, trees, nodes), np.float32),
            ((levels, trees, nodes + 1, 2 * points), np.float32),
            ((levels, pixels, 2), np.float32),
            ((levels, trees, nodes, 2), np.int16),
            ((levels, pixels), np.int16),
        ]
        at, arrays = _SIZES.size, []
        for shape, kind in shapes:
            size = math.prod(shape)
            if at + size * np.dtype(kind).itemsize > len(content):
                raise LandmarkStreamError("the bytes end early")
            arrays.append(np.frombuffer(content, kind, size, at).reshape(shape))
            at += arrays[-1].nbytes
        mean, limits, leaves, offsets, pairs, anchors = arrays
        found = cls(
            mean=mean, pairs=pairs, limits=limits, leaves=leaves, anchors=anchors, offsets=offsets
        )
        _check(found)
        return found

    def _arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """In the order of the file, the wider values first so that all lie at even places."""
        return (self.mean, self.limits, self.leaves, self.offsets, self.pairs, self.anchors)

    def predict(self, image: RGBImage, box: Box) -> Landmarks:
        """The points of the face inside `box`, in whole pixels of `image`, points x 2.

        Args:
            image: Height x width x 3. Pixels past its edges count as black.
            box: Where the face is; it may reach past the edges.
        """
        # dlib's rectangles end at the last pixel, not after it.
        frame = np.array(
            [box.left_px, box.top_px, box.width_px - 1, box.height_px - 1], dtype=np.float64
        )
        model = (self.pairs, self.limits, self.leaves, self.anchors, self.offsets)
        shape = _pulled(image, frame, self.mean, model)
        return np.floor(frame[:2] + shape * frame[2:] + 0.5).astype(np.float32)


@_compiled
def _turn(mean: Reals, shape: Reals) -> Reals:
    """Turn and scale, as the two parts of a complex number, that bring `mean` onto `shape`."""
    count = len(mean)
    mean_column = mean_row = column = row = 0.0
    for point in range(count):
        mean_column += mean[point, 0] / count
        mean_row += mean[point, 1] / count
        column += shape[point, 0] / count
        row += shape[point, 1] / count
    spread = straight = across = 0.0
    for point in range(count):
        from_column, from_row = mean[point, 0] - mean_column, mean[point, 1] - mean_row
        to_column, to_row = shape[point, 0] - column, shape[point, 1] - row
        spread += from_column * from_column + from_row * from_row
        straight += from_column * to_column + from_row * to_row
        across += from_column * to_row - from_row * to_column
    return np.array([straight / spread, across / spread], dtype=np.float32)


@_compiled
def _brightness(
    image: RGBImage,
    frame: npt.NDArray[np.float64],
    shape: Reals,
    turn: Reals,
    anchors: Indices,
    offsets: Reals,
) -> npt.NDArray[np.int32]:
    """Mean of red, green and blue at the pixels of one level, 0..255."""
    height, width = image.shape[:2]
    values = np.zeros(len(anchors), dtype=np.int32)
    for pixel in range(len(anchors)):
        right, down = offsets[pixel]
        across = turn[0] * right - turn[1] * down + shape[anchors[pixel], 0]
        along = turn[1] * right + turn[0] * down + shape[anchors[pixel], 1]
        column = int(np.floor(frame[0] + across * frame[2] + 0.5))
        row = int(np.floor(frame[1] + along * frame[3] + 0.5))
        if 0 <= column < width and 0 <= row < height:
            red, green, blue = image[row, column]
            values[pixel] = (np.int32(red) + np.int32(green) + np.int32(blue)) // 3
    return values


@_compiled
def _add_leaves(
    shape: Reals,
    pixels: npt.NDArray[np.int32],
    pairs: Indices,
    limits: Reals,
    leaves: Reals,
) -> None:
    """Walk each tree of one level down and add the leaf it ends in to `shape`."""
    trees, nodes = limits.shape
    flat = shape.reshape(-1)
    reached = np.empty(trees, dtype=np.int64)
    for tree in range(trees):
        node = 0
        while node < nodes:
            one, other = pairs[tree, node]
            is_left = pixels[one] - pixels[other] > limits[tree, node]
            node = 2 * node + (1 if is_left else 2)
        reached[tree] = node - nodes
    # In a loop of its own, so that the processor fetches many leaves at once.
    for tree in range(trees):
        leaf = leaves[tree, reached[tree]]
        for value in range(flat.size):
            flat[value] += leaf[value]


@_compiled
def _pulled(
    image: RGBImage,
    frame: npt.NDArray[np.float64],
    mean: Reals,
    model: tuple[Indices, Reals, Reals, Indices, Reals],
) -> Reals:
    """The shape after all levels, from `mean`."""
    pairs, limits, leaves, anchors, offsets = model
    shape = mean.copy()
    for level in range(len(leaves)):
        turn = _turn(mean, shape)
        pixels = _brightness(image, frame, shape, turn, anchors[level], offsets[level])
        _add_leaves(shape, pixels, pairs[level], limits[level], leaves[level])
    return shape


def read_landmark_trees(content: bytes) -> LandmarkTrees:
    """The model in a file of dlib.

    The stream is numbers only, one after another: a byte with their length and sign, and that many
    bytes. A real number is two of them, mantissa and exponent to the base 2.

    Raises:
        LandmarkStreamError: The bytes are something else, or end too early or too late.
    """
    reader = _Reader(np.frombuffer(content, dtype=np.uint8))
    reader.expect(STREAM_VERSION, "version")
    values = -reader.integer()
    reader.expect(-1, "columns of a shape")  # dlib writes the sizes of a matrix below zero
    if not 0 < values <= 2 * SIZE_MAX or values % 2:
        raise LandmarkStreamError(f"a shape of {values} values")
    mean = _reals(reader.integers(2 * values).reshape(-1, 2))
    levels = [_level(reader, values) for _ in range(reader.count("levels"))]
    anchors = [reader.integers(reader.count("anchors")) for _ in range(reader.count("levels"))]
    offsets = [
        _reals(reader.integers(4 * reader.count("offsets")).reshape(-1, 2)).reshape(-1, 2)
        for _ in range(reader.count("levels"))
    ]
    reader.end()
    try:
        trees = LandmarkTrees(
            mean=mean.reshape(-1, 2),
            pairs=np.stack([pairs for pairs, _, _ in levels]),
            limits=np.stack([limits for _, limits, _ in levels]),
            leaves=np.stack([leaves for _, _, leaves in levels]),
            anchors=np.array(anchors, dtype=np.int16),
            offsets=np.array(offsets, dtype=np.float32),
        )
    except (ValueError, OverflowError) as error:
        raise LandmarkStreamError("levels or trees of different sizes") from error
    _check(trees)
    for numbers in (trees.mean, trees.limits, trees.leaves, trees.offsets):
        if not np.isfinite(numbers).all():
            raise LandmarkStreamError("a value that is not finite")
    return trees


def _level(reader: "_Reader", values: int) -> tuple[Indices, Reals, Reals]:
    """Pairs, limits and leaves of the trees of one level."""
    pairs, limits, leaves = [], [], []
    for _ in range(reader.count("trees")):
        nodes = reader.integers(4 * reader.count("nodes")).reshape(-1, 4)
        if (np.abs(nodes[:, :2]) > SIZE_MAX).any():
            raise LandmarkStreamError("a pixel that is not there")
        pairs.append(nodes[:, :2].astype(np.int16))
        limits.append(_reals(nodes[:, 2:]))
        parts = reader.integers(reader.count("leaves") * (2 + 2 * values))
        shapes = parts.reshape(-1, 2 + 2 * values)
        if (shapes[:, :2] != (-values, -1)).any():
            raise LandmarkStreamError("a leaf of another size than the shape")
        leaves.append(_reals(shapes[:, 2:].reshape(-1, values, 2)))
    try:
        return np.stack(pairs), np.stack(limits), np.stack(leaves)
    except ValueError as error:
        raise LandmarkStreamError("trees of different sizes") from error


def _check(trees: LandmarkTrees) -> None:
    """Hold every index within what it points into: machine code does not look."""
    levels, of_level, nodes = trees.limits.shape
    pixels = trees.anchors.shape[1]
    is_whole = nodes & (nodes + 1) == 0  # 1, 3, 7, ...: all leaves lie equally deep
    if (
        not is_whole
        or trees.leaves.shape[:3] != (levels, of_level, nodes + 1)
        or len(trees.anchors) != levels
        or trees.offsets.shape != (levels, pixels, 2)
        or not _are_within(trees.pairs, pixels)
        or not _are_within(trees.anchors, len(trees.mean))
    ):
        raise LandmarkStreamError("sizes that contradict each other")


def _are_within(indices: Indices, size: int) -> bool:
    return bool(indices.min() >= 0 and indices.max() < size)


def _reals(parts: Integers) -> Reals:
    """Values from their mantissas and exponents, which are the last axis."""
    mantissas, exponents = parts[..., 0].astype(np.float64), parts[..., 1].clip(-9999, 9999)
    with np.errstate(over="ignore"):  # infinite values are refused later
        values: Reals = np.ldexp(mantissas, exponents).astype(np.float32)
    return values


class _Reader:
    """A place in the stream."""

    def __init__(self, content: Bytes) -> None:
        self._content = content
        self._at = 0

    def integers(self, count: int) -> Integers:
        values, self._at = _integers(self._content, self._at, count)
        if self._at < 0:
            raise LandmarkStreamError("the bytes end early, or hold a number that dlib writes not")
        return values

    def integer(self) -> int:
        return int(self.integers(1)[0])

    def count(self, what: str) -> int:
        count = self.integer()
        if not 0 < count <= SIZE_MAX:
            raise LandmarkStreamError(f"{count} {what}")
        return count

    def expect(self, value: int, what: str) -> None:
        found = self.integer()
        if found != value:
            raise LandmarkStreamError(f"{what}: {found}, not {value}")

    def end(self) -> None:
        if self._at != len(self._content):
            raise LandmarkStreamError("bytes follow the model")


_SIGN = 0x80
_LENGTH = 0x0F
_LENGTH_MAX = 8


@_compiled
def _integers(content: Bytes, at: int, count: int) -> tuple[Integers, int]:
    """`count` numbers and the place after them; a place below 0 when there are none such."""
    values = np.zeros(count, dtype=np.int64)
    for index in range(count):
        if at >= len(content):
            return values, -1
        control = content[at]
        length = control & _LENGTH
        if control & ~np.uint8(_SIGN | _LENGTH) or length > _LENGTH_MAX:
            return values, -1
        if at + length >= len(content):
            return values, -1
        value = np.int64(0)
        for byte in range(length):
            value |= np.int64(content[at + 1 + byte]) << np.int64(8 * byte)
        values[index] = -value if control & _SIGN else value
        at += 1 + length
    return values, at
