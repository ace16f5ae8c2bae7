"""How a value about a person may be spelled, before anybody encodes it.

Owns every spelling of a name, a number and a day, and what is read out of a card's files. Knows no
encoding and no file.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

_ZONE_TAG = b"\x5f\x1f"
"""What stands before the zone in DG1 and its length (Doc 9303-10, 4.7.1)."""

_LINE_LENGTH = 30
_ZONE = re.compile(rb"[A-Z0-9<]{90}")
"""Three lines of thirty characters, as on every card of this size (Doc 9303-5, 4.2)."""

_TEXT_TYPES = rb"[\x0c\x13]"
"""UTF8String and PrintableString (X.690, 8.23): what DG13 holds its details in."""

CARD_TEXT_MIN = 8
"""Octets of a text from a card; shorter ones are words that everybody's card has."""

SHORTEST_NUMBER = 9
"""Digits of an identity card of before, a card's number, and a mobile number without its 0."""

_DAY_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d%m%Y")


def name_spellings(name: str) -> set[str]:
    """A name with and without marks, in any case, joined and as a machine-readable zone has it."""
    plain = unaccented(name)
    whole = {name, name.upper(), name.lower(), name.title(), plain, plain.upper(), plain.lower()}
    joined = {each.replace(" ", mark) for each in whole for mark in ("", "_", "-", ".", "+")}
    first, *others = plain.upper().split()
    zone = {"<".join((first, *others)), f"{first}<<{'<'.join(others)}"}
    decomposed = {unicodedata.normalize("NFD", each) for each in (*whole, *joined)}
    return whole | joined | zone | decomposed


def number_spellings(number: str) -> set[str]:
    """A number in E.164, with and without its plus, in national form, and as people write it."""
    digits = number.removeprefix("+").removeprefix("84").removeprefix("0")
    spaced = f"{digits[:2]} {digits[2:5]} {digits[5:]}"
    prefixes = ("+84", "84", "0", "0084", "")
    return {f"{prefix}{digits}" for prefix in prefixes} | {f"+84 {spaced}", f"0{spaced}"}


def personal_id_spellings(personal_id: str) -> set[str]:
    """The twelve digits, and in groups of three."""
    groups = [personal_id[start : start + 3] for start in range(0, len(personal_id), 3)]
    return {personal_id, " ".join(groups), "-".join(groups)}


def day_spellings(day: date) -> set[str]:
    """A day as programs and people write it."""
    return {day.strftime(form) for form in _DAY_FORMS}


def zone_lines(dg1: bytes) -> Iterator[str]:
    """The lines of the machine-readable zone in DG1; none where there is no proper one."""
    _, _, after_tag = dg1.partition(_ZONE_TAG)
    found = _ZONE.match(after_tag[1:])
    zone = "" if found is None else found.group().decode("ascii")
    yield from (zone[at : at + _LINE_LENGTH] for at in range(0, len(zone), _LINE_LENGTH))


def card_numbers(dg1: bytes) -> Iterator[str]:
    """The document number: the sixth to fourteenth character of the first line."""
    for line in list(zone_lines(dg1))[:1]:
        yield line[5:14].rstrip("<")


def texts_in(dg13: bytes) -> Iterator[str]:
    """The texts of a card's details: names of parents, addresses, numbers of earlier cards."""
    for found in re.finditer(_TEXT_TYPES, dg13):
        length_at = found.end()
        length = dg13[length_at] if length_at < len(dg13) else 0
        octets = dg13[length_at + 1 : length_at + 1 + length]
        if CARD_TEXT_MIN <= length == len(octets) < 0x80:
            try:
                text = octets.decode("utf-8")
            except UnicodeDecodeError:
                continue
            if text.isprintable() and _tells_of_somebody(text):
                yield text


def _tells_of_somebody(text: str) -> bool:
    """Whether it is more than a day: words, or as many digits as the shortest number has."""
    digit_count = sum(each.isdigit() for each in text)
    return digit_count >= SHORTEST_NUMBER or any(each.isalpha() for each in text)


def unaccented(text: str) -> str:
    """Letters without marks; đ is a letter of its own and becomes d."""
    split = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))
