"""Data groups, checked against the published example, real files and other readers."""

import dataclasses
import io
from datetime import date
from pathlib import Path

import pytest
from asn1crypto import core, parser
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from telco_sim.data_groups import (
    CardDates,
    encode_dg1,
    encode_dg2,
    encode_dg13,
    encode_dg14,
    machine_readable_zone,
    mrz_check_digit,
    mrz_name,
)
from telco_sim.der import explicit_ec_public_key
from telco_sim.names import Sex
from telco_sim.population import Citizen

DATES = CardDates(issued_on=date(2024, 8, 1), expires_on=date(2040, 1, 1))
PUBLISHED_ZONE = (
    "IDVNM0909999995001090999999<<69001011M4001016VNM<<<<<<<<<<<0NGUYEN<<VAN<THU<<<<<<<<<<<<<<<"
)


def test_the_zone_is_that_of_the_published_example(citizen: Citizen) -> None:
    assert machine_readable_zone(citizen, dates=DATES) == PUBLISHED_ZONE


def test_dg1_equals_the_synthetic_chip(citizen: Citizen, shared_data: Path) -> None:
    expected = (shared_data / "chip" / "synthetic_cccd" / "DG1.bin").read_bytes()
    assert encode_dg1(citizen, dates=DATES) == expected


@pytest.mark.parametrize(
    ("field", "check_digit"),
    [("D23145890", "7"), ("740812", "2"), ("120415", "9"), ("<<<<<<", "0")],
)
def test_check_digits_are_those_of_the_standard(field: str, check_digit: str) -> None:
    """Doc 9303-5, appendix B, has the three numbers in its specimen."""
    assert mrz_check_digit(field) == check_digit


def test_a_womans_zone_says_f_and_a_card_without_limit_ends_in_2099(citizen: Citizen) -> None:
    woman = dataclasses.replace(citizen, sex=Sex.FEMALE)
    zone = machine_readable_zone(woman, dates=CardDates(date(2024, 8, 1), None))
    assert zone[37] == "F"
    assert zone[38:44] == "991231"
    assert len(zone) == 90


@pytest.mark.parametrize(
    ("full_name", "expected"),
    [
        ("Đặng Thị Ánh", "DANG<<THI<ANH"),
        ("H'Hen Niê", "HHEN<<NIE"),
        ("Y Wơn Ayŭn", "Y<<WON<AYUN"),
        ("Thạch Sa Rết", "THACH<<SA<RET"),
    ],
)
def test_names_lose_accents_and_apostrophes(full_name: str, expected: str) -> None:
    assert mrz_name(full_name) == expected.ljust(30, "<")


def test_a_long_name_is_cut_at_thirty_characters() -> None:
    assert mrz_name("Công Tằng Tôn Nữ Quỳnh Phương Thảo") == "CONG<<TANG<TON<NU<QUYNH<PHUONG"


def test_dg2_holds_the_portrait_byte_for_byte(portrait: bytes, portrait_jpeg2000: bytes) -> None:
    for image, data_type, size in (
        (portrait, 0, (480, 640)),
        (portrait_jpeg2000, 1, (240, 320)),
    ):
        record = _face_record(encode_dg2(image))
        assert record[:8] == b"FAC\x00010\x00"
        assert int.from_bytes(record[8:12], "big") == len(record)
        assert record[12:14] == b"\x00\x01"
        assert int.from_bytes(record[14:18], "big") == len(record) - 14
        assert record[35] == data_type
        assert (int.from_bytes(record[36:38], "big"), int.from_bytes(record[38:40], "big")) == size
        assert record[46:] == image


def test_dg2_around_the_synthetic_image_differs_only_in_what_it_states(shared_data: Path) -> None:
    """The other maker states creation attributes of its own; tags, lengths and image agree."""
    theirs = (shared_data / "chip" / "synthetic_cccd" / "DG2.bin").read_bytes()
    image = _face_record(theirs)[46:]
    with Image.open(io.BytesIO(image)) as opened:
        assert opened.format == "JPEG2000"
    assert _face_record(encode_dg2(image))[46:] == image
    assert len(_face_record(encode_dg2(image))) == len(_face_record(theirs))


def test_a_portrait_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="JPEG"):
        encode_dg2(b"GIF89a")


def test_dg13_has_the_fields_of_the_synthetic_chip(citizen: Citizen, shared_data: Path) -> None:
    theirs = _fields((shared_data / "chip" / "synthetic_cccd" / "DG13.bin").read_bytes())
    ours = _fields(encode_dg13(citizen, dates=DATES, chip_serial="00112233AABBCCDD"))
    different = {number for number in theirs if ours.get(number) != theirs[number]}
    assert set(ours) == set(theirs)
    # 8 and 9 are addresses and 10 identifying marks: free text that is ours.
    assert different <= {8, 9, 10}


def test_dg13_without_an_earlier_number_or_a_limit_says_so(citizen: Citizen) -> None:
    young = dataclasses.replace(citizen, old_id_number=None)
    fields = _fields(encode_dg13(young, dates=CardDates(date(2024, 8, 1), None), chip_serial="0"))
    assert 15 not in fields
    assert fields[12] == (12, "Không thời hạn".encode())


def test_dg14_announces_chip_authentication_with_its_key() -> None:
    info = explicit_ec_public_key(ec.generate_private_key(ec.BrainpoolP384R1()).public_key())
    content = encode_dg14(info)
    assert content[0] == 0x6E
    entries = list(_children(_children(content)[0]))
    oids = {core.ObjectIdentifier.load(_children(entry)[0]).native for entry in entries}
    assert oids == {"0.4.0.127.0.7.2.2.1.2", "0.4.0.127.0.7.2.2.3.2.2"}
    assert any(info.dump() in entry for entry in entries)
    assert entries == sorted(entries)


def _face_record(dg2: bytes) -> bytes:
    """Return the biometric data block by tag 5F2E and its length field."""
    start = dg2.index(b"\x5f\x2e") + 2
    assert dg2[start] == 0x82
    length = int.from_bytes(dg2[start + 1 : start + 3], "big")
    record = dg2[start + 3 :]
    assert len(record) == length
    return record


def _fields(dg13: bytes) -> dict[int, tuple[int, bytes]]:
    """Return tag and contents of each numbered value."""
    version, character_set, values = _children(_children(dg13)[0])
    assert core.Integer.load(version).native == 1
    assert core.ObjectIdentifier.load(character_set).native == "1.0.10646.1.0.8"
    fields = {}
    for entry in _children(values):
        number, value = _children(entry)
        parsed = core.load(value)
        fields[core.Integer.load(number).native] = (parsed.tag, parsed.contents)
    return fields


def _children(element: bytes) -> list[bytes]:
    """Return the encodings inside a constructed element, by a reader of another library."""
    _, contents = _split(element)
    children = []
    while contents:
        length, _ = _split(contents)
        children.append(contents[:length])
        contents = contents[length:]
    return children


def _split(element: bytes) -> tuple[int, bytes]:

    _, _, _, header, contents, trailer = parser.parse(element)
    return len(header) + len(contents) + len(trailer), contents
