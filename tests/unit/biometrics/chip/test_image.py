"""Pictures tell their format, size and completeness without being decoded."""

import io
import resource
import time

import pytest
from PIL import Image

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.image import ImageFormat, inspect_image
from tests.unit.biometrics.chip import chip_files as chip


def encode(image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((120, 160)).convert("RGB")
    gradient.save(buffer, image_format, **options)
    return buffer.getvalue()


def code_of(image: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        inspect_image(image)
    return caught.value.code


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"quality": 5},
        {"optimize": True, "comment": b"hello"},
        {"restart_marker_blocks": 4},
        {"exif": b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0"},
    ],
)
def test_every_kind_of_jpeg_is_measured(options: dict[str, object]) -> None:
    info = inspect_image(encode("JPEG", **options))

    assert (info.format, info.width_px, info.height_px) == (ImageFormat.JPEG, 120, 160)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"no_jp2": True},
        {"tile_size": (64, 64)},
        {"irreversible": True, "quality_layers": [40, 20]},
        {"num_resolutions": 3},
    ],
)
def test_every_kind_of_jpeg_2000_is_measured(options: dict[str, object]) -> None:
    info = inspect_image(encode("JPEG2000", **options))

    assert (info.format, info.width_px, info.height_px) == (ImageFormat.JPEG2000, 120, 160)


def test_the_area_of_a_jpeg_2000_starts_at_its_offset() -> None:
    stream = bytearray(encode("JPEG2000", no_jp2=True))
    stream[16:20] = (20).to_bytes(4)  # XOsiz

    assert inspect_image(bytes(stream)).width_px == 100


@pytest.mark.parametrize("image_format", ["JPEG", "JPEG2000"])
@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_picture_cut_short_is_not_decodable(image_format: str, kept: float) -> None:
    image = encode(image_format)

    assert code_of(image[: int(len(image) * kept)]) is ChipCode.IMAGE_DECODE


@pytest.mark.parametrize("image_format", ["JPEG", "JPEG2000"])
def test_a_picture_without_its_last_two_octets_is_not_decodable(image_format: str) -> None:
    assert code_of(encode(image_format)[:-2]) is ChipCode.IMAGE_DECODE


@pytest.mark.parametrize("image", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", bytes(64)])
def test_another_format_is_refused(image: bytes) -> None:
    assert code_of(image) is ChipCode.IMAGE_FORMAT


def jpeg_of(width: int, height: int) -> bytes:
    size = height.to_bytes(2) + width.to_bytes(2)
    return chip.picture("JPEG", 64, 64).replace(b"\x08\x00\x40\x00\x40", b"\x08" + size)


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (30000, 30000, ChipCode.IMAGE_TOO_LARGE),
        (4001, 100, ChipCode.IMAGE_TOO_LARGE),
        (3000, 3000, ChipCode.IMAGE_TOO_LARGE),
        (0, 100, ChipCode.IMAGE_DECODE),
        (100, 0, ChipCode.IMAGE_DECODE),
    ],
)
def test_a_size_out_of_bounds_is_refused(width: int, height: int, code: ChipCode) -> None:
    assert code_of(jpeg_of(width, height)) is code


def test_a_size_within_bounds_is_let_pass() -> None:
    assert inspect_image(jpeg_of(4000, 2000)).width_px == 4000


def test_a_bomb_in_jpeg_2000_is_refused() -> None:
    stream = bytearray(encode("JPEG2000", no_jp2=True))
    stream[8:16] = (30000).to_bytes(4) * 2

    assert code_of(bytes(stream)) is ChipCode.IMAGE_TOO_LARGE


SOI, EOI = b"\xff\xd8", b"\xff\xd9"


@pytest.mark.parametrize(
    "image",
    [
        SOI + EOI,  # no frame
        SOI + b"\xff\xe0\x00\x02" + EOI,
        SOI + b"\xff\xc0\x00\x08\x08\x00\x01\x00\x01\x01" + EOI,  # no scan
        SOI + b"\xff\xe0\x00\x00",  # a segment shorter than its own length
        SOI + b"\xff\xe0\xff\xff" + EOI,
        SOI + b"\xff" * 40,
        b"\xff\x4f\xff\x51",
        b"\xff\x4f\xff\x51" + bytes(60),
        bytes.fromhex("0000000C6A5020200D0A870A"),
        bytes.fromhex("0000000C6A5020200D0A870A") + b"\0\0\0\x07jp2c",
        bytes.fromhex("0000000C6A5020200D0A870A") + b"\0\0\0\x0cjp2cabcd",
        bytes.fromhex("0000000C6A5020200D0A870A") + b"\0\0\0\x01jp2c" + b"\xff" * 8,
    ],
)
def test_a_broken_structure_is_not_decodable(image: bytes) -> None:
    assert code_of(image) is ChipCode.IMAGE_DECODE


def test_a_marker_that_stands_alone_is_stepped_over() -> None:
    image = chip.picture("JPEG")

    assert inspect_image(SOI + b"\xff\x01" + image[2:]).width_px == 96


def test_a_tile_part_that_states_no_length_runs_to_the_end() -> None:
    stream = bytearray(encode("JPEG2000", no_jp2=True))
    start = stream.index(b"\xff\x90")
    stream[start + 6 : start + 10] = bytes(4)

    assert inspect_image(bytes(stream)).width_px == 120


def test_a_tile_part_too_short_for_its_header_is_broken() -> None:
    stream = bytearray(encode("JPEG2000", no_jp2=True))
    start = stream.index(b"\xff\x90")
    stream[start + 6 : start + 10] = (1).to_bytes(4)

    assert code_of(bytes(stream)) is ChipCode.IMAGE_DECODE


def announcing(width: int, height: int, *, in_boxes: bool, in_stream: bool) -> bytes:
    """A JPEG 2000 that announces another size, in its boxes, its codestream or both."""
    image = bytearray(encode("JPEG2000"))
    if in_boxes:
        at = image.index(b"ihdr") + 4
        image[at : at + 8] = height.to_bytes(4) + width.to_bytes(4)
    if in_stream:
        at = image.index(b"\xff\x4f\xff\x51") + 8
        image[at : at + 8] = width.to_bytes(4) + height.to_bytes(4)
    return bytes(image)


@pytest.mark.parametrize(("in_boxes", "in_stream"), [(True, True), (True, False), (False, True)])
def test_nine_hundred_million_pixels_in_a_few_kilobytes_cost_nothing(
    *, in_boxes: bool, in_stream: bool
) -> None:
    bomb = announcing(30_000, 30_000, in_boxes=in_boxes, in_stream=in_stream)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()

    code = code_of(bomb)

    assert code is ChipCode.IMAGE_TOO_LARGE
    assert len(bomb) < 15_000
    assert time.process_time() - started < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 8 * 1024  # KiB


def test_a_jpeg_2000_of_two_sizes_is_refused() -> None:
    assert code_of(announcing(119, 160, in_boxes=True, in_stream=False)) is ChipCode.IMAGE_DECODE


def test_a_jpeg_2000_of_many_tiles_is_refused() -> None:
    assert code_of(encode("JPEG2000", tile_size=(16, 16))) is ChipCode.IMAGE_TOO_LARGE


def test_a_jpeg_of_many_scans_is_refused() -> None:
    image = encode("JPEG", progressive=True)
    at = image.rindex(b"\xff\xda")
    scan = image[at:-2]

    assert code_of(image[:-2] + scan * 40 + b"\xff\xd9") is ChipCode.IMAGE_TOO_LARGE


STREAM = encode("JPEG2000", no_jp2=True)
TILE_PART_WITHOUT_LENGTH = b"\xff\x90\x00\x0a" + bytes(8)


@pytest.mark.parametrize(
    "image",
    [
        SOI + b"\xff" * 250_000,
        SOI + b"\xff\xd0" * 125_000,
        SOI + b"\xff\xfe\x00\x02" * 62_000,
        SOI + b"\xff\xda\x00\x02" * 62_000,
        STREAM[: STREAM.index(b"\xff\x90")] + TILE_PART_WITHOUT_LENGTH * 20_000,
        STREAM[: STREAM.index(b"\xff\x90")] + b"\xff\x64\x00\x02" * 60_000,
        bytes.fromhex("0000000C6A5020200D0A870A") + b"\0\0\0\x08free" * 30_000,
    ],
)
def test_no_picture_is_walked_over_for_long(image: bytes) -> None:
    started = time.process_time()

    code = code_of(image)

    assert code is ChipCode.IMAGE_DECODE
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("fill", [b"\xff\x00", b"\xff\xd0"])
def test_a_scan_may_be_as_long_as_it_likes(fill: bytes) -> None:
    image = chip.picture("JPEG")

    assert inspect_image(image[:-2] + fill * 100_000 + EOI).width_px == 96
