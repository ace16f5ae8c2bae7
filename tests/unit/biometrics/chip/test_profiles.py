"""Named profiles, links among their anchors, and the store that holds them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import CheckResult, ChipCode
from biometrics.chip.policy import ICAO, ChipVerdict, TrustPolicy
from biometrics.chip.profiles import (
    PINNED_ROOTS,
    RULES,
    ProfileName,
    Provenance,
    TrustStore,
    import_master_list,
    make_profile,
    read_authorities,
)
from biometrics.chip.report import ChipReport
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import ChipFiles, verify_chip
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.issuer import NOW
from tests.unit.biometrics.chip.test_master_list import (
    LISTED,
    PUBLISHER,
    list_signer,
    master_list,
)

TODAY = datetime(2026, 11, 21, tzinfo=UTC)


def report_on(card: Card, profile: TrustProfile) -> ChipReport:
    return verify_chip(card.files, trust=profile, at=NOW, active=card.active)


def profile_of(card: Card, name: str = "vn-cccd", *, has_crl: bool = True) -> TrustProfile:
    crls = [state.make_crl(card.authority, 7)] if has_crl else []
    return make_profile(name, certificates=[card.authority.certificate], crls=crls)


def test_a_good_card_passes_its_own_profile(card: Card) -> None:
    report = report_on(card, profile_of(card))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.policy.version == "vn-cccd-1"


def test_without_a_revocation_list_a_card_is_reviewed_and_never_passes(card: Card) -> None:
    assert report_on(card, profile_of(card, has_crl=False)).verdict is ChipVerdict.UNDETERMINED


def test_any_states_profile_reports_a_missing_revocation_list_and_passes(card: Card) -> None:
    report = report_on(card, profile_of(card, "icao", has_crl=False))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.codes == {ChipCode.CRL_MISSING}
    assert report.citizen is not None


def test_a_card_is_no_passport(card: Card) -> None:
    report = report_on(card, profile_of(card, "vn-passport"))

    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DSC_DOCTYPE}
    assert report.citizen is None


def test_a_card_without_citizen_data_does_not_pass_as_one(card: Card) -> None:
    groups = {number: data for number, data in card.data_groups.items() if number != 13}
    plain = replace(card, data_groups=groups)
    files = ChipFiles(sod=plain.draft().encode(), data_groups=groups)

    report = report_on(replace(plain, files=files), profile_of(card))

    results = {check.name: check.result for check in report.checks}
    assert results["citizen"] is CheckResult.NOT_SUPPORTED
    assert report.verdict is ChipVerdict.UNDETERMINED


def test_any_states_profile_believes_each_state_about_itself_only(card: Card) -> None:
    neighbour = state.make_authority("CSCA KHM", "KH")
    foreign = state.signer_draft(neighbour).sign(neighbour.key)
    anchors = [card.authority.certificate, neighbour.certificate]
    profile = make_profile("icao", certificates=anchors)

    report = report_on(card.signed_by(foreign), profile)

    assert ChipCode.COUNTRY_MISMATCH in report.codes
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report_on(card, profile).verdict is ChipVerdict.AUTHENTIC


def test_a_dump_lacks_what_a_reader_would_have_asked_for(card: Card) -> None:
    dump = replace(card.files, data_groups={1: card.data_groups[1]}, is_dump=True)

    report = verify_chip(dump, trust=profile_of(card), at=NOW)

    assert report.verdict is ChipVerdict.UNDETERMINED
    assert {ChipCode.DG_MISSING, ChipCode.AA_REQUIRED} <= report.codes
    assert not [check for check in report.checks if check.result is CheckResult.FAILED]


def test_what_no_signature_covers_is_examined_in_a_dump_and_not_shown(card: Card) -> None:
    two_faces = chip.dg2_around(*[chip.instance(chip.facial_record(chip.picture()))] * 2)
    groups = {**card.data_groups, 2: two_faces}
    dump = ChipFiles(sod=card.files.sod, data_groups=groups, is_dump=True)

    report = verify_chip(dump, trust=profile_of(card), at=NOW, active=card.active)
    live = verify_chip(replace(dump, is_dump=False), trust=profile_of(card), at=NOW)

    assert {ChipCode.DG_HASH_MISMATCH, ChipCode.DG2_FACE_COUNT} <= report.codes
    assert report.portrait is None
    assert ChipCode.DG2_FACE_COUNT not in live.codes


def link(old: state.Identity, *, signed_by: state.PrivateKey | None = None) -> state.Identity:
    """A new key of the same name, certified by the old one, or by somebody else."""
    draft = state.authority_draft()
    extensions = (*draft.extensions, state.authority_key_identifier(state.key_identifier(old.key)))
    return replace(draft, extensions=extensions, serial=2).sign(signed_by or old.key)


def test_a_link_is_followed_only_when_an_anchor_signed_it() -> None:
    old = state.make_authority()
    good, forged = link(old), link(old, signed_by=state.ec_key())

    followed = make_profile("vn-cccd", certificates=[old.certificate, good.certificate])
    refused = make_profile("vn-cccd", certificates=[old.certificate, forged.certificate])

    assert len(followed.anchors) == 2
    assert [anchor.der for anchor in refused.anchors] == [old.certificate]


def test_a_link_alone_is_an_anchor_by_the_operators_word() -> None:
    good = link(state.make_authority())

    assert len(make_profile("vn-cccd", certificates=[good.certificate]).anchors) == 1


def test_a_distrusted_key_is_no_anchor_in_any_certificate(card: Card) -> None:
    again = replace(state.authority_draft(key=card.authority.key), serial=99)
    renewed = again.sign(card.authority.key).certificate
    bystander = state.make_authority("CSCA OTHER").certificate
    certificates = [card.authority.certificate, renewed, bystander]

    trusting = make_profile("vn-cccd", certificates=certificates)
    distrusting = make_profile(
        "vn-cccd", certificates=certificates, distrusted=[card.authority.certificate]
    )

    assert len(trusting.anchors) == 3
    assert [anchor.der for anchor in distrusting.anchors] == [bystander]
    report = report_on(card, distrusting)
    assert report.verdict is ChipVerdict.UNDETERMINED
    assert ChipCode.TRUST_ANCHOR_NOT_FOUND in report.codes
    assert report.mrz is None


@pytest.mark.parametrize("is_still_there", [True, False])
def test_a_link_goes_with_the_distrusted_anchor_that_signed_it(*, is_still_there: bool) -> None:
    old = state.make_authority()
    given = [link(old).certificate, *([old.certificate] if is_still_there else [])]

    assert make_profile("vn-cccd", certificates=given, distrusted=[old.certificate]).anchors == ()


def test_a_distrusted_link_is_not_followed() -> None:
    old = state.make_authority()
    new = link(old).certificate

    profile = make_profile("vn-cccd", certificates=[old.certificate, new], distrusted=[new])

    assert [anchor.der for anchor in profile.anchors] == [old.certificate]


def test_a_distrusted_document_signer_is_revoked_though_no_list_says_so(card: Card) -> None:
    profile = profile_of(card)
    distrusting = replace(profile, distrusted=(read_certificate(card.signer.certificate),))

    report = report_on(card, distrusting)

    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DSC_REVOKED}
    assert report.mrz is None


def test_a_distrusted_authority_is_not_taken_from_a_list_and_stands_behind_none() -> None:
    def distrusting(der: bytes) -> TrustProfile:
        return make_profile("icao", distrusted=[der])

    data, pinned = master_list(list_signer()), [PUBLISHER.certificate]

    enlarged = import_master_list(distrusting(LISTED[0]), data, pinned=pinned, at=NOW)

    assert {anchor.der for anchor in enlarged.anchors} == {*LISTED[1:]}
    with pytest.raises(ValueError, match="distrusted"):
        import_master_list(distrusting(PUBLISHER.certificate), data, pinned=pinned, at=NOW)


def test_there_are_three_profiles_and_no_other() -> None:
    assert {*RULES} == {*ProfileName} == {"vn-cccd", "vn-passport", "icao"}
    with pytest.raises(ValueError, match="no trust profile"):
        make_profile("vn-cmnd")


def test_a_profile_may_have_its_owners_policy(card: Card) -> None:
    own = TrustPolicy(version="mine")

    profile = make_profile("icao", certificates=[card.authority.certificate], policy=own)

    assert profile.policy is own
    assert make_profile("icao").policy is ICAO


def test_a_store_tells_each_anchor_of_each_profile_and_where_it_came_from(card: Card) -> None:
    profile = profile_of(card)
    elsewhere = replace(profile, name="icao")
    anchor = profile.anchors[0]
    origin = Provenance(origin="by hand", added_on=date(2026, 11, 21))
    other_origin = replace(origin, origin="a master list")
    store = TrustStore(
        profiles={each.name: each for each in (profile, elsewhere)},
        provenances={
            (profile.name, anchor.sha256): origin,
            (elsewhere.name, anchor.sha256): other_origin,
        },
    )

    assert {(each.profile, each.certificate, each.provenance) for each in store.anchors()} == {
        ("vn-cccd", anchor, origin),
        ("icao", anchor, other_origin),
    }
    assert store.profile("vn-cccd") is profile
    with pytest.raises(ValueError, match="no trust profile 'vn-passport'"):
        store.profile("vn-passport")


def test_an_anchor_counts_its_days_to_the_sooner_of_its_two_ends() -> None:
    period = state.private_key_period(
        datetime(2022, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
    )
    draft = state.authority_draft()
    short = replace(draft, extensions=(*draft.extensions, period)).sign(draft.key)
    plain = state.make_authority("ANOTHER")
    profile = make_profile("vn-passport", certificates=[plain.certificate, short.certificate])

    first, second = TrustStore(profiles={profile.name: profile}).anchors()

    assert first.certificate.der == short.certificate
    assert first.signs_until is not None
    assert first.days_left(first.signs_until - timedelta(days=5)) == 5
    assert second.signs_until is None
    assert second.days_left(second.ends_at + timedelta(days=1)) == -1
    assert second.provenance is None


def test_a_document_signer_is_read_and_its_issuer_found_once(card: Card) -> None:
    profile = profile_of(card)

    for _ in range(3):
        report_on(card, profile)

    assert profile.memory.read_certificate.cache_info().misses == 1
    assert profile.memory.has_issued.cache_info()[:2] == (2, 1)
    assert profile.memory.has_issued.cache_info().maxsize is not None


def test_the_dutch_list_is_imported_by_its_pinned_root(shared_data: Path) -> None:
    folder = shared_data / "chip" / "master_lists"
    data = (folder / "NL_ML_2026-07-22.ml").read_bytes()
    root = (folder / "NL_ROOT_CA.cer").read_bytes()

    everyone = import_master_list(make_profile("icao"), data, at=TODAY)
    vietnam = import_master_list(make_profile("vn-passport"), data, at=TODAY)

    assert read_certificate(root).sha256.hex() in PINNED_ROOTS
    assert len(everyone.anchors) == 411
    passport_authority = (shared_data / "chip" / "vn_passport_csca.der").read_bytes()
    assert read_certificate(passport_authority) in vietnam.anchors
    assert {anchor.subject.countries for anchor in vietnam.anchors} == {("VN",)}
    assert import_master_list(everyone, data, at=TODAY).anchors == everyone.anchors
    assert set(read_authorities(vietnam, data, at=TODAY)) == set(vietnam.anchors)


def test_a_list_nobody_pinned_is_refused(shared_data: Path) -> None:
    path = shared_data / "chip" / "master_lists" / "NL_ML_2026-07-22.ml"
    data = bytearray(path.read_bytes())
    root = (path.parent / "NL_ROOT_CA.cer").read_bytes()
    start = data.find(root)
    data[start + 100] ^= 1  # the list no longer holds the root that we know

    with pytest.raises(ValueError, match="no authority is pinned"):
        import_master_list(make_profile("icao"), bytes(data), at=TODAY)
    with pytest.raises(ValueError, match="not issued by the pinned authority"):
        import_master_list(
            make_profile("icao"),
            path.read_bytes().replace(root, bytes(data[start : start + len(root)])),
            pinned=[state.make_authority().certificate],
            at=TODAY,
        )
