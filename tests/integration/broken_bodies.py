"""Bodies that no client of ours would write, made from ones that it would.

Owns what can be broken of a message on the wire: octets, tags, lengths, nesting. Draws from a
generator that it is given, so a property test shrinks what it finds and a long run repeats itself.
Knows no method.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

STEPS_MAX = 3
NESTING_MAX = 2_000
"""Far beyond the 100 messages within one another that parsers of Protocol Buffers follow."""

Breakage = Callable[[bytes, Random], bytes]


def varint(value: int) -> bytes:
    """A number as it stands on the wire: base 128, the least significant group in front."""
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*octets, value))


def break_body(body: bytes, generator: Random) -> bytes:
    """The body with one to three things wrong; some come out as good as they went in."""
    for _ in range(generator.randint(1, STEPS_MAX)):
        body = BREAKAGES[generator.choice(list(BREAKAGES))](body, generator)
    return body


def _place(body: bytes, generator: Random) -> int:
    return generator.randint(0, len(body))


def _insert(body: bytes, generator: Random, octets: bytes) -> bytes:
    at = _place(body, generator)
    return body[:at] + octets + body[at:]


def _flip(body: bytes, generator: Random) -> bytes:
    if not body:
        return body
    at = generator.randrange(len(body))
    return body[:at] + bytes([body[at] ^ generator.randint(1, 255)]) + body[at + 1 :]


def _cut_off(body: bytes, generator: Random) -> bytes:
    return body[: _place(body, generator)]


def _twice(body: bytes, generator: Random) -> bytes:
    start, end = sorted((_place(body, generator), _place(body, generator)))
    return body[:end] + body[start:end] + body[end:]


def _noise(body: bytes, generator: Random) -> bytes:
    return _insert(body, generator, generator.randbytes(generator.randint(1, 40)))


def _stray_field(body: bytes, generator: Random) -> bytes:
    """A field that the contract may not have, of any wire type, the forbidden ones among them."""
    number = generator.choice((1, 2, 3, 15, 16, 999, 2**29 - 1, 2**29))
    tag = varint(number << 3 | generator.randint(0, 7))
    return body + tag + generator.randbytes(generator.randint(0, 12))


def _huge_length(body: bytes, generator: Random) -> bytes:
    """A field that says it is longer than anything."""
    length = generator.choice((2**20, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**64 - 1))
    return _insert(body, generator, varint(generator.randint(1, 9) << 3 | 2) + varint(length))


def _endless_varint(body: bytes, generator: Random) -> bytes:
    return _insert(body, generator, b"\xff" * generator.randint(9, 40))


def _nested(body: bytes, generator: Random) -> bytes:
    """The body as a field of itself, again and again."""
    tag = varint(generator.randint(1, 6) << 3 | 2)
    depth = generator.choice((1, 5, 99, 101, NESTING_MAX))
    for _ in range(depth):
        body = tag + varint(len(body)) + body
    return body


def _groups(body: bytes, generator: Random) -> bytes:
    """Groups within groups, which nobody closes."""
    return _insert(body, generator, b"\x0b" * generator.choice((1, 99, 101, NESTING_MAX)))


def _many(body: bytes, generator: Random) -> bytes:
    """Empty elements of a list: two octets each here, and many times that in memory."""
    tag = varint(generator.randint(1, 9) << 3 | 2)
    return body + (tag + b"\x00") * generator.choice((11, 1_001, 50_001))


def _other_text(body: bytes, generator: Random) -> bytes:
    """Octets that are no UTF-8, or text that databases dislike, as long as what stood there."""
    start = _place(body, generator)
    octets = generator.choice((b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\x00", b"\xe2\x80\xae"))
    return body[:start] + octets + body[start + len(octets) :]


BREAKAGES: Mapping[str, Breakage] = MappingProxyType(
    {
        "flip": _flip,
        "cut off": _cut_off,
        "twice": _twice,
        "noise": _noise,
        "stray field": _stray_field,
        "huge length": _huge_length,
        "endless varint": _endless_varint,
        "nested": _nested,
        "groups": _groups,
        "many": _many,
        "other text": _other_text,
    }
)
