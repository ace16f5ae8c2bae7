"""BSI TR-03105-5.1: every inspection-system case of EF.SOD, DG1 and DG2 has an answer of ours.

Each case is run here, or is a card of `test_verify`, or has a written reason why it is not ours.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg1 import parse_dg1, parse_mrz
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.report import ChipVerdict
from biometrics.chip.trust import TrustPolicy, TrustProfile
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card, MRZDraft
from tests.unit.biometrics.chip.conftest import Verify
from tests.unit.biometrics.chip.forgeries import REFUSED
from tests.unit.biometrics.chip.issuer import Algorithm

SPECIMEN = chip.passport_zone(optional="ZE184226B")


def wrong(at: int, characters: str) -> bytes:
    """The specimen with other characters somewhere."""
    zone = SPECIMEN[:at] + characters + SPECIMEN[at + len(characters) :]
    return chip.dg1_around(zone)


def card_zone(**changes: str) -> bytes:
    return chip.make_dg1(MRZDraft(**changes))


def wrapped(record: bytes, **header: bytes | None) -> bytes:
    made = chip.biometric_header(**header)  # type: ignore[arg-type] # test shorthand
    return chip.dg2_around(chip.instance(record, made))


JPEG, JPEG2000 = chip.picture("JPEG"), chip.picture("JPEG2000")
RECORD = chip.facial_record(JPEG)
WITH_POINTS = chip.facial_record(JPEG2000, points=4)
LONGER = RECORD[:8] + (len(RECORD) + 8).to_bytes(4) + RECORD[12:]

DG1_CASES: Mapping[str, tuple[bytes, ChipCode | None]] = {
    "LDS_B_01": (chip.dg1_around(SPECIMEN), None),
    "LDS_B_02": (card_zone(name="NGUYEN<PHUC<HOANG<<THIEN<BAO<N"), None),
    "LDS_B_03": (card_zone(name="SUKARNO"), None),
    "LDS_B_05": (asn1.der(0x62, chip.make_dg1()[2:]), ChipCode.DG1_MALFORMED),
    "LDS_B_06": (b"\x61\x5c" + chip.make_dg1()[2:], ChipCode.DG_TRAILING_DATA),
    "LDS_B_07": (b"\x61\x5e" + chip.make_dg1()[2:], ChipCode.TLV_TRUNCATED),
    "LDS_B_09": (wrong(2, "V1M"), ChipCode.DG1_MALFORMED),
    "LDS_B_10": (wrong(5, "<" * 39), ChipCode.DG1_MALFORMED),
    "LDS_B_13": (wrong(53, "9"), ChipCode.MRZ_CHECK_DIGIT),
    "LDS_B_14": (wrong(54, "V1M"), ChipCode.DG1_MALFORMED),
    "LDS_B_15": (wrong(57, "9O0101"), ChipCode.DG1_MALFORMED),
    "LDS_B_16": (wrong(57, "901332"), ChipCode.DG1_MALFORMED),
    "LDS_B_17": (wrong(63, "9"), ChipCode.MRZ_CHECK_DIGIT),
    "LDS_B_18": (wrong(64, "W"), ChipCode.DG1_MALFORMED),
    "LDS_B_19": (wrong(65, "4O0101"), ChipCode.DG1_MALFORMED),
    "LDS_B_20": (wrong(65, "401332"), ChipCode.DG1_MALFORMED),
    "LDS_B_21": (wrong(71, "9"), ChipCode.MRZ_CHECK_DIGIT),
    "LDS_B_22": (wrong(86, "9"), ChipCode.MRZ_CHECK_DIGIT),
    "LDS_B_23": (wrong(87, "9"), ChipCode.MRZ_CHECK_DIGIT),
    "LDS_B_24": (asn1.der(0x61), ChipCode.TLV_TRUNCATED),
    "LDS_B_25": (card_zone(birth="9001<<"), None),
    "LDS_B_26": (card_zone(birth="90<<01"), None),
    "LDS_B_27": (card_zone(birth="<<0101"), None),
    "LDS_B_28": (card_zone(birth="<<<<<<"), None),
}
DG2_CASES: Mapping[str, tuple[bytes, ChipCode | None]] = {
    "LDS_C_01": (chip.make_dg2(JPEG2000), None),
    "LDS_C_02": (chip.make_dg2(JPEG), None),
    "LDS_C_03": (chip.dg2_around(chip.instance(WITH_POINTS)), None),
    "LDS_C_04": (asn1.der(0x76, chip.make_dg2()[4:]), ChipCode.DG2_MALFORMED),
    "LDS_C_05": (
        chip.make_dg2()[:3] + bytes([chip.make_dg2()[3] - 1]) + chip.make_dg2()[4:],
        ChipCode.DG_TRAILING_DATA,
    ),
    "LDS_C_06": (
        chip.make_dg2()[:3] + bytes([chip.make_dg2()[3] + 1]) + chip.make_dg2()[4:],
        ChipCode.TLV_TRUNCATED,
    ),
    "LDS_C_07": (
        asn1.der(0x75, asn1.der(0x7F61, chip.instance(RECORD))),
        ChipCode.DG2_MALFORMED,
    ),
    "LDS_C_08": (wrapped(RECORD, owner=b"\x01\x00"), ChipCode.DG2_MALFORMED),
    "LDS_C_09": (wrapped(RECORD, owner=None), ChipCode.DG2_MALFORMED),
    "LDS_C_10": (wrapped(RECORD, kind=b"\0\x09"), ChipCode.DG2_MALFORMED),
    "LDS_C_11": (wrapped(RECORD, kind=None), ChipCode.DG2_MALFORMED),
    "LDS_C_12": (wrapped(RECORD, face=b"\x00"), ChipCode.DG2_MALFORMED),
    "LDS_C_13": (wrapped(RECORD, face=b"\x08"), ChipCode.DG2_MALFORMED),
    "LDS_C_14": (wrapped(b"FAD" + RECORD[3:]), ChipCode.DG2_MALFORMED),
    "LDS_C_15": (wrapped(b"FAC\x00020\x00" + RECORD[8:]), ChipCode.DG2_MALFORMED),
    "LDS_C_16": (wrapped(LONGER), ChipCode.DG2_MALFORMED),
    # The record says JPEG 2000 (data type 1) and holds a JPEG: the picture itself is believed.
    "LDS_C_27": (chip.make_dg2(JPEG), None),
    "LDS_C_28": (
        chip.dg2_around(asn1.der(0x7F60, chip.biometric_header())),
        ChipCode.DG2_MALFORMED,
    ),
}


@pytest.mark.parametrize("case", DG1_CASES)
def test_a_case_of_dg1_answers(case: str) -> None:
    data, code = DG1_CASES[case]

    assert code_of(parse_dg1, data) is code


@pytest.mark.parametrize("case", DG2_CASES)
def test_a_case_of_dg2_answers(case: str) -> None:
    data, code = DG2_CASES[case]

    assert code_of(parse_dg2, data) is code


def test_lds_b_04_a_zero_for_no_optional_data() -> None:
    zone = chip.passport_zone()
    zero = zone[:86] + "0"
    composite = chip.check_digit(zero[44:54] + zero[57:64] + zero[65:87])

    assert parse_mrz((zero + composite).encode()).optional_data == ""


def code_of(parse: Callable[[bytes], object], data: bytes) -> ChipCode | None:
    try:
        parse(data)
    except ChipError as error:
        return error.code
    return None


# Algorithms that must pass: signature scheme and hash, hash of the list, whether the SOD has its
# signer. SHA-1 passes only where a policy declares it.
ALGORITHM_CASES: Mapping[str, tuple[Algorithm, str]] = {
    "LDS_H_01": (Algorithm(scheme="pkcs1", hash="sha1"), "sha1"),
    "LDS_H_02": (Algorithm(scheme="pss", hash="sha1", salt_octets=20), "sha1"),
    "LDS_H_03": (Algorithm(scheme="pss", hash="sha256"), "sha256"),
    "LDS_H_04": (Algorithm(scheme="pkcs1", hash="sha224"), "sha224"),
    "LDS_H_05": (Algorithm(scheme="pkcs1", hash="sha256"), "sha256"),
    "LDS_H_06": (Algorithm(scheme="pkcs1", hash="sha384"), "sha384"),
    "LDS_H_07": (Algorithm(scheme="pkcs1", hash="sha512"), "sha512"),
    "LDS_H_09": (Algorithm(scheme="ecdsa", hash="sha1"), "sha1"),
    "LDS_H_10": (Algorithm(scheme="plain", hash="sha1"), "sha1"),
    "LDS_H_11": (Algorithm(scheme="plain", hash="sha224"), "sha224"),
    "LDS_H_12": (Algorithm(scheme="plain", hash="sha256"), "sha256"),
    "LDS_H_13": (Algorithm(scheme="plain", hash="sha384"), "sha384"),
    "LDS_H_14": (Algorithm(scheme="plain", hash="sha512"), "sha512"),
    "LDS_H_15": (Algorithm(scheme="pkcs1", hash="sha256"), "sha256"),
    "LDS_H_16": (Algorithm(scheme="plain", hash="sha224"), "sha224"),
    "LDS_H_70": (Algorithm(scheme="ecdsa", hash="sha224"), "sha224"),
    "LDS_H_71": (Algorithm(scheme="ecdsa", hash="sha256"), "sha256"),
    "LDS_H_72": (Algorithm(scheme="ecdsa", hash="sha384"), "sha384"),
    "LDS_H_73": (Algorithm(scheme="ecdsa", hash="sha512"), "sha512"),
    "LDS_H_74": (Algorithm(scheme="ecdsa", hash="sha256"), "sha512"),
    "LDS_H_75": (Algorithm(scheme="pkcs1", hash="sha256"), "sha256"),
    "LDS_H_76": (Algorithm(scheme="pss", hash="sha256"), "sha256"),
    "LDS_H_77": (Algorithm(scheme="plain", hash="sha256"), "sha256"),
    "LDS_H_78": (Algorithm(scheme="ecdsa", hash="sha384"), "sha256"),
    "LDS_H_79": (Algorithm(scheme="rsa", hash="sha1"), "sha1"),
    "LDS_H_80": (Algorithm(scheme="rsa", hash="sha224"), "sha224"),
    "LDS_H_81": (Algorithm(scheme="rsa", hash="sha256"), "sha256"),
    "LDS_H_82": (Algorithm(scheme="rsa", hash="sha384"), "sha384"),
    "LDS_H_83": (Algorithm(scheme="rsa", hash="sha512"), "sha512"),
    "LDS_H_94": (Algorithm(scheme="pss", hash="sha224"), "sha224"),
    "LDS_H_95": (Algorithm(scheme="pss", hash="sha384"), "sha384"),
    "LDS_H_96": (Algorithm(scheme="pss", hash="sha512"), "sha512"),
}
SIGNER_LEFT_OUT = frozenset({"LDS_H_15", "LDS_H_16"})
"""Cases whose signer's certificate is in the profile's store and not in the SOD."""


@pytest.mark.parametrize("case", ALGORITHM_CASES)
def test_a_case_of_algorithms_passes(
    card: Card, trust: TrustProfile, verify: Verify, case: str
) -> None:
    algorithm, listed = ALGORITHM_CASES[case]
    is_rsa = algorithm.scheme in ("rsa", "pkcs1", "pss")
    key = state.rsa_key(2048, "signer") if is_rsa else state.ec_key()
    signed = replace(card, signer=state.signer_draft(card.authority, key).sign(card.authority.key))
    draft = replace(
        signed.draft(),
        content=chip.security_object(card.data_groups, hash_name=listed),
        algorithm=algorithm,
        digest=algorithm.hash,
        listed_digests=(algorithm.hash,),
        certificates=() if case in SIGNER_LEFT_OUT else None,
    )
    stored = [signed.signer.certificate] if case in SIGNER_LEFT_OUT else []
    policy = chip.DECLARES_SHA1 if algorithm.hash == "sha1" else TrustPolicy()

    profile = replace(trust, policy=policy).with_document_signers(stored)
    report = verify(signed.with_sod(draft), profile=profile)

    assert report.verdict is ChipVerdict.AUTHENTIC, report.codes


CARDS: Mapping[str, str] = {
    "LDS_H_17": "a SOD under another tag",
    "LDS_H_18": "a SOD whose length is too small",
    "LDS_H_19": "a SOD whose length is too big",
    "LDS_H_20": "SignedData of version 1",
    "LDS_H_21": "SignedData without its version",
    "LDS_H_23": "SignedData without its digest algorithms",
    "LDS_H_24": "another content type",
    "LDS_H_25": "SignedData without its content type",
    "LDS_H_26": "a signer of version 3 named by serial number",
    "LDS_H_27": "a signer without its version",
    "LDS_H_28": "a signer named by another serial number",
    "LDS_H_29": "a signer named by another key",
    "LDS_H_30": "an unknown digest algorithm",
    "LDS_H_31": "a signer without its digest algorithm",
    "LDS_H_32": "another message digest",
    "LDS_H_33": "no message digest",
    "LDS_H_36": "an unknown signature algorithm",
    "LDS_H_37": "a flipped bit in the signature",
    "LDS_H_38": "a signer without its signature",
    "LDS_H_39": "a list of version 2",
    "LDS_H_40": "a list without its version",
    "LDS_H_41": "a list of an unknown hash",
    "LDS_H_42": "a list without its hash algorithm",
    "LDS_H_43": "another portrait",
    "LDS_H_44": "a DG1 that is not on the list",
    "LDS_H_46": "data group seventeen",
    "LDS_H_47": "a list with a hash without its number",
    "LDS_H_48": "a signer of X.509 version 2",
    "LDS_H_49": "a signer of X.509 version 1",
    "LDS_H_50": "a certificate without its serial number",
    "LDS_H_51": "a certificate that says two algorithms",
    "LDS_H_52": "a certificate without its inner algorithm",
    "LDS_H_55": "a certificate without its issuer",
    "LDS_H_56": "a signer that has expired",
    "LDS_H_57": "a certificate without its validity",
    "LDS_H_58": "a curve over an unknown prime",
    "LDS_H_59": "a certificate without its public key",
    "LDS_H_62": "a signer that may do more",
    "LDS_H_63": "a signer that may not sign data",
    "LDS_H_64": "a signer without key usage",
    "LDS_H_65": "a signer certified over SHA-1",
    "LDS_H_66": "a certificate without its outer algorithm",
    "LDS_H_67": "a signer signed by another key than it names",
    "LDS_H_68": "a certificate without its signature",
    "LDS_H_69": "a flipped bit in the signature",
    "LDS_H_84": "a signer of version 3 named by serial number",
    "LDS_H_85": "a signer of version 1 named by its key",
    "LDS_H_87": "a list of version 0 with version info",
    "LDS_H_88": "a list of version 1 without its version info",
}
ELSEWHERE: Mapping[str, str] = {
    "LDS_H_35": "every card here is without a signing time",
    "LDS_H_54": "test_issuance: the right key under another name is not the issuer",
    "LDS_H_86": "test_sod: a list of LDS 1.8 is read",
}
REASONS: Mapping[str, str] = {
    "LDS_B_08": "any document code in letters is read; which ones may be is the signer's list",
    "LDS_B_11": "nobody reads the printed page here",
    "LDS_B_12": "nobody reads the printed page here",
    **{
        f"LDS_C_{n}": "the record's own description is ignored: real documents get it wrong"
        for n in range(17, 27)
    },
    "LDS_H_08": "DSA is not verified: SIG_ALG_UNSUPPORTED",
    "LDS_H_22": "the list of digests outside the signer is signed by nobody and not used",
    "LDS_H_34": "the signing time is the signer's own word; validity is judged now",
    "LDS_H_45": "a group listed and not sent is reported, and binds only where it is needed",
    "LDS_H_53": "how a state names itself is its own affair; the country is compared",
    "LDS_H_60": "without a usable key identifier the issuer is found by name and by signature",
    "LDS_H_61": "without a usable key identifier the issuer is found by name and by signature",
    "LDS_H_89": "the version text of a list is informative; its structure is checked",
    "LDS_H_90": "EF.COM is signed by nobody and not read",
    "LDS_H_91": "EF.COM is signed by nobody and not read",
    "LDS_H_92": "EF.COM is signed by nobody and not read",
    "LDS_H_93": "EF.CardSecurity belongs to PACE, which the reader runs",
    "LDS_H_97": "DSA is not verified: SIG_ALG_UNSUPPORTED",
    "LDS_H_98": "DSA is not verified: SIG_ALG_UNSUPPORTED",
}


def test_the_cards_named_for_cases_exist() -> None:
    assert set(CARDS.values()) <= set(REFUSED)


def test_every_case_of_the_standard_has_an_answer(shared_data: Path) -> None:
    path = shared_data / "chip" / "bsi_tr03105_5-1_cases.csv"
    with path.open(encoding="utf-8", newline="") as file:
        cases = {row[0] for row in csv.reader(file)}
    ours = {case for case in cases if case.startswith(("LDS_B_", "LDS_C_", "LDS_H_"))}

    answered = [DG1_CASES, DG2_CASES, ALGORITHM_CASES, CARDS, ELSEWHERE, REASONS, {"LDS_B_04": ""}]

    assert len(ours) > 150
    assert ours == {case for group in answered for case in group}
