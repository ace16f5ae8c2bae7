"""`verify_chip` as a caller meets it: one good card, and everything that can be wrong with one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.codes import ChipError
from biometrics.chip.dg1 import MRZFormat, Sex
from biometrics.chip.dg2 import Portrait
from biometrics.chip.image import ImageFormat
from biometrics.chip.policy import Quirk
from biometrics.chip.portrait import Picture
from biometrics.chip.report import CheckResult, ChipCode, ChipVerdict
from biometrics.chip.trust import TrustPolicy, TrustProfile
from biometrics.chip.verify import ActiveEvidence, ChipFiles, verify_chip
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import NONCE, PERSONAL_ID, Card
from tests.unit.biometrics.chip.conftest import Verify
from tests.unit.biometrics.chip.forgeries import REFUSED
from tests.unit.biometrics.chip.forging import profile_of, report_on, sent
from tests.unit.biometrics.chip.issuer import NOW, Algorithm

WARNINGS = {
    ChipCode.CRL_MISSING,
    ChipCode.PIN_STRUCTURE_WARNING,
    ChipCode.CA_REQUIRED,
    ChipCode.CA_EVIDENCE_UNVERIFIABLE,
}


FOLLOWS_FROM: Mapping[ChipCode, set[ChipCode]] = {
    # The personal number sits in the zone's optional data on Vietnamese cards only.
    ChipCode.COUNTRY_MISMATCH: {ChipCode.PIN_MISMATCH},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_a_card_is_named_by_its_code(card: Card, name: str) -> None:
    code, case = REFUSED[name]

    report = case(card)

    assert code in report.codes, [check for check in report.checks if check.code]
    unexpected = report.codes - {code} - WARNINGS
    assert unexpected <= FOLLOWS_FROM.get(code, set()), unexpected
    if code in WARNINGS:
        assert report.verdict is ChipVerdict.AUTHENTIC
    else:
        assert report.verdict is not ChipVerdict.AUTHENTIC


def test_every_code_has_a_card_that_earns_it() -> None:
    earned = {code for code, _ in REFUSED.values()}

    # These two are the answers of whoever keeps nonces; here nothing is remembered.
    assert earned == set(ChipCode) - {ChipCode.AA_NONCE_EXPIRED, ChipCode.AA_NONCE_REUSED}


def test_a_good_card_is_authentic(card: Card, verify: Verify) -> None:
    report = verify(card)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.codes == {ChipCode.CRL_MISSING}


def test_a_good_card_with_a_fresh_revocation_list_passes_every_check(
    card: Card, verify: Verify
) -> None:
    profile = profile_of(card, crls=[state.make_crl(card.authority, 7)])

    report = verify(card, profile=profile)

    assert {check.result for check in report.checks if check.is_binding} == {CheckResult.SUCCESSFUL}
    unmade = {check.name for check in report.checks if check.result is CheckResult.NOT_SUPPORTED}
    assert unmade == {"ef_com", "portrait_image", "chip_authentication"}


def test_a_good_card_gives_what_it_says(card: Card, verify: Verify) -> None:
    report = verify(card)

    assert report.mrz is not None
    assert report.mrz.format is MRZFormat.TD1
    assert report.mrz.personal_id == PERSONAL_ID
    assert report.citizen is not None
    assert report.citizen.full_name == "Nguyễn Văn Thử"
    assert report.citizen.sex is Sex.MALE
    assert report.portrait is not None
    assert report.portrait.format is ImageFormat.JPEG
    assert report.portrait.image == chip.picture()


@pytest.mark.parametrize(
    "case",
    [
        "another message digest",
        "a flipped bit in the signature",
        "a stranger of the same name",
        "a signer signed by another key than it names",
        "a revoked signer",
        "a signer without key usage",
        "an anchor without the CA flag",
        "a neighbour's signer on our document",
    ],
)
def test_nothing_is_read_from_a_document_nobody_we_trust_signed(card: Card, case: str) -> None:
    _, make_report = REFUSED[case]

    report = make_report(card)

    assert (report.mrz, report.citizen, report.portrait) == (None, None, None)
    assert report.document_digest is None
    by_name = {check.name: check.result for check in report.checks}
    assert by_name["mrz"] is by_name["portrait"] is by_name["citizen"] is CheckResult.ABORTED


def test_only_the_data_group_whose_hash_is_wrong_is_left_out(card: Card) -> None:
    report = sent({2: chip.make_dg2(chip.picture("JPEG", 64, 64))})(card)

    assert report.portrait is None
    assert report.mrz is not None
    assert report.citizen is not None


def test_an_expired_signer_is_refused_and_its_data_kept_for_review(card: Card) -> None:
    report = REFUSED["a signer that has expired"][1](card)

    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.mrz is not None
    assert report.document_digest is not None


def test_a_missing_anchor_is_undetermined_and_not_forgery(card: Card) -> None:
    report = report_on(card, profile=profile_of(card, certificates=[]))

    assert report.verdict is ChipVerdict.UNDETERMINED
    assert ChipCode.TRUST_ANCHOR_NOT_FOUND in report.codes


def test_the_policy_decides_whether_a_missing_revocation_list_blocks(
    card: Card, verify: Verify
) -> None:
    strict = profile_of(card, policy=TrustPolicy(require_revocation=True))

    assert verify(card).verdict is ChipVerdict.AUTHENTIC
    assert verify(card, profile=strict).verdict is ChipVerdict.UNDETERMINED


def test_a_stale_revocation_list_blocks_under_every_policy(card: Card) -> None:
    report = REFUSED["a stale revocation list"][1](card)

    assert report.verdict is ChipVerdict.UNDETERMINED


def test_unsigned_additions_do_not_change_the_identity_of_a_document(
    card: Card, verify: Verify
) -> None:
    stranger = state.make_authority("SOMEBODY ELSE")
    padded = replace(
        card.draft(),
        unsigned_attributes=asn1.der(0xA1, chip.attribute("1.2.3", asn1.NULL)),
        certificates=(stranger.certificate, card.signer.certificate),
    )

    report = verify(card.with_sod(padded))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert card.with_sod(padded).files.sod != card.files.sod
    assert report.document_digest == verify(card).document_digest
    assert len(report.document_digest or b"") == 32


def test_two_documents_have_two_identities(card: Card, verify: Verify) -> None:
    other = card.with_groups({2: chip.make_dg2(chip.picture("JPEG", 64, 64))})

    assert verify(card).document_digest != verify(other).document_digest


def test_two_signers_of_one_content_make_two_identities(card: Card, verify: Verify) -> None:
    other = card.with_signer(lambda draft: replace(draft, serial=-0x1001))

    assert verify(other).verdict is ChipVerdict.AUTHENTIC
    assert verify(card).document_digest != verify(other).document_digest


def test_the_first_certificate_is_not_taken_for_the_signer(card: Card, verify: Verify) -> None:
    certificates = (card.authority.certificate, card.signer.certificate)

    report = verify(card.with_sod(replace(card.draft(), certificates=certificates)))

    assert report.verdict is ChipVerdict.AUTHENTIC


def test_a_card_without_dg15_owes_no_answer(card: Card, verify: Verify) -> None:
    groups = {number: data for number, data in card.data_groups.items() if number != 15}
    plain = replace(card, data_groups=groups)
    files = ChipFiles(sod=plain.draft().encode(), data_groups=groups)

    report = verify(replace(plain, files=files), active=None)

    assert report.verdict is ChipVerdict.AUTHENTIC
    results = {check.name: check.result for check in report.checks}
    assert results["active_authentication"] is CheckResult.NOT_SUPPORTED


def test_leaving_out_dg15_does_not_excuse_from_answering(card: Card) -> None:
    kept = {number: data for number, data in card.files.data_groups.items() if number != 15}
    files = replace(card.files, data_groups=kept)

    report = verify_chip(files, trust=profile_of(card), at=NOW)

    assert {ChipCode.DG_MISSING, ChipCode.AA_REQUIRED} <= report.codes
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


def test_a_passport_has_no_citizen_data_and_is_authentic(card: Card, verify: Verify) -> None:
    groups = {1: chip.dg1_around(chip.passport_zone()), 2: card.data_groups[2]}
    signer = replace(
        state.signer_draft(card.authority),
        extensions=(state.key_usage(state.DIGITAL_SIGNATURE), state.document_types("P")),
    ).sign(card.authority.key)
    passport = replace(card, data_groups=groups, signer=signer)
    files = ChipFiles(sod=passport.draft().encode(), data_groups=groups)

    report = verify(replace(passport, files=files), active=None)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is None
    assert report.mrz is not None
    assert report.mrz.format is MRZFormat.TD3


def test_another_states_dg13_is_not_read_as_a_citizens(card: Card, verify: Verify) -> None:
    neighbour = state.make_authority("CSCA KHM", "KH")
    foreign = replace(
        card.with_groups({1: chip.dg1_around(chip.passport_zone(state="KHM")), 13: b"\x6d\x03abc"}),
        authority=neighbour,
    ).with_signer(lambda draft: replace(draft, extensions=draft.extensions[:2]))

    report = verify(foreign, profile=profile_of(foreign, country="KHM"))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is None


def test_a_card_that_does_not_expire_is_valid_after_the_zones_date(
    card: Card, verify: Verify
) -> None:
    changed = card.with_groups(
        {
            1: chip.make_dg1(chip.MRZDraft(expiry="240101")),
            13: chip.make_dg13({12: asn1.utf8("Không thời hạn")}),
        }
    )

    report = verify(changed)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is not None
    assert report.citizen.has_no_expiry


def test_without_an_expiry_in_dg13_the_zones_date_counts(card: Card, verify: Verify) -> None:
    changed = card.with_groups(
        {1: chip.make_dg1(chip.MRZDraft(expiry="260531")), 13: chip.make_dg13({12: b""})}
    )

    assert ChipCode.DOCUMENT_EXPIRED in verify(changed).codes
    assert verify(changed, at=NOW - timedelta(days=1)).verdict is ChipVerdict.AUTHENTIC


def test_a_zone_without_an_expiry_date_is_undetermined(card: Card, verify: Verify) -> None:
    changed = card.with_groups(
        {1: chip.make_dg1(chip.MRZDraft(expiry="<<<<<<")), 13: chip.make_dg13({12: b""})}
    )

    assert verify(changed).verdict is ChipVerdict.UNDETERMINED


def test_a_card_is_valid_on_its_last_day(card: Card, verify: Verify) -> None:
    changed = card.with_groups({13: chip.make_dg13({12: asn1.printable("01/06/2026")})})

    assert verify(changed).verdict is ChipVerdict.AUTHENTIC


def test_sha1_is_accepted_only_where_the_policy_declares_it(card: Card, verify: Verify) -> None:
    old = card.with_sod(
        replace(
            card.draft(),
            content=chip.security_object(card.data_groups, hash_name="sha1"),
            digest="sha1",
            algorithm=Algorithm(scheme="ecdsa", hash="sha1"),
        )
    )
    declared = profile_of(card, policy=chip.DECLARES_SHA1)

    assert verify(old).verdict is ChipVerdict.NOT_AUTHENTIC
    assert verify(old, profile=declared).verdict is ChipVerdict.AUTHENTIC
    assert ChipCode.WEAK_HASH in verify(old, profile=declared).codes
    assert ChipCode.WEAK_HASH not in verify(card, profile=declared).codes


@pytest.mark.parametrize("part", ["content", "digest", "algorithm", "certificate"])
def test_a_declared_sha1_shows_in_the_report_wherever_it_is(
    card: Card, verify: Verify, part: str
) -> None:
    draft = card.draft()
    old = {
        "content": replace(draft, content=chip.security_object(card.data_groups, hash_name="sha1")),
        "digest": replace(draft, digest="sha1"),
        "algorithm": replace(draft, algorithm=Algorithm(scheme="ecdsa", hash="sha1")),
    }
    declared = profile_of(card, policy=chip.DECLARES_SHA1)

    sha1 = Algorithm(scheme="ecdsa", hash="sha1")
    by_old_signer = card.with_signer(lambda draft: replace(draft, algorithm=sha1))

    changed = card.with_sod(old[part]) if part in old else by_old_signer
    report = verify(changed, profile=declared)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert ChipCode.WEAK_HASH in report.codes


def test_md5_is_refused_even_where_sha1_is_declared(card: Card, verify: Verify) -> None:
    old = card.with_sod(replace(card.draft(), digest="md5"))
    declared = profile_of(card, policy=chip.DECLARES_SHA1)

    assert ChipCode.WEAK_HASH in verify(old, profile=declared).codes


def test_a_curve_chip_answers_with_the_hash_dg14_names(card: Card, verify: Verify) -> None:
    key = state.ec_key(ec.BrainpoolP256R1())
    info = chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3")
    spki = state.spki(key, asn1.oid("1.3.36.3.3.2.8.1.1.7"))
    curved = card.with_groups({14: chip.make_dg14(info), 15: asn1.der(0x6F, spki)})
    signature = Algorithm(scheme="plain", hash="sha256").sign(key, NONCE)

    good = verify(curved, active=ActiveEvidence(nonce=NONCE, signature=signature))
    replayed = verify(curved, active=ActiveEvidence(nonce=bytes(8), signature=signature))

    assert good.verdict is ChipVerdict.AUTHENTIC
    assert replayed.codes == {ChipCode.AA_DIGEST, ChipCode.CRL_MISSING}


def test_the_order_of_the_checks_is_that_of_an_inspection_system(
    card: Card, verify: Verify
) -> None:
    names = [check.name for check in verify(card).checks]

    assert names == [
        "sod_structure",
        "signer_certificate",
        "signed_attributes",
        "message_digest",
        "sod_signature",
        "security_object",
        "certificate_chain",
        "anchor",
        "signer_profile",
        "validity",
        "revocation",
        "ef_com",
        "data_group_1_hash",
        "data_group_2_hash",
        "data_group_13_hash",
        "data_group_14_hash",
        "data_group_15_hash",
        "issuer_country",
        "mrz",
        "portrait",
        "portrait_image",
        "citizen",
        "issuing_state",
        "document_type",
        "document_expiry",
        "personal_id",
        "birth_date",
        "sex",
        "name",
        "personal_id_structure",
        "active_authentication",
        "chip_authentication",
    ]


@pytest.mark.parametrize("octets", [b"", b"\x77", b"\x77\x00", bytes(100), b"\x30\x80" * 50])
def test_a_broken_sod_still_gets_every_check_a_line(
    card: Card, verify: Verify, octets: bytes
) -> None:
    whole = {check.name for check in verify(card).checks}

    report = verify(card.with_files(sod=octets))

    assert {check.name for check in report.checks} == whole
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


def test_no_evidence_and_no_repr_shows_whose_card_it_is(card: Card, verify: Verify) -> None:
    # Nothing that could be part of a memory address, which reprs show.
    secrets = (PERSONAL_ID, PERSONAL_ID[-9:], "NGUYEN", "Nguyễn", "01/01/1990", "1990-01", "M4001")
    reports = [verify(card), *(case(card) for _, case in REFUSED.values())]

    texts = [repr(report) for report in reports] + [repr(card.files), repr(card.active)]

    assert not [text for text in texts if any(secret in text for secret in secrets)]


def test_a_naive_instant_is_refused(card: Card, trust: TrustProfile) -> None:
    with pytest.raises(ValueError, match="aware"):
        verify_chip(card.files, trust=trust, at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("content_type", "quirk"),
    [
        ("1.2.840.113549.1.7.1", Quirk.ID_DATA_CONTENT),
        ("1.3.27.1.1.1", Quirk.LEGACY_CONTENT),
        ("1.2.528.1.1006.1.20.1", Quirk.LEGACY_CONTENT),
    ],
)
@pytest.mark.parametrize("version", [1, 3])
def test_another_content_type_passes_only_as_a_declared_quirk_and_shows(
    card: Card, verify: Verify, content_type: str, quirk: Quirk, version: int
) -> None:
    odd = card.with_sod(replace(card.draft(), content_type=content_type, version=version))
    declared = profile_of(card, policy=TrustPolicy(quirks={"VN": frozenset({quirk})}))
    elsewhere = profile_of(card, policy=TrustPolicy(quirks={"CN": frozenset({quirk})}))

    report = verify(odd, profile=declared)

    may_pass = version == 3 or quirk is Quirk.ID_DATA_CONTENT
    assert (report.verdict is ChipVerdict.AUTHENTIC) is may_pass
    shown = {check.name for check in report.checks if check.code is ChipCode.SOD_CONTENT_TYPE}
    assert shown == ({"declared_content_type"} if may_pass else set())
    assert verify(odd).verdict is ChipVerdict.NOT_AUTHENTIC
    assert verify(odd, profile=elsewhere).verdict is ChipVerdict.NOT_AUTHENTIC


def test_a_curve_below_256_bits_is_refused_and_an_unknown_one_is_not_supported(card: Card) -> None:
    def result_of(parameters: bytes) -> CheckResult:
        key = state.ec_key()
        weak = card.with_signer(
            lambda draft: replace(draft, key=key, spki=state.spki(key, parameters))
        )
        by_name = {check.name: check.result for check in report_on(weak).checks}
        return by_name["sod_signature"]

    assert result_of(asn1.oid("1.3.36.3.3.2.8.1.1.5")) is CheckResult.FAILED
    assert result_of(asn1.oid("1.3.132.0.10")) is CheckResult.NOT_SUPPORTED  # secp256k1


def test_what_a_phone_says_of_chip_authentication_changes_nothing(
    card: Card, verify: Verify
) -> None:
    report = REFUSED["chip authentication that a phone ran"][1](card)

    (check,) = (c for c in report.checks if c.code is ChipCode.CA_EVIDENCE_UNVERIFIABLE)
    assert (check.name, check.result, check.is_binding) == (
        "chip_authentication",
        CheckResult.UNDETERMINED,
        False,
    )
    assert "proves nothing" in check.evidence
    assert report.verdict is verify(card).verdict


def test_a_given_decoder_is_asked_once_for_the_portrait_that_was_hashed(
    card: Card, trust: TrustProfile
) -> None:
    asked: list[bytes] = []

    def decode(portrait: Portrait) -> Picture:
        asked.append(portrait.image)
        return Picture(rgb=b"", width_px=portrait.width_px, height_px=portrait.height_px)

    report = verify_chip(card.files, trust=trust, at=NOW, active=card.active, decode=decode)
    forged = replace(card.files, data_groups={**card.data_groups, 2: chip.make_dg2_39794(b"")})
    verify_chip(forged, trust=trust, at=NOW, active=card.active, decode=decode)

    assert asked == [chip.picture()]
    assert report.picture is not None


def test_a_portrait_that_does_not_decode_is_not_authentic(card: Card, trust: TrustProfile) -> None:
    def refuse(_: Portrait) -> Picture:
        raise ChipError(ChipCode.IMAGE_DECODE, "the decoder ended with 3")

    report = verify_chip(card.files, trust=trust, at=NOW, active=card.active, decode=refuse)

    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert ChipCode.IMAGE_DECODE in report.codes
