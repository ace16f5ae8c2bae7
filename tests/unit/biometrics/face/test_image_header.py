"""Format, size, frames and orientation are read from the bytes alone."""

import io
import struct

import pytest
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import admit
from biometrics.face.image_header import (
    GIF_BLOCKS_MAX,
    HeaderError,
    ImageFormat,
    ImageHeader,
    image_format,
    jpeg_picture,
    read_header,
)

FORMATS = {
    ImageFormat.GIF: "GIF",
    ImageFormat.JPEG: "JPEG",
    ImageFormat.JPEG2000: "JPEG2000",
    ImageFormat.PNG: "PNG",
    ImageFormat.WEBP: "WEBP",
}


def file_of(
    format_: str, *, mode: str = "RGB", size: tuple[int, int] = (7, 5), **options: object
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, format_, **options)
    return file.getvalue()


def header_of(data: bytes) -> ImageHeader:
    format_ = image_format(data)
    assert format_ is not None
    return read_header(data, format_=format_)


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


@pytest.mark.parametrize("format_", ImageFormat)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_format_and_size_are_read(format_: ImageFormat, mode: str) -> None:
    if format_ is ImageFormat.JPEG and mode == "RGBA":
        mode = "CMYK"
    header = header_of(file_of(FORMATS[format_], mode=mode))
    assert header == ImageHeader(format=format_, width_px=7, height_px=5, passes=header.passes)


def test_a_lossless_webp_is_read() -> None:
    header = header_of(file_of("WEBP", lossless=True, size=(300, 200)))
    assert (header.width_px, header.height_px) == (300, 200)


def test_a_bare_jpeg_2000_codestream_is_read() -> None:
    data = file_of("JPEG2000", no_jp2=True)
    assert data.startswith(b"\xff\x4f")
    assert (header_of(data).width_px, header_of(data).height_px) == (7, 5)


@pytest.mark.parametrize("format_", ["BMP", "TIFF", "ICO"])
def test_other_formats_have_no_name(format_: str) -> None:
    assert image_format(file_of(format_)) is None


def test_no_bytes_have_no_format() -> None:
    assert image_format(b"") is None


@pytest.mark.parametrize("format_", ImageFormat)
def test_every_cut_through_the_header_is_a_header_error_or_whole(format_: ImageFormat) -> None:
    data = file_of(FORMATS[format_])
    whole = header_of(data)
    outcomes = set()
    for length in range(1, len(data)):
        try:
            header = read_header(data[:length], format_=format_)
        except HeaderError:
            outcomes.add("refused")
        else:
            assert (header.width_px, header.height_px) == (whole.width_px, whole.height_px)
    assert outcomes == {"refused"}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_read(format_: str, orientation: int) -> None:
    assert header_of(file_of(format_, exif=exif(orientation))).orientation == orientation


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"XX\x2a\0\x08\0\0\0",
        b"II\x2a\0\xff\xff\xff\xff",
        b"II\x2a\0\x08\0\0\0\xff\xff",
        b"II\x2a\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 9, 0),
        b"II\x2a\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 4, 1, 6),
    ],
    ids=["empty", "no byte order", "offset outside", "entries outside", "9", "a long"],
)
def test_broken_exif_means_upright(block: bytes) -> None:
    assert header_of(file_of("JPEG", exif=b"Exif\0\0" + block)).orientation == 1


def test_big_endian_exif_is_read() -> None:
    block = b"MM\0\x2a\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    assert header_of(file_of("JPEG", exif=b"Exif\0\0" + block)).orientation == 6


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
def test_several_frames_are_seen(format_: str) -> None:
    frames = [Image.new("RGB", (7, 5), colour) for colour in ("red", "blue")]
    data = file_of(format_, save_all=True, append_images=frames)
    assert header_of(data).is_animated


def test_the_scans_of_a_jpeg_are_counted() -> None:
    assert header_of(file_of("JPEG")).passes == 1
    assert header_of(file_of("JPEG", progressive=True, size=(64, 64))).passes > 1


def test_the_tiles_of_a_jpeg_2000_are_counted() -> None:
    data = file_of("JPEG2000", size=(64, 48), tile_size=(16, 16))
    assert header_of(data).passes == 12


def test_a_jp2_header_that_lies_about_the_codestream_is_refused() -> None:
    data = file_of("JPEG2000", size=(64, 48))
    place = data.index(b"ihdr") + 4
    lie = data[:place] + struct.pack(">II", 5, 7) + data[place + 8 :]
    with pytest.raises(HeaderError, match="differ in size"):
        header_of(lie)


def test_a_picture_without_pixels_is_refused() -> None:
    data = file_of("PNG")
    with pytest.raises(HeaderError, match="no pixels"):
        header_of(data[:16] + bytes(8) + data[24:])


def test_endless_segments_are_refused() -> None:
    with pytest.raises(HeaderError, match="too many"):
        header_of(b"\xff\xd8" + b"\xff\xfe\0\x02" * 10_000)
    with pytest.raises(HeaderError, match="too many"):
        header_of(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0teXt\0\0\0\0" * 10_000)


def test_a_jpeg_picture_has_lost_its_metadata_and_nothing_else() -> None:
    plain = file_of("JPEG")
    assert jpeg_picture(file_of("JPEG", exif=exif(6))) == plain
    assert jpeg_picture(plain) == plain


def test_a_gif_of_endless_blocks_is_refused() -> None:
    comment = b"\x21\xfe" + b"\x01a" * (GIF_BLOCKS_MAX + 1)
    with pytest.raises(HeaderError, match="too many GIF blocks"):
        header_of(b"GIF89a" + struct.pack("<HHBBB", 7, 5, 0, 0, 0) + comment)


def test_a_gif_without_a_frame_is_refused() -> None:
    with pytest.raises(HeaderError, match="without a picture"):
        header_of(b"GIF89a" + struct.pack("<HHBBB", 7, 5, 0, 0, 0) + b"\x3b")


def test_a_gif_frame_that_reaches_past_the_screen_counts_with_its_size() -> None:
    data = bytearray(file_of("GIF"))
    data[6:10] = struct.pack("<HH", 1, 1)
    header = header_of(bytes(data))
    assert (header.width_px, header.height_px) == (7, 5)


def codestream(
    *, side_px: int = 1000, block: int = 4, precinct: int | None = None, layers: int = 1
) -> bytes:
    """A JPEG 2000 of 8 x 8 pixels that announces more, in parts of a size of one's choice.

    Args:
        side_px: Announced width and height.
        block: Exponent of the code blocks' side, less two.
        precinct: Exponent of the precincts' side; None for one precinct.
        layers: Quality layers.
    """
    data = bytearray(file_of("JPEG2000", size=(8, 8), no_jp2=True, num_resolutions=1))
    struct.pack_into(">II", data, 8, side_px, side_px)
    struct.pack_into(">II", data, 24, side_px, side_px)
    at = data.index(b"\xff\x52")
    data[at + 10 : at + 12] = bytes([block, block])
    struct.pack_into(">H", data, at + 6, layers)
    if precinct is not None:
        (length,) = struct.unpack_from(">H", data, at + 2)
        struct.pack_into(">H", data, at + 2, length + 1)
        data[at + 4] |= 1
        data[at + 2 + length : at + 2 + length] = bytes([precinct | precinct << 4])
    return bytes(data)


@pytest.mark.parametrize(
    "data", [codestream(), codestream(block=0, side_px=400), codestream(precinct=7)]
)
def test_a_codestream_in_few_parts_is_read(data: bytes) -> None:
    assert not read_header(data, format_=ImageFormat.JPEG2000).is_overcut


@pytest.mark.parametrize(
    "data",
    [
        codestream(precinct=0),
        codestream(precinct=2),
        codestream(block=0, side_px=2800),
        codestream(layers=65),
    ],
)
def test_a_codestream_in_parts_past_counting_is_told(data: bytes) -> None:
    assert read_header(data, format_=ImageFormat.JPEG2000).is_overcut
    assert admit(data) is AcquisitionFailure.IMAGE_TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        codestream().replace(b"\xff\x52", b"\xff\x64"),
        codestream().replace(b"\xff\x5c", b"\xff\x53"),
        codestream()[: codestream().index(b"\xff\x52") + 6],
    ],
)
def test_a_codestream_that_hides_how_it_is_coded_is_refused(data: bytes) -> None:
    with pytest.raises(HeaderError):
        read_header(data, format_=ImageFormat.JPEG2000)
