"""A face cut out so that five landmarks fall on the places a network was trained with.

Owns the ArcFace template. Refuses to know how landmarks are found and what reads the result.
"""

import numpy as np
import numpy.typing as npt

from biometrics.face.align import cut_out, similarity_transform
from biometrics.face.models import Landmarks, RGBImage

TEMPLATE_SIDE_PX = 112

ARCFACE_TEMPLATE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Column and row of the eye on the left of the image, the other eye, the tip of the nose and the
corners of the mouth, in a crop of 112 x 112 (InsightFace, `face_align.arcface_dst`; OpenCV's
`FaceRecognizerSF::alignCrop` has the same)."""

_EYES = (slice(36, 42), slice(42, 48))
_NOSE_TIP, _MOUTH_LEFT, _MOUTH_RIGHT = 30, 48, 54
"""Points of the 68 (iBUG 300-W numbering, from 0): an eye's place is the mean of its outline."""


def five_points(landmarks: Landmarks) -> npt.NDArray[np.float64]:
    """The five points of the template among the 68."""
    eyes = [landmarks[eye].mean(axis=0) for eye in _EYES]
    others = [landmarks[at] for at in (_NOSE_TIP, _MOUTH_LEFT, _MOUTH_RIGHT)]
    return np.stack([*eyes, *others]).astype(np.float64)


class TemplateAligner:
    """Aligns a face to the ArcFace template. Safe between threads."""

    def __init__(self, *, side_px: int) -> None:
        """Scale the template to squares of `side_px`."""
        self._places = np.array(ARCFACE_TEMPLATE) * (side_px / TEMPLATE_SIDE_PX)
        self._side_px = side_px

    @property
    def landmark_counts(self) -> tuple[int, ...]:
        """68: dlib's five points are other ones than the template's."""
        return (68,)

    def align(self, image: RGBImage, landmarks: Landmarks) -> RGBImage:
        """The face with these 68 landmarks; what lies past the edges of `image` is black."""
        matrix = similarity_transform(five_points(landmarks), self._places)
        return cut_out(image, matrix, self._side_px)
