"""Does a Vietnamese card say the same twice?

Owns the comparison of DG1 (machine readable zone) with DG13 (full letters), and of the personal
identification number with what its digits mean. Both groups are signed, so a difference is not a
simple forgery: it is a mix-up at the issuer, or two documents in one. Judges no signature.
"""

import re

from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.dg1 import MRZ, Sex
from biometrics.chip.dg13 import CitizenData, fold_name

DOCUMENT_NUMBER_DIGITS = 9
"""A card's document number is the end of its holder's personal number."""

_SEX_AND_CENTURY = 3
_YEAR = slice(4, 6)
_UNKNOWN = "<<"


def check_personal_id(mrz: MRZ, citizen: CitizenData) -> str:
    """Check that both groups name one personal number, and that the card is numbered after it.

    Raises:
        ChipError: PIN_MISMATCH.
    """
    if citizen.personal_id is None or mrz.personal_id != citizen.personal_id:
        raise ChipError(ChipCode.PIN_MISMATCH, "DG1 and DG13 name different personal numbers")
    if mrz.document_number != citizen.personal_id[-DOCUMENT_NUMBER_DIGITS:]:
        raise ChipError(ChipCode.PIN_MISMATCH, "the document number is not its end")
    return "DG1, DG13 and document number agree"


def check_birth_date(mrz: MRZ, citizen: CitizenData) -> str:
    """Check that what both groups know of the birth date is the same.

    Raises:
        ChipError: DOB_MISMATCH.
    """
    if citizen.born_on is not None:
        known = f"{citizen.born_on:%y%m%d}"
    elif citizen.birth_year is not None:
        known = f"{citizen.birth_year % 100:02d}{_UNKNOWN}{_UNKNOWN}"
    else:
        raise ChipError(ChipCode.DOB_MISMATCH, "DG13 has no birth date")
    pairs = zip(re.findall("..", known), re.findall("..", mrz.birth_yymmdd), strict=True)
    if any(ours != theirs and _UNKNOWN not in (ours, theirs) for ours, theirs in pairs):
        raise ChipError(ChipCode.DOB_MISMATCH, "DG1 and DG13 differ")
    return "DG1 and DG13 agree"


def check_sex(mrz: MRZ, citizen: CitizenData) -> str:
    """Check that both groups state the same sex.

    Raises:
        ChipError: SEX_MISMATCH.
    """
    if citizen.sex is None or citizen.sex is not mrz.sex:
        raise ChipError(ChipCode.SEX_MISMATCH, "DG1 and DG13 differ")
    return "DG1 and DG13 agree"


def check_name(mrz: MRZ, citizen: CitizenData) -> str:
    """Check that the zone's name is the full name without diacritics.

    A name that fills its field in the zone may have been cut, so then its letters need only be the
    beginning (Doc 9303-3, clause 4.6).

    Raises:
        ChipError: NAME_MISMATCH.
    """
    zone = fold_name(mrz.primary_identifier + mrz.secondary_identifier)
    full = fold_name(citizen.full_name or "")
    is_same = full.startswith(zone) if mrz.is_name_truncated else full == zone
    if not zone or not is_same:
        raise ChipError(ChipCode.NAME_MISMATCH, "DG1 and DG13 differ")
    return "cut in DG1" if mrz.is_name_truncated else "DG1 and DG13 agree"


def check_personal_id_structure(citizen: CitizenData) -> str:
    """Compare the number's digits with sex and year of birth, as a warning only.

    Digit 4 tells century and sex (even: male), digits 5 and 6 the year (Decree 137/2015/ND-CP,
    article 13). Law 26/2023/QH15 promises twelve digits and no more, so nothing is refused for it;
    the prefix of the province is not judged at all, provinces have been merged.

    Raises:
        ChipError: PIN_STRUCTURE_WARNING (undetermined).
    """
    personal_id, year = citizen.personal_id or "", citizen.birth_year
    if not personal_id or year is None or citizen.sex is None:
        raise _structure("number, birth year or sex is missing")
    digit = int(personal_id[_SEX_AND_CENTURY])
    is_male = digit % 2 == 0
    if 1900 + digit // 2 * 100 + int(personal_id[_YEAR]) != year:
        raise _structure("year of birth")
    if is_male is not (citizen.sex is Sex.MALE):
        raise _structure("sex")
    return "century, year and sex agree"


def _structure(what: str) -> ChipError:
    return ChipError(ChipCode.PIN_STRUCTURE_WARNING, what, result=CheckResult.UNDETERMINED)
