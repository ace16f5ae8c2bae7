"""DG13 of the Vietnamese identity card: what the card says of its citizen, in full letters.

Owns a proprietary format, read the way four independent readers agree on: a SET of numbered
fields. Reads only the fields it is asked for: ethnicity, religion, parents and marks stay octets
unless a purpose names them. The SET need not be sorted, so nothing is ever encoded again.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from cryptography.hazmat import asn1

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.data_group import unwrap
from biometrics.chip.dg1 import Sex
from biometrics.chip.object_identifiers import read_oid

VERSION = 1
UTF_8 = "1.0.10646.1.0.8"
"""The encoding the file declares for its texts."""


class CitizenField(IntEnum):
    """Fields by their number in the file. Fields 15 and 16 have no agreed meaning."""

    PERSONAL_ID = 1
    FULL_NAME = 2
    BIRTH_DATE = 3
    SEX = 4
    NATIONALITY = 5
    ETHNICITY = 6
    RELIGION = 7
    ORIGIN = 8
    RESIDENCE = 9
    IDENTIFYING_MARKS = 10
    ISSUE_DATE = 11
    EXPIRY_DATE = 12


IDENTITY_FIELDS = frozenset(
    {
        CitizenField.PERSONAL_ID,
        CitizenField.FULL_NAME,
        CitizenField.BIRTH_DATE,
        CitizenField.SEX,
        CitizenField.ISSUE_DATE,
        CitizenField.EXPIRY_DATE,
    }
)
"""What identification needs, and all that is read by default."""

_TAG_SET = 0x31
_TAG_SEQUENCE = 0x30
_TAG_INTEGER = 0x02
_TAG_UTF8_STRING = 0x0C
_TAG_PRINTABLE_STRING = 0x13
_HEAD_ELEMENTS = 3
_FIELD_ELEMENTS_MAX = 2

_PERSONAL_ID = re.compile(r"[0-9]{12}")
_DATE = re.compile(r"(?:(?:(?P<day>[0-9]{2})/)?(?P<month>[0-9]{2})/)?(?P<year>[0-9]{4})")
_SEXES = {"NAM": Sex.MALE, "NU": Sex.FEMALE}
_LETTERS_APART = str.maketrans({"đ": "d", "Đ": "D", "ƀ": "b", "Ƀ": "B"})
"""Letters of Vietnam's languages that Unicode does not take apart."""


@dataclass(frozen=True, kw_only=True, repr=False)
class CitizenData:
    """Who the card says its holder is. None means the card does not say.

    Its repr shows nothing of it.

    Attributes:
        personal_id: 12 digits.
        full_name: With all diacritics, in composed form (NFC).
        born_on: None also where the card knows only the year, or month and year.
        birth_year: Four digits.
        sex: As stated.
        issued_on: Day of issue: a person's later card supersedes this one.
        expires_on: Last day of validity.
        has_no_expiry: The card states in words that it does not expire.
    """

    personal_id: str | None
    full_name: str | None
    born_on: date | None
    birth_year: int | None
    sex: Sex | None
    issued_on: date | None
    expires_on: date | None
    has_no_expiry: bool


def parse_dg13(data: bytes) -> CitizenData:
    """Read the file DG13 as far as identification needs it.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG13_MALFORMED.
    """
    fields = read_fields(data, wanted=IDENTITY_FIELDS)
    personal_id = fields.get(CitizenField.PERSONAL_ID)
    if personal_id is not None and not _PERSONAL_ID.fullmatch(personal_id):
        raise _malformed("personal id")
    born_on, birth_year = _read_birth(fields.get(CitizenField.BIRTH_DATE))
    expires_on, has_no_expiry = _read_expiry(fields.get(CitizenField.EXPIRY_DATE))
    return CitizenData(
        personal_id=personal_id,
        full_name=fields.get(CitizenField.FULL_NAME),
        born_on=born_on,
        birth_year=birth_year,
        sex=_read_sex(fields.get(CitizenField.SEX)),
        issued_on=_read_issue(fields.get(CitizenField.ISSUE_DATE)),
        expires_on=expires_on,
        has_no_expiry=has_no_expiry,
    )


def read_fields(
    data: bytes, *, wanted: Collection[CitizenField] = IDENTITY_FIELDS
) -> Mapping[CitizenField, str]:
    """Return the text of the wanted fields; empty and missing ones are left out.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG13_MALFORMED.
    """
    texts: dict[CitizenField, str] = {}
    seen: set[int] = set()
    for element in tlv.read_all(_find_fields(data)):
        number, value = _read_field(element)
        if number in seen:
            raise _malformed("a field twice")
        seen.add(number)
        if number in wanted and value is not None:
            text = _read_text(value)
            if text:
                texts[CitizenField(number)] = text
    return texts


def fold_name(name: str) -> str:
    """Return the letters of a name, upper case, without diacritics and separators.

    The machine readable zone drops diacritics and apostrophes and turns hyphens into fillers, so
    only letters compare.
    """
    decomposed = unicodedata.normalize("NFD", name.translate(_LETTERS_APART))
    return "".join(letter for letter in decomposed if letter.isalpha()).upper()


def _find_fields(data: bytes) -> bytes:
    body = tlv.read_one(unwrap(13, data, malformed=ChipCode.DG13_MALFORMED))
    parts = tlv.read_all(body.value)
    if body.tag != _TAG_SEQUENCE or len(parts) != _HEAD_ELEMENTS or parts[2].tag != _TAG_SET:
        raise _malformed("not version, encoding and fields")
    try:
        version, encoding = asn1.decode_der(int, parts[0].raw), read_oid(parts[1].raw)
    except ValueError as error:
        raise _malformed("version or encoding") from error
    if (version, encoding) != (VERSION, UTF_8):
        raise _malformed("another version or encoding")
    return parts[2].value


def _read_field(element: tlv.TLV) -> tuple[int, tlv.TLV | None]:
    parts = tlv.read_all(element.value)
    if element.tag != _TAG_SEQUENCE or not 1 <= len(parts) <= _FIELD_ELEMENTS_MAX:
        raise _malformed("a field is not a number and a value")
    try:
        number: int = asn1.decode_der(int, parts[0].raw)
    except ValueError as error:
        raise _malformed("a field's number") from error
    return number, parts[1] if len(parts) == _FIELD_ELEMENTS_MAX else None


def _read_text(value: tlv.TLV) -> str:
    try:
        if value.tag == _TAG_PRINTABLE_STRING:
            text = asn1.decode_der(asn1.PrintableString, value.raw).as_str()
        elif value.tag == _TAG_UTF8_STRING:
            text = asn1.decode_der(str, value.raw)
        else:
            raise _malformed(f"a text tagged {value.tag:X}")
    except ValueError as error:
        raise _malformed("a text") from error
    return unicodedata.normalize("NFC", text).strip()


def _read_birth(text: str | None) -> tuple[date | None, int | None]:
    if text is None:
        return None, None
    match = _DATE.fullmatch(text)
    if match is None:
        raise _malformed("birth date")
    return _as_date(match), int(match["year"])


def _read_issue(text: str | None) -> date | None:
    if text is None:
        return None
    match = _DATE.fullmatch(text)
    if match is None or match["day"] is None:
        raise _malformed("issue date")
    return _as_date(match)


def _read_expiry(text: str | None) -> tuple[date | None, bool]:
    """Return the last day of validity, or that there is none.

    Cards of the elderly say so in words; the wording is not published, so any text of letters
    without a digit counts. A dash says nothing.
    """
    if text is None:
        return None, False
    if not any(character.isdigit() for character in text):
        return None, any(character.isalpha() for character in text)
    match = _DATE.fullmatch(text)
    if match is None or match["day"] is None:
        raise _malformed("expiry date")
    return _as_date(match), False


def _as_date(match: re.Match[str]) -> date | None:
    """Return the day, None when only the month or year is known (left out, or zeros)."""
    day, month = int(match["day"] or 0), int(match["month"] or 0)
    if not day or not month:
        return None
    try:
        return date(int(match["year"]), month, day)
    except ValueError as error:
        raise _malformed("a date that is none") from error


def _read_sex(text: str | None) -> Sex | None:
    if text is None:
        return None
    sex = _SEXES.get(fold_name(text))
    if sex is None:
        raise _malformed("sex")
    return sex


def _malformed(what: str) -> ChipError:
    return ChipError(ChipCode.DG13_MALFORMED, what)
