"""Documents nobody on this project made: real and specimen files, and what they must answer.

The files stay outside the repository; without them these tests are skipped.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from biometrics.chip.active import parse_dg14, parse_dg15
from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.dg1 import MRZFormat, parse_dg1
from biometrics.chip.dg2 import parse_dg2, read_19794_5
from biometrics.chip.image import ImageFormat
from biometrics.chip.issuance import check_revocation, find_issuance
from biometrics.chip.master_list import read_master_list
from biometrics.chip.public_key import load_public_key
from biometrics.chip.report import CheckResult, ChipCode, ChipReport, ChipVerdict
from biometrics.chip.revocation_list import read_revocation_list
from biometrics.chip.signature_algorithm import read_signature_algorithm, verify_signature
from biometrics.chip.sod import read_sod
from biometrics.chip.trust import TrustProfile, has_signed
from biometrics.chip.verify import ActiveEvidence, ChipFiles, verify_chip

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
NATIONAL = {
    "AU_8a8e8421": "AU",
    "FI_e66f75f1": "FI",
    "FR_d9d0bb71": "FR",
    "PH_0b68d178": "PH",
    "SG_3de0c6e2": "SG",
    "UK_b4056274": "GB",
    "US_02ca3a69": "US",
}
SOD_CHECKS = {
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
    "issuer_country",
}


@pytest.fixture(scope="session")
def chip_data(shared_data: Path) -> Path:
    return shared_data / "chip"


def passed(report: ChipReport) -> set[str]:
    return {check.name for check in report.checks if check.result is CheckResult.SUCCESSFUL}


def anchors_of(folder: Path) -> tuple[bytes, ...]:
    """The Dutch list, pinned to the Dutch authority that came beside it."""
    return read_master_list(
        (folder / "NL_ML_2026-07-22.ml").read_bytes(),
        pinned=(folder / "NL_ROOT_CA.cer").read_bytes(),
        at=TODAY,
    )


@pytest.mark.parametrize("document", NATIONAL)
def test_a_national_sod_passes_against_its_authority(chip_data: Path, document: str) -> None:
    folder = chip_data / "sod"
    trust = TrustProfile.from_certificates(
        name=document,
        country=NATIONAL[document],
        certificates=[(folder / f"{document}.csca.der").read_bytes()],
    )
    files = ChipFiles(sod=(folder / f"{document}.sod.bin").read_bytes(), data_groups={})

    report = verify_chip(files, trust=trust, at=TODAY)

    assert passed(report) >= SOD_CHECKS
    assert report.document_digest is not None


@pytest.mark.parametrize("document", NATIONAL)
def test_a_national_sod_passes_against_the_dutch_list_or_its_anchor_is_not_there(
    chip_data: Path, document: str
) -> None:
    anchors = anchors_of(chip_data / "master_lists")
    own = (chip_data / "sod" / f"{document}.csca.der").read_bytes()
    key = read_certificate(own).spki
    trust = TrustProfile.from_certificates(
        name="nl", country=NATIONAL[document], certificates=anchors
    )
    sod = (chip_data / "sod" / f"{document}.sod.bin").read_bytes()

    report = verify_chip(ChipFiles(sod=sod, data_groups={}), trust=trust, at=TODAY)

    has_anchor = any(anchor.spki == key for anchor in trust.anchors)
    assert (passed(report) >= SOD_CHECKS) is has_anchor
    assert (ChipCode.TRUST_ANCHOR_NOT_FOUND in report.codes) is not has_anchor


def test_every_key_of_the_dutch_list_loads(chip_data: Path) -> None:
    anchors = [read_certificate(der) for der in anchors_of(chip_data / "master_lists")]

    assert len(anchors) == 411
    assert all(has_signed(anchor, anchor) for anchor in anchors)


def test_the_dutch_list_is_refused_under_another_authority(chip_data: Path) -> None:
    folder = chip_data / "master_lists"

    with pytest.raises(ValueError, match="signer"):
        read_master_list(
            (folder / "NL_ML_2026-07-22.ml").read_bytes(),
            pinned=(chip_data / "vn_passport_csca.der").read_bytes(),
            at=TODAY,
        )


def test_the_dutch_list_with_one_octet_changed_is_refused(chip_data: Path) -> None:
    folder = chip_data / "master_lists"
    octets = bytearray((folder / "NL_ML_2026-07-22.ml").read_bytes())
    octets[len(octets) // 2] ^= 1

    with pytest.raises(ValueError, match="MESSAGE_DIGEST"):
        read_master_list(bytes(octets), pinned=(folder / "NL_ROOT_CA.cer").read_bytes(), at=TODAY)


def test_the_vietnamese_passport_authority_loads_and_has_signed_itself(chip_data: Path) -> None:
    anchor = read_certificate((chip_data / "vn_passport_csca.der").read_bytes())

    assert anchor.subject_key.key.key_size == 512
    assert has_signed(anchor, anchor)
    assert anchor.private_key_period[1] == datetime(2027, 7, 1, 1, 37, 7, tzinfo=UTC)


def etsi(chip_data: Path, sod: str = "9712ab14") -> tuple[ChipFiles, TrustProfile]:
    folder = chip_data / "specimen_etsi"
    files = ChipFiles(
        sod=(folder / f"sod_{sod}.bin").read_bytes(),
        data_groups={
            1: (folder / "dg1_51b6fc0e.bin").read_bytes(),
            2: (folder / "bsi2008_Datagroup2.bin").read_bytes(),
            14: (folder / "dg14_a1a7b228.bin").read_bytes(),
            15: (folder / "dg15_5265ecb2.bin").read_bytes(),
        },
    )
    trust = TrustProfile.from_certificates(
        name="etsi",
        country="DE",
        certificates=[(folder / "csca_de_0130846f22c2.der").read_bytes()],
    )
    return files, trust


def test_the_etsi_specimen_passes_in_its_time_but_for_the_answer_it_owes(chip_data: Path) -> None:
    files, trust = etsi(chip_data)

    report = verify_chip(files, trust=trust, at=datetime(2012, 6, 1, tzinfo=UTC))

    binding = [c for c in report.checks if c.is_binding and c.result is not CheckResult.SUCCESSFUL]
    assert {check.code for check in binding} == {ChipCode.CRL_MISSING, ChipCode.AA_REQUIRED}
    assert report.mrz is not None
    assert report.mrz.format is MRZFormat.TD3
    assert report.portrait is not None
    assert report.portrait.format is ImageFormat.JPEG2000
    assert (report.portrait.width_px, report.portrait.height_px) == (413, 531)


def test_the_etsi_specimen_has_expired_today(chip_data: Path) -> None:
    files, trust = etsi(chip_data)

    assert ChipCode.DSC_EXPIRED in verify_chip(files, trust=trust, at=TODAY).codes


@pytest.mark.parametrize(
    ("sod", "code"),
    [
        ("78a2b951", ChipCode.SOD_MESSAGE_DIGEST),
        ("1ae97e17", ChipCode.SOD_SIGNATURE_INVALID),
    ],
)
def test_an_altered_etsi_specimen_is_refused(chip_data: Path, sod: str, code: ChipCode) -> None:
    files, trust = etsi(chip_data, sod)

    report = verify_chip(files, trust=trust, at=datetime(2012, 6, 1, tzinfo=UTC))

    assert report.codes == {code}
    assert report.portrait is None


def test_the_bsi_reference_data_is_sound_and_its_anchor_unknown(chip_data: Path) -> None:
    folder = chip_data / "specimen_etsi"
    _, trust = etsi(chip_data)
    files = ChipFiles(
        sod=(folder / "sod_68f32f11.bin").read_bytes(),
        data_groups={
            1: (folder / "dg1_4170ca87.bin").read_bytes(),
            2: (folder / "bsi2008_Datagroup2.bin").read_bytes(),
            14: (folder / "dg14_cf5004ff.bin").read_bytes(),
            15: (folder / "dg15_d13611cb.bin").read_bytes(),
        },
    )

    report = verify_chip(files, trust=trust, at=datetime(2014, 6, 1, tzinfo=UTC))

    sound = {"sod_signature", "data_group_1_hash", "data_group_2_hash", "data_group_14_hash"}
    assert passed(report) >= sound
    assert {ChipCode.TRUST_ANCHOR_NOT_FOUND, ChipCode.DG_NOT_IN_SOD} <= report.codes
    assert report.mrz is None


def test_the_specimen_of_2008_never_passes(chip_data: Path) -> None:
    folder = chip_data / "specimen_bsi2008"
    files = ChipFiles(
        sod=(folder / "bsi2008_EF_SOD.bin").read_bytes(),
        data_groups={
            number: (folder / f"bsi2008_Datagroup{number}.bin").read_bytes()
            for number in (1, 2, 14, 15)
        },
    )
    _, trust = etsi(chip_data)
    report = verify_chip(files, trust=trust, at=datetime(2008, 6, 1, tzinfo=UTC))

    assert report.verdict is not ChipVerdict.AUTHENTIC
    assert report.codes == {ChipCode.WEAK_HASH}
    signer = read_certificate(read_sod(files.sod).certificates[0])
    with pytest.raises(ChipError) as caught:
        load_public_key(signer.spki)
    assert (caught.value.code, caught.value.result) == (
        ChipCode.UNSUPPORTED_CURVE,
        CheckResult.FAILED,
    )


def test_the_data_groups_of_the_specimen_of_2008_parse(chip_data: Path) -> None:
    folder = chip_data / "specimen_bsi2008"

    assert parse_dg1((folder / "bsi2008_Datagroup1.bin").read_bytes()).issuing_state == "D"
    assert parse_dg2((folder / "bsi2008_Datagroup2.bin").read_bytes()).width_px == 413
    assert len(parse_dg14((folder / "bsi2008_Datagroup14.bin").read_bytes())) == 3
    assert parse_dg15((folder / "bsi2008_Datagroup15.bin").read_bytes())[0] == 0x30


def test_the_worked_examples_of_doc_9303_parse(chip_data: Path) -> None:
    folder = chip_data / "dg"

    mrz = parse_dg1((folder / "icao9303p10_dg1.bin").read_bytes())
    portrait = parse_dg2((folder / "icao9303p10_dg2.bin").read_bytes())

    assert (mrz.format, mrz.issuing_state) == (MRZFormat.TD2, "UTO")
    assert portrait.format is ImageFormat.JPEG
    assert parse_dg14((folder / "icao9303p10_dg14.bin").read_bytes())
    assert parse_dg15((folder / "icao9303p10_dg15.bin").read_bytes())


def test_the_iso_portraits_come_out_byte_for_byte(chip_data: Path) -> None:
    folder = chip_data / "dg2"

    portrait = parse_dg2((folder / "ICAO_39794_5_AP_DG2_MandFields.dat").read_bytes())
    image = read_19794_5((folder / "ISO19794_Test1_Data.bin").read_bytes())

    assert portrait.image == (folder / "ICAO_39794_5_AP_DG2_Face.jpg").read_bytes()
    assert portrait.format is ImageFormat.JPEG2000
    assert image == (folder / "ISO19794_Test1_Face.jpg").read_bytes()


@pytest.mark.parametrize(
    ("issuer", "crl"),
    [
        ("csca_ca_4942cd00.cer", "crl_ca_fp_277f80576b.crl"),
        ("csca_us_4e32d006.cer", "crl_us_fp_ec0ddb2ee9.crl"),
    ],
)
def test_a_real_revocation_list_is_its_issuers(chip_data: Path, issuer: str, crl: str) -> None:
    anchor = read_certificate((chip_data / "crl" / issuer).read_bytes())
    revocation_list = read_revocation_list((chip_data / "crl" / crl).read_bytes())

    assert revocation_list.issuer.is_same(anchor.subject)
    assert verify_signature(
        anchor.subject_key,
        read_signature_algorithm(revocation_list.signature_algorithm),
        signature=revocation_list.signature,
        data=revocation_list.tbs,
    )


def test_every_real_revocation_list_is_stale_today(chip_data: Path) -> None:
    paths = sorted((chip_data / "crl").glob("*.crl"))

    lists = [read_revocation_list(path.read_bytes()) for path in paths]

    assert len(lists) == 7
    assert not any(crl.is_current(TODAY) for crl in lists)


def test_a_stale_real_list_answers_so_for_a_real_signer(chip_data: Path) -> None:
    trust = TrustProfile.from_certificates(
        name="us",
        country="USA",
        certificates=[(chip_data / "crl" / "csca_us_4e32d006.cer").read_bytes()],
        crls=[(chip_data / "crl" / "crl_us_fp_ec0ddb2ee9.crl").read_bytes()],
    )
    signer = read_certificate((chip_data / "sod" / "US_02ca3a69.dsc.der").read_bytes())
    issued = find_issuance(signer, trust=trust, at=TODAY)

    with pytest.raises(ChipError) as caught:
        check_revocation(issued, trust=trust, at=TODAY)

    assert caught.value.code is ChipCode.CRL_STALE


def synthetic(chip_data: Path, sod: str, answer: str = "aa_sig_good") -> ChipReport:
    folder = chip_data / "synthetic_cccd"
    trust = TrustProfile.from_certificates(
        name="vn-cccd",
        country="VNM",
        certificates=[(folder / "csca_lab_vn.der").read_bytes()],
        crls=[(folder / "crl_lab_vn.crl").read_bytes()],
    )
    groups = {n: (folder / f"DG{n}.bin").read_bytes() for n in (1, 2, 13, 14, 15)}
    evidence = ActiveEvidence(
        nonce=(folder / "aa_nonce.bin").read_bytes(),
        signature=(folder / f"{answer}.bin").read_bytes(),
    )
    return verify_chip(
        ChipFiles(sod=(folder / f"{sod}.sod.bin").read_bytes(), data_groups=groups),
        trust=trust,
        at=datetime(2026, 6, 1, tzinfo=UTC),
        active=evidence,
    )


def test_the_synthetic_card_is_authentic(chip_data: Path) -> None:
    report = synthetic(chip_data, "00_good")

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is not None
    assert report.mrz is not None
    assert report.citizen.personal_id == report.mrz.personal_id == "001090999999"
    assert report.portrait is not None
    assert len(report.portrait.image) == 14999


@pytest.mark.parametrize(
    ("sod", "code"),
    [
        ("01_dup_dg1", ChipCode.LDS_DUPLICATE_DG),
        ("07_contenttype_attr", ChipCode.SIGNED_ATTR_CONTENT_TYPE),
        ("14_dsc_no_keyusage", ChipCode.DSC_KEY_USAGE),
        ("20_truncated_sod", ChipCode.TLV_TRUNCATED),
    ],
)
def test_an_altered_synthetic_card_answers_its_code(
    chip_data: Path, sod: str, code: ChipCode
) -> None:
    report = synthetic(chip_data, sod)

    assert report.codes - {ChipCode.DG_MISSING} == {code}
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


def test_an_answer_to_another_nonce_is_refused(chip_data: Path) -> None:
    report = synthetic(chip_data, "00_good", "aa_sig_other_nonce")

    assert ChipCode.AA_DIGEST in report.codes
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("DG2_two_faces", ChipCode.DG2_FACE_COUNT),
        ("DG2_jp2_truncated", ChipCode.IMAGE_DECODE),
    ],
)
def test_an_altered_portrait_answers_its_code(chip_data: Path, file: str, code: ChipCode) -> None:
    octets = (chip_data / "synthetic_cccd" / f"{file}.bin").read_bytes()

    with pytest.raises(ChipError) as caught:
        parse_dg2(octets)

    assert caught.value.code is code
