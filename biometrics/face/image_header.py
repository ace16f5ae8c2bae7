"""What an image file says about itself, read without decoding a pixel.

Owns the containers: which format it is, how many pixels and frames it announces, which way up it
is, and whether decoding it would cost more than its size lets on. Refuses to know pixels and
limits on them. Written by hand because the answer must come before any decoder sees the bytes,
and because decoders differ in what they do on opening a file.

A file that breaks off is refused here too: whether Pillow refuses it hangs on a switch of the whole
process, which importing `face_recognition`, for one, turns off.

Every function is total: on broken bytes it returns None or raises `HeaderError`, in time bounded
by `SEGMENTS_MAX` and `GIF_BLOCKS_MAX`.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

SEGMENTS_MAX = 4096
"""Segments, chunks or boxes read before giving up. An 8 MiB PNG in 8 KiB chunks has 1024."""


class HeaderError(ValueError):
    """The header is truncated or contradicts itself."""


class ImageFormat(StrEnum):
    """The formats read here: those of ICAO Doc 9303 portraits, of cameras, phones and archives."""

    GIF = "gif"
    JPEG = "jpeg"
    JPEG2000 = "jpeg2000"
    PNG = "png"
    WEBP = "webp"


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the file announces.

    Attributes:
        format: Container format.
        width_px: Width as stored, at least 1.
        height_px: Height as stored, at least 1.
        is_animated: Whether there is more than one frame.
        orientation: EXIF orientation (TIFF 6.0 tag 274), 1..8; 1 when absent or unreadable.
        passes: Times a decoder walks over the picture: JPEG scans, JPEG 2000 tiles; else 1.
        is_overcut: Whether a JPEG 2000 has more precincts, code blocks or layers than any encoder
            would make.
    """

    format: ImageFormat
    width_px: int
    height_px: int
    is_animated: bool = False
    orientation: int = 1
    passes: int = 1
    is_overcut: bool = False


def image_format(data: bytes) -> ImageFormat | None:
    """The format by its first bytes, None for any other."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if data.startswith((_JP2_SIGNATURE, _CODESTREAM_START)):
        return ImageFormat.JPEG2000
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    return None


def read_header(data: bytes, *, format_: ImageFormat) -> ImageHeader:
    """What the file announces.

    Raises:
        HeaderError: The header is truncated, contradicts itself or announces no pixels.
    """
    readers = {
        ImageFormat.GIF: _gif_header,
        ImageFormat.JPEG: _jpeg_header,
        ImageFormat.PNG: _png_header,
        ImageFormat.WEBP: _webp_header,
        ImageFormat.JPEG2000: _jpeg2000_header,
    }
    try:
        header = readers[format_](data)
    except (struct.error, IndexError) as error:
        raise HeaderError("the header is truncated") from error
    if header.width_px < 1 or header.height_px < 1:
        raise HeaderError("the header announces no pixels")
    return header


# JPEG: ISO/IEC 10918-1, annex B.

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_APP1 = 0xE1
_EXIF_PREFIX = b"Exif\0\0"
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def jpeg_picture(data: bytes) -> bytes:
    """A JPEG without its EXIF and XMP (APP1), which a decoder need not try to understand.

    Raises:
        HeaderError: The segments before the first scan are not whole.
    """
    kept = [data[:2]]
    start = 2
    for marker, payload_at, end in _jpeg_segments(data):
        if marker != _APP1:
            kept.append(data[payload_at - 4 : end])
        start = end
    return b"".join((*kept, data[start:]))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the payload of each segment, through the first start of scan."""
    position = 2
    for _ in range(SEGMENTS_MAX):
        if data[position] != 0xFF:  # noqa: PLR2004 - every marker starts so
            raise HeaderError("a JPEG marker is missing")
        marker = data[position + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte before a marker
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            end = position + 2 + length
            yield marker, position + 4, end
            if marker == _START_OF_SCAN:
                return
            position = end
    raise HeaderError("too many JPEG segments")


def _jpeg_header(data: bytes) -> ImageHeader:
    size: tuple[int, int] | None = None
    orientation = 1
    end = 0
    for marker, start, end in _jpeg_segments(data):
        if marker in _START_OF_FRAME and size is None:
            size = struct.unpack_from(">HH", data, start + 1)
        elif marker == _APP1 and data.startswith(_EXIF_PREFIX, start):
            orientation = _exif_orientation(data[start + len(_EXIF_PREFIX) : end])
    if size is None:
        raise HeaderError("a JPEG scan comes before its frame")
    if data.find(_END_OF_IMAGE, end) < 0:
        raise HeaderError("the JPEG breaks off")
    return ImageHeader(
        format=ImageFormat.JPEG,
        width_px=size[1],
        height_px=size[0],
        orientation=orientation,
        # Inside a scan 0xFF is always followed by 0x00 or a restart marker, so this counts each
        # scan, and a few more when metadata holds the two bytes.
        passes=data.count(bytes((0xFF, _START_OF_SCAN))),
    )


# PNG: ISO/IEC 15948 (third edition for acTL and eXIf).


_END_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"


def _png_header(data: bytes) -> ImageHeader:
    is_animated = False
    orientation = 1
    size: tuple[int, int] | None = None
    position = 8
    for _ in range(SEGMENTS_MAX):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if kind == b"IHDR" and size is None:
            size = struct.unpack_from(">II", data, start)
        elif kind == b"acTL":
            is_animated = True
        elif kind == b"eXIf":
            orientation = _exif_orientation(data[start : start + length])
        elif kind == b"IDAT":
            break
        position = start + length + 4
    else:
        raise HeaderError("too many PNG chunks")
    if size is None:
        raise HeaderError("a PNG without a header")
    if data.find(_END_CHUNK, position) < 0:
        raise HeaderError("the PNG breaks off")
    return ImageHeader(
        format=ImageFormat.PNG,
        width_px=size[0],
        height_px=size[1],
        is_animated=is_animated,
        orientation=orientation,
    )


# WebP: RFC 9649.

_VP8X_ANIMATION = 0x02


def _webp_header(data: bytes) -> ImageHeader:
    (length,) = struct.unpack_from("<I", data, 4)
    if 8 + length > len(data):
        raise HeaderError("the WebP breaks off")
    kind = data[12:16]
    is_animated = False
    if kind == b"VP8X":
        is_animated = bool(data[20] & _VP8X_ANIMATION)
        width_px = 1 + int.from_bytes(data[24:27], "little")
        height_px = 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width_px, height_px = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width_px, height_px = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise HeaderError("a WebP without a picture")
    return ImageHeader(
        format=ImageFormat.WEBP,
        width_px=width_px,
        height_px=height_px,
        is_animated=is_animated,
        orientation=_webp_orientation(data),
    )


def _webp_orientation(data: bytes) -> int:
    position = 12
    for _ in range(SEGMENTS_MAX):
        if position + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"EXIF":
            block = data[position + 8 : position + 8 + length]
            return _exif_orientation(block.removeprefix(_EXIF_PREFIX))
        position += 8 + length + length % 2
    return 1


# JPEG 2000: ISO/IEC 15444-1, annexes A (codestream) and I (boxes).

_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM_START = b"\xff\x4f\xff\x51"
_LENGTH_TO_END, _LENGTH_IN_64_BITS = 0, 1
_COMPONENTS_MAX = 4


def _jpeg2000_header(data: bytes) -> ImageHeader:
    if data.startswith(_CODESTREAM_START):
        return _codestream_header(data)
    announced: tuple[int, int] | None = None
    for kind, payload in _jp2_boxes(data):
        if kind == b"jp2h" and payload[4:8] == b"ihdr":
            announced = struct.unpack_from(">II", payload, 8)
        elif kind == b"jp2c":
            header = _codestream_header(payload)
            # A decoder allocates by one of the two; a file in which they differ is an attack.
            if announced != (header.height_px, header.width_px):
                raise HeaderError("the JP2 header and the codestream differ in size")
            return header
    raise HeaderError("a JP2 without a codestream")


def _jp2_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    for _ in range(SEGMENTS_MAX):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == _LENGTH_IN_64_BITS:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        elif length == _LENGTH_TO_END:
            length = len(data) - position
        end = position + length
        if not start <= end <= len(data):
            raise HeaderError("a JP2 box shorter than its own header, or longer than the file")
        yield kind, data[start:end]
        position = end


def _codestream_header(codestream: bytes) -> ImageHeader:
    if not codestream.startswith(_CODESTREAM_START):
        raise HeaderError("not a JPEG 2000 codestream")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = (
        struct.unpack_from(">8IH", codestream, 8)
    )
    if not (0 < components <= _COMPONENTS_MAX and tile_width and tile_height):
        raise HeaderError("the codestream has no picture of up to four components")
    size = {"width_px": right - left, "height_px": bottom - top}
    is_overcut = _is_overcut(codestream, **size, components=components)
    columns = -(-(right - tile_left) // tile_width)
    rows = -(-(bottom - tile_top) // tile_height)
    return ImageHeader(
        format=ImageFormat.JPEG2000,
        **size,
        passes=max(1, columns * rows),
        is_overcut=is_overcut,
    )


PRECINCTS_MAX = 65_536
"""Precincts of a JPEG 2000 over all resolutions and components: parts that a decoder describes one
by one, in some 550 bytes each, before it reads any. Eight megapixels in precincts of 128 x 128 have
2,000; a file of 384 bytes with precincts of one pixel took 1.7 GB for each megapixel."""

BLOCKS_MAX = 262_144
"""Code blocks likewise, 430 bytes each. Encoders write 64 x 64 or 32 x 32, of which eight
megapixels have up to 31,000; a file of 204 bytes with blocks of 4 x 4 took 642 MB."""

LAYERS_MAX = 64
"""Quality layers. Encoders write one to twenty."""

_CODING, _CODING_OF_COMPONENT, _TILE_PART, _DATA = 0xFF52, 0xFF53, 0xFF90, 0xFF93
_TILE_PART_START = b"\xff\x90"
_HAS_PRECINCTS = 1
_LARGEST_PRECINCT = 0xFF
_LEVELS_MAX = 32
"""Most resolutions of the format (ITU-T T.800, table A.15)."""


def _is_overcut(codestream: bytes, *, width_px: int, height_px: int, components: int) -> bool:
    """Whether a picture is cut into so many parts that describing them would take all memory.

    Every tile must be coded as the main header says (ITU-T T.800, annex A): what a component or a
    tile has of its own is not looked for in portraits, and refused.
    """
    coding = [body for kind, body in _codestream_segments(codestream, 2) if kind == _CODING]
    if len(coding) != 1:
        raise HeaderError("a codestream with no or several ways of coding")
    style, layers, levels, *block = struct.unpack_from(">BxHxBBB", coding[0])
    has_precincts = bool(style & _HAS_PRECINCTS)
    if levels > _LEVELS_MAX:
        raise HeaderError("more resolutions than there can be")
    precincts = blocks = 0
    for resolution in range(levels + 1):
        byte = coding[0][10 + resolution] if has_precincts else _LARGEST_PRECINCT
        exponents = (byte & 15, byte >> 4)
        # Blocks are written less two, and lie inside a precinct.
        inside = [min(one + 2, other) for one, other in zip(block, exponents, strict=True)]
        sides = [-(-side >> (levels - resolution)) for side in (width_px, height_px)]
        precincts += _parts(sides, exponents)
        blocks += _parts(sides, inside)
    return (
        layers > LAYERS_MAX
        or precincts * components > PRECINCTS_MAX
        or blocks * components > BLOCKS_MAX
    )


def _parts(sides_px: Sequence[int], exponents: Sequence[int]) -> int:
    """How many parts of 2^exponent pixels a picture is cut into."""
    return math.prod(
        -(-side >> exponent) for side, exponent in zip(sides_px, exponents, strict=True)
    )


def _codestream_segments(codestream: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of the segments of the main header and of each tile part."""
    tile_part = 0
    for _ in range(SEGMENTS_MAX):
        kind, length = struct.unpack_from(">HH", codestream, position)
        if kind == _TILE_PART:
            (size,) = struct.unpack_from(">I", codestream, position + 6)
            tile_part = position + (size or len(codestream))
        if kind == _CODING_OF_COMPONENT:
            raise HeaderError("a component with a coding of its own")
        if kind != _DATA:
            yield kind, codestream[position + 4 : position + 2 + length]
            position += 2 + length
        elif tile_part <= position:
            raise HeaderError("a tile part shorter than its own header")
        elif codestream[tile_part : tile_part + 2] != _TILE_PART_START:
            return
        else:
            position = tile_part
    raise HeaderError("too many JPEG 2000 segments")


# GIF: CompuServe, Graphics Interchange Format, version 89a.

GIF_BLOCKS_MAX = 65_536
"""Blocks of data, frames and extensions of a GIF read before giving up. A block holds up to 255
bytes, so an 8 MiB GIF has half as many; one of single bytes would have 64 times as many."""

_HAS_COLOURS = 0x80
_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B


def _gif_header(data: bytes) -> ImageHeader:
    width_px, height_px, flags = struct.unpack_from("<HHB", data, 6)
    frames = 0
    for kind, start in _gif_parts(data, 13 + _gif_colours_bytes(flags)):
        if kind == _FRAME:
            # The screen grows with a frame that reaches past it, as in Pillow.
            left, top, across, down = struct.unpack_from("<4H", data, start)
            width_px, height_px = max(width_px, left + across), max(height_px, top + down)
            frames += 1
    if not frames:
        raise HeaderError("a GIF without a picture")
    return ImageHeader(
        format=ImageFormat.GIF, width_px=width_px, height_px=height_px, is_animated=frames > 1
    )


def _gif_parts(data: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Kind and start of each frame and extension, through the trailer."""
    is_in_blocks = False
    for _ in range(GIF_BLOCKS_MAX):
        kind = data[position]
        if is_in_blocks:
            # Not a kind but a length; an empty block is the last one.
            is_in_blocks = kind > 0
            position += 1 + kind
        elif kind in {_EXTENSION, _FRAME}:
            yield kind, position + 1
            is_in_blocks = True
            # Past a label; or past place, size and colours, and how long the codes are.
            is_frame = kind == _FRAME
            position += 11 + _gif_colours_bytes(data[position + 9]) if is_frame else 2
        elif kind == _TRAILER:
            return
        else:
            raise HeaderError("neither a frame nor an extension of a GIF")
    raise HeaderError("too many GIF blocks")


def _gif_colours_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _HAS_COLOURS else 0


# EXIF: CIPA DC-008, a TIFF 6.0 block.

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_ORIENTATIONS = range(1, 9)


def _exif_orientation(block: bytes) -> int:
    """The orientation in a TIFF block; 1, which is upright, when there is none to be read."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, offset)
        for index in range(min(entries, SEGMENTS_MAX)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, offset + 2 + 12 * index)
            if tag == _ORIENTATION_TAG:
                return value if kind == _SHORT and value in _ORIENTATIONS else 1
    except struct.error:
        return 1
    return 1
