"""DG2: the portrait, taken out of its biometric records byte for byte.

Owns the CBEFF wrapper (Doc 9303-10, clause 4.7.2) and the two records inside it, ISO/IEC 19794-5
and ISO/IEC 39794-5. There must be exactly one face: with two, the one that was signed first and
the one that is compared need not be the same. Declared sizes and formats of the record are
ignored, real documents get them wrong; `image` asks the picture itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.data_group import unwrap
from biometrics.chip.image import ImageFormat, inspect_image

TAG_GROUP_TEMPLATE = 0x7F61
TAG_INSTANCE_COUNT = 0x02
TAG_INSTANCE = 0x7F60
TAG_HEADER = 0xA1
TAG_BIOMETRIC_TYPE = 0x81
TAG_FORMAT_OWNER = 0x87
TAG_FORMAT_TYPE = 0x88
TAGS_DATA_BLOCK = (0x5F2E, 0x7F2E)
"""Doc 9303-10, table 42."""
FORMAT_OWNER_SC37 = bytes.fromhex("0101")
"""ISO/IEC JTC 1/SC 37, registered with IBIA."""
FORMAT_19794_5 = bytes.fromhex("0008")
FORMAT_39794_5 = bytes.fromhex("002A")
BIOMETRIC_TYPE_FACE = bytes.fromhex("02")
"""ISO/IEC 7816-11, table C.2: facial features."""

# ISO/IEC 19794-5:2005, clauses 5.4 to 5.7.
_FACIAL_RECORD_START = b"FAC\x00010\x00"
_FACIAL_RECORD_HEADER_OCTETS = 14
_FACIAL_INFORMATION_OCTETS = 20
_FEATURE_POINT_OCTETS = 8
_IMAGE_INFORMATION_OCTETS = 12

# ISO/IEC 39794-5:2019, annex A, DER tags on the way to the image octets.
_TAG_FACE_IMAGE_DATA = 0x65
_TAG_REPRESENTATION = 0x30
_TAG_IMAGE = 0x80
_TAG_FIRST, _TAG_SECOND = 0xA0, 0xA1


@dataclass(frozen=True, kw_only=True, repr=False)
class Portrait:
    """The one picture of the holder. Its repr shows nothing of it.

    Attributes:
        image: The compressed image exactly as signed.
        format: What the octets are, whatever the record says.
        width_px: From the image's own header.
        height_px: From the image's own header.
    """

    image: bytes
    format: ImageFormat
    width_px: int
    height_px: int


def parse_dg2(data: bytes) -> Portrait:
    """Read the file DG2.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG2_MALFORMED, DG2_FACE_COUNT, IMAGE_FORMAT,
            IMAGE_DECODE, IMAGE_TOO_LARGE.
    """
    group = tlv.read_one(unwrap(2, data, malformed=ChipCode.DG2_MALFORMED))
    if group.tag != TAG_GROUP_TEMPLATE:
        raise _malformed(f"tag {group.tag:X} inside")
    image = _read_instance(_only_instance(tlv.read_all(group.value)))
    info = inspect_image(image)
    return Portrait(
        image=image, format=info.format, width_px=info.width_px, height_px=info.height_px
    )


def _only_instance(parts: tuple[tlv.TLV, ...]) -> tlv.TLV:
    counts = [part.value for part in parts if part.tag == TAG_INSTANCE_COUNT]
    instances = [part for part in parts if part.tag == TAG_INSTANCE]
    if len(counts) != 1 or len(counts) + len(instances) != len(parts):
        raise _malformed("not one count and its instances")
    if counts[0] != b"\x01" or len(instances) != 1:
        raise _face_count(f"{counts[0][:2].hex()} announced, {len(instances)} present")
    return instances[0]


def _read_instance(instance: tlv.TLV) -> bytes:
    parts = tlv.read_all(instance.value)
    headers = [part for part in parts if part.tag == TAG_HEADER]
    blocks = [part for part in parts if part.tag in TAGS_DATA_BLOCK]
    if len(headers) != 1 or len(blocks) != 1 or len(parts) != len(headers) + len(blocks):
        raise _malformed("not one header and one data block")
    format_type = _read_header(headers[0])
    if format_type == FORMAT_39794_5:
        return read_39794_5(blocks[0].value)
    return read_19794_5(blocks[0].value)


def _read_header(header: tlv.TLV) -> bytes:
    """Return the format type once the header is that of a face record."""
    parts = tlv.read_all(header.value)
    fields = {part.tag: part.value for part in parts}
    if len(fields) != len(parts):
        raise _malformed("a header element twice")
    if fields.get(TAG_FORMAT_OWNER) != FORMAT_OWNER_SC37:
        raise _malformed("format owner")
    format_type = fields.get(TAG_FORMAT_TYPE)
    if format_type not in (FORMAT_19794_5, FORMAT_39794_5):
        raise _malformed("format type")
    if fields.get(TAG_BIOMETRIC_TYPE, BIOMETRIC_TYPE_FACE) != BIOMETRIC_TYPE_FACE:
        raise _malformed("biometric type")
    return format_type


def read_19794_5(record: bytes) -> bytes:
    """Return the image octets of one ISO/IEC 19794-5:2005 facial record.

    Raises:
        ChipError: DG2_MALFORMED, DG2_FACE_COUNT.
    """
    if not record.startswith(_FACIAL_RECORD_START):
        raise _malformed("not a facial record of version 010")
    faces = _number(record, 12, 2)
    if faces != 1:
        raise _face_count(f"{faces} in the facial record")
    block = record[_FACIAL_RECORD_HEADER_OCTETS:]
    if _number(record, 8, 4) != len(record) or _number(block, 0, 4) != len(block):
        raise _malformed("facial record length")
    points = _number(block, 4, 2)
    start = _FACIAL_INFORMATION_OCTETS + points * _FEATURE_POINT_OCTETS + _IMAGE_INFORMATION_OCTETS
    if start >= len(block):
        raise _malformed("no image in the facial record")
    return block[start:]


def read_39794_5(record: bytes) -> bytes:
    """Return the image octets of one ISO/IEC 39794-5 face image data block.

    Raises:
        ChipError: DG2_MALFORMED, DG2_FACE_COUNT, TLV_*.
    """
    outer = _only(tlv.read_all(record), _TAG_SECOND)
    face_data = _only(tlv.read_all(outer.value), _TAG_FACE_IMAGE_DATA)
    blocks = _only(tlv.read_all(face_data.value), _TAG_SECOND)
    representations = tlv.read_all(blocks.value)
    if len(representations) != 1:
        raise _face_count(f"{len(representations)} representations")
    element = representations[0]
    if element.tag != _TAG_REPRESENTATION:
        raise _malformed("representation block")
    for tag in (_TAG_SECOND, _TAG_FIRST, _TAG_FIRST, _TAG_IMAGE):
        element = _only(tlv.read_all(element.value), tag)
    return element.value


def _only(elements: Iterable[tlv.TLV], tag: int) -> tlv.TLV:
    found = [element for element in elements if element.tag == tag]
    if len(found) != 1:
        raise _malformed(f"{len(found)} elements tagged {tag:X}")
    return found[0]


def _number(data: bytes, at: int, octets: int) -> int:
    if at + octets > len(data):
        raise _malformed("the record ends inside a header")
    return int.from_bytes(data[at : at + octets])


def _malformed(what: str) -> ChipError:
    return ChipError(ChipCode.DG2_MALFORMED, what)


def _face_count(what: str) -> ChipError:
    return ChipError(ChipCode.DG2_FACE_COUNT, f"faces: {what}")
