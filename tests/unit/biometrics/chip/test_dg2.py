"""The portrait comes out of both record formats byte for byte, and there is exactly one."""

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.image import ImageFormat
from tests.unit.biometrics.chip import issuer as state

JPEG, JPEG2000 = state.picture("JPEG"), state.picture("JPEG2000")
RECORD = state.facial_record(JPEG)


def code_of(data: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        parse_dg2(data)
    return caught.value.code


@pytest.mark.parametrize(
    ("image", "image_format"), [(JPEG, ImageFormat.JPEG), (JPEG2000, ImageFormat.JPEG2000)]
)
@pytest.mark.parametrize("make", [state.make_dg2, state.make_dg2_39794])
def test_the_image_comes_out_byte_for_byte(
    image: bytes, image_format: ImageFormat, make: type
) -> None:
    portrait = parse_dg2(make(image))

    assert portrait.image == image
    assert portrait.format is image_format
    assert (portrait.width_px, portrait.height_px) == (96, 128)


def test_feature_points_are_stepped_over() -> None:
    record = state.facial_record(JPEG, points=12)

    assert parse_dg2(state.dg2_around(state.instance(record))).image == JPEG


def test_the_record_may_sit_under_either_tag() -> None:
    assert parse_dg2(state.dg2_around(state.instance(RECORD, tag=0x7F2E))).image == JPEG


@pytest.mark.parametrize(
    "data",
    [
        state.dg2_around(state.instance(RECORD), state.instance(RECORD)),
        state.dg2_around(state.instance(RECORD), count=2),
        state.dg2_around(state.instance(RECORD), count=0),
        state.dg2_around(state.instance(RECORD), state.instance(RECORD), count=1),
        state.dg2_around(count=1),
        state.dg2_around(state.instance(state.facial_record(JPEG, faces=2))),
        state.dg2_around(state.instance(state.facial_record(JPEG, faces=0))),
        state.make_dg2_39794(JPEG, representations=2),
        state.make_dg2_39794(JPEG, representations=0),
    ],
)
def test_there_is_exactly_one_face(data: bytes) -> None:
    assert code_of(data) is ChipCode.DG2_FACE_COUNT


def around_39794(*parts: bytes) -> bytes:
    """An ISO/IEC 39794-5 block that ends too early."""
    header = state.biometric_header(kind=b"\0\x2a")
    return state.dg2_around(state.instance(state.der(0xA1, *parts), header, tag=0x7F2E))


@pytest.mark.parametrize(
    "data",
    [
        state.der(0x76, state.make_dg2()[4:]),
        state.der(0x75, state.der(0x7F62)),
        state.der(0x75, state.der(0x7F61)),
        state.der(0x75, state.der(0x7F61, state.instance(RECORD))),
        state.der(0x75, state.der(0x7F61, state.integer(1), state.instance(RECORD), state.NULL)),
        state.dg2_around(state.der(0x7F60)),
        state.dg2_around(state.der(0x7F60, state.biometric_header())),
        state.dg2_around(state.der(0x7F60, state.der(0x5F2E, RECORD))),
        state.dg2_around(
            state.der(0x7F60, state.biometric_header(), *[state.der(0x5F2E, RECORD)] * 2)
        ),
        state.dg2_around(state.instance(RECORD, state.biometric_header(owner=b"\x01\x02"))),
        state.dg2_around(state.instance(RECORD, state.biometric_header(owner=None))),
        state.dg2_around(state.instance(RECORD, state.biometric_header(kind=b"\0\x07"))),
        state.dg2_around(state.instance(RECORD, state.biometric_header(kind=None))),
        state.dg2_around(state.instance(RECORD, state.biometric_header(face=b"\x08"))),
        state.dg2_around(state.instance(b"")),
        state.dg2_around(state.instance(state.facial_record(JPEG, start=b"FAD\x00010\x00"))),
        state.dg2_around(state.instance(state.facial_record(JPEG, start=b"FAC\x00020\x00"))),
        state.dg2_around(state.instance(state.facial_record(JPEG, lengths_off_by=1))),
        state.dg2_around(state.instance(state.facial_record(JPEG, lengths_off_by=-8))),
        state.dg2_around(state.instance(state.facial_record(b""))),
        state.dg2_around(state.instance(RECORD[:13])),
        state.dg2_around(state.instance(RECORD, state.biometric_header(kind=b"\0\x2a"))),
        around_39794(state.der(0x65, state.der(0xA1, state.set_of()))),
        around_39794(state.der(0x65, state.der(0xA1, state.sequence()))),
        around_39794(state.der(0x65)),
        around_39794(),
    ],
)
def test_another_structure_is_malformed(data: bytes) -> None:
    assert code_of(data) in (ChipCode.DG2_MALFORMED, ChipCode.TLV_LENGTH, ChipCode.TLV_TRUNCATED)


def test_the_points_of_a_record_may_not_reach_past_its_image() -> None:
    record = bytearray(RECORD)
    record[18:20] = (60000).to_bytes(2)

    assert code_of(state.dg2_around(state.instance(bytes(record)))) is ChipCode.DG2_MALFORMED


def test_the_repr_shows_nothing_of_the_picture() -> None:
    assert "JFIF" not in repr(parse_dg2(state.make_dg2()))
