"""The portrait comes out of both record formats byte for byte, and there is exactly one."""

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.image import ImageFormat
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1

JPEG, JPEG2000 = chip.picture("JPEG"), chip.picture("JPEG2000")
RECORD = chip.facial_record(JPEG)


def code_of(data: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        parse_dg2(data)
    return caught.value.code


@pytest.mark.parametrize(
    ("image", "image_format"), [(JPEG, ImageFormat.JPEG), (JPEG2000, ImageFormat.JPEG2000)]
)
@pytest.mark.parametrize("make", [chip.make_dg2, chip.make_dg2_39794])
def test_the_image_comes_out_byte_for_byte(
    image: bytes, image_format: ImageFormat, make: type
) -> None:
    portrait = parse_dg2(make(image))

    assert portrait.image == image
    assert portrait.format is image_format
    assert (portrait.width_px, portrait.height_px) == (96, 128)


def test_feature_points_are_stepped_over() -> None:
    record = chip.facial_record(JPEG, points=12)

    assert parse_dg2(chip.dg2_around(chip.instance(record))).image == JPEG


def test_the_record_may_sit_under_either_tag() -> None:
    assert parse_dg2(chip.dg2_around(chip.instance(RECORD, tag=0x7F2E))).image == JPEG


@pytest.mark.parametrize(
    "data",
    [
        chip.dg2_around(chip.instance(RECORD), chip.instance(RECORD)),
        chip.dg2_around(chip.instance(RECORD), count=2),
        chip.dg2_around(chip.instance(RECORD), count=0),
        chip.dg2_around(chip.instance(RECORD), chip.instance(RECORD), count=1),
        chip.dg2_around(count=1),
        asn1.der(0x75, asn1.der(0x7F61, asn1.ENDLESS, chip.instance(RECORD))),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, faces=2))),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, faces=0))),
        chip.make_dg2_39794(JPEG, representations=2),
        chip.make_dg2_39794(JPEG, representations=0),
    ],
)
def test_there_is_exactly_one_face(data: bytes) -> None:
    assert code_of(data) is ChipCode.DG2_FACE_COUNT


def around_39794(*parts: bytes) -> bytes:
    """An ISO/IEC 39794-5 block that ends too early."""
    header = chip.biometric_header(kind=b"\0\x2a")
    return chip.dg2_around(chip.instance(asn1.der(0xA1, *parts), header, tag=0x7F2E))


@pytest.mark.parametrize(
    "data",
    [
        asn1.der(0x76, chip.make_dg2()[4:]),
        asn1.der(0x75, asn1.der(0x7F62)),
        asn1.der(0x75, asn1.der(0x7F61)),
        asn1.der(0x75, asn1.der(0x7F61, chip.instance(RECORD))),
        asn1.der(0x75, asn1.der(0x7F61, asn1.integer(1), chip.instance(RECORD), asn1.NULL)),
        chip.dg2_around(asn1.der(0x7F60)),
        chip.dg2_around(asn1.der(0x7F60, chip.biometric_header())),
        chip.dg2_around(asn1.der(0x7F60, asn1.der(0x5F2E, RECORD))),
        chip.dg2_around(asn1.der(0x7F60, chip.biometric_header(), *[asn1.der(0x5F2E, RECORD)] * 2)),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(owner=b"\x01\x02"))),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(owner=None))),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(kind=b"\0\x07"))),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(kind=None))),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(face=b"\x08"))),
        # An iris to a reader that takes the first, a face to one that takes the last.
        chip.dg2_around(
            chip.instance(
                RECORD, asn1.der(0xA1, asn1.der(0x81, b"\x10"), chip.biometric_header()[2:])
            )
        ),
        chip.dg2_around(chip.instance(b"")),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, start=b"FAD\x00010\x00"))),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, start=b"FAC\x00020\x00"))),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, lengths_off_by=1))),
        chip.dg2_around(chip.instance(chip.facial_record(JPEG, lengths_off_by=-8))),
        chip.dg2_around(chip.instance(chip.facial_record(b""))),
        chip.dg2_around(chip.instance(RECORD[:13])),
        chip.dg2_around(chip.instance(RECORD, chip.biometric_header(kind=b"\0\x2a"))),
        around_39794(asn1.der(0x65, asn1.der(0xA1, asn1.set_of()))),
        around_39794(asn1.der(0x65, asn1.der(0xA1, asn1.sequence()))),
        around_39794(asn1.der(0x65)),
        around_39794(),
    ],
)
def test_another_structure_is_malformed(data: bytes) -> None:
    assert code_of(data) in (ChipCode.DG2_MALFORMED, ChipCode.TLV_LENGTH, ChipCode.TLV_TRUNCATED)


def test_the_points_of_a_record_may_not_reach_past_its_image() -> None:
    record = bytearray(RECORD)
    record[18:20] = (60000).to_bytes(2)

    assert code_of(chip.dg2_around(chip.instance(bytes(record)))) is ChipCode.DG2_MALFORMED


def test_the_repr_shows_nothing_of_the_picture() -> None:
    assert "JFIF" not in repr(parse_dg2(chip.make_dg2()))
