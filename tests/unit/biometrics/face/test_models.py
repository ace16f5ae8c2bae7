"""Boxes keep their place when an image changes size."""

import pytest

from biometrics.face.models import Box


def test_a_box_scales_with_its_image() -> None:
    box = Box(left_px=-3, top_px=10, width_px=80, height_px=90)
    assert box.scaled(2) == Box(left_px=-6, top_px=20, width_px=160, height_px=180)


def test_a_box_never_vanishes() -> None:
    box = Box(left_px=8, top_px=8, width_px=1, height_px=1).scaled(0.01)
    assert (box.width_px, box.height_px) == (1, 1)


@pytest.mark.parametrize(("width", "height"), [(5, 9), (9, 5)])
def test_the_side_of_a_box_is_its_shorter_one(width: int, height: int) -> None:
    assert Box(left_px=0, top_px=0, width_px=width, height_px=height).side_px == 5
