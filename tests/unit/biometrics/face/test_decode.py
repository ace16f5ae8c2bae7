"""Every layout becomes the same pixels, and every refusal has a name and costs nothing."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import (
    IMAGE_BYTES_MAX,
    REDUCED_SIDE_PX_MIN,
    DecodedImage,
    admit,
    decode,
    upright,
)
from biometrics.face.models import RGBImage

CORNERS = np.array([[10, 90, 90], [90, 90, 90], [90, 90, 200]], dtype=np.uint8).repeat(8, 0)
"""A picture that looks different in each of the eight orientations."""


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def decoded(data: bytes, *, has_orientation: bool = True) -> DecodedImage:
    outcome = decode(data, has_orientation=has_orientation)
    assert isinstance(outcome, DecodedImage), outcome
    return outcome


def failure(data: bytes) -> AcquisitionFailure:
    outcome = decode(data, has_orientation=True)
    assert isinstance(outcome, AcquisitionFailure)
    return outcome


def jpeg2000_header(width_px: int, height_px: int) -> bytes:
    """The header of a JP2 file up to the first tile, as a bomb would begin."""
    data = saved(Image.new("L", (8, 8)), "JPEG2000")
    size = (8).to_bytes(4, "big")
    ihdr = data.index(b"ihdr") + 4
    siz = data.index(b"\xff\x4f\xff\x51") + 8
    data = (
        data[:ihdr] + height_px.to_bytes(4, "big") + width_px.to_bytes(4, "big") + data[ihdr + 8 :]
    )
    wide, high = width_px.to_bytes(4, "big"), height_px.to_bytes(4, "big")
    assert data[siz : siz + 8] == size * 2
    return data[:siz] + wide + high + bytes(8) + wide + high + data[siz + 24 :]


@pytest.mark.parametrize(
    ("format_", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("1", "L", "RGB", "CMYK")),
        *(("WEBP", mode) for mode in ("L", "RGB", "RGBA")),
        *(("JPEG2000", mode) for mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I;16")),
    ],
)
def test_every_layout_becomes_red_green_blue(format_: str, mode: str) -> None:
    image = Image.new("RGB", (40, 30), (255, 255, 255)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 40), 65535, dtype=np.uint16))
    data = saved(image, format_)
    with Image.open(io.BytesIO(data)) as opened:
        assert format_ == "WEBP" or opened.mode == (
            "L" if (format_, mode) == ("JPEG", "1") else mode
        )
    pixels = decoded(data).pixels
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.min() >= 253


def test_red_stays_red() -> None:
    for format_ in ("PNG", "JPEG", "WEBP", "JPEG2000"):
        red, green, blue = decoded(saved(Image.new("RGB", (16, 16), "red"), format_)).pixels[8, 8]
        assert red > 240, format_
        assert max(green, blue) < 15, format_


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    data = saved(Image.new("RGB", (16, 16), (200, 60, 20)).convert("CMYK"), "JPEG", quality=100)
    assert np.abs(decoded(data).pixels[8, 8].astype(int) - (200, 60, 20)).max() <= 4


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    pixels = decoded(saved(Image.fromarray(ramp), "PNG")).pixels
    assert (pixels[:, :, 0].ravel() == np.arange(256)).all()


def test_what_transparency_hides_does_not_count() -> None:
    hidden = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (decoded(saved(hidden, "PNG")).pixels == 255).all()
    half = Image.new("LA", (8, 8), (0, 128))
    assert abs(int(decoded(saved(half, "PNG")).pixels[0, 0, 0]) - 127) <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_orientation_counts_for_a_probe_and_not_for_a_reference(
    orientation: int, format_: str
) -> None:
    image = Image.fromarray(CORNERS)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(image.convert("RGB"), format_, exif=exif, lossless=True)
    turned = Image.open(io.BytesIO(data))
    # Pillow's own reading of the tag is the yardstick.
    expected = np.asarray(ImageOps.exif_transpose(turned).convert("RGB"))
    probe, reference = decoded(data), decoded(data, has_orientation=False)
    assert (probe.pixels == expected).all()
    assert (probe.height_px, probe.width_px) == expected.shape[:2]
    assert (reference.pixels == CORNERS[:, :, None]).all()


def test_turning_keeps_pixels_contiguous() -> None:
    pixels: RGBImage = np.zeros((3, 5, 3), dtype=np.uint8)
    for orientation in range(1, 9):
        assert upright(pixels, orientation).flags.c_contiguous


def test_broken_exif_does_not_spoil_a_picture() -> None:
    data = saved(Image.new("RGB", (16, 16)), "JPEG", exif=b"Exif\0\0II\x2a\0\xff\xff\xff\xff")
    assert decoded(data).width_px == 16


def test_a_large_jpeg_is_decoded_smaller_and_keeps_its_size_in_mind() -> None:
    data = saved(Image.new("RGB", (3264, 2448), "grey"), "JPEG")
    image = decoded(data)
    assert (image.width_px, image.height_px) == (3264, 2448)
    assert min(image.pixels.shape[:2]) >= REDUCED_SIDE_PX_MIN
    assert image.reduction == 2


def test_a_png_is_never_decoded_smaller() -> None:
    assert decoded(saved(Image.new("L", (1600, 1500)), "PNG")).reduction == 1


@pytest.mark.parametrize("format_", ["GIF", "PNG", "JPEG", "WEBP", "JPEG2000"])
def test_one_pixel_is_a_picture(format_: str) -> None:
    assert decoded(saved(Image.new("RGB", (1, 1)), format_)).pixels.shape == (1, 1, 3)


def test_no_bytes_are_undecodable() -> None:
    assert failure(b"") is AcquisitionFailure.UNDECODABLE


@pytest.mark.parametrize("format_", ["BMP", "TIFF"])
def test_other_formats_are_refused_by_name(format_: str) -> None:
    data = saved(Image.new("RGB", (16, 16)), format_)
    assert failure(data) is AcquisitionFailure.UNSUPPORTED_FORMAT


def test_text_is_no_supported_format() -> None:
    assert failure(b"<svg/>" * 100) is AcquisitionFailure.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused(format_: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    data = saved(frames[0], format_, save_all=True, append_images=frames[1:])
    assert failure(data) is AcquisitionFailure.ANIMATED


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "JPEG2000"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_undecodable(face: Image.Image, format_: str, part: float) -> None:
    data = saved(face, format_)
    assert failure(data[: int(len(data) * part)]) is AcquisitionFailure.UNDECODABLE


def test_a_truncated_file_is_undecodable_even_where_pillow_is_told_to_accept_it(
    face: Image.Image, tmp_path: Path
) -> None:
    formats = ("PNG", "JPEG", "WEBP", "JPEG2000")
    for format_ in formats:
        data = saved(face, format_)
        (tmp_path / format_).write_bytes(data[: len(data) * 3 // 4])
    # In a process of its own: the switch is for the whole process.
    script = """
import sys
from pathlib import Path
from PIL import ImageFile
from biometrics.face.decode import decode
ImageFile.LOAD_TRUNCATED_IMAGES = True
print(*(decode(Path(path).read_bytes(), has_orientation=True) for path in sys.argv[1:]))
"""
    command = [sys.executable, "-c", script, *(str(tmp_path / format_) for format_ in formats)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["undecodable"] * 4


def test_a_corrupt_png_is_undecodable(face: Image.Image) -> None:
    data = bytearray(saved(face, "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert failure(bytes(data)) is AcquisitionFailure.UNDECODABLE


def test_too_many_bytes_are_refused(face_jpeg: bytes) -> None:
    largest = face_jpeg.ljust(IMAGE_BYTES_MAX, b"\0")
    assert decoded(largest).width_px == 200
    assert failure(largest + b"\0") is AcquisitionFailure.IMAGE_TOO_LARGE


def test_eight_megapixels_are_accepted_and_one_row_more_is_not() -> None:
    largest = saved(Image.new("L", (4000, 2000)), "PNG")
    assert decoded(largest).width_px == 4000
    assert failure(saved(Image.new("L", (4000, 2001)), "PNG")) is AcquisitionFailure.IMAGE_TOO_LARGE


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = saved(Image.effect_noise((64, 64), 50), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert decoded(data).width_px == 64
    assert failure(data[:-2] + last_scan * 300 + data[-2:]) is AcquisitionFailure.IMAGE_TOO_LARGE


def test_a_jpeg_2000_of_endless_tiles_is_refused() -> None:
    data = saved(Image.new("L", (640, 640)), "JPEG2000", tile_size=(32, 32))
    assert failure(data) is AcquisitionFailure.IMAGE_TOO_LARGE


def test_a_jpeg_2000_bomb_is_refused() -> None:
    assert not isinstance(admit(jpeg2000_header(2000, 2000)), AcquisitionFailure)
    assert failure(jpeg2000_header(30_000, 30_000)) is AcquisitionFailure.IMAGE_TOO_LARGE


def test_bombs_are_refused_without_memory(one_bit_bomb: bytes, tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(one_bit_bomb)
    (tmp_path / "1").write_bytes(jpeg2000_header(30_000, 30_000))
    (tmp_path / "2").write_bytes(saved(Image.new("L", (4000, 2000)), "PNG"))
    # In a process of its own: the peak of this one may already lie higher.
    script = """
import re, sys
from pathlib import Path
from biometrics.face.decode import decode
for path in sys.argv[1:]:
    outcome = decode(Path(path).read_bytes(), has_orientation=True)
    peak_kib = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(getattr(outcome, "value", "decoded"), peak_kib)
"""
    files = [str(tmp_path / name) for name in ("0", "1", "2")]
    command = [sys.executable, "-c", script, *files]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    outcomes, peaks_kib = lines[0::2], [int(peak) for peak in lines[1::2]]
    assert outcomes == ["image_too_large", "image_too_large", "decoded"]
    assert peaks_kib[1] - peaks_kib[0] < 8 * 1024
    # The picture that is let in shows that the measurement sees what decoding takes.
    assert peaks_kib[2] - peaks_kib[1] > 24_000_000 // 1024
    assert peaks_kib[0] < 128 * 1024
