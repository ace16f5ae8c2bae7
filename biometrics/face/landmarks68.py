"""The 68 landmarks of a face: which number is which part, and where they stand on a mean face.

Owns the numbering (iBUG 300-W, counted from 0) and the mean. Refuses to know how landmarks are
found and what is measured with them.
"""

import numpy as np
import numpy.typing as npt

COUNT = 68

# Left and right are those of the image, so of a person who looks at the viewer the other way
# round.
JAW = slice(0, 17)
BROWS = slice(17, 27)
NOSE_BRIDGE = slice(27, 31)
LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
OUTER_LIPS = slice(48, 60)

CHIN = 8

LEFT_EYELIDS = ((37, 41), (38, 40))
RIGHT_EYELIDS = ((43, 47), (44, 46))
"""Upper and lower lid, one above the other."""

INNER_LIPS = ((61, 67), (62, 66), (63, 65))
"""Upper and lower lip, one above the other, on the sides that touch."""

Points = npt.NDArray[np.float64]
"""Landmarks, (68, 2), column and row in pixels."""

_LEFT_HALF_AND_MIDDLE = {
    0: (-1.129, 0.060),
    1: (-1.106, 0.356),
    2: (-1.063, 0.644),
    3: (-1.009, 0.932),
    4: (-0.921, 1.206),
    5: (-0.761, 1.440),
    6: (-0.540, 1.626),
    7: (-0.286, 1.764),
    8: (0.000, 1.807),
    17: (-0.941, -0.174),
    18: (-0.806, -0.324),
    19: (-0.601, -0.382),
    20: (-0.389, -0.361),
    21: (-0.185, -0.285),
    27: (0.000, -0.055),
    28: (0.000, 0.129),
    29: (0.000, 0.310),
    30: (0.000, 0.498),
    31: (-0.207, 0.651),
    32: (-0.107, 0.685),
    33: (0.000, 0.714),
    36: (-0.693, 0.008),
    37: (-0.575, -0.075),
    38: (-0.425, -0.073),
    39: (-0.293, 0.024),
    40: (-0.432, 0.056),
    41: (-0.582, 0.060),
    48: (-0.430, 1.029),
    49: (-0.268, 0.950),
    50: (-0.112, 0.907),
    51: (0.000, 0.934),
    57: (0.000, 1.212),
    58: (-0.121, 1.201),
    59: (-0.273, 1.151),
    60: (-0.358, 1.033),
    61: (-0.114, 1.011),
    62: (0.000, 1.020),
    66: (0.000, 1.068),
    67: (-0.116, 1.056),
}
"""Mean of 100 frontal studio portraits of 50 people (Face Research Lab London Set), made
symmetric. The unit is the distance between the eyes, the origin lies midway between them."""

_MIRRORED = {
    **{index: 16 - index for index in range(17)},
    **{index: 43 - index for index in range(17, 27)},
    **{index: index for index in range(27, 31)},
    **{index: 66 - index for index in range(31, 36)},
    **dict(zip(range(36, 42), (45, 44, 43, 42, 47, 46), strict=True)),
    **{index: 102 - index for index in range(48, 55)},
    **{index: 114 - index for index in range(55, 60)},
    **{index: 124 - index for index in range(60, 65)},
    **{index: 132 - index for index in range(65, 68)},
}
"""The landmark that a mirror puts in the place of another."""


def mean_face() -> Points:
    """The 68 points of the mean face, distance between the eyes 1, midpoint of the eyes 0, 0."""
    points = np.zeros((COUNT, 2))
    for index, (column, row) in _LEFT_HALF_AND_MIDDLE.items():
        points[index] = column, row
        points[_MIRRORED[index]] = abs(column), row
    return points


def similarity(target: Points, seen: Points) -> tuple[complex, complex]:
    """Turn and shift that bring `seen` closest to `target`, by least squares.

    Columns and rows are taken as real and imaginary part: a point p goes to turn * p + shift.
    """
    from_points, to_points = (points @ (1, 1j) for points in (seen, target))
    spread = from_points - from_points.mean()
    turn = complex(np.vdot(spread, to_points - to_points.mean()))
    turn /= max(float(np.vdot(spread, spread).real), 1e-9)
    return turn, complex(to_points.mean() - turn * from_points.mean())
