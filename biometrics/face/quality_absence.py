"""Why no face was found: what can be told honestly about a photograph without one.

Owns the search for a better reason than "no face". Refuses to make anything of what it finds: a
face that the detector does not stand for never becomes a template, it only explains.
"""

import cv2
import numpy as np
import numpy.typing as npt

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.align import closer_box
from biometrics.face.detect import FACE_SIDE_PX_MIN
from biometrics.face.landmarks68 import Points, mean_face
from biometrics.face.models import Detector, FaceModels, RGBImage
from biometrics.face.quality import assess
from biometrics.face.quality_demands import SUSPECT

LOOK_SIDE_PX = 240
"""Shorter side of the copy on which the whole photograph is judged."""

DARK_MEDIAN_MAX = 30
"""Half of all pixels are at most this bright. The faces missed for darkness among the photographs
with defects have 23 to 32 (n = 5)."""

BRIGHT_MIN = 247
BRIGHT_SHARE_MIN = 0.55
"""More than half of the photograph is as good as white (luminance as in `quality_capture`)."""

CONTRAST_MIN = 6.0
"""Standard deviation of the luminance; a wall or a covered lens has less."""

SHARPNESS_MIN = 2.0
"""Standard deviation of the Laplacian. Among 18 photographs of nature the least is 8.9."""


BARE_EYES = ((0.4, 0.3), (0.5, 0.3), (0.6, 0.3))
BARE_EYES_WIDTH = 0.5
"""Where the middle of the eyes may be above a mask, as shares of width and height, and how far
apart the eyes are, as a share of the width: a face that fills the picture. With a mouth drawn there
the detector answers to 17 of 20 photographs with masks in which it found nothing, and to none of 18
of nature. The place was chosen among three such with the same 20 in view."""

_BARE_PARTS = (
    ((*range(3, 14), 35, 30, 31), 1.0),
    (range(31, 36), 0.5),
    ((*range(48, 55), 64, 63, 62, 61, 60), 0.4),
)
"""Lower face, base of the nose and upper lip: landmarks, and brightness over that of the skin."""


CUT_OFF_SHARE_MAX = 0.85
"""Less of a mirrored face's width than this lies in the photograph when it is cut off. Of 67 faces
of LFW and London that were cut near the nose and not found, 66 are explained so; of 18 photographs
of nature and 26 with other defects, none."""


def explain_absence(pixels: RGBImage, *, models: FaceModels) -> tuple[AcquisitionFailure, ...]:
    """The reasons to give when the detector found no face, at least one.

    A photograph smaller than the smallest face, or without any structure, is judged as a whole.
    Else it is completed: with its mirror image, in case half of a face is cut off, and with a bare
    mouth, in case there is a mask. And a place that may be a face is looked at.

    Args:
        pixels: The photograph.
        models: The detector that found nothing, and the landmarks.
    """
    if min(pixels.shape[:2]) < FACE_SIDE_PX_MIN:
        return (AcquisitionFailure.FACE_TOO_SMALL,)
    small = _at_look_side(pixels)
    whole = _fault_of_whole(small)
    if whole is AcquisitionFailure.LOW_CONTRAST:
        return (whole,)
    if _is_cut_off(small, detector=models.detector):
        return (AcquisitionFailure.FACE_CUT_OFF,)
    faults = _faults_of_suspect(pixels, models=models)
    if not faults and _is_masked(small, detector=models.detector):
        faults = {AcquisitionFailure.MOUTH_COVERED}
    reasons = tuple(reason for reason in AcquisitionFailure if reason in faults | {whole})
    return reasons or (AcquisitionFailure.NO_FACE,)


def _is_cut_off(pixels: RGBImage, *, detector: Detector) -> bool:
    """Whether half a face at the left or right edge becomes one beside its mirror image."""
    width_px = pixels.shape[1]
    margin_px = width_px // 2
    mirrored = cv2.copyMakeBorder(pixels, 0, 0, margin_px, margin_px, cv2.BORDER_REFLECT)
    for box in detector.detect(np.asarray(mirrored, np.uint8)):
        left_px = box.left_px - margin_px
        right_px = left_px + box.width_px
        if min(right_px, width_px) - max(left_px, 0) < CUT_OFF_SHARE_MAX * box.width_px:
            return True
    return False


def _faults_of_suspect(pixels: RGBImage, *, models: FaceModels) -> set[AcquisitionFailure]:
    suspect = models.detector.suspect(pixels)
    if suspect is None:
        return set()
    box = closer_box(models.landmarks_5.predict(pixels, suspect))
    landmarks68 = models.landmarks_68.predict(pixels, box)
    return set(assess(pixels, box, landmarks68, demands=SUSPECT).reasons)


def _is_masked(pixels: RGBImage, *, detector: Detector) -> bool:
    """Whether a face appears as soon as a bare mouth is drawn where a mask would be."""
    height_px, width_px = pixels.shape[:2]
    faces = (
        mean_face() * (BARE_EYES_WIDTH * width_px) + (column * width_px, row * height_px)
        for column, row in BARE_EYES
    )
    return any(detector.suspect(_with_bare_mouth(pixels, face)) is not None for face in faces)


def _with_bare_mouth(pixels: RGBImage, landmarks68: Points) -> RGBImage:
    """The photograph with a lower face drawn over it, in the colour of the skin below the eyes."""
    drawn = pixels.copy()
    skin = _skin(pixels, landmarks68)
    for part, shade in _BARE_PARTS:
        corners = np.round(landmarks68[list(part)]).astype(np.int32)
        cv2.fillPoly(drawn, [corners], (skin * shade).tolist())
    return drawn


def _skin(pixels: RGBImage, landmarks68: Points) -> npt.NDArray[np.float64]:
    """The median colour between the temples, from below the eyes to the middle of the nose."""
    columns, rows = landmarks68[[0, 16], 0], landmarks68[[41, 29], 1]
    last_row, last_column = pixels.shape[0] - 1, pixels.shape[1] - 1
    left, right = columns.clip(0, last_column).astype(int)
    top, bottom = rows.clip(0, last_row).astype(int)
    part = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    return np.asarray(np.median(part.reshape(-1, 3), axis=0), np.float64)


def _at_look_side(pixels: RGBImage) -> RGBImage:
    scale = min(1.0, LOOK_SIDE_PX / min(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _fault_of_whole(pixels: RGBImage) -> AcquisitionFailure | None:
    luminance = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    if float(np.median(luminance)) <= DARK_MEDIAN_MAX:
        return AcquisitionFailure.TOO_DARK
    if float((luminance >= BRIGHT_MIN).mean()) >= BRIGHT_SHARE_MIN:
        return AcquisitionFailure.OVER_EXPOSED
    if float(luminance.std()) < CONTRAST_MIN:
        return AcquisitionFailure.LOW_CONTRAST
    if float(cv2.Laplacian(luminance, cv2.CV_32F).std()) < SHARPNESS_MIN:
        return AcquisitionFailure.BLURRED
    return None
