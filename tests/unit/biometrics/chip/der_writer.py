"""DER, written by hand: so that tests can also write what no library would.

Owns the encoding of a few types, and leaving an element out of what is encoded; nothing of what
they mean. Shares no code with the package
under test.
"""

from datetime import datetime


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1)
    if len(content) < 0x80:
        return head + bytes([len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return head + bytes([0x80 | len(length)]) + length + content


def integer(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(groups)
    return der(0x06, octets)


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return der(0x31, *parts)


def octet_string(content: bytes) -> bytes:
    return der(0x04, content)


def bit_string(content: bytes) -> bytes:
    return der(0x03, b"\0" + content)


def printable(text: str) -> bytes:
    return der(0x13, text.encode("ascii"))


def utf8(text: str) -> bytes:
    return der(0x0C, text.encode())


def utc_time(instant: datetime) -> bytes:
    return der(0x17, f"{instant:%y%m%d%H%M%SZ}".encode())


def generalized(tag: int, instant: datetime) -> bytes:
    return der(tag, f"{instant:%Y%m%d%H%M%SZ}".encode())


NULL = der(0x05)
ENDLESS = integer(1 << 20_000)
"""A number of 6,021 digits, more than Python writes down."""
TRUE = der(0x01, b"\xff")


def drop(encoded: bytes, *path: int) -> bytes:
    """Leave one element out and write every length around it anew.

    Args:
        encoded: One element.
        path: Which child to go into, level by level from the outermost; the last one is left out.
    """
    head, children = _children(encoded)
    at, *deeper = path
    kept = [drop(children[at], *deeper)] if deeper else []
    return der(head, *children[:at], *kept, *children[at + 1 :])


def append(encoded: bytes, *path: int) -> bytes:
    """Put a NULL behind the last child of an element, and write every length around it anew.

    Args:
        encoded: One element.
        path: Which child to go into, level by level from the outermost.
    """
    head, children = _children(encoded)
    if not path:
        return der(head, *children, NULL)
    at, *deeper = path
    return der(head, *children[:at], append(children[at], *deeper), *children[at + 1 :])


def _children(encoded: bytes) -> tuple[int, list[bytes]]:
    """The tag of a constructed element, and the elements in it. Tags of one octet only."""
    content, children = encoded[_header_octets(encoded) :], []
    while content:
        end = _header_octets(content) + _length(content)
        children.append(content[:end])
        content = content[end:]
    return encoded[0], children


def _header_octets(encoded: bytes) -> int:
    return 2 + (encoded[1] & 0x7F if encoded[1] & 0x80 else 0)


def _length(encoded: bytes) -> int:
    octets = _header_octets(encoded)
    return int.from_bytes(encoded[2:octets]) if octets > 2 else encoded[1]
