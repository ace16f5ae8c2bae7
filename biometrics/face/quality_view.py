"""One face at one size: what every measure of quality looks at, whatever the photograph's size.

Owns the cut and the zones of the face inside it. Refuses to know what is measured there.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from biometrics.face.landmarks68 import OUTER_LIPS, Points, mean_face, similarity
from biometrics.face.models import RGBImage

WIDTH_PX, HEIGHT_PX = 128, 160
"""Size of the view. The chin of the mean face is 3 pixels above its lower edge."""

EYES_PX = 56
"""Distance between the eyes, and row of the eyes. A face as the networks read it is about as
large (150 pixels with a margin), so detail that is lost here is lost to them too."""

Luminance = npt.NDArray[np.float32]
"""Luminance, height x width, 0..255 (Rec. 601 weights)."""

Mask = npt.NDArray[np.bool_]
"""Height x width, true inside a zone."""


@dataclass(frozen=True, kw_only=True)
class Zones:
    """Parts of the mean face in the view.

    Attributes:
        face: Convex hull of the 68 landmarks.
        inner_face: The part of it without forehead, ears and chin line.
        skin: Cheeks below the eyes and the ridge of the nose: bare on nearly everyone, also above
            a mask and a beard.
        lower_face: Mouth, chin and the cheeks beside them: what a mask covers.
        lips: The outer outline of the lips.
        around_lips: A ring around them.
    """

    face: Mask
    inner_face: Mask
    skin: Mask
    lower_face: Mask
    lips: Mask
    around_lips: Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceView:
    """A face cut out, upright and at the size of the mean face.

    Attributes:
        colours: 160 x 128 x 3, red-green-blue. Past the edges of the photograph its edge pixels
            are repeated, so that the edge itself is no detail.
        luminance: The same in grey.
        is_inside: Where the view shows the photograph, not what lies past its edges.
        detail: Luminance of the inner face as the photograph has it, not turned, and halved only
            as long as the eyes stay 56 pixels apart.
        magnification: Pixels of the view for one pixel of `detail`.
    """

    colours: RGBImage
    luminance: Luminance
    is_inside: Mask
    detail: Luminance
    magnification: float


@cache
def _mean_points() -> Points:
    return mean_face() * EYES_PX + (WIDTH_PX / 2, EYES_PX)


@cache
def zones() -> Zones:
    """The zones, drawn once."""
    points = _mean_points()
    face = _polygon(np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], np.float64))
    lips = points[OUTER_LIPS]
    middle = lips.mean(axis=0)
    wide_lips = (lips - middle) * (1.5, 2.2) + middle
    return Zones(
        face=face,
        inner_face=_rectangle(20, 36, 108, 140) & face,
        skin=_rectangle(56, 52, 72, 78) | _rectangle(28, 66, 50, 76) | _rectangle(78, 66, 100, 76),
        lower_face=_polygon(np.concatenate((points[4:13], points[[35, 33, 31]]))),
        lips=_polygon(lips),
        around_lips=_polygon(wide_lips) & ~_polygon(lips),
    )


def _polygon(corners: Points) -> Mask:
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return mask.astype(bool)


def _rectangle(left: int, top: int, right: int, bottom: int) -> Mask:
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), bool)
    mask[top:bottom, left:right] = True
    return mask


def face_view(pixels: RGBImage, landmarks68: Points) -> FaceView:
    """The face of `landmarks68`, turned and scaled by least squares onto the mean face.

    The cost does not grow with the photograph: only the part around the face is read.

    Args:
        pixels: The photograph.
        landmarks68: (68, 2), column and row in pixels of it.
    """
    turn, shift = similarity(_mean_points(), landmarks68)
    photograph, origin, shrunk = _around(pixels, landmarks68, magnification=abs(turn))
    shift += turn * complex(*origin)
    turn /= shrunk
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    size = (WIDTH_PX, HEIGHT_PX)
    colours = cv2.warpAffine(photograph, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    white = np.ones(photograph.shape[:2], np.uint8)
    inside = cv2.warpAffine(white, matrix, size, flags=cv2.INTER_NEAREST)
    return FaceView(
        colours=np.asarray(colours, np.uint8),
        luminance=_luminance(colours),
        is_inside=inside.astype(bool),
        detail=_luminance(_inner(photograph, (landmarks68 - origin) * shrunk)),
        magnification=abs(turn),
    )


def _luminance(pixels: cv2.typing.MatLike) -> Luminance:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def _inner(photograph: RGBImage, landmarks68: Points) -> RGBImage:
    """The part around eyes, nose and mouth; all of it when the face is not in the photograph."""
    first, last = landmarks68.min(axis=0), landmarks68.max(axis=0)
    left, top = (first + 0.15 * (last - first)).clip(0).astype(int)
    right, bottom = (last - 0.15 * (last - first)).clip(0).astype(int)
    part = photograph[top:bottom, left:right]
    return part if part.size else photograph


def _around(
    pixels: RGBImage, landmarks68: Points, *, magnification: float
) -> tuple[RGBImage, tuple[int, int], float]:
    """The part of the photograph around the face, halved as long as the face is twice too large.

    Halving averages four pixels, the cheapest way to shrink without making up detail.

    Returns:
        The pixels, column and row where they begin, and how many of them one pixel has become.
    """
    height_px, width_px = pixels.shape[:2]
    margin = 0.35 * np.ptp(landmarks68, axis=0)
    left, top = (
        (landmarks68.min(axis=0) - margin).clip(0, (width_px - 1, height_px - 1)).astype(int)
    )
    right, bottom = (landmarks68.max(axis=0) + margin).clip((left + 1, top + 1)).astype(int)
    part, shrunk = pixels[top : bottom + 1, left : right + 1], 1.0
    while magnification / shrunk <= 1 / 2 and min(part.shape[:2]) > 1:
        half = (part.shape[1] // 2, part.shape[0] // 2)
        even = part[: 2 * half[1], : 2 * half[0]]
        part = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
        shrunk /= 2
    return part, (int(left), int(top)), shrunk
