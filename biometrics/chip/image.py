"""What kind of picture a run of octets is, and how large, without decoding it.

Owns the walk over the markers of JPEG (ITU-T T.81, annex B) and JPEG 2000 (ITU-T T.800, annexes A
and I): enough to tell the format, the dimensions and whether the picture is all there. Headers of
the biometric record around it lie about all three, so nothing of them is used. A picture that
passes is bounded; turning it into pixels is somebody else's job.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.face import image_header

SIDE_PX_MAX = 4000
PIXELS_MAX = 8_000_000
"""A bound on what a decoder will allocate: 15 KB can claim to be 30000 x 30000 pixels."""
PASSES_MAX = 32
"""Scans of a JPEG or tiles of a JPEG 2000, as `face.decode` bounds them: a portrait has one tile,
and 250 scans of 8 megapixels in 36 KB cost 2.4 s."""

SEGMENTS_MAX = 4096
"""Markers, segments or boxes walked over before giving up, as `face.image_header` has it: a file of
256 KB can hold 130,000."""

_JPEG = b"\xff\xd8\xff"
_JP2 = bytes.fromhex("0000000C6A5020200D0A870A")
_CODESTREAM = b"\xff\x4f\xff\x51"

_SOI_OCTETS = 2
_MARKER = 0xFF
_EOI, _SOS = 0xD9, 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM, RST0 to RST7
_FILL = re.compile(rb"\xff+")
_SCAN_END = re.compile(rb"\xff[^\x00\x01\xd0-\xd7]", re.DOTALL)
"""A marker that neither stands alone nor is a stuffed octet (T.81, clause B.1.1.2)."""
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # less DHT, JPG, DAC

_SIZ, _SOT, _EOC = b"\xff\x51", b"\xff\x90", b"\xff\xd9"
_SOT_OCTETS = 12


class ImageFormat(StrEnum):
    """The two formats of Doc 9303-9, clause 3.5."""

    JPEG = "jpeg"
    JPEG2000 = "jpeg2000"


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """What an image says of itself."""

    format: ImageFormat
    width_px: int
    height_px: int


def inspect_image(image: bytes) -> ImageInfo:
    """Tell format and size of one complete image.

    Raises:
        ChipError: IMAGE_FORMAT when it is neither JPEG nor JPEG 2000, IMAGE_DECODE when it is cut
            short or its structure is broken, IMAGE_TOO_LARGE.
    """
    if image.startswith(_JPEG):
        image_format, (width, height) = ImageFormat.JPEG, _measure_jpeg(image)
    elif image.startswith((_JP2, _CODESTREAM)):
        image_format, (width, height) = ImageFormat.JPEG2000, _measure_jpeg2000(image)
    else:
        raise ChipError(ChipCode.IMAGE_FORMAT, "neither JPEG nor JPEG 2000")
    if width < 1 or height < 1:
        raise _broken("an image without pixels")
    if max(width, height) > SIDE_PX_MAX or width * height > PIXELS_MAX:
        raise ChipError(ChipCode.IMAGE_TOO_LARGE, f"{width} x {height} pixels")
    _check_decoders_view(image, image_format, size=(width, height))
    return ImageInfo(format=image_format, width_px=width, height_px=height)


def _check_decoders_view(image: bytes, image_format: ImageFormat, *, size: tuple[int, int]) -> None:
    """Check that whoever decodes this will find the same size, at a bounded cost.

    The boxes around a JPEG 2000 codestream say its size a second time, and a JPEG can walk over
    its picture often.
    """
    try:
        header = image_header.read_header(
            image, format_=image_header.ImageFormat(image_format.value)
        )
    except image_header.HeaderError as error:
        raise _broken(str(error)) from error
    if (header.width_px, header.height_px) != size:
        raise _broken("two sizes")
    if header.passes > PASSES_MAX:
        raise ChipError(ChipCode.IMAGE_TOO_LARGE, f"{header.passes} scans or tiles")


def _measure_jpeg(image: bytes) -> tuple[int, int]:
    """Walk all segments and scans to the end-of-image marker."""
    size: tuple[int, int] | None = None
    has_scan = False
    at = _SOI_OCTETS
    for _ in range(SEGMENTS_MAX):
        marker, at = _next_marker(image, at)
        if marker == _EOI:
            break
        if marker in _STANDALONE:
            continue
        end = at + _number(image, at, 2)
        if marker in _START_OF_FRAME:
            size = _number(image, at + 5, 2), _number(image, at + 3, 2)
        has_scan = has_scan or marker == _SOS
        at = _scan_end(image, end) if marker == _SOS else end
    else:
        raise _broken("too many JPEG segments")
    if size is None or not has_scan:
        raise _broken("JPEG without a frame or a scan")
    return size


def _next_marker(image: bytes, at: int) -> tuple[int, int]:
    """Return the marker at this offset and where its segment starts."""
    fill = _FILL.match(image, at)  # as many octets as somebody likes, T.81 clause B.1.1.2
    if fill is None:
        raise _broken("JPEG marker expected")
    return _number(image, fill.end(), 1), fill.end() + 1


def _scan_end(image: bytes, at: int) -> int:
    """Return where the entropy-coded data ends: at a marker that is not a restart."""
    end = _SCAN_END.search(image, at)
    if end is None:
        raise _broken("JPEG ends inside a scan")
    return end.start()


def _measure_jpeg2000(image: bytes) -> tuple[int, int]:
    boxed = (0, 0)
    stream = image
    if not image.startswith(_CODESTREAM):
        stream, boxed = _open_boxes(image)
    if not stream.startswith(_CODESTREAM):
        raise _broken("JPEG 2000 without a codestream")
    # SIZ: marker 2, length 2, capabilities 2, then extent and offset of the image area.
    siz = len(_CODESTREAM) + 4
    width = _number(stream, siz, 4) - _number(stream, siz + 8, 4)
    height = _number(stream, siz + 4, 4) - _number(stream, siz + 12, 4)
    _check_tile_parts(stream, _main_header_end(stream))
    # Decoders allocate by one or the other, so the larger one counts.
    return max(width, boxed[0]), max(height, boxed[1])


def _open_boxes(image: bytes) -> tuple[bytes, tuple[int, int]]:
    """Return the content of the contiguous codestream box, and the size told before it."""
    size = (0, 0)
    at = 0
    for _ in range(SEGMENTS_MAX):
        if at >= len(image):
            break
        length, kind, start = _number(image, at, 4), image[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = _number(image, at + 8, 8), at + 16
        end = len(image) if length == 0 else at + length
        if end < start or end > len(image):
            raise _broken("JPEG 2000 box is cut short")
        if kind == b"jp2c":
            return image[start:end], size
        if kind == b"jp2h" and image[start + 4 : start + 8] == b"ihdr":
            size = _number(image, start + 12, 4), _number(image, start + 8, 4)
        at = end
    raise _broken("JPEG 2000 without a codestream")


def _main_header_end(stream: bytes) -> int:
    at = 2
    for _ in range(SEGMENTS_MAX):
        if stream[at : at + 2] == _SOT:
            return at
        if _number(stream, at, 1) != _MARKER:
            raise _broken("JPEG 2000 marker expected")
        at += 2 + _number(stream, at + 2, 2)
    raise _broken("too many JPEG 2000 segments")


def _check_tile_parts(stream: bytes, at: int) -> None:
    """Walk the tile parts by the lengths they state, to the end-of-codestream marker."""
    for _ in range(SEGMENTS_MAX):
        if stream[at : at + 2] != _SOT:
            break
        length = _number(stream, at + 6, 4)
        if length == 0:  # the last one: up to the end of the codestream
            at = stream.rfind(_EOC, at + _SOT_OCTETS)
            break
        if length < _SOT_OCTETS:
            raise _broken("JPEG 2000 tile part too short")
        at += length
    if at < 0 or stream[at : at + 2] != _EOC:
        raise _broken("JPEG 2000 does not end with its end marker")


def _number(data: bytes, at: int, octets: int) -> int:
    if at + octets > len(data):
        raise _broken("the image ends inside a header")
    return int.from_bytes(data[at : at + octets])


def _broken(what: str) -> ChipError:
    return ChipError(ChipCode.IMAGE_DECODE, what)
