"""Is a face good enough to be compared, and if not, what is wrong with it?

Owns the verdict. Refuses to know how the values are measured, where the limits lie
(`quality_demands`) and what to tell the person (`advice`). A photograph that falls short is a
failure to acquire (ISO/IEC 19795-1), never a failed comparison.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.landmarks68 import COUNT
from biometrics.face.models import Box, Landmarks, RGBImage
from biometrics.face.pose import HeadPose, head_pose
from biometrics.face.quality_capture import CaptureMeasures, capture_measures
from biometrics.face.quality_demands import Demands
from biometrics.face.quality_subject import SubjectMeasures, subject_measures
from biometrics.face.quality_view import face_view


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """What was measured on one face, and what falls short.

    Attributes:
        capture: Light, contrast and sharpness.
        subject: Eyes, mouth, coverings.
        pose: Angles of the head.
        head_size: Height of the face found over the height of the photograph.
        reasons: All faults, in the order of `AcquisitionFailure`; empty for a good face.
    """

    capture: CaptureMeasures
    subject: SubjectMeasures
    pose: HeadPose
    head_size: float
    reasons: tuple[AcquisitionFailure, ...]

    @property
    def failure(self) -> AcquisitionFailure | None:
        """The fault to tell the person first; None for a good face."""
        return self.reasons[0] if self.reasons else None

    @property
    def values(self) -> Mapping[str, float]:
        """Every measured value by its name."""
        parts = (self.capture, self.subject, self.pose)
        measured = {name: value for part in parts for name, value in asdict(part).items()}
        return {**measured, "head_size": self.head_size}


def assess(
    pixels: RGBImage, box: Box, landmarks68: Landmarks, *, demands: Demands
) -> QualityReport:
    """Measure the face and hold it against the demands.

    Args:
        pixels: The photograph.
        box: The face found in it.
        landmarks68: (68, 2), column and row in pixels of the photograph.
        demands: `LIVE_PROBE`, `CHIP_REFERENCE` or other limits.

    Raises:
        ValueError: The landmarks are not 68 finite points.
    """
    points = np.asarray(landmarks68, np.float64)
    if points.shape != (COUNT, 2) or not np.isfinite(points).all():
        raise ValueError(f"{COUNT} finite landmarks are needed, not {points.shape}")
    view = face_view(pixels, points)
    capture, subject, pose = (
        capture_measures(view),
        subject_measures(view, points),
        head_pose(points),
    )
    faults = set(_capture_faults(capture, demands))
    faults |= set(_subject_faults(subject, demands)) | set(_pose_faults(pose, demands))
    return QualityReport(
        capture=capture,
        subject=subject,
        pose=pose,
        head_size=box.height_px / pixels.shape[0],
        reasons=tuple(reason for reason in AcquisitionFailure if reason in faults),
    )


def _below(value: float, limit: float | None) -> bool:
    return limit is not None and value < limit


def _above(value: float, limit: float | None) -> bool:
    return limit is not None and value > limit


def _capture_faults(measured: CaptureMeasures, demands: Demands) -> Iterator[AcquisitionFailure]:
    if _above(measured.under_exposure, demands.under_exposure_max):
        yield AcquisitionFailure.TOO_DARK
    if _above(measured.over_exposure, demands.over_exposure_max):
        yield AcquisitionFailure.OVER_EXPOSED
    # Both, since a ratio alone is small on a turned head and a histogram alone on a noisy cheek.
    if _below(measured.cheek_ratio, demands.cheek_ratio_min) and _below(
        measured.illumination_uniformity, demands.illumination_uniformity_min
    ):
        yield AcquisitionFailure.UNEVEN_LIGHT
    if _below(measured.contrast, demands.contrast_min):
        yield AcquisitionFailure.LOW_CONTRAST
    if _below(measured.sharpness, demands.sharpness_min):
        yield AcquisitionFailure.BLURRED
    if _above(measured.flatness, demands.flatness_max):
        yield AcquisitionFailure.NOT_A_PHOTOGRAPH


def _subject_faults(measured: SubjectMeasures, demands: Demands) -> Iterator[AcquisitionFailure]:
    if _below(measured.inter_eye_distance_px, demands.inter_eye_distance_px_min):
        yield AcquisitionFailure.FACE_TOO_SMALL
    if _below(measured.face_inside, demands.face_inside_min):
        yield AcquisitionFailure.FACE_CUT_OFF
    if _above(measured.mouth_occlusion, demands.mouth_occlusion_max):
        yield AcquisitionFailure.MOUTH_COVERED
    if _below(measured.eye_shade, demands.eye_shade_min):
        yield AcquisitionFailure.EYES_COVERED
    if _below(measured.eyes_open, demands.eyes_open_min):
        yield AcquisitionFailure.EYES_CLOSED
    if _above(measured.eyeglasses, demands.eyeglasses_max):
        yield AcquisitionFailure.EYEGLASSES


def _pose_faults(measured: HeadPose, demands: Demands) -> Iterator[AcquisitionFailure]:
    if _above(abs(measured.yaw_deg), demands.yaw_deg_max) or _above(
        abs(measured.pitch_deg), demands.pitch_deg_max
    ):
        yield AcquisitionFailure.TURNED_AWAY
    if _above(abs(measured.roll_deg), demands.roll_deg_max):
        yield AcquisitionFailure.TILTED
