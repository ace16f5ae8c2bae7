"""Measures of the picture itself: light, contrast and sharpness of the face.

Owns the capture-related quality components of ISO/IEC 29794-5:2025 that need no other model than
the landmarks, under the standard's names and, where a definition is cited, by its definition as in
OFIQ, the reference implementation. Refuses to know which values are good enough.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from biometrics.face.quality_view import FaceView, Luminance, zones

UNDER_EXPOSED_MAX = 25
"""Luminance of a pixel that counts as under-exposed, and below (OFIQ, UnderExposurePrevention)."""

OVER_EXPOSED_MIN = 247
"""Luminance of a pixel that counts as over-exposed, and above (OFIQ, OverExposurePrevention)."""

ACROSS_WEIGHT = 2.5
DOWN_WEIGHT = 1.8
"""What brings one direction to the size of the Laplacian: a face has more edges across than down.
Of faces moved by 0.2 of the distance between the eyes (LFW, n = 50) 98 % have less than 2.9 across
and down; by the Laplacian alone it would be 36 % across and 96 % down."""

_SIDES = (slice(66, 98), slice(26, 50)), (slice(66, 98), slice(78, 102))
"""Left and right cheek in the view, rows and columns."""

_INNER = slice(36, 140), slice(20, 108)
"""The inner face in the view."""

_UNIFORMITY_BINS = 32
"""Steps of 8 in luminance: in 256 bins the noise of small cheeks would count as a difference."""


@dataclass(frozen=True, kw_only=True)
class CaptureMeasures:
    """What light and lens did to the face.

    Attributes:
        luminance_mean: Mean luminance of the face, 0..255.
        under_exposure: Share of the face that is (nearly) black, 0..1.
        over_exposure: Share of the face that is (nearly) white, 0..1.
        dynamic_range_bits: Entropy of the face's luminance, 0..8.
        contrast: Standard deviation of the face's luminance, 0..127.5.
        illumination_uniformity: Common part of the luminance histograms of both cheeks, 0..1.
        cheek_ratio: Mean luminance of the darker cheek over that of the brighter one, 0..1.
        sharpness: Standard deviation of the second derivative of the luminance of the inner face:
            of the Laplacian, or of what one direction allows when that is less, as it is where hand
            or head moved; in the left or right half, whichever is less, since the outline of a
            turned head is sharper than a face. Averaged over 3 x 3 pixels so that noise does not
            pass for detail, on at least 56 and less than 112 pixels from eye to eye. A face with
            fewer is magnified, and the less sharp for it.
        flatness: Share of the inner face whose pixels equal both neighbours, 0..1. A sensor has
            noise everywhere; a drawing has none.
    """

    luminance_mean: float
    under_exposure: float
    over_exposure: float
    dynamic_range_bits: float
    contrast: float
    illumination_uniformity: float
    cheek_ratio: float
    sharpness: float
    flatness: float


def capture_measures(view: FaceView) -> CaptureMeasures:
    """Measure the light and the sharpness of a face."""
    histogram = _histogram(view.luminance[zones().face & view.is_inside], bins=256)
    levels = np.arange(256)
    mean = float(histogram @ levels)
    filled = histogram[histogram > 0]
    left, right = (view.luminance[side] for side in _SIDES)
    cheeks = sorted((float(left.mean()), float(right.mean())))
    return CaptureMeasures(
        luminance_mean=mean,
        under_exposure=float(histogram[: UNDER_EXPOSED_MAX + 1].sum()),
        over_exposure=float(histogram[OVER_EXPOSED_MIN:].sum()),
        dynamic_range_bits=float(-(filled * np.log2(filled)).sum()),
        contrast=float(np.sqrt(histogram @ (levels - mean) ** 2)),
        illumination_uniformity=_common(left, right),
        cheek_ratio=cheeks[0] / max(cheeks[1], 1.0),
        sharpness=_sharpness(view),
        flatness=_flatness(view.detail),
    )


def _histogram(luminance: Luminance, *, bins: int) -> npt.NDArray[np.float64]:
    """Shares that add up to 1 (or are all 0 where there are no pixels)."""
    counts = np.bincount(luminance.astype(np.intp).ravel() * bins // 256, minlength=bins)
    return counts / max(luminance.size, 1)


def _common(left: Luminance, right: Luminance) -> float:
    histograms = (_histogram(side, bins=_UNIFORMITY_BINS) for side in (left, right))
    return float(np.minimum(*histograms).sum())


def _sharpness(view: FaceView) -> float:
    inner = view.detail if view.magnification < 1 else view.luminance[_INNER]
    smooth = cv2.blur(inner, (3, 3))
    across, down = (
        np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1), np.float32)
        for order in ((2, 0), (0, 2))
    )
    middle = max(inner.shape[1] // 2, 1)
    return min(
        _detail(across[:, half], down[:, half]) for half in (slice(middle), slice(-middle, None))
    )


def _detail(across: Luminance, down: Luminance) -> float:
    """Of second derivatives in both directions, the spread that the weaker one allows."""
    weaker = min(ACROSS_WEIGHT * _spread(across), DOWN_WEIGHT * _spread(down))
    return min(_spread(cv2.add(across, down)), weaker)


def _spread(values: cv2.typing.MatLike) -> float:
    # A third of the time of `values.std()`.
    return float(cv2.meanStdDev(values)[1][0, 0])


def _flatness(luminance: Luminance) -> float:
    across = luminance[1:, 1:] == luminance[1:, :-1]
    down = luminance[1:, 1:] == luminance[:-1, 1:]
    return float((across & down).mean()) if across.size else 0.0
