"""The strict reader of tag, length and value."""

import pytest

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError


def code_of(octets: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        tlv.read_one(octets)
    return caught.value.code


@pytest.mark.parametrize(
    ("octets", "tag", "value"),
    [
        ("0400", 0x04, ""),
        ("610100", 0x61, "00"),
        ("5F1F0141", 0x5F1F, "41"),
        ("7F610102", 0x7F61, "02"),
        ("7F81010100", 0x7F8101, "00"),
        ("048180" + "AA" * 128, 0x04, "AA" * 128),
        ("04820100" + "AA" * 256, 0x04, "AA" * 256),
    ],
)
def test_an_element_is_read_whole(octets: str, tag: int, value: str) -> None:
    element = tlv.read_one(bytes.fromhex(octets))

    assert element == tlv.TLV(tag=tag, value=bytes.fromhex(value), raw=bytes.fromhex(octets))


@pytest.mark.parametrize("octets", ["", "04", "0401", "0482", "048201", "5F", "5F1F", "04820100AA"])
def test_an_element_that_is_cut_short_is_truncated(octets: str) -> None:
    assert code_of(bytes.fromhex(octets)) is ChipCode.TLV_TRUNCATED


@pytest.mark.parametrize(
    "octets",
    [
        "048101AA",  # 81 for a length below 128
        "04820001AA",  # a leading zero
        "0480AA0000",  # indefinite
        "0484000000010A",  # four octets of length
        "04FF",  # reserved
        "1F0400",  # a short tag in long form
        "7F8181810100",  # a tag of four octets
        "040100AA",  # octets left over
    ],
)
def test_a_length_that_is_not_the_shortest_is_refused(octets: str) -> None:
    assert code_of(bytes.fromhex(octets)) is ChipCode.TLV_LENGTH


def test_elements_in_a_row_are_read_in_order() -> None:
    elements = tlv.read_all(bytes.fromhex("02010102010204010A"))

    assert [element.tag for element in elements] == [2, 2, 4]
    assert tlv.read_all(b"") == ()


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(ChipError) as caught:
        tlv.read_all(b"\x04\x00" * (tlv.ELEMENTS_MAX + 1))

    assert caught.value.code is ChipCode.TLV_LENGTH


def test_the_first_element_is_read_whatever_follows() -> None:
    assert tlv.read_first(bytes.fromhex("0401AAFFFF")).raw == bytes.fromhex("0401AA")


@pytest.mark.parametrize(
    "octets",
    [
        "3000",
        "3003020101",
        "30800201010000",
        "3080308000000000",
        "24800401AA0401BB0000",
    ],
)
def test_ber_with_indefinite_lengths_is_walked(octets: str) -> None:
    tlv.check_ber(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        ("", ChipCode.TLV_TRUNCATED),
        ("30053080000002", ChipCode.TLV_TRUNCATED),  # octets after the end of contents
        ("3080020101", ChipCode.TLV_TRUNCATED),  # no end of contents
        ("3003040AAA", ChipCode.TLV_TRUNCATED),  # a child longer than its parent
        ("30020480", ChipCode.TLV_LENGTH),  # an indefinite primitive
        ("3000AA", ChipCode.TLV_LENGTH),  # octets left over
        ("3080" * 17, ChipCode.TLV_LENGTH),  # too deep
    ],
)
def test_a_broken_ber_tree_is_refused(octets: str, code: ChipCode) -> None:
    with pytest.raises(ChipError) as caught:
        tlv.check_ber(bytes.fromhex(octets))

    assert caught.value.code is code


def test_a_ber_tree_of_too_many_elements_is_refused() -> None:
    children = b"\x05\x00" * (tlv.ELEMENTS_MAX + 1)
    data = b"\x30\x82" + len(children).to_bytes(2) + children

    with pytest.raises(ChipError) as caught:
        tlv.check_ber(data)

    assert caught.value.code is ChipCode.TLV_LENGTH


def test_sixteen_levels_are_not_too_deep() -> None:
    tlv.check_ber(b"\x30\x80" * tlv.DEPTH_MAX + b"\0\0" * tlv.DEPTH_MAX)
