"""Which way a head is turned, in degrees, from its 68 landmarks.

Owns the rigid head and its fit to the landmarks. Refuses to know which angles are too large.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from biometrics.face.landmarks68 import Points

_HEAD = {
    17: (-6.825897, -6.760612, -4.402142),
    21: (-1.330353, -7.122144, -6.903745),
    22: (1.330353, -7.122144, -6.903745),
    26: (6.825897, -6.760612, -4.402142),
    36: (-5.311432, -5.485328, -3.987654),
    39: (-1.789930, -5.393625, -4.413414),
    42: (1.789930, -5.393625, -4.413414),
    45: (5.311432, -5.485328, -3.987654),
    31: (-2.005628, -1.409845, -6.165652),
    35: (2.005628, -1.409845, -6.165652),
    48: (-2.774015, 2.080775, -5.048531),
    54: (2.774015, 2.080775, -5.048531),
    57: (0.000000, 3.116408, -6.097667),
    8: (0.000000, 7.415691, -4.070434),
}
"""Fourteen points of a mean head, right and down as in the image, and away from the viewer: the
rigid head that open estimators of head pose customarily use with 68-point landmarks. Its unit does
not matter."""


@dataclass(frozen=True, kw_only=True)
class HeadPose:
    """Angles of the head, all 0 for a person who looks straight into the camera.

    Attributes:
        yaw_deg: Positive when the person looks to their own left, which is right in the image.
        pitch_deg: Positive when the person looks down.
        roll_deg: Positive when the head leans to the person's own right shoulder, which is left
            in the image.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@cache
def _head() -> tuple[list[int], npt.NDArray[np.float64]]:
    """Landmark numbers, and the matrix that fits an affine camera to them by least squares."""
    points = np.array(list(_HEAD.values()))
    return list(_HEAD), np.linalg.pinv(points - points.mean(axis=0))


def head_pose(landmarks68: Points) -> HeadPose:
    """The turn of the head that puts the mean head's points closest to the landmarks.

    The camera is taken as far away (scaled orthography), which at an arm's length misses a few
    degrees at most and needs no focal length.

    Args:
        landmarks68: (68, 2), column and row in pixels.
    """
    numbers, fit = _head()
    seen = landmarks68[numbers]
    across, down = (fit @ (seen - seen.mean(axis=0))).T
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    down = down / max(float(np.linalg.norm(down)), 1e-9)
    away = np.cross(across, down)
    # The third row and the first column of a rotation by roll, yaw and pitch, in this order.
    return HeadPose(
        yaw_deg=float(np.degrees(np.arcsin(np.clip(away[0], -1, 1)))),
        pitch_deg=float(np.degrees(np.arctan2(away[1], away[2]))),
        roll_deg=float(np.degrees(np.arctan2(-down[0], across[0]))),
    )
