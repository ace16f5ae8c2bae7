"""DG1: the machine readable zone, as printed and as signed.

Owns the three layouts of Doc 9303 (parts 4 to 6) and their check digits. Dates stay as the six
characters they are: which century two digits mean is a question for DG13 or for policy.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.data_group import unwrap

TAG_MRZ = 0x5F1F
"""Doc 9303-10, table 40."""
FILLER = "<"

_CHARACTERS = re.compile(r"[A-Z0-9<]+")
_LETTERS = re.compile(r"[A-Z]+<*")
_DATE = re.compile(
    r"(?=[0-9<]{6}$)(?:[0-9]{2}|<<)(?:0[1-9]|1[0-2]|<<)(?:0[1-9]|[12][0-9]|3[01]|<<)"
)
_WEIGHTS = (7, 3, 1)
_PERSONAL_ID_VN = re.compile(r"(?P<personal_id>[0-9]{12})<<(?P<check_digit>[0-9])")


class MRZFormat(StrEnum):
    """Size of the document: card, larger card or visa, passport."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"


class Sex(StrEnum):
    """As the document states it."""

    MALE = "male"
    FEMALE = "female"
    UNSPECIFIED = "unspecified"


_SEXES = {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.UNSPECIFIED, "<": Sex.UNSPECIFIED}


@dataclass(frozen=True, kw_only=True, repr=False)
class MRZ:
    """One machine readable zone whose check digits are right. Its repr shows nothing of it.

    Attributes:
        format: Which layout.
        document_code: One or two characters: `ID`, `P`.
        issuing_state: As written, fillers removed: `VNM`, `D`.
        document_number: Fillers removed; longer than nine characters on some TD1 cards.
        primary_identifier: Surname, words separated by spaces.
        secondary_identifier: Given names, words separated by spaces; may be empty.
        is_name_truncated: The name fills its field, so it may have been cut.
        nationality: As `issuing_state`.
        birth_yymmdd: Six characters; `<<` where the day, month or year is unknown.
        sex: As stated.
        expiry_yymmdd: Six characters.
        optional_data: First optional field, fillers at the end removed.
        optional_data_2: Second optional field; TD1 only.
        personal_id: The 12-digit personal identification number of a Vietnamese card, else None.
    """

    format: MRZFormat
    document_code: str
    issuing_state: str
    document_number: str
    primary_identifier: str
    secondary_identifier: str
    is_name_truncated: bool
    nationality: str
    birth_yymmdd: str
    sex: Sex
    expiry_yymmdd: str
    optional_data: str
    optional_data_2: str = ""
    personal_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Fields:
    """The zone cut into its fields, untouched."""

    document_code: str
    issuing_state: str
    name: str
    number: str
    number_check: str
    nationality: str
    birth: str
    birth_check: str
    sex: str
    expiry: str
    expiry_check: str
    optional: str
    optional_2: str = ""
    # A TD3 zone has a check digit over its optional data; it may be a filler when that is empty.
    optional_check: str | None = None
    composite: str
    composite_check: str


def parse_dg1(data: bytes) -> MRZ:
    """Read the file DG1.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG1_MALFORMED, MRZ_CHECK_DIGIT.
    """
    content = unwrap(1, data, malformed=ChipCode.DG1_MALFORMED)
    element = tlv.read_one(content)
    if element.tag != TAG_MRZ:
        raise _malformed(f"tag {element.tag:X} inside")
    return parse_mrz(element.value)


def parse_mrz(zone: bytes) -> MRZ:
    """Read the characters of a machine readable zone, its lines joined.

    Raises:
        ChipError: DG1_MALFORMED, MRZ_CHECK_DIGIT.
    """
    text = zone.decode("latin-1")
    layout = _LAYOUTS.get(len(text))
    if layout is None or not _CHARACTERS.fullmatch(text):
        raise _malformed(f"{len(text)} characters, or a character that has no place there")
    mrz_format, cut = layout
    fields = cut(text)
    _check_syntax(fields)
    _check_digits(fields)
    return _assemble(mrz_format, fields)


def check_digit(characters: str) -> str:
    """Return the check digit of Doc 9303-3, clause 4.9: weights 7, 3, 1, modulo 10."""
    values = (int(character, 36) if character != FILLER else 0 for character in characters)
    return str(sum(value * _WEIGHTS[at % 3] for at, value in enumerate(values)) % 10)


def _cut_td1(text: str) -> _Fields:
    # Doc 9303-5, clause 4.2.
    first, second, third = text[:30], text[30:60], text[60:]
    return _Fields(
        document_code=first[0:2],
        issuing_state=first[2:5],
        name=third,
        number=first[5:14],
        number_check=first[14],
        nationality=second[15:18],
        birth=second[0:6],
        birth_check=second[6],
        sex=second[7],
        expiry=second[8:14],
        expiry_check=second[14],
        optional=first[15:30],
        optional_2=second[18:29],
        composite=first[5:30] + second[0:7] + second[8:15] + second[18:29],
        composite_check=second[29],
    )


def _cut_two_lines(text: str) -> _Fields:
    # Doc 9303-4, clause 4.2 (TD3) and 9303-6, clause 4.2 (TD2).
    width = len(text) // 2
    first, second = text[:width], text[width:]
    is_td3 = width == _TD3_WIDTH
    end = width - 2 if is_td3 else width - 1
    return _Fields(
        document_code=first[0:2],
        issuing_state=first[2:5],
        name=first[5:],
        number=second[0:9],
        number_check=second[9],
        nationality=second[10:13],
        birth=second[13:19],
        birth_check=second[19],
        sex=second[20],
        expiry=second[21:27],
        expiry_check=second[27],
        optional=second[28:end],
        optional_check=second[end] if is_td3 else None,
        composite=second[0:10] + second[13:20] + second[21 : width - 1],
        composite_check=second[width - 1],
    )


_TD3_WIDTH = 44
_LAYOUTS = {
    90: (MRZFormat.TD1, _cut_td1),
    72: (MRZFormat.TD2, _cut_two_lines),
    88: (MRZFormat.TD3, _cut_two_lines),
}


def _check_syntax(fields: _Fields) -> None:
    letters = (fields.document_code, fields.issuing_state, fields.nationality)
    if not all(_LETTERS.fullmatch(value) for value in letters):
        raise _malformed("document code, issuing state or nationality")
    if fields.sex not in _SEXES:
        raise _malformed("sex")
    if not _DATE.match(fields.birth) or not _DATE.match(fields.expiry):
        raise _malformed("birth or expiry date")
    if not fields.name.strip(FILLER) or fields.name.startswith(FILLER):
        raise _malformed("name")


def _check_digits(fields: _Fields) -> None:
    number, number_check = _whole_number(fields)
    checked = [
        ("document number", number, number_check),
        ("birth date", fields.birth, fields.birth_check),
        ("expiry date", fields.expiry, fields.expiry_check),
        ("composite", fields.composite, fields.composite_check),
    ]
    if fields.optional_check is not None:
        is_empty = not fields.optional.strip(FILLER) and fields.optional_check == FILLER
        checked += [] if is_empty else [("optional", fields.optional, fields.optional_check)]
    if personal := _match_personal_id(fields):
        checked.append(("personal id", personal["personal_id"], personal["check_digit"]))
    for name, value, digit in checked:
        if check_digit(value) != digit:
            raise ChipError(ChipCode.MRZ_CHECK_DIGIT, name)


def _whole_number(fields: _Fields) -> tuple[str, str]:
    """Return a document number and its check digit; a long one goes on in the optional data.

    Doc 9303-5, clause 4.2.2, note j: a filler in place of the check digit says so, and the last
    character before the next filler is the check digit.
    """
    rest = fields.optional.split(FILLER)[0]
    if fields.number_check != FILLER or len(rest) < _LONG_NUMBER_REST_MIN:
        return fields.number, fields.number_check
    return fields.number + rest[:-1], rest[-1]


_LONG_NUMBER_REST_MIN = 2


def _match_personal_id(fields: _Fields) -> re.Match[str] | None:
    """Vietnamese cards put the personal number and its check digit in the optional data."""
    is_vietnamese = fields.issuing_state == "VNM"
    return _PERSONAL_ID_VN.fullmatch(fields.optional) if is_vietnamese else None


def _assemble(mrz_format: MRZFormat, fields: _Fields) -> MRZ:
    primary, secondary = _split_name(fields.name)
    personal = _match_personal_id(fields)
    return MRZ(
        format=mrz_format,
        document_code=fields.document_code.rstrip(FILLER),
        issuing_state=fields.issuing_state.rstrip(FILLER),
        document_number=_whole_number(fields)[0].rstrip(FILLER),
        primary_identifier=primary,
        secondary_identifier=secondary,
        is_name_truncated=not fields.name.endswith(FILLER),
        nationality=fields.nationality.rstrip(FILLER),
        birth_yymmdd=fields.birth,
        sex=_SEXES[fields.sex],
        expiry_yymmdd=fields.expiry,
        optional_data=fields.optional.rstrip(FILLER),
        optional_data_2=fields.optional_2.rstrip(FILLER),
        personal_id=personal["personal_id"] if personal else None,
    )


def _split_name(name: str) -> Iterator[str]:
    """Yield primary and secondary identifier (Doc 9303-3, clause 4.6)."""
    primary, _, secondary = name.partition(FILLER * 2)
    for part in (primary, secondary):
        yield " ".join(part.replace(FILLER, " ").split())


def _malformed(what: str) -> ChipError:
    return ChipError(ChipCode.DG1_MALFORMED, what)
