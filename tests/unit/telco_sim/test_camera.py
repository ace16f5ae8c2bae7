"""Portraits and probes as files, apart from who is in them."""

import io
from random import Random

import numpy as np
import pytest
from PIL import Image

from telco_sim.camera import (
    PORTRAIT_BYTES_MAX,
    FramedHead,
    HeadFinder,
    PortraitFormat,
    take_portrait,
    take_probe,
)


def noise_picture(width_px: int, height_px: int) -> Image.Image:
    """Return a picture of smooth noise: no face, and hard enough to compress."""
    chance = np.random.default_rng(1)
    small = chance.integers(0, 255, (height_px // 8, width_px // 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width_px, height_px))


@pytest.fixture(scope="module")
def head() -> FramedHead:
    return FramedHead(image=noise_picture(400, 480), centre_px=(200.0, 200.0), face_px=150.0)


def test_a_portrait_is_480_by_640_and_small(head: FramedHead) -> None:
    for portrait_format, name in (
        (PortraitFormat.JPEG, "JPEG"),
        (PortraitFormat.JPEG2000, "JPEG2000"),
    ):
        encoded = take_portrait(head, portrait_format=portrait_format)
        with Image.open(io.BytesIO(encoded)) as image:
            assert (image.format, image.size, image.mode) == (name, (480, 640), "RGB")
        assert len(encoded) <= PORTRAIT_BYTES_MAX


def test_a_portrait_is_the_same_each_time(head: FramedHead) -> None:
    first = take_portrait(head, portrait_format=PortraitFormat.JPEG)
    assert first == take_portrait(head, portrait_format=PortraitFormat.JPEG)


def test_a_portrait_shows_the_face_in_the_middle() -> None:
    picture = Image.new("RGB", (600, 800), (0, 0, 0))
    picture.paste((255, 255, 255), (250, 250, 350, 350))
    head = FramedHead(image=picture, centre_px=(300.0, 300.0), face_px=100.0)
    encoded = take_portrait(head, portrait_format=PortraitFormat.JPEG)
    pixels = np.asarray(Image.open(io.BytesIO(encoded)).convert("L"))
    rows, columns = np.nonzero(pixels > 128)
    assert abs(columns.mean() - 240) < 2
    assert abs(rows.mean() - 640 * 0.47) < 2
    assert abs((columns.max() - columns.min()) - 240) < 4  # a face is half as wide as a portrait


def test_probes_differ_and_are_repeatable(head: FramedHead) -> None:
    generator, again = Random(9), Random(9)
    probes = [take_probe(head, generator=generator) for _ in range(6)]
    assert len(set(probes)) == 6
    assert probes == [take_probe(head, generator=again) for _ in range(6)]


def test_a_probe_is_a_jpeg_of_480_by_640(head: FramedHead) -> None:
    with Image.open(io.BytesIO(take_probe(head, generator=Random(1)))) as image:
        assert (image.format, image.size) == ("JPEG", (480, 640))


def test_a_frame_beyond_the_photograph_carries_its_edge_on() -> None:
    grey = Image.new("RGB", (60, 60), (90, 90, 90))
    head = FramedHead(image=grey, centre_px=(5.0, 5.0), face_px=50.0)
    encoded = take_portrait(head, portrait_format=PortraitFormat.JPEG)
    pixels = np.asarray(Image.open(io.BytesIO(encoded)))
    assert abs(pixels.astype(int) - 90).max() <= 2


def test_where_no_face_shows_it_is_taken_to_be_in_the_middle() -> None:
    head = HeadFinder().frame(Image.new("L", (250, 250), 128))
    assert head.image.mode == "RGB"
    assert head.centre_px == (125.0, 125.0)
    assert head.face_px == 100.0


def test_a_photograph_with_a_huge_face_is_reduced() -> None:
    head = HeadFinder().frame(Image.new("RGB", (2000, 3000), (10, 10, 10)))
    assert head.face_px == pytest.approx(300.0)
    assert head.image.size == (750, 1125)
    assert head.centre_px == pytest.approx((375.0, 562.5))
