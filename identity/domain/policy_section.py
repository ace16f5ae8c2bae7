"""One table of a policy pack's text, read value by value.

Owns that a value is there, known, of its type and within its bounds, that whatever is not is
refused by its place, and what all tables share: a source, and words in both languages. Knows no
rule: which keys a table has, and what they mean, is `policy_text`'s and `track_text`'s.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from identity.domain.calendar_date import YEAR_MAX, YEAR_MIN
from identity.domain.policy import Bilingual, PolicyPackError, Source

TEXT_LENGTH_MAX = 300
"""Characters of a text: a citation is a line, and what is longer nobody reads on a telephone."""

HOURS_MAX = 87_600
"""10 years: longer than any interval of a regulation, short enough to catch a slip of units."""

SOURCE_KEYS = frozenset({"citation", "confirm_in_gazette"})
"""The keys that say where a table comes from."""

_LANGUAGES = frozenset({"vi", "en"})
_ROOT = "pack"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_TOLD_MAX = 40
_LINE_ENDS = frozenset({"Zl", "Zp"})
_Word = TypeVar("_Word", bound=StrEnum)


class Section:
    """A table that has the keys it needs and none besides: a misspelt one falls back to nothing."""

    def __init__(
        self,
        value: object,
        *,
        place: str,
        required: AbstractSet[str],
        optional: AbstractSet[str] = frozenset(),
    ) -> None:
        """Check the keys.

        Args:
            value: What stands there.
            place: Where, such as `tracks.T2`; empty for the pack itself.
            required: Keys that it must have.
            optional: Keys that it may have.

        Raises:
            PolicyPackError: It is no table, or a key is unknown or missing.
        """
        self.place = place
        self._body = _mapping(value, place=place)
        unknown, missing = self._body.keys() - required - optional, required - self._body.keys()
        for fault, keys in (("unknown", unknown), ("missing", missing)):
            if keys:
                told = ", ".join(_told_key(key) for key in sorted(keys))
                raise PolicyPackError(f"{place or _ROOT}: {fault} {told}")

    def __contains__(self, key: str) -> bool:
        return key in self._body

    def fault(self, key: str, says: str) -> PolicyPackError:
        """The error for a value, by its place."""
        return PolicyPackError(f"{self._place_of(key)}{says}")

    def text(self, key: str) -> str:
        """A sentence on one line, composed (NFC), without what cannot be seen."""
        return _text(self._body[key], place=self._place_of(key))

    def name(self, key: str, *, length_max: int) -> str:
        """A name of small letters, digits and hyphens."""
        text = self.text(key)
        if not re.fullmatch(rf"[a-z0-9][a-z0-9-]{{0,{length_max - 1}}}", text):
            raise self.fault(key, f" must be 1 to {length_max} small letters, digits and hyphens")
        return text

    def flag(self, key: str, *, otherwise: bool | None = None) -> bool:
        """True or false; `otherwise` where an optional one is not there."""
        value = self._body.get(key, otherwise)
        if not isinstance(value, bool):
            raise self.fault(key, " must be true or false")
        return value

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number between two bounds, both allowed."""
        value = self._body[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.fault(key, f" must be a whole number, {least} to {most}")
        return value

    def decimal(self, key: str) -> float:
        """A number with a decimal point; whoever asks knows its bounds."""
        value = self._body[key]
        if not isinstance(value, float):
            raise self.fault(key, " must be a number with a decimal point")
        return value

    def share(self, key: str) -> float:
        """A share that is neither nothing nor everything."""
        value = self.decimal(key)
        if not 0 < value < 1:
            raise self.fault(key, " must be above 0 and below 1")
        return value

    def hours(self, key: str) -> timedelta:
        """A length of time in hours, whole or not."""
        value = self._body[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # NaN lies between no bounds.
        if not is_number or not 0 <= value <= HOURS_MAX:
            raise self.fault(key, f" must be a number of hours, 0 to {HOURS_MAX}")
        return timedelta(hours=value)

    def day(self, key: str) -> date:
        """A day of the calendar."""
        return _day(self._body[key], place=self._place_of(key))

    def days(self, key: str) -> tuple[date, ...]:
        """Some days of the calendar, each once, in their order."""
        place = self._place_of(key)
        listed = _list(self._body[key], place=place)
        found = tuple(_day(value, place=f"{place}[{at}]") for at, value in enumerate(listed))
        if list(found) != sorted(set(found)):
            raise self.fault(key, " must be in the order of time, each day once")
        return found

    def word(self, key: str, words: type[_Word]) -> _Word:
        """One of a vocabulary."""
        return _word(self._body[key], words, place=self._place_of(key))

    def words(self, key: str, words: type[_Word]) -> frozenset[_Word]:
        """Some of a vocabulary, each once."""
        place = self._place_of(key)
        found = [_word(value, words, place=place) for value in _list(self._body[key], place=place)]
        if twice := sorted({word for word in found if found.count(word) > 1}):
            raise PolicyPackError(f"{place}: {twice[0]} stands twice")
        return frozenset(found)

    def table(
        self, key: str, *, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
    ) -> "Section":
        """A table in this one."""
        place = self._place_of(key)
        return Section(self._body[key], place=place, required=required, optional=optional)

    def tables(
        self, key: str, *, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
    ) -> Sequence["Section"]:
        """A list of tables in this one, in its order."""
        place = self._place_of(key)
        return [
            Section(row, place=f"{place}[{at}]", required=required, optional=optional)
            for at, row in enumerate(_list(self._body[key], place=place))
        ]

    def named_tables(
        self, key: str, *, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
    ) -> Iterator[tuple[str, "Section"]]:
        """The tables of a table, by their names of letters, digits, `_` and `-`."""
        place = self._place_of(key)
        for name, body in _mapping(self._body[key], place=place).items():
            if not _PLAIN_KEY.fullmatch(name):
                raise PolicyPackError(
                    f"{place}: {_told_key(name)} must be 1 to 40 letters, digits, _ and -"
                )
            yield name, Section(body, place=f"{place}.{name}", required=required, optional=optional)

    def _place_of(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def source_of(section: Section) -> Source:
    """Where a table comes from."""
    return Source(
        citation=section.text("citation"),
        is_unconfirmed=section.flag("confirm_in_gazette", otherwise=False),
    )


def bilingual_of(section: Section, key: str) -> Bilingual:
    """Words in both languages, in a table of their own."""
    words = section.table(key, required=_LANGUAGES)
    return Bilingual(vi=words.text("vi"), en=words.text("en"))


def _mapping(value: object, *, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyPackError(f"{place} must be a table")
    return value


def _day(value: object, *, place: str) -> date:
    # TOML's date with a time of day comes as a datetime, which is a date to Python.
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PolicyPackError(f"{place} must be a date, such as 2026-04-15")
    if not YEAR_MIN <= value.year <= YEAR_MAX:
        raise PolicyPackError(f"{place}: the year must be {YEAR_MIN} to {YEAR_MAX}")
    return value


def _list(value: object, *, place: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise PolicyPackError(f"{place} must be a list")
    return value


def _word(value: object, words: type[_Word], *, place: str) -> _Word:
    try:
        return words(_text(value, place=place))
    except ValueError as error:
        if isinstance(error, PolicyPackError):
            raise
        known = ", ".join(words)
        raise PolicyPackError(f"{place}: {_told(value)} is none of {known}") from error


def _text(value: object, *, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PolicyPackError(f"{place} must be a sentence")
    if len(value) > TEXT_LENGTH_MAX:
        raise PolicyPackError(f"{place} is longer than {TEXT_LENGTH_MAX} characters")
    for sign in value:
        category = unicodedata.category(sign)
        # Controls, formats such as a change of direction, surrogates, and what is not assigned.
        if category.startswith("C") or category in _LINE_ENDS:
            raise PolicyPackError(f"{place} holds U+{ord(sign):04X}, which nobody sees")
    if not unicodedata.is_normalized("NFC", value):
        # An accent apart costs a place in a message, and not every telephone puts it together.
        raise PolicyPackError(f"{place} has accents apart from their letters: normalise it to NFC")
    return value


def _told_key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else _told(key)


def _told(value: object) -> str:
    """A stranger's value on one line, and not all of it."""
    shown = repr(value)
    return shown if len(shown) <= _TOLD_MAX else f"{shown[:_TOLD_MAX]}…"
