"""Measures of the person in the picture: eyes, mouth, what covers them, and what is cut off.

Owns the subject-related quality components of ISO/IEC 29794-5:2025 under the standard's names.
Those on landmarks follow OFIQ, the reference implementation; those on coverings do not, since OFIQ
asks networks that are not ours: they look for what a mask and glasses take away or add.
Refuses to know which values are good enough.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from biometrics.face.landmarks68 import (
    CHIN,
    INNER_LIPS,
    LEFT_EYE,
    LEFT_EYELIDS,
    RIGHT_EYE,
    RIGHT_EYELIDS,
    Points,
)
from biometrics.face.models import RGBImage
from biometrics.face.quality_view import FaceView, zones

CONTRAST_MIN = 10.0
"""Least standard deviation that other values are divided by: noise has about as much."""

_MOUTH = (slice(104, 130), slice(46, 82))
_MOUTH_COLUMN = (slice(100, 134), slice(50, 78))
_BRIDGE = (slice(40, 78), slice(59, 69))
_EYES = (slice(48, 68), slice(24, 48)), (slice(48, 68), slice(80, 104))
_CHEEKS = (slice(74, 94), slice(24, 48)), (slice(74, 94), slice(80, 104))
"""Rows and columns in the view."""

_BRIDGE_ROWS = slice(4, 30)
"""Rows of `_BRIDGE` where a bar can be: the first and the last are for comparison."""

_SKIN_CHROMA_STEP = 12.0
"""Distance in the a*b* plane (OpenCV's 8-bit CIELAB) past which a colour is not that of the skin.
Within a face of the London set 95 % of the people have less than 24 % of such pixels."""

_OCCLUSION_BIAS = -3.16
_OCCLUSION_OF_EDGES = -3.84
_OCCLUSION_OF_LINE = -0.66
_OCCLUSION_OF_COLOUR = 4.18
"""Logistic regression on 700 bare faces (600 of LFW, 100 of London), the same 700 with masks drawn
over them (white, black, blue, other; with and without folds) and one half of the photographs with
defects, 5 of them with real masks; chosen among four such fits with the other half in view. Real
masks have -1.1 to 8.5 (n = 9, one below 0), London at most -4.8, LFW above -0.3 for 1 %."""

_BRIDGE_EDGE = 3.4
_BRIDGE_DIP = 0.95
"""Set so that the measure is 1 for a weak bridge. Of 14 people with glasses (Yale) 13 have 1.29 or
more; one with dark lenses, whose bridge is lost in them, has 0.71. London has at most 0.66."""


@dataclass(frozen=True, kw_only=True)
class SubjectMeasures:
    """What the person did, wears and hides.

    Attributes:
        inter_eye_distance_px: Distance between the centres of the eyes in the photograph.
        eyes_open: Opening of the narrower eye over the distance from eyes to chin.
        mouth_open: Gap between the lips over the distance from eyes to chin; 0 is closed.
        face_inside: Share of the face that lies inside the photograph, 0..1.
        mouth_occlusion: Log-odds that something covers the mouth, about -12..20.
        eyeglasses: How plainly a bridge of glasses crosses the nose; 1 is the weakest seen.
        eye_shade: Luminance of the eyes' surroundings over that of the cheeks, brighter side.
    """

    inter_eye_distance_px: float
    eyes_open: float
    mouth_open: float
    face_inside: float
    mouth_occlusion: float
    eyeglasses: float
    eye_shade: float


def subject_measures(view: FaceView, landmarks68: Points) -> SubjectMeasures:
    """Measure what the person shows.

    Args:
        view: The face.
        landmarks68: (68, 2), column and row in pixels of the photograph.
    """
    left, right = landmarks68[LEFT_EYE].mean(axis=0), landmarks68[RIGHT_EYE].mean(axis=0)
    eyes_to_chin = max(_distance((left + right) / 2, landmarks68[CHIN]), 1e-6)
    openings = (_opening(landmarks68, lids) for lids in (LEFT_EYELIDS, RIGHT_EYELIDS))
    face = zones().face
    return SubjectMeasures(
        inter_eye_distance_px=_distance(left, right),
        eyes_open=min(openings) / eyes_to_chin,
        mouth_open=_opening(landmarks68, INNER_LIPS) / eyes_to_chin,
        face_inside=float(np.count_nonzero(view.is_inside & face) / np.count_nonzero(face)),
        mouth_occlusion=_mouth_occlusion(view),
        eyeglasses=_eyeglasses(view),
        eye_shade=_eye_shade(view),
    )


def _distance(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    return float(np.hypot(*(a - b)))


def _opening(landmarks68: Points, pairs: tuple[tuple[int, int], ...]) -> float:
    return max(_distance(landmarks68[upper], landmarks68[lower]) for upper, lower in pairs)


def _contrast(view: FaceView) -> float:
    inner = view.luminance[zones().inner_face & view.is_inside]
    return max(float(inner.std()) if inner.size else 0.0, CONTRAST_MIN)


def _horizontal_edges(view: FaceView, place: tuple[slice, slice]) -> npt.NDArray[np.float32]:
    rows, columns = place
    # With the pixels around, so that the place has no edge of its own.
    wider = view.luminance[rows.start - 1 : rows.stop + 1, columns.start - 1 : columns.stop + 1]
    return np.asarray(cv2.Sobel(wider, cv2.CV_32F, 0, 1), np.float32)[1:-1, 1:-1]


def _mouth_occlusion(view: FaceView) -> float:
    """What speaks for a mask: no lips, no line between them, another colour than the skin."""
    contrast = _contrast(view)
    edges = float(np.abs(_horizontal_edges(view, _MOUTH)).mean()) / contrast
    rows = view.luminance[_MOUTH_COLUMN].mean(axis=1)
    line = float(np.median(rows) - rows.min()) / contrast
    return (
        _OCCLUSION_BIAS
        + _OCCLUSION_OF_EDGES * math.log(0.05 + edges)
        + _OCCLUSION_OF_LINE * math.log(0.05 + line)
        + _OCCLUSION_OF_COLOUR * _foreign_colour(view)
    )


def _foreign_colour(view: FaceView) -> float:
    """Share of the lower face that has another colour than the skin above it."""
    skin = _chroma(view.colours[zones().skin & view.is_inside])
    lower = _chroma(view.colours[zones().lower_face & view.is_inside])
    if not (skin.size and lower.size):
        return 0.0
    steps = np.hypot(*(lower - np.median(skin, axis=0)).T)
    return float((steps > _SKIN_CHROMA_STEP).mean())


def _chroma(colours: RGBImage) -> npt.NDArray[np.float32]:
    """The a*b* of a list of colours, n x 3."""
    if not colours.size:
        return np.empty((0, 2), np.float32)
    return np.asarray(cv2.cvtColor(colours[np.newaxis], cv2.COLOR_RGB2LAB), np.float32)[0, :, 1:]


def _eyeglasses(view: FaceView) -> float:
    """The bridge of glasses: a dark bar across the nose with a sharp edge. Brows end before it."""
    contrast = _contrast(view)
    edges = np.abs(_horizontal_edges(view, _BRIDGE)).mean(axis=1)
    rows = view.luminance[_BRIDGE].mean(axis=1)
    dip = float(np.median(rows) - rows[_BRIDGE_ROWS].min())
    return min(float(edges.max()) / _BRIDGE_EDGE, dip / _BRIDGE_DIP) / contrast


def _eye_shade(view: FaceView) -> float:
    luminance = view.luminance
    return max(
        _median(luminance[eye]) / max(_median(luminance[cheek]), 1.0)
        for eye, cheek in zip(_EYES, _CHEEKS, strict=True)
    )


def _median(values: npt.NDArray[np.float32]) -> float:
    """The middle value, the larger of two; a third of the time of `np.median`."""
    middle = values.size // 2
    return float(np.partition(values, middle, axis=None)[middle])
