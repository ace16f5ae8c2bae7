"""The angles are those the head was turned by, with the signs that are documented."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from biometrics.face.align import closer_box
from biometrics.face.landmarks68 import COUNT, Points
from biometrics.face.models import FaceModels
from biometrics.face.pose import _HEAD, head_pose


def seen(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Points:
    """The rigid head's landmarks after turning it: right, down and away are positive."""
    yaw, pitch, roll = np.radians((yaw_deg, pitch_deg, roll_deg))
    about_vertical = [
        [np.cos(yaw), 0, -np.sin(yaw)],
        [0, 1, 0],
        [np.sin(yaw), 0, np.cos(yaw)],
    ]
    about_ears = [
        [1, 0, 0],
        [0, np.cos(pitch), -np.sin(pitch)],
        [0, np.sin(pitch), np.cos(pitch)],
    ]
    in_image = [
        [np.cos(roll), np.sin(roll), 0],
        [-np.sin(roll), np.cos(roll), 0],
        [0, 0, 1],
    ]
    turned = (
        np.array(list(_HEAD.values()))
        @ (np.array(in_image) @ np.array(about_vertical) @ np.array(about_ears)).T
    )
    landmarks = np.zeros((COUNT, 2))
    landmarks[list(_HEAD)] = 300 + 12 * turned[:, :2]
    return landmarks


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (25, 0, 0), (-25, 0, 0), (0, 20, 0), (0, 0, -30), (20, 10, -15)]
)
def test_a_turned_head_is_measured_as_it_was_turned(angles: tuple[float, float, float]) -> None:
    pose = head_pose(seen(*angles))
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx(angles, abs=0.1)


def test_a_nose_that_points_right_in_the_image_is_a_positive_yaw() -> None:
    nose = (31, 35)
    landmarks = seen(20, 0, 0)
    assert landmarks[list(nose), 0].mean() > landmarks[[36, 45], 0].mean()
    assert head_pose(landmarks).yaw_deg > 0


def test_landmarks_in_one_point_give_angles_and_no_error() -> None:
    pose = head_pose(np.zeros((COUNT, 2)))
    assert np.isfinite((pose.yaw_deg, pose.pitch_deg, pose.roll_deg)).all()


def test_a_photograph_turned_by_15_degrees_shows_15_degrees_more_roll(
    face: Image.Image, models: FaceModels
) -> None:
    rolls = []
    for turn_deg in (0, 15):
        turned = face.resize((400, 440)).rotate(turn_deg, fillcolor=(90, 90, 90))
        pixels = np.array(turned)
        (box,) = models.detector.detect(pixels)
        closer = closer_box(models.landmarks_5.predict(pixels, box))
        landmarks = models.landmarks_68.predict(pixels, closer).astype(np.float64)
        rolls.append(head_pose(landmarks).roll_deg)
    assert rolls[1] - rolls[0] == pytest.approx(15, abs=4)


def test_people_who_face_a_studio_camera_are_within_12_degrees_of_yaw(
    faces: Path, models: FaceModels
) -> None:
    portraits = sorted((faces / "london").glob("*/neutral_front.jpg"))[::4]
    assert len(portraits) >= 12
    for portrait in portraits:
        with Image.open(portrait) as image:
            pixels = np.array(image.convert("RGB"))
        (box,) = models.detector.detect(pixels)
        pose = head_pose(models.landmarks_68.predict(pixels, box).astype(np.float64))
        assert abs(pose.yaw_deg) < 12, portrait
        assert abs(pose.roll_deg) < 8, portrait
