"""The one entry point: files of a chip in, a report out.

Owns the order of the stages: passive authentication, then the content of the data groups it
covers, then the proof that the chip is no copy. Each stage is its own module's; here they meet.
Nothing is logged, and nothing of a document is remembered between calls but its signer.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from biometrics.chip import consistency, document
from biometrics.chip.active import parse_dg14, parse_dg15
from biometrics.chip.checks import Checklist, not_supported
from biometrics.chip.dg1 import MRZ, parse_dg1
from biometrics.chip.dg2 import Portrait, parse_dg2
from biometrics.chip.dg13 import CitizenData, parse_dg13
from biometrics.chip.files import ActiveEvidence, ChipAuthenticationEvidence, ChipFiles
from biometrics.chip.passive import (
    CITIZEN_DATA,
    VIETNAM,
    PassiveFindings,
    authenticate_passively,
)
from biometrics.chip.portrait import Picture
from biometrics.chip.proof import check_active, check_chip_authentication
from biometrics.chip.report import ChipReport
from biometrics.chip.trust import TrustProfile

__all__ = ["ActiveEvidence", "ChipAuthenticationEvidence", "ChipFiles", "verify_chip"]

CONSISTENCY_CHECKS: Mapping[str, Callable[[MRZ, CitizenData], str]] = {
    "personal_id": consistency.check_personal_id,
    "birth_date": consistency.check_birth_date,
    "sex": consistency.check_sex,
    "name": consistency.check_name,
}
"""DG1 against DG13; each binds."""

PARSERS: Mapping[int, Callable[[bytes], object]] = {
    1: parse_dg1,
    2: parse_dg2,
    13: parse_dg13,
    14: parse_dg14,
    15: parse_dg15,
}
IDENTITY_CARD = "I"
"""First letter of the document code on cards (Doc 9303-5, clause 4.2.2)."""


def verify_chip(
    files: ChipFiles,
    *,
    trust: TrustProfile,
    at: datetime,
    active: ActiveEvidence | None = None,
    chip_authentication: ChipAuthenticationEvidence | None = None,
    decode: Callable[[Portrait], Picture] | None = None,
) -> ChipReport:
    """Verify one chip document.

    Args:
        files: Raw files as read from the chip.
        trust: Whose signature counts.
        at: Now, from a clock the server trusts; aware. A card's last day is a day in its zone.
        active: The chip's answer to the server's nonce. A document that lists DG15 is not
            authentic without it: a copy of the files is not the chip.
        chip_authentication: What a phone says of an exchange of its own. Reported, never believed.
        decode: Turns the portrait into pixels (`portrait.decode_portrait`). Left out by callers
            who give the portrait's octets to the process that compares faces.

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
    groups, listed = findings.data_groups, findings.listed
    # Nothing of a data group is decoded for anyone to read before its hash and the chain are good.
    mrz = checklist.run("mrz", parse_dg1, groups.get(1), describe=lambda zone: zone.format)
    portrait = checklist.run("portrait", parse_dg2, groups.get(2), describe=_describe_portrait)
    picture = _decode(portrait, decode, checklist)
    citizen = _read_citizen(findings, mrz, trust, checklist)
    _check_document(mrz, citizen, findings, trust=trust, at=at, checklist=checklist)
    check_active(active, groups=groups, listed=listed, is_dump=files.is_dump, checklist=checklist)
    check_chip_authentication(
        chip_authentication, groups=groups, listed=listed, checklist=checklist
    )
    if files.is_dump:
        _check_structures(files, groups, checklist)
    return ChipReport(
        checks=checklist.checks,
        policy=trust.policy,
        document_digest=findings.document_digest,
        mrz=mrz,
        citizen=citizen,
        portrait=portrait,
        picture=picture,
    )


def _describe_portrait(found: Portrait) -> str:
    return f"{found.format}, {found.width_px} x {found.height_px} pixels by its header"


def _decode(
    portrait: Portrait | None, decode: Callable[[Portrait], Picture] | None, checklist: Checklist
) -> Picture | None:
    if decode is not None:
        return checklist.run(
            "portrait_image",
            decode,
            portrait,
            describe=lambda picture: f"decoded, {picture.width_px} x {picture.height_px} pixels",
        )
    checklist.add(not_supported("portrait_image", "left to whoever compares faces"))
    return None


def _read_citizen(
    findings: PassiveFindings, mrz: MRZ | None, trust: TrustProfile, checklist: Checklist
) -> CitizenData | None:
    """Read DG13 where it means a Vietnamese citizen's data, and say so where it does not."""
    if _has_citizen_data(findings, mrz, trust):
        return checklist.run("citizen", parse_dg13, findings.data_groups.get(CITIZEN_DATA))
    checklist.add(not_supported("citizen", "the document has no Vietnamese DG13"))
    return None


def _has_citizen_data(findings: PassiveFindings, mrz: MRZ | None, trust: TrustProfile) -> bool:
    """Tell whether DG13 is expected; while that is not known it is, and the check is aborted."""
    country = trust.country or findings.country
    is_listed = not findings.listed or CITIZEN_DATA in findings.listed
    is_card = mrz is None or mrz.document_code[0] == IDENTITY_CARD
    return trust.policy.has_citizen_data and country in (VIETNAM, None) and is_listed and is_card


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
    signer, country = findings.signer, findings.country
    checklist.run(
        "issuing_state",
        lambda both: document.check_issuing_state(*both),
        (mrz, country) if mrz and country else None,
    )
    checklist.run(
        "document_type",
        lambda both: document.check_document_type(*both, trust.policy),
        (mrz, signer) if mrz and signer else None,
    )
    checklist.run(
        "document_expiry", lambda zone: document.check_expiry(zone, citizen, at.date()), mrz
    )
    if _has_citizen_data(findings, mrz, trust):
        _check_consistency(mrz, citizen, checklist)
        return
    for name in (*CONSISTENCY_CHECKS, "personal_id_structure"):
        checklist.add(not_supported(name, "nothing to compare DG1 with"))


def _check_consistency(mrz: MRZ | None, citizen: CitizenData | None, checklist: Checklist) -> None:
    both = (mrz, citizen) if mrz and citizen else None
    for name, step in CONSISTENCY_CHECKS.items():
        checklist.run(name, partial(_compare, step), both)
    checklist.run(
        "personal_id_structure",
        consistency.check_personal_id_structure,
        citizen,
        is_binding=False,
    )


def _compare(step: Callable[[MRZ, CitizenData], str], both: tuple[MRZ, CitizenData]) -> str:
    return step(*both)


def _check_structures(files: ChipFiles, covered: Mapping[int, bytes], checklist: Checklist) -> None:
    """Parse what no good signature covers, for the code alone: a dump is there to be examined."""
    for number, parse in PARSERS.items():
        if number in files.data_groups and number not in covered:
            checklist.run(
                f"data_group_{number}_structure",
                partial(_describe, parse),
                files.data_groups[number],
                is_binding=False,
            )


def _describe(parse: Callable[[bytes], object], data: bytes) -> str:
    parse(data)
    return "well formed; no good signature covers it"
