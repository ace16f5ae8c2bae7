"""What is searched for: each form of each secret, and what must stand around it to count.

Owns from what length and in which surroundings a find is no chance. Knows no file.

Chance alone finds a pattern of n octets in a gigabyte of sealed data once in 256^n / 10^9 patterns;
with some 10^5 patterns eight octets are enough (5 * 10^-5). Digits are another matter: a gigabyte
of hexadecimal holds every number of nine digits, so digits count only when no digit stands beside
them and when they are no part of a long run of hexadecimal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from telco_sim.recording import PersonalKind, Told
from tests.canary.encodings import Encoding, encodings_of_octets, encodings_of_text
from tests.canary.spellings import (
    card_numbers,
    day_spellings,
    name_spellings,
    number_spellings,
    personal_id_spellings,
    texts_in,
    unaccented,
    zone_lines,
)

PATTERN_MIN = 8
"""Octets; see above. A shorter name, such as one of two short words, counts beside a birth date."""

WORD_MAX = 12
"""Letters without marks up to which a name could be part of a longer word."""

WINDOW = 32
"""Octets of an image that are searched for."""

WINDOW_STEP = 1_024
"""From one window to the next: every piece of 1,056 octets holds one as a whole, so does a piece of
1,996, as which PostgreSQL keeps large values (TOAST_MAX_CHUNK_SIZE)."""

WINDOW_VALUES_MIN = 20
"""Different octets in a window: fewer are padding, a table, a plain area."""

_TABLES_SHARE = 4
"""The first quarter of an image is left out: all JPEG files begin with much the same tables."""


class Demand(StrEnum):
    """What must hold around a find."""

    NONE = "none"
    NO_DIGITS_AROUND = "no digits around"
    NO_LETTERS_AROUND = "no letters around"
    NAME_BESIDE = "name beside"
    """All words of the person's name stand within reach: a day alone tells of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One form of one secret.

    Attributes:
        octets: What is searched for.
        kind: What it is of.
        encoding: How it is encoded.
        demand: What must hold around it.
        names: For a birth date, the words of each name that it may stand beside.
    """

    octets: bytes
    kind: PersonalKind
    encoding: Encoding
    demand: Demand = Demand.NONE
    names: tuple[frozenset[str], ...] = ()


def patterns_of(told: Iterable[Told]) -> Sequence[Pattern]:
    """Every pattern for what the service was told, each once."""
    found: dict[bytes, Pattern] = {}
    born: dict[str, set[frozenset[str]]] = {}
    for each in told:
        if each.kind is PersonalKind.BIRTH_DATE:
            assert isinstance(each.value, str)
            born.setdefault(each.value, set()).add(words_of(each.whose))
            continue
        for pattern in _patterns_of(each):
            found.setdefault(pattern.octets, pattern)
    for pattern in _birth_patterns(born):
        found.setdefault(pattern.octets, pattern)
    return list(found.values())


def words_of(name: str) -> frozenset[str]:
    """The words of a name, without marks and in small letters."""
    return frozenset(unaccented(name).casefold().split())


def _patterns_of(told: Told) -> Iterator[Pattern]:
    match told.kind, told.value:
        case PersonalKind.NAME, str(name):
            yield from _of_texts(name_spellings(name) if name.split() else (), told.kind)
        case PersonalKind.PERSONAL_ID, str(digits):
            yield from _of_texts(personal_id_spellings(digits), told.kind)
        case PersonalKind.NUMBER, str(number):
            yield from _of_texts(number_spellings(number), told.kind)
        case PersonalKind.MACHINE_READABLE_ZONE, bytes(dg1):
            yield from _of_texts((*zone_lines(dg1), *card_numbers(dg1)), told.kind)
        case PersonalKind.CARD_DETAILS, bytes(dg13):
            yield from _of_texts(texts_in(dg13), told.kind)
        case _, bytes(octets):
            yield from _of_image(octets, told.kind)


def _of_texts(texts: Iterable[str], kind: PersonalKind) -> Iterator[Pattern]:
    for text in texts:
        for encoding, octets in encodings_of_text(text):
            if len(octets) >= PATTERN_MIN:
                demand = _demand_of(text, encoding)
                yield Pattern(octets=octets, kind=kind, encoding=encoding, demand=demand)


def _demand_of(text: str, encoding: Encoding) -> Demand:
    is_as_written = encoding not in (Encoding.UTF_16, Encoding.HEXADECIMAL, Encoding.BASE64)
    if not is_as_written or not text.isascii():
        return Demand.NONE
    if not any(each.isalpha() for each in text):
        return Demand.NO_DIGITS_AROUND
    is_short_word = len(text) < WORD_MAX and text.replace(" ", "").isalpha()
    return Demand.NO_LETTERS_AROUND if is_short_word else Demand.NONE


def _of_image(octets: bytes, kind: PersonalKind) -> Iterator[Pattern]:
    for start in range(len(octets) // _TABLES_SHARE, len(octets) - WINDOW, WINDOW_STEP):
        window = octets[start : start + WINDOW]
        if len(set(window)) >= WINDOW_VALUES_MIN:
            for encoding, form in encodings_of_octets(window):
                yield Pattern(octets=form, kind=kind, encoding=encoding)


def _birth_patterns(born: Mapping[str, set[frozenset[str]]]) -> Iterator[Pattern]:
    for day, names in born.items():
        for text in _days(day):
            yield Pattern(
                octets=text.encode(),
                kind=PersonalKind.BIRTH_DATE,
                encoding=Encoding.PLAIN,
                demand=Demand.NAME_BESIDE,
                names=tuple(sorted((each for each in names if each), key=sorted)),
            )


def _days(text: str) -> set[str]:
    try:
        return day_spellings(date.fromisoformat(text))
    except ValueError:  # a day that no calendar has was told all the same
        return {text}
