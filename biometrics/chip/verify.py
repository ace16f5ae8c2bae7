"""The one entry point: files of a chip in, a report out.

Owns the order of the three stages: passive authentication, then the content of the data groups it
covers, then active authentication. Each stage is its own module's; here they meet. Nothing is
remembered between calls and nothing is logged.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from biometrics.chip import consistency
from biometrics.chip.active import authenticate_actively
from biometrics.chip.certificate import Certificate
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.countries import find_country
from biometrics.chip.dg1 import MRZ, parse_dg1
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.dg13 import CitizenData, parse_dg13
from biometrics.chip.files import ActiveEvidence, ChipFiles
from biometrics.chip.passive import PassiveFindings, authenticate_passively
from biometrics.chip.report import Check, Checklist, ChipReport
from biometrics.chip.trust import TrustProfile

__all__ = ["ActiveEvidence", "ChipFiles", "verify_chip"]

VIETNAM = "VN"
DG13, DG14, DG15 = 13, 14, 15
_CENTURY = 2000

CONSISTENCY_CHECKS: Mapping[str, Callable[[MRZ, CitizenData], str]] = {
    "personal_id": consistency.check_personal_id,
    "birth_date": consistency.check_birth_date,
    "sex": consistency.check_sex,
    "name": consistency.check_name,
}
"""DG1 against DG13; each binds."""


def verify_chip(
    files: ChipFiles,
    *,
    trust: TrustProfile,
    at: datetime,
    active: ActiveEvidence | None = None,
) -> ChipReport:
    """Verify one chip document.

    Args:
        files: Raw files as read from the chip.
        trust: Whose signature counts.
        at: Now, from a clock the server trusts; aware.
        active: The chip's answer to the server's nonce. A document that lists DG15 is not
            authentic without it: a copy of the files is not the chip.

    Returns:
        Every check that was made and the data that the state's signature covers. Whatever the
        files hold, the answer is a report.

    Raises:
        ValueError: `at` is naive; nothing else.
    """
    if at.tzinfo is None:
        raise ValueError("the instant of verification must be aware")
    checklist = Checklist()
    findings = authenticate_passively(files, trust=trust, at=at, checklist=checklist)
    groups = findings.data_groups
    # Nothing of a data group is decoded before its hash and the chain are good.
    mrz = checklist.run("mrz", parse_dg1, groups.get(1))
    portrait = checklist.run("portrait", parse_dg2, groups.get(2))
    citizen = _read_citizen(findings, trust, checklist)
    _check_document(mrz, citizen, findings, trust=trust, at=at, checklist=checklist)
    _check_active(findings, active, checklist)
    return ChipReport(
        checks=checklist.checks,
        policy=trust.policy,
        document_digest=findings.document_digest,
        mrz=mrz,
        citizen=citizen,
        portrait=portrait,
    )


def _read_citizen(
    findings: PassiveFindings, trust: TrustProfile, checklist: Checklist
) -> CitizenData | None:
    """Read DG13 where it means a Vietnamese citizen's data, and say so where it does not."""
    if _has_citizen_data(findings, trust):
        return checklist.run("citizen", parse_dg13, findings.data_groups.get(DG13))
    checklist.add(_not_supported("citizen", "the document has no Vietnamese DG13"))
    return None


def _has_citizen_data(findings: PassiveFindings, trust: TrustProfile) -> bool:
    """Tell whether DG13 is expected; with no list of groups it may be, and the check is aborted."""
    return trust.country == VIETNAM and (not findings.listed or DG13 in findings.listed)


def _check_document(
    mrz: MRZ | None,
    citizen: CitizenData | None,
    findings: PassiveFindings,
    *,
    trust: TrustProfile,
    at: datetime,
    checklist: Checklist,
) -> None:
    """Compare what the document says with its signer, with the clock and with itself."""
    checklist.run("issuing_state", lambda zone: _check_issuing_state(zone, trust.country), mrz)
    checklist.run(
        "document_type",
        lambda both: _check_document_type(*both),
        (mrz, findings.signer) if mrz and findings.signer else None,
    )
    checklist.run("document_expiry", lambda zone: _check_expiry(zone, citizen, at.date()), mrz)
    if _has_citizen_data(findings, trust):
        both = (mrz, citizen) if mrz and citizen else None
        for name, step in CONSISTENCY_CHECKS.items():
            checklist.run(name, partial(_compare, step), both)
        checklist.run(
            "personal_id_structure",
            consistency.check_personal_id_structure,
            citizen,
            is_binding=False,
        )
        return
    for name in (*CONSISTENCY_CHECKS, "personal_id_structure"):
        checklist.add(_not_supported(name, "nothing to compare DG1 with"))


def _compare(step: Callable[[MRZ, CitizenData], str], both: tuple[MRZ, CitizenData]) -> str:
    return step(*both)


def _check_issuing_state(mrz: MRZ, country: str) -> str:
    if find_country(mrz.issuing_state) != country:
        raise ChipError(ChipCode.COUNTRY_MISMATCH, "DG1 names another issuing state")
    return country


def _check_document_type(mrz: MRZ, signer: Certificate) -> str:
    """Check the document code against the signer's list; one letter stands for all it begins."""
    try:
        allowed = signer.document_types
    except ValueError as error:
        raise ChipError(ChipCode.DSC_DOCTYPE, "malformed extension") from error
    if allowed is None:
        return "the signer lists no types"
    if not {mrz.document_code, mrz.document_code[0]} & allowed:
        raise ChipError(ChipCode.DSC_DOCTYPE, f"the signer may sign {sorted(allowed)} only")
    return f"listed: {sorted(allowed)}"


def _check_expiry(mrz: MRZ, citizen: CitizenData | None, today: date) -> str:
    """Check the document's own validity, which includes its last day.

    DG13 has four digits for the year and knows cards that do not expire; DG1 has two, read as
    20YY: no chip document was issued before 2004 and none lasts a lifetime in two digits.
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


def _read_expiry(yymmdd: str) -> date | None:
    if not yymmdd.isdecimal():
        return None
    try:
        return date(_CENTURY + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError as error:
        raise ChipError(ChipCode.DG1_MALFORMED, "expiry date") from error


def _check_active(
    findings: PassiveFindings, evidence: ActiveEvidence | None, checklist: Checklist
) -> None:
    """Check the chip's answer; a document that can answer must."""
    name, groups = "active_authentication", findings.data_groups
    if findings.listed and DG15 not in findings.listed:
        checklist.add(_not_supported(name, "the document has no DG15"))
    elif findings.listed and evidence is None:
        checklist.add(
            Check(
                name=name,
                result=CheckResult.FAILED,
                code=ChipCode.AA_REQUIRED,
                evidence="the document lists DG15 and no answer came along",
            )
        )
    else:
        checklist.run(
            name,
            lambda both: authenticate_actively(both[0], dg15=both[1], dg14=groups.get(DG14)),
            (evidence, groups[DG15]) if evidence and DG15 in groups else None,
        )


def _not_supported(name: str, evidence: str) -> Check:
    return Check(name=name, result=CheckResult.NOT_SUPPORTED, evidence=evidence, is_binding=False)
