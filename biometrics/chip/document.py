"""What a document says of itself against its signer, its profile and the clock.

Owns issuing state, type and expiry (BSI TR-03135-1, clause 5.6.4). Reads what `dg1` and `dg13`
have taken apart; judges no signature.
"""

from collections.abc import Iterable
from datetime import date

from biometrics.chip.certificate import Certificate
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.countries import find_country
from biometrics.chip.dg1 import MRZ
from biometrics.chip.dg13 import CitizenData
from biometrics.chip.policy import TrustPolicy

_CENTURY = 2000


def check_issuing_state(mrz: MRZ, country: str) -> str:
    """Check that the zone names the country of the signer's authority.

    Raises:
        ChipError: COUNTRY_MISMATCH.
    """
    if find_country(mrz.issuing_state) != country:
        raise ChipError(ChipCode.COUNTRY_MISMATCH, "DG1 names another issuing state")
    return country


def check_document_type(mrz: MRZ, signer: Certificate, policy: TrustPolicy) -> str:
    """Check the document code against the signer's list and the profile's.

    In the signer's list one letter stands for all codes it begins.

    Raises:
        ChipError: DSC_DOCTYPE.
    """
    if policy.document_codes and mrz.document_code[0] not in policy.document_codes:
        raise ChipError(
            ChipCode.DSC_DOCTYPE, f"the profile takes {_list(policy.document_codes)} only"
        )
    try:
        allowed = signer.document_types
    except ValueError as error:
        raise ChipError(ChipCode.DSC_DOCTYPE, "malformed extension") from error
    if allowed is None:
        return "the signer lists no types"
    if not {mrz.document_code, mrz.document_code[0]} & allowed:
        raise ChipError(ChipCode.DSC_DOCTYPE, f"the signer may sign {_list(allowed)} only")
    return f"listed: {_list(allowed)}"


def check_expiry(mrz: MRZ, citizen: CitizenData | None, today: date) -> str:
    """Check the document's own validity, which includes its last day.

    DG13 has four digits for the year and knows cards that do not expire; DG1 has two, read as
    20YY: no chip document was issued before 2004 and none lasts a lifetime in two digits.

    Raises:
        ChipError: DOCUMENT_EXPIRED, DG1_MALFORMED.
    """
    if citizen is not None and citizen.has_no_expiry:
        return "does not expire"
    expires_on = citizen.expires_on if citizen is not None else None
    expires_on = expires_on or _read_expiry(mrz.expiry_yymmdd)
    if expires_on is None:
        raise ChipError(
            ChipCode.DOCUMENT_EXPIRED, "no expiry date", result=CheckResult.UNDETERMINED
        )
    if expires_on < today:
        raise ChipError(ChipCode.DOCUMENT_EXPIRED, "the day is past")
    return "not expired"


def _list(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes))


def _read_expiry(yymmdd: str) -> date | None:
    if not yymmdd.isdecimal():
        return None
    try:
        return date(_CENTURY + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError as error:
        raise ChipError(ChipCode.DG1_MALFORMED, "expiry date") from error
