"""Why no face was found: what can be told honestly about a photograph without one.

Owns the search for a better reason than "no face". Refuses to make anything of what it finds: a
face that the detector does not stand for never becomes a template, it only explains.
"""

import cv2
import numpy as np

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.detect import FACE_SIDE_PX_MIN
from biometrics.face.models import FaceModels, RGBImage
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


def explain_absence(pixels: RGBImage, *, models: FaceModels) -> tuple[AcquisitionFailure, ...]:
    """The reasons to give when the detector found no face, at least one.

    A photograph smaller than the smallest face, or without any structure, is judged as a whole.
    Else a place that may be a face is looked at first: what hides a face from the detector is most
    often a mask, the dark, or that it fills the picture.

    Args:
        pixels: The photograph.
        models: The detector that found nothing, and the landmarks.
    """
    if min(pixels.shape[:2]) < FACE_SIDE_PX_MIN:
        return (AcquisitionFailure.FACE_TOO_SMALL,)
    fault = _fault_of_whole(pixels)
    if fault is AcquisitionFailure.LOW_CONTRAST:
        return (fault,)
    suspect = models.detector.suspect(pixels)
    if suspect is not None:
        landmarks68 = models.landmarks_68.predict(pixels, suspect)
        report = assess(pixels, suspect, landmarks68, demands=SUSPECT)
        if report.reasons:
            return report.reasons
    return (fault or AcquisitionFailure.NO_FACE,)


def _fault_of_whole(pixels: RGBImage) -> AcquisitionFailure | None:
    scale = min(1.0, LOOK_SIDE_PX / min(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    copy = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    luminance = np.asarray(cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY), np.float32)
    if float(np.median(luminance)) <= DARK_MEDIAN_MAX:
        return AcquisitionFailure.TOO_DARK
    if float((luminance >= BRIGHT_MIN).mean()) >= BRIGHT_SHARE_MIN:
        return AcquisitionFailure.OVER_EXPOSED
    if float(luminance.std()) < CONTRAST_MIN:
        return AcquisitionFailure.LOW_CONTRAST
    if float(cv2.Laplacian(luminance, cv2.CV_32F).std()) < SHARPNESS_MIN:
        return AcquisitionFailure.BLURRED
    return None
