"""One element of a well-formed tree exchanged for another: what random damage hardly ever makes.

Owns the editing of DER and the list of elements that readers stumble over. Lengths are put right
again, so that the change reaches the reader it is meant for.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.unit.biometrics.chip import der_writer as asn1

_CONSTRUCTED, _LONG_TAG, _MORE, _LONG_LENGTH = 0x20, 0x1F, 0x80, 0x80

EXTREMES = (
    b"",
    asn1.NULL,
    asn1.ENDLESS,
    asn1.integer(-(1 << 20_000)),
    asn1.integer(2**31),
    asn1.integer(2**63),
    asn1.integer(0),
    asn1.integer(-1),
    asn1.der(0x02),
    asn1.der(0x03),
    asn1.der(0x03, b"\x07"),
    asn1.octet_string(b""),
    asn1.octet_string(bytes(300)),
    asn1.der(0x06),
    asn1.der(0x06, b"\xff" * 600 + b"\x01"),
    asn1.der(0x0C, b"\xff"),
    asn1.utf8("\u0301" * 900 + "\u0327" * 900),
    asn1.printable(""),
    asn1.der(0x17, b"000000000000Z"),
    asn1.der(0x18, b"00000101000000Z"),
    asn1.der(0x18, b"99991231235959Z"),
    asn1.sequence(),
    asn1.set_of(),
    asn1.der(0xA0),
)
"""Nothing; numbers beyond every machine; empty and overlong values; days outside of all time."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Which element goes, as a share of all there are, and what comes in its place."""

    place: float
    element: bytes

    def apply(self, octets: bytes) -> bytes:
        """Return the tree with the element exchanged."""
        count = _count(octets)
        return _exchange(octets, int(self.place * count), self.element)


exchanges = st.builds(
    Exchange, place=st.floats(0, 1, exclude_max=True), element=st.sampled_from(EXTREMES)
)


def _split(octets: bytes) -> list[tuple[bytes, bytes]]:
    """Tag and content of the elements that follow each other."""
    elements: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(octets):
        end = at + 1
        if octets[at] & _LONG_TAG == _LONG_TAG:
            while octets[end] & _MORE:
                end += 1
            end += 1
        length, start = octets[end], end + 1
        if length >= _LONG_LENGTH:
            start += length - _LONG_LENGTH
            length = int.from_bytes(octets[end + 1 : start])
        elements.append((octets[at:end], octets[start : start + length]))
        at = start + length
    return elements


def _is_constructed(tag: bytes) -> bool:
    return bool(tag[0] & _CONSTRUCTED)


def _count(octets: bytes) -> int:
    return sum(
        1 + (_count(content) if _is_constructed(tag) else 0) for tag, content in _split(octets)
    )


def _exchange(octets: bytes, number: int, element: bytes) -> bytes:
    """Return the tree with its element of this number exchanged, counted from the root down."""
    parts: list[bytes] = []
    for tag, content in _split(octets):
        inside = _count(content) if _is_constructed(tag) else 0
        if number == 0:
            parts.append(element)
        elif 0 < number <= inside:
            changed = _exchange(content, number - 1, element)
            parts.append(asn1.der(int.from_bytes(tag), changed))
        else:
            parts.append(asn1.der(int.from_bytes(tag), content))
        number -= 1 + inside
    return b"".join(parts)
