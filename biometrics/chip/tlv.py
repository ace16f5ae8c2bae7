"""Tag, length, value: the shape of every file on the chip.

Owns the strict reading of BER-TLV (ISO/IEC 7816-4, clause 5.2.2; X.690, clause 8.1) with bounds
on everything. Knows no tag's meaning. Two readers:

- `read_one` and `read_all` read one level, definite and shortest lengths only: what Doc 9303-10
  files and DER need. Nesting is the caller's, one explicit call for each level.
- `check_ber` walks a whole tree without recursion and allows what CMS in BER may hold (indefinite
  and padded lengths), so that a lenient decoder can be let loose on it afterwards.
"""

from dataclasses import dataclass

from biometrics.chip.codes import ChipCode, ChipError

LENGTH_OCTETS_MAX = 3
"""After 8x: 16 MiB, far above the largest file; ISO/IEC 7816-4 table 10 allows four."""
TAG_OCTETS_MAX = 3
"""ISO/IEC 7816-4, clause 5.2.2.1."""
DEPTH_MAX = 16
"""Levels. A real EF.SOD with explicit curve parameters reaches twelve."""
ELEMENTS_MAX = 4096
"""Elements in one tree. A real EF.SOD holds about two hundred."""

_INDEFINITE = 0x80
_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_SHORT_TAG_END = 0x1E
_MORE = 0x80


@dataclass(frozen=True, kw_only=True)
class TLV:
    """One element.

    Attributes:
        tag: The tag octets as one number: 0x77, 0x5F1F, 0x7F61.
        value: The content octets.
        raw: Tag, length and content as received.
    """

    tag: int
    value: bytes
    raw: bytes


@dataclass(frozen=True, kw_only=True)
class _Header:
    tag: int
    is_constructed: bool
    length: int | None  # None is BER's indefinite length
    start: int  # of the content
    is_shortest: bool


def read_one(data: bytes) -> TLV:
    """Read the one element that fills `data` from the first octet to the last.

    Raises:
        ChipError: TLV_TRUNCATED when octets are missing, TLV_LENGTH when the length is indefinite,
            longer than it needs to be, too large, or leaves octets over.
    """
    element, end = _read_at(data, 0)
    if end != len(data):
        raise ChipError(ChipCode.TLV_LENGTH, f"{len(data) - end} octets after the element")
    return element


def read_first(data: bytes) -> TLV:
    """Read the element at the start of `data`, whatever follows it.

    Raises:
        ChipError: as `read_one`, except for octets left over.
    """
    return _read_at(data, 0)[0]


def read_all(data: bytes) -> tuple[TLV, ...]:
    """Read the elements that follow each other in `data`, one level deep.

    Raises:
        ChipError: as `read_one`; TLV_LENGTH also for more than ELEMENTS_MAX elements.
    """
    elements: list[TLV] = []
    at = 0
    while at < len(data):
        element, at = _read_at(data, at)
        elements.append(element)
        if len(elements) > ELEMENTS_MAX:
            raise ChipError(ChipCode.TLV_LENGTH, f"more than {ELEMENTS_MAX} elements")
    return tuple(elements)


def check_ber(data: bytes) -> None:
    """Check that `data` is exactly one BER element, well nested and within bounds.

    Raises:
        ChipError: TLV_TRUNCATED when an element reaches past the one that holds it, TLV_LENGTH when
            a length is malformed, the tree is too deep or too large, or octets are left over.
    """
    ends: list[int | None] = []  # where each open element ends; None until its end-of-contents
    at = 0
    for _ in range(ELEMENTS_MAX):
        at = _skip_element(data, at, ends)
        while ends and ends[-1] == at:
            ends.pop()
        if not ends:
            if at != len(data):
                raise ChipError(ChipCode.TLV_LENGTH, f"{len(data) - at} octets after the element")
            return
    raise ChipError(ChipCode.TLV_LENGTH, f"more than {ELEMENTS_MAX} elements")


def _skip_element(data: bytes, at: int, ends: list[int | None]) -> int:
    """Step over a primitive element, or into a constructed one by noting where it ends."""
    limit = next((end for end in reversed(ends) if end is not None), len(data))
    if ends and ends[-1] is None and data[at : at + 2] == b"\0\0" and at + 2 <= limit:
        ends.pop()
        return at + 2
    header = _read_header(data, at)
    end = None if header.length is None else header.start + header.length
    if header.start > limit or (end is not None and end > limit):
        raise ChipError(ChipCode.TLV_TRUNCATED, f"element at offset {at} passes offset {limit}")
    if not header.is_constructed:
        if end is None:
            raise ChipError(ChipCode.TLV_LENGTH, f"indefinite primitive at offset {at}")
        return end
    if len(ends) == DEPTH_MAX:
        raise ChipError(ChipCode.TLV_LENGTH, f"nested deeper than {DEPTH_MAX} levels")
    ends.append(end)
    return header.start


def _read_at(data: bytes, at: int) -> tuple[TLV, int]:
    header = _read_header(data, at)
    if header.length is None:
        raise ChipError(ChipCode.TLV_LENGTH, f"indefinite length at offset {at}")
    if not header.is_shortest:
        raise ChipError(ChipCode.TLV_LENGTH, f"length at offset {at} is not in its shortest form")
    end = header.start + header.length
    if end > len(data):
        raise ChipError(ChipCode.TLV_TRUNCATED, f"{end - len(data)} octets missing")
    element = TLV(tag=header.tag, value=data[header.start : end], raw=data[at:end])
    return element, end


def _read_header(data: bytes, at: int) -> _Header:
    tag_end = _find_tag_end(data, at)
    tag = int.from_bytes(data[at:tag_end])
    first = _octet(data, tag_end)
    is_constructed = bool(data[at] & _CONSTRUCTED)
    if first < _INDEFINITE:
        length: int | None = first
        start, is_shortest = tag_end + 1, True
    else:
        count = first - _INDEFINITE
        if count > LENGTH_OCTETS_MAX:
            raise ChipError(ChipCode.TLV_LENGTH, f"length of {count} octets")
        start = tag_end + 1 + count
        if start > len(data):
            raise ChipError(ChipCode.TLV_TRUNCATED, "the file ends inside a length")
        length = int.from_bytes(data[tag_end + 1 : start]) if count else None
        is_shortest = length is not None and length >= max(_INDEFINITE, 1 << 8 * (count - 1))
    return _Header(
        tag=tag, is_constructed=is_constructed, length=length, start=start, is_shortest=is_shortest
    )


def _find_tag_end(data: bytes, at: int) -> int:
    if _octet(data, at) & _LONG_TAG != _LONG_TAG:
        return at + 1
    for end in range(at + 2, at + TAG_OCTETS_MAX + 1):
        if not _octet(data, end - 1) & _MORE:
            if end == at + 2 and data[end - 1] <= _SHORT_TAG_END:
                raise ChipError(ChipCode.TLV_LENGTH, "a tag is not in its shortest form")
            return end
    raise ChipError(ChipCode.TLV_LENGTH, f"a tag is longer than {TAG_OCTETS_MAX} octets")


def _octet(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ChipError(ChipCode.TLV_TRUNCATED, "the file ends inside a header")
    return data[at]
