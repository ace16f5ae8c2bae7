"""Whatever happens to a file on its way, decoding ends with pixels or a named reason."""

import io

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import IMAGE_PIXELS_MAX, DecodedImage, decode, upright
from biometrics.face.image_header import HeaderError, ImageFormat, read_header

FORMATS = ["JPEG", "PNG", "WEBP", "JPEG2000"]


def photograph(format_: str) -> bytes:
    picture = Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220)).resize((50, 55))  # type: ignore[no-untyped-call] # scikit-image ships no types
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if format_ == "JPEG2000" else {"exif": exif}
    file = io.BytesIO()
    picture.save(file, format_, **options)
    return file.getvalue()


FILES = {format_: photograph(format_) for format_ in FORMATS}

damages = st.lists(
    st.tuples(
        st.sampled_from(["change", "cut", "repeat", "remove"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, steps: list[tuple[str, float, int]]) -> bytes:
    for kind, place, value in steps:
        # Half of the damage goes to the header, where it has the most to say.
        at = int(place * 2 * len(data)) if place < 0.5 else int((place - 0.5) * 2 * 200)
        at = min(at, len(data))
        if kind == "change":
            data = data[:at] + bytes([value]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "repeat":
            data = data[:at] + data[max(0, at - value) : at] + data[at:]
        else:
            data = data[:at] + data[at + value :]
    return data


def check_outcome(data: bytes) -> None:
    outcome = decode(data, has_orientation=True)
    if isinstance(outcome, DecodedImage):
        height_px, width_px, channels = outcome.pixels.shape
        assert channels == 3
        assert outcome.pixels.dtype == np.uint8
        assert 0 < height_px * width_px <= IMAGE_PIXELS_MAX
    else:
        assert isinstance(outcome, AcquisitionFailure)


@pytest.mark.parametrize("format_", FORMATS)
@given(steps=damages)
@settings(max_examples=120, deadline=None)
def test_a_damaged_photograph_gives_pixels_or_a_named_reason(
    format_: str, steps: list[tuple[str, float, int]]
) -> None:
    check_outcome(damaged(FILES[format_], steps))


@given(st.sampled_from(FORMATS), st.binary(max_size=300), st.integers(2, 30))
@settings(max_examples=200, deadline=None)
def test_noise_behind_a_true_beginning_gives_pixels_or_a_named_reason(
    format_: str, noise: bytes, kept: int
) -> None:
    check_outcome(FILES[format_][:kept] + noise)


@given(st.sampled_from(ImageFormat), st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_reading_a_header_is_total(format_: ImageFormat, data: bytes) -> None:
    try:
        header = read_header(data, format_=format_)
    except HeaderError:
        return
    assert header.width_px > 0
    assert header.height_px > 0
    assert 1 <= header.orientation <= 8


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 8))
@settings(max_examples=100)
def test_turning_upright_loses_no_pixel(height_px: int, width_px: int, orientation: int) -> None:
    pixels = np.arange(height_px * width_px * 3, dtype=np.uint8).reshape(height_px, width_px, 3)
    turned = upright(pixels, orientation)
    assert sorted(turned.ravel()) == sorted(pixels.ravel())
    assert turned.shape in {(height_px, width_px, 3), (width_px, height_px, 3)}
