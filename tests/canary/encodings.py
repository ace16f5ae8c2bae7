"""How a file could hold a text or some octets.

Owns every encoding that is searched for, by the name under which a finding tells of it. Knows
neither people nor files.
"""

import base64
import json
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote, quote_plus


class Encoding(StrEnum):
    """How something stands where it was found."""

    PLAIN = "plain"
    UTF_16 = "UTF-16"
    HEXADECIMAL = "hexadecimal"
    BASE64 = "base64"
    JSON = "JSON"
    URL = "URL"
    BYTEA = "bytea"


def encodings_of_text(text: str) -> Iterator[tuple[Encoding, bytes]]:
    """Every form of a text."""
    octets = text.encode()
    yield Encoding.PLAIN, octets
    for encoding in ("utf-16-le", "utf-16-be"):
        yield Encoding.UTF_16, text.encode(encoding)
    yield from _of_any_octets(octets)
    yield from _escaped_json(text)
    for quoted in {quote(text), quote_plus(text), quote(text, safe="")}:
        yield Encoding.URL, quoted.encode()
        yield Encoding.URL, _with_small_digits(quoted).encode()
    yield from ((Encoding.BYTEA, form) for form in _escaped_bytea(octets))


def encodings_of_octets(octets: bytes) -> Iterator[tuple[Encoding, bytes]]:
    """Every form of octets that are no text."""
    yield Encoding.PLAIN, octets
    yield from _of_any_octets(octets)
    yield from ((Encoding.BYTEA, form) for form in _escaped_bytea(octets))


def _of_any_octets(octets: bytes) -> Iterator[tuple[Encoding, bytes]]:
    digits = octets.hex()
    yield Encoding.HEXADECIMAL, digits.encode()
    yield Encoding.HEXADECIMAL, digits.upper().encode()
    for place in range(3):
        for alphabet in (None, b"-_"):
            yield Encoding.BASE64, _base64_inside(octets, place=place, alphabet=alphabet)


def _base64_inside(octets: bytes, *, place: int, alphabet: bytes | None) -> bytes:
    """As part of something longer: base64 looks different at each of three places in it.

    The digits at either end are made of what stands before or after as well, and are left out.
    """
    digits = base64.b64encode(b"\0" * place + octets, altchars=alphabet).rstrip(b"=")
    start = (0, 2, 3)[place]
    return digits[start : len(digits) - ((place + len(octets)) % 3 > 0)]


def _escaped_json(text: str) -> Iterator[tuple[Encoding, bytes]]:
    """With escapes for all but ASCII; also as a string inside a string, and with large digits."""
    escaped = json.dumps(text)[1:-1]
    large = "".join(rf"\u{ord(each):04X}" if ord(each) > 0x7F else each for each in text)
    for form in {escaped, large}:
        yield Encoding.JSON, form.encode()
        yield Encoding.JSON, form.replace("\\", "\\\\").encode()


def _escaped_bytea(octets: bytes) -> Iterator[bytes]:
    r"""PostgreSQL's `escape` output: octets beyond ASCII as \ooo; twice escaped in COPY."""
    is_plain = [0x20 <= octet < 0x7F and octet != 0x5C for octet in octets]
    for mark in ("\\", "\\\\"):
        yield "".join(
            chr(octet) if plain else f"{mark}{octet:03o}"
            for octet, plain in zip(octets, is_plain, strict=True)
        ).encode()


def _with_small_digits(quoted: str) -> str:
    head, *others = quoted.split("%")
    return "%".join((head, *(each[:2].lower() + each[2:] for each in others)))
