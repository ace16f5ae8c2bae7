"""The search itself: octets in, finds out.

Owns one automaton for all patterns (Aho and Corasick 1975), what must hold around a find, and
looking into what is compressed. Knows no person beyond the patterns, and no database.
"""

import bz2
import lzma
import mmap
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

from telco_sim.recording import PersonalKind
from tests.canary.encodings import Encoding
from tests.canary.patterns import Demand, Pattern

REACH = 128
"""Octets before and after a birth date in which a name makes it tell of somebody."""

HEXADECIMAL_RUN = 24
"""Digits and letters a to f in a row from which on they are sealed octets or a digest, no number:
shorter than any digest, twice as long as a personal ID."""

STREAM_MIN = 64
"""Octets that must come out of what looks like the beginning of a compressed stream: the two or
three of its magic number stand in sealed data by chance."""

STREAM_INPUT_MAX = 64 * 1024**2
STREAM_OUTPUT_MAX = 256 * 1024**2
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_AUTOMATIC_HEADER = 32 + zlib.MAX_WBITS

_UNREAD = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"\x37\x7a\xbc\xaf": "7z",
}
"""What files begin with that this cannot look into: nobody can vouch for those."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Find:
    """Something of somebody in the clear.

    Attributes:
        place: File, table or output.
        offset: Octets before it there.
        kind: What it is.
        encoding: How it stands there.
    """

    place: str
    offset: int
    kind: PersonalKind
    encoding: Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What came of a search.

    Attributes:
        place_count: Files, tables and outputs that were read.
        octet_count: What they hold, compressed streams counted as they are.
        stream_count: Compressed streams that were looked into.
        finds: Everything found.
        unread: What could not be looked into, with the reason.
    """

    place_count: int = 0
    octet_count: int = 0
    stream_count: int = 0
    finds: tuple[Find, ...] = ()
    unread: tuple[str, ...] = ()

    def __add__(self, other: "Scanned") -> "Scanned":
        return Scanned(
            place_count=self.place_count + other.place_count,
            octet_count=self.octet_count + other.octet_count,
            stream_count=self.stream_count + other.stream_count,
            finds=self.finds + other.finds,
            unread=self.unread + other.unread,
        )

    @property
    def is_clean(self) -> bool:
        """Whether everything was read and nothing found."""
        return not self.finds and not self.unread

    def summary(self) -> Counter[tuple[str, str, str]]:
        """How often each kind was found in each place in each encoding."""
        return Counter((each.place, each.kind.value, each.encoding.value) for each in self.finds)


class Scanner:
    """Searches for patterns."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Build the automaton.

        Args:
            patterns: At least one.
        """
        self._patterns = patterns
        self._automaton = BytesAhoCorasick([each.octets for each in patterns])

    @property
    def pattern_count(self) -> int:
        """How many forms are searched for."""
        return len(self._patterns)

    def scan_files(self, folder: Path) -> Scanned:
        """Read every file below a folder, or one file."""
        paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        scanned = Scanned()
        for path in paths:
            if path.is_file() and not path.is_symlink():
                scanned += self.scan_file(path, place=str(path.relative_to(folder.parent)))
        return scanned

    def scan_file(self, path: Path, *, place: str) -> Scanned:
        """Read one file, however large."""
        if path.stat().st_size == 0:
            return Scanned(place_count=1)
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as octets,
        ):
            return self._scan(octets, place=place)

    def scan(self, octets: bytes, *, place: str) -> Scanned:
        """Read octets from anywhere: an output, a table, a scrape of metrics."""
        return self._scan(memoryview(octets), place=place)

    def _scan(self, octets: memoryview, *, place: str) -> Scanned:
        head = bytes(octets[:8])
        unread = next((name for magic, name in _UNREAD.items() if head.startswith(magic)), None)
        if unread is not None:
            scanned = Scanned(unread=(f"{place}: {unread}",))
        elif head.startswith((b"BZh", b"\xfd7zXZ\x00")):
            scanned = self._scan_whole_stream(octets, place=place)
        else:
            scanned = Scanned(finds=tuple(self._finds(octets, place=place)))
            scanned += self._scan_streams(octets, place=place)
        return scanned + Scanned(place_count=1, octet_count=len(octets))

    def words_in(self, texts: Iterable[bytes]) -> frozenset[bytes]:
        """Which patterns stand in texts, whatever is around them."""
        return frozenset(
            self._patterns[index].octets
            for text in texts
            for index, _, _ in self._automaton.find_matches_as_indexes(text, overlapping=True)
        )

    def _finds(self, octets: bytes | memoryview, *, place: str) -> Iterator[Find]:
        for index, start, end in self._automaton.find_matches_as_indexes(octets, overlapping=True):
            pattern = self._patterns[index]
            if _is_met(pattern, octets, start, end):
                yield Find(place=place, offset=start, kind=pattern.kind, encoding=pattern.encoding)

    def _scan_streams(self, octets: memoryview, *, place: str) -> Scanned:
        """Look into every gzip and zlib stream, wherever it begins."""
        scanned = Scanned()
        for found in _STREAM.finditer(octets):
            start = found.start()
            plain = _inflated(octets[start : start + STREAM_INPUT_MAX])
            if len(plain) >= STREAM_MIN:
                inside = f"{place} (compressed at {start})"
                finds = tuple(self._finds(plain, place=inside))
                cut = (f"{inside}: more than {STREAM_OUTPUT_MAX} octets",)
                is_whole = len(plain) < STREAM_OUTPUT_MAX
                scanned += Scanned(stream_count=1, finds=finds, unread=() if is_whole else cut)
        return scanned

    def _scan_whole_stream(self, octets: memoryview, *, place: str) -> Scanned:
        open_stream = bz2.decompress if bytes(octets[:3]) == b"BZh" else lzma.decompress
        inside = self.scan(open_stream(bytes(octets)), place=f"{place} (compressed)")
        return Scanned(stream_count=1, finds=inside.finds, unread=inside.unread)


def _inflated(octets: memoryview) -> bytes:
    """What comes out of a stream up to its end or its first fault."""
    stream, parts, size = zlib.decompressobj(_AUTOMATIC_HEADER), [], 0
    try:
        # In pieces: most of what looks like a stream is none, and fails within the first.
        for start in range(0, len(octets), 1 << 16):
            part = stream.decompress(octets[start : start + (1 << 16)])
            parts.append(part)
            size += len(part)
            if stream.eof or size >= STREAM_OUTPUT_MAX:
                break
    except zlib.error:
        pass
    return b"".join(parts)[:STREAM_OUTPUT_MAX]


def _is_met(pattern: Pattern, octets: bytes | memoryview, start: int, end: int) -> bool:
    before, after = bytes(octets[max(0, start - REACH) : start]), bytes(octets[end : end + REACH])
    match pattern.demand:
        case Demand.NONE:
            return True
        case Demand.NO_DIGITS_AROUND:
            is_part = before[-1:].isdigit() or after[:1].isdigit()
            return not is_part and _run(before, after) + end - start < HEXADECIMAL_RUN
        case Demand.NO_LETTERS_AROUND:
            return not before[-1:].isalpha() and not after[:1].isalpha()
        case Demand.NAME_BESIDE:
            around = _words(before) | _words(after)
            return any(name <= around for name in pattern.names)


_HEXADECIMAL_END = re.compile(rb"[0-9a-fA-F]*\Z")
_HEXADECIMAL_BEGINNING = re.compile(rb"[0-9a-fA-F]*")


def _run(before: bytes, after: bytes) -> int:
    """How many hexadecimal digits stand on both sides without a gap."""
    ending, beginning = _HEXADECIMAL_END.search(before), _HEXADECIMAL_BEGINNING.match(after)
    return sum(len(each.group()) for each in (ending, beginning) if each is not None)


def _words(octets: bytes) -> set[str]:
    """The words of a stretch, folded as `patterns.words_of` folds names."""
    text = octets.decode("utf-8", "replace").replace("đ", "d").replace("Đ", "D")
    split = unicodedata.normalize("NFD", text)
    plain = "".join(each for each in split if not unicodedata.combining(each)).casefold()
    return set(re.findall(r"[^\W\d_]+", plain))
