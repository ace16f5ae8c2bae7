"""What is wrong in operators' books.

Owns the ways in which a subscriber record, once typed at a counter, differs from the population
record: pure functions, one mistake each, so that a scenario says which mistakes it makes and
how often. It refuses to know what a cleaner would do about them.
"""

import unicodedata
from datetime import date, timedelta
from random import Random

_TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Grave, acute, tilde, hook above, dot below: the five tone marks, as combining characters."""

_OPEN_PAIRS = ("oa", "oe", "uy")
"""Vowel pairs at the end of a word whose tone is written on either letter: hòa or hoà."""

_ELEVEN_DIGIT_PREFIXES = {f"03{digit}": f"016{digit}" for digit in range(2, 10)} | {
    "070": "0120",
    "079": "0121",
    "077": "0122",
    "076": "0126",
    "078": "0128",
    "083": "0123",
    "084": "0124",
    "085": "0125",
    "081": "0127",
    "082": "0129",
}
"""Ten-digit prefix since 2018-09-15, and the eleven-digit prefix it replaced (MIC plan of 2018)."""


def without_accents(name: str) -> str:
    """Return a name as typed on a keyboard without Vietnamese: "Nguyen Van Thu"."""
    letters = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def decomposed(name: str) -> str:
    """Return a name in Unicode NFD, as some systems store and export it."""
    return unicodedata.normalize("NFD", name)


def with_separate_tones(name: str) -> str:
    """Return letters composed but tones apart, as keyboards of Windows code page 1258 type it.

    The result is neither NFC nor NFD: "ế" becomes "ê" and a combining acute.
    """
    return "".join(_with_separate_tone(letter) for letter in unicodedata.normalize("NFC", name))


def with_new_tone_placement(name: str) -> str:
    """Return a name with the tone on the second vowel of oa, oe, uy: "Hoà", "Thuý"."""
    return _place_tones(name, on_second_vowel=True)


def with_old_tone_placement(name: str) -> str:
    """Return a name with the tone on the first vowel of oa, oe, uy: "Hòa", "Thúy"."""
    return _place_tones(name, on_second_vowel=False)


def in_capitals(name: str) -> str:
    """Return a name in upper case, accents kept."""
    return name.upper()


def with_swapped_order(name: str) -> str:
    """Return a name as a Western form asks for it, given name first: "Thư Nguyễn Văn"."""
    words = name.split()
    return " ".join(words[-1:] + words[:-1])


def with_wrong_birth_date(birth_date: date, *, generator: Random) -> date:
    """Return another birth date, mistaken in a way that people mistake it.

    Day and month swapped, one day or one year or ten years off, or the first of January of a
    year that alone was known.
    """
    candidates = [
        _swapped_day_and_month(birth_date),
        birth_date + timedelta(days=generator.choice((-1, 1))),
        _moved_years(birth_date, years=generator.choice((-10, -1, 1))),
        date(birth_date.year, 1, 1),
    ]
    return generator.choice([each for each in candidates if each not in (None, birth_date)])


def unknown_personal_id(*, known: frozenset[str], generator: Random) -> str:
    """Return a personal ID of valid form that no citizen has."""
    while True:
        prefix = generator.choice(("001", "038", "079")) + generator.choice("0123")
        personal_id = f"{prefix}{generator.randrange(10**8):08d}"
        if personal_id not in known:
            return personal_id


def in_retired_form(msisdn: str) -> str | None:
    """Return the eleven-digit form that a number had before 2018-09-15: 0332… was 01632….

    Args:
        msisdn: National form, 0 and nine digits.

    Returns:
        0 and ten digits, or None when the range never had eleven digits.
    """
    prefix = _ELEVEN_DIGIT_PREFIXES.get(msisdn[:3])
    return None if prefix is None else prefix + msisdn[3:]


def in_international_form(msisdn: str) -> str:
    """Return a national number with the country code: +84912345678."""
    return "+84" + msisdn[1:]


def in_international_form_without_plus(msisdn: str) -> str:
    """Return a national number as databases often keep it: 84912345678."""
    return "84" + msisdn[1:]


def without_leading_zero(msisdn: str) -> str:
    """Return a national number as a spreadsheet leaves it: 912345678."""
    return msisdn[1:]


def grouped(msisdn: str, *, separator: str = ".") -> str:
    """Return a national number in groups, as on a shop sign: 0912.345.678."""
    return separator.join((msisdn[:4], msisdn[4:7], msisdn[7:]))


def _with_separate_tone(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    tones = "".join(part for part in parts if part in _TONES)
    others = "".join(part for part in parts if part not in _TONES)
    return unicodedata.normalize("NFC", others) + tones


def _place_tones(name: str, *, on_second_vowel: bool) -> str:
    words = unicodedata.normalize("NFC", name).split(" ")
    return " ".join(_place_tone(word, on_second_vowel=on_second_vowel) for word in words)


def _place_tone(word: str, *, on_second_vowel: bool) -> str:
    """Move the tone of one word; a word that does not end in an open pair stays as it is.

    After q, u belongs to the consonant: "Quý" has one vowel and one place for its tone.
    """
    letters = [_with_separate_tone(letter) for letter in word]
    bare = "".join(letter[0] for letter in letters).lower()
    if bare[-2:] not in _OPEN_PAIRS or bare[-3:] == "quy":
        return word
    tone = "".join(letter[1:] for letter in letters[-2:])
    first, second = letters[-2][0], letters[-1][0]
    pair = first + second + tone if on_second_vowel else first + tone + second
    return word[:-2] + unicodedata.normalize("NFC", pair)


def _swapped_day_and_month(day: date) -> date | None:
    months_per_year = 12
    return date(day.year, day.day, day.month) if day.day <= months_per_year else None


def _moved_years(day: date, *, years: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + years, day.month, 28 if is_leap_day else day.day)
