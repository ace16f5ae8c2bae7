"""The wrapper of a data group comes off, or says why not."""

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.data_group import OCTETS_MAX, TAGS, count_trailing, unwrap


@pytest.mark.parametrize("number", TAGS)
def test_what_is_inside_is_returned(number: int) -> None:
    assert (
        unwrap(number, bytes([TAGS[number], 2, 5, 0]), malformed=ChipCode.DG1_MALFORMED) == b"\5\0"
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ChipCode.TLV_TRUNCATED),
        (b"\x61\x05\x00", ChipCode.TLV_TRUNCATED),
        (b"\x61\x00\x00", ChipCode.DG_TRAILING_DATA),
        (b"\x61\x00\x90\x00", ChipCode.DG_TRAILING_DATA),  # the card's status word
        (b"\x62\x00", ChipCode.DG1_MALFORMED),
        (b"\x61\x80\x00\x00", ChipCode.TLV_LENGTH),
        (b"\x61" * (OCTETS_MAX[1] + 1), ChipCode.TLV_LENGTH),
    ],
)
def test_a_file_that_is_not_in_order_is_refused(data: bytes, code: ChipCode) -> None:
    with pytest.raises(ChipError) as caught:
        unwrap(1, data, malformed=ChipCode.DG1_MALFORMED)

    assert caught.value.code is code


def test_octets_after_the_file_are_counted() -> None:
    assert count_trailing(b"\x61\x00") == 0
    assert count_trailing(b"\x61\x00\x00\x00") == 2
    assert count_trailing(b"\x61\x05\x00") == 0
