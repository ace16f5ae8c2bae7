"""The mean face is symmetric and lies where its unit says."""

import numpy as np

from biometrics.face.landmarks68 import CHIN, COUNT, LEFT_EYE, OUTER_LIPS, RIGHT_EYE, mean_face


def test_the_eyes_of_the_mean_face_are_one_apart_around_the_origin() -> None:
    face = mean_face()
    left, right = face[LEFT_EYE].mean(axis=0), face[RIGHT_EYE].mean(axis=0)
    assert np.allclose(right - left, (1, 0), atol=0.005)
    assert np.allclose(left + right, 0, atol=0.005)


def test_every_landmark_of_the_mean_face_has_its_mirror() -> None:
    points = {(round(column, 3), round(row, 3)) for column, row in mean_face()}
    assert len(points) == COUNT
    assert {(0.0 - column, row) for column, row in points} == points


def test_the_chin_is_the_lowest_point_and_the_lips_lie_above_it() -> None:
    face = mean_face()
    assert face[:, 1].argmax() == CHIN
    assert face[OUTER_LIPS, 1].max() < face[CHIN, 1]
