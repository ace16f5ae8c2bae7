"""Is a face good enough to be compared, and if not, what is wrong with it?

Owns the verdict. Refuses to know how the values are measured, where the limits lie
(`quality_demands`) and what to tell the person (`advice`). A photograph that falls short is a
failure to acquire (ISO/IEC 19795-1), never a failed comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from biometrics.face.acquisition import AcquisitionFailure as Reason
from biometrics.face.landmarks68 import COUNT
from biometrics.face.models import Box, Landmarks, RGBImage
from biometrics.face.pose import HeadPose, head_pose
from biometrics.face.quality_capture import CaptureMeasures, capture_measures
from biometrics.face.quality_demands import Demands
from biometrics.face.quality_subject import SubjectMeasures, subject_measures
from biometrics.face.quality_view import face_view

_REASONS = {
    "inter_eye_distance_px_min": Reason.FACE_TOO_SMALL,
    "face_inside_min": Reason.FACE_CUT_OFF,
    "mouth_occlusion_max": Reason.MOUTH_COVERED,
    "eye_shade_min": Reason.EYES_COVERED,
    "under_exposure_max": Reason.TOO_DARK,
    "over_exposure_max": Reason.OVER_EXPOSED,
    "cheek_ratio_min": Reason.UNEVEN_LIGHT,
    "contrast_min": Reason.LOW_CONTRAST,
    "sharpness_min": Reason.BLURRED,
    "yaw_deg_max": Reason.TURNED_AWAY,
    "pitch_deg_max": Reason.TURNED_AWAY,
    "roll_deg_max": Reason.TILTED,
    "eyes_open_min": Reason.EYES_CLOSED,
    "eyeglasses_max": Reason.EYEGLASSES,
    "flatness_max": Reason.NOT_A_PHOTOGRAPH,
}
"""What is wrong when a limit of `Demands` is not kept. A limit is named after its measure."""


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """What was measured on one face, and what falls short.

    Attributes:
        capture: Light, contrast and sharpness.
        subject: Eyes, mouth, coverings.
        pose: Angles of the head.
        head_size: Height of the face found over the height of the photograph.
        failures: The faults that fail, in the order of `AcquisitionFailure`.
        warnings: The faults that are recorded and do not fail, in the same order.
    """

    capture: CaptureMeasures
    subject: SubjectMeasures
    pose: HeadPose
    head_size: float
    failures: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @property
    def failure(self) -> Reason | None:
        """The fault to tell the person first; None for a face that is good enough."""
        return self.failures[0] if self.failures else None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All faults, those that fail first; empty for a good face."""
        return self.failures + self.warnings

    @property
    def values(self) -> Mapping[str, float]:
        """Every measured value by its name."""
        parts = (self.capture, self.subject, self.pose)
        measured = {name: value for part in parts for name, value in vars(part).items()}
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
    measured = QualityReport(
        capture=capture_measures(view),
        subject=subject_measures(view, points),
        pose=head_pose(points),
        head_size=box.height_px / pixels.shape[0],
    )
    values = measured.values
    failures = _faults(values, demands)
    advised = _faults(values, demands.advised) if demands.advised else ()
    return replace(
        measured,
        failures=failures,
        warnings=tuple(reason for reason in advised if reason not in failures),
    )


def _faults(values: Mapping[str, float], demands: Demands) -> tuple[Reason, ...]:
    faults = {
        reason
        for limit, reason in _REASONS.items()
        if not _is_kept(limit, getattr(demands, limit), values)
    }
    return tuple(reason for reason in Reason if reason in faults)


def _is_kept(limit: str, bound: float | None, values: Mapping[str, float]) -> bool:
    name, _, side = limit.rpartition("_")
    if bound is None:
        return True
    if side == "min":
        return values[name] >= bound
    # Angles count in both directions.
    return (abs(values[name]) if name.endswith("_deg") else values[name]) <= bound
