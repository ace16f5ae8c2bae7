"""What passive authentication hands on, and what it keeps back."""

from dataclasses import replace

from biometrics.chip.certificate import read_certificate
from biometrics.chip.passive import PassiveFindings, authenticate_passively, identify_document
from biometrics.chip.report import Checklist, CheckResult, ChipCode
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import ChipFiles
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.issuer import NOW


def run(
    card: Card, trust: TrustProfile, files: ChipFiles | None = None
) -> tuple[PassiveFindings, Checklist]:
    checklist = Checklist()
    findings = authenticate_passively(files or card.files, trust=trust, at=NOW, checklist=checklist)
    return findings, checklist


def test_a_trusted_document_hands_on_every_intact_group(card: Card, trust: TrustProfile) -> None:
    findings, _ = run(card, trust)

    assert findings.data_groups == card.files.data_groups
    assert findings.listed == set(card.data_groups)
    assert findings.signer is not None
    assert findings.signer.der == card.signer.certificate


def test_a_group_with_another_hash_is_kept_back(card: Card, trust: TrustProfile) -> None:
    groups = {**card.files.data_groups, 1: b"\x61\x00"}

    findings, checklist = run(card, trust, replace(card.files, data_groups=groups))

    assert set(findings.data_groups) == {2, 13, 14, 15}
    assert checklist.result_of("data_group_1_hash") is CheckResult.FAILED


def test_an_untrusted_document_hands_on_nothing_but_its_list(
    card: Card, trust: TrustProfile
) -> None:
    findings, checklist = run(card, replace(trust, anchors=()))

    assert not findings.data_groups
    assert findings.listed == set(card.data_groups)
    assert findings.signer is None
    assert checklist.result_of("data_group_1_hash") is CheckResult.SUCCESSFUL


def test_groups_nobody_needs_may_be_missing(card: Card, trust: TrustProfile) -> None:
    kept = {n: data for n, data in card.files.data_groups.items() if n != 14}

    _, checklist = run(card, trust, replace(card.files, data_groups=kept))

    missing = [check for check in checklist.checks if check.code is ChipCode.DG_MISSING]
    assert [(check.name, check.result, check.is_binding) for check in missing] == [
        ("data_group_14_hash", CheckResult.UNDETERMINED, False)
    ]


def test_a_group_too_large_to_hash_is_refused(card: Card, trust: TrustProfile) -> None:
    groups = {**card.files.data_groups, 14: bytes(300_000)}

    _, checklist = run(card, trust, replace(card.files, data_groups=groups))

    check = next(c for c in checklist.checks if c.name == "data_group_14_hash")
    assert check.code is ChipCode.TLV_LENGTH


def test_the_identity_depends_on_content_issuer_and_serial(card: Card) -> None:
    signer = read_certificate(card.signer.certificate)

    identity = identify_document(b"content", signer)

    assert identity == identify_document(b"content", signer)
    assert identity != identify_document(b"Content", signer)
    assert identity != identify_document(b"content", replace(signer, serial=signer.serial + 1))
    assert identity != identify_document(b"content", replace(signer, issuer=signer.subject))
