"""The wrapper every data group has: one tag that says which group it is.

Owns the table of tags and size limits and the removal of the wrapper. What is inside belongs to
`dg1`, `dg2`, `dg13` and `active`.
"""

from collections.abc import Mapping

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError

TAGS: Mapping[int, int] = {1: 0x61, 2: 0x75, 13: 0x6D, 14: 0x6E, 15: 0x6F}
"""Doc 9303-10, table 38: the groups this package looks into."""
OCTETS_MAX: Mapping[int, int] = {1: 256, 2: 256 * 1024, 13: 8192, 14: 8192, 15: 8192}
"""A bound on work. DG1 holds 90 characters at most; portraits are 12 to 60 KB."""


def unwrap(number: int, data: bytes, *, malformed: ChipCode) -> bytes:
    """Return what is inside data group `number`.

    Args:
        number: 1, 2, 13, 14 or 15.
        data: The file as read from the chip.
        malformed: The code for a file that carries another tag.

    Raises:
        ChipError: TLV_TRUNCATED, TLV_LENGTH, DG_TRAILING_DATA, or `malformed`.
    """
    if len(data) > OCTETS_MAX[number]:
        raise ChipError(ChipCode.TLV_LENGTH, f"DG{number} of {len(data)} octets")
    outer = tlv.read_first(data)
    if outer.tag != TAGS[number]:
        raise ChipError(malformed, f"tag {outer.tag:X} on DG{number}")
    if len(outer.raw) != len(data):
        raise trailing_data(number, len(data) - len(outer.raw))
    return outer.value


def trailing_data(number: int, octets: int) -> ChipError:
    """Return the error for a reader that read past the end of the file."""
    return ChipError(ChipCode.DG_TRAILING_DATA, f"{octets} octets after DG{number}")


def count_trailing(data: bytes) -> int:
    """Return how many octets follow the outermost element; 0 when it is not even readable."""
    try:
        return len(data) - len(tlv.read_first(data).raw)
    except ChipError:
        return 0
