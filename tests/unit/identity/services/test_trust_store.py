"""The trust directory: read as named profiles, changed as a whole, taken up while in force."""

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs
from structlog.typing import EventDict

from identity.services.chip_nonces import Challenge
from identity.services.complete_verification import Presented
from identity.services.trust_changes import (
    Source,
    TrustChange,
    add_certificates,
    distrust,
    find_certificate,
    import_crl,
    import_list,
    restore,
)
from identity.services.trust_overview import describe
from identity.services.trust_records import (
    FILE_NAME,
    TrustError,
    TrustKind,
    read_own_records,
    read_records,
)
from identity.services.trust_store import TrustInForce, load_trust, log_trust
from telco_sim.cards import CardAuthority, Companion
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip import test_master_list as lists
from tests.unit.biometrics.chip.test_profiles import link

ESTABLISHED_ON = date(2022, 1, 10)
NOW = datetime(2026, 4, 15, 3, tzinfo=UTC)
NAME = "vn-cccd"


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    return CardAuthority(established_on=ESTABLISHED_ON, active_authentication_keys=1)


def of_records(logs: Iterable[EventDict]) -> list[EventDict]:
    return [each for each in logs if str(each["event"]).startswith("trust record")]


def source(content: bytes, profile: str = NAME, origin: str = "by hand") -> Source:
    return Source(profile=profile, content=content, origin=origin, added_on=NOW.date())


def trust(directory: Path, authority: CardAuthority) -> None:
    """Add an authority and its list, as an administrator does."""
    add_certificates(directory, source(authority.certificate), kind=TrustKind.ANCHOR)
    import_crl(directory, source(authority.revocation_list(at=NOW)))


def test_what_is_added_is_there_with_its_origin_and_date(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    loaded = load_trust(tmp_path)
    assert [each.origin for each in loaded.records] == ["by hand"] * 2
    (anchor,) = loaded.store.anchors()
    assert anchor.certificate.der == authority.certificate
    assert anchor.provenance is not None
    assert anchor.provenance.added_on == NOW.date()
    assert loaded.can_pass(NAME, NOW)
    assert not loaded.can_pass(NAME, NOW + timedelta(days=91))
    assert not loaded.can_pass("vn-passport", NOW)


def test_what_lies_in_the_directory_counts_as_well(
    tmp_path: Path, authority: CardAuthority
) -> None:
    (tmp_path / "vn-passport").mkdir()
    (tmp_path / "csca.der").write_bytes(authority.certificate)
    (tmp_path / "list.crl").write_bytes(authority.revocation_list(at=NOW))
    other = authority.companion(Companion.SILENT)
    (tmp_path / "vn-passport" / "csca.cer").write_bytes(other.certificate)
    loaded = load_trust(tmp_path)
    held = {name: len(each.anchors) for name, each in loaded.store.profiles.items()}
    assert held == {"vn-cccd": 1, "vn-passport": 1, "icao": 0}
    origins = {each.origin for each in loaded.records}
    assert origins == {"file csca.der", "file list.crl", "file vn-passport/csca.cer"}


def test_added_twice_is_added_once(tmp_path: Path, authority: CardAuthority) -> None:
    trust(tmp_path, authority)
    again = add_certificates(tmp_path, source(authority.certificate), kind=TrustKind.ANCHOR)
    assert again == TrustChange(added_count=0, known_count=1)


def test_what_was_laid_down_as_pem_is_known(tmp_path: Path, authority: CardAuthority) -> None:
    certificate = x509.load_der_x509_certificate(authority.certificate)
    (tmp_path / "csca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    added = add_certificates(tmp_path, source(authority.certificate), kind=TrustKind.ANCHOR)
    assert added == TrustChange(added_count=0, known_count=1)
    assert not (tmp_path / FILE_NAME).exists()


def test_a_certificate_that_could_never_count_is_refused(
    tmp_path: Path, authority: CardAuthority
) -> None:
    neighbour = authority.companion(Companion.NEIGHBOUR).certificate
    issuing = state.make_authority()
    signer = state.signer_draft(issuing).sign(issuing.key).certificate
    draft = state.authority_draft()
    limits = state.extension("2.5.29.30", b"\x30\x00", is_critical=True)
    draft = replace(draft, extensions=(*draft.extensions, limits))
    limited = draft.sign(draft.key).certificate
    anchor, document_signer = TrustKind.ANCHOR, TrustKind.DOCUMENT_SIGNER
    for content, kind, says in (
        (neighbour, anchor, "its country is LA, and vn-cccd takes VN only"),
        (signer, anchor, "of no use as anchor: no CA flag"),
        (limited, anchor, "of no use as anchor: critical extension 2.5.29.30"),
        (issuing.certificate, document_signer, "as document signer: an authority's certificate"),
    ):
        with pytest.raises(TrustError, match=says):
            add_certificates(tmp_path, source(content), kind=kind)
    assert read_records(tmp_path) == ()
    assert add_certificates(tmp_path, source(signer), kind=document_signer).added_count == 1
    assert add_certificates(tmp_path, source(neighbour, "icao"), kind=anchor).added_count == 1


def test_a_newer_list_takes_the_place_of_the_older_and_never_the_other_way(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    later = NOW + timedelta(days=30)
    change = import_crl(tmp_path, source(authority.revocation_list(at=later)))
    assert change == TrustChange(added_count=1, known_count=0, removed_count=1)
    (listed,) = load_trust(tmp_path).lists()
    assert listed.crl.this_update == later
    with pytest.raises(TrustError, match="a newer list"):
        import_crl(tmp_path, source(authority.revocation_list(at=NOW)))
    assert load_trust(tmp_path).lists() == (listed,)


def test_a_list_that_no_anchor_signed_is_refused(tmp_path: Path, authority: CardAuthority) -> None:
    trust(tmp_path, authority)
    before = (tmp_path / FILE_NAME).read_bytes()
    same_name = CardAuthority(established_on=ESTABLISHED_ON, active_authentication_keys=1)
    for stranger in (same_name, authority.companion(Companion.LATE)):
        with pytest.raises(TrustError, match="no anchor of vn-cccd signed"):
            import_crl(tmp_path, source(stranger.revocation_list(at=NOW)))
    assert (tmp_path / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("profile", "content", "says"),
    [
        ("vn-none", b"", "no trust profile 'vn-none'"),
        (NAME, b"no certificate", "by hand: not a certificate"),
        (NAME, b"-----BEGIN CERTIFICATE-----", "by hand: PEM"),
    ],
)
def test_what_is_no_certificate_of_a_profile_is_refused(
    tmp_path: Path, authority: CardAuthority, profile: str, content: bytes, says: str
) -> None:
    given = source(content or authority.certificate, profile)
    with pytest.raises(TrustError, match=says):
        add_certificates(tmp_path, given, kind=TrustKind.ANCHOR)
    assert read_records(tmp_path) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"format": 2, "records": []}',
        b'{"format": 1, "records": [{}]}',
        b"[" * 100_000,
    ],
    ids=["no JSON", "no object", "another format", "no record", "nested without an end"],
)
def test_a_trust_file_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(TrustError, match=FILE_NAME):
        load_trust(tmp_path)


def test_a_changed_certificate_in_the_trust_file_is_told(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    document = json.loads((tmp_path / FILE_NAME).read_bytes())
    document["records"][0]["content"] = document["records"][1]["content"]
    (tmp_path / FILE_NAME).write_text(json.dumps(document))
    with pytest.raises(TrustError, match="not a trust file"):
        read_own_records(tmp_path)


def test_a_master_list_needs_an_authority_that_is_known_already(
    tmp_path: Path, shared_data: Path
) -> None:
    chip = shared_data / "chip" / "master_lists"
    given = (chip / "NL_ML_2026-07-22.ml").read_bytes()
    root = (chip / "NL_ROOT_CA.cer").read_bytes()
    stranger = CardAuthority(established_on=ESTABLISHED_ON).certificate
    at = datetime(2026, 11, 21, tzinfo=UTC)
    broken = given[:-1] + bytes([given[-1] ^ 1])
    for content, pinned in ((broken, root), (b"no list", root), (stranger, root)):
        with pytest.raises(TrustError):
            import_list(tmp_path, source(content, "icao"), pinned=[pinned], at=at)
    with pytest.raises(TrustError, match="identity cards have others"):
        import_list(tmp_path, source(given, NAME), pinned=[root], at=at)
    assert read_records(tmp_path) == ()
    with pytest.raises(TrustError, match="pinned authority: not a certificate"):
        import_list(tmp_path, source(given, "icao"), pinned=[b"no certificate"], at=at)
    change = import_list(tmp_path, source(given, "icao"), pinned=[root], at=at)
    assert change == TrustChange(added_count=411, known_count=0)
    passports = import_list(tmp_path, source(given, "vn-passport"), pinned=[root], at=at)
    assert passports == TrustChange(added_count=1, known_count=0)
    again = import_list(tmp_path, source(given, "icao"), at=at)
    assert again == TrustChange(added_count=0, known_count=411)
    loaded = load_trust(tmp_path)
    ending = [e for e in loaded.ending(at, within_days=365) if e.profile == "vn-passport"]
    assert [e.signs_until.date() for e in ending if e.signs_until] == [date(2027, 7, 1)]
    assert not [e for e in loaded.ending(at, within_days=200) if e.profile == "vn-passport"]


def test_an_authority_from_a_list_vouches_for_no_further_list(tmp_path: Path) -> None:
    listed = state.make_authority("CSCA KHM", "KH")
    intruder = state.make_authority("CSCA ePassport Vietnam")
    first = lists.master_list(lists.list_signer(), lists.content(listed.certificate))
    by_listed = lists.list_signer(by=listed)
    second = lists.master_list(by_listed, lists.content(intruder.certificate))
    at = state.NOW
    given = source(first, "icao")
    assert (
        import_list(tmp_path, given, pinned=[lists.PUBLISHER.certificate], at=at).added_count == 1
    )
    with pytest.raises(TrustError, match="no authority is pinned"):
        import_list(tmp_path, source(second, "icao"), at=at)
    # It does once an administrator adds it by itself: then it is no longer the list's word.
    add_certificates(tmp_path, source(listed.certificate, "icao"), kind=TrustKind.ANCHOR)
    assert import_list(tmp_path, source(second, "icao"), at=at).added_count == 1


def test_what_was_added_by_hand_is_known_to_a_list_and_stays_the_hands(tmp_path: Path) -> None:
    by_hand = source(lists.LISTED[0], "icao", origin="letter")
    add_certificates(tmp_path, by_hand, kind=TrustKind.ANCHOR)
    given = source(lists.master_list(lists.list_signer()), "icao", origin="list")
    pinned = [lists.PUBLISHER.certificate]
    brought = TrustChange(added_count=2, known_count=1)
    assert import_list(tmp_path, given, pinned=pinned, at=state.NOW) == brought
    told = load_trust(tmp_path).store.anchors()
    origins = {each.certificate.der: each.provenance for each in told}
    assert [each and each.origin for each in map(origins.get, lists.LISTED)] == [
        "letter",
        "list",
        "list",
    ]


def test_no_list_brings_a_distrusted_authority(tmp_path: Path) -> None:
    given = source(lists.master_list(lists.list_signer()), "icao")
    pinned = [lists.PUBLISHER.certificate]
    distrust(tmp_path, source(lists.LISTED[0], "icao"))
    first = import_list(tmp_path, given, pinned=pinned, at=state.NOW)
    distrust(tmp_path, source(lists.LISTED[1], "icao"))
    again = import_list(tmp_path, given, pinned=pinned, at=state.NOW)
    assert (first, again) == (
        TrustChange(added_count=2, known_count=0),
        TrustChange(added_count=0, known_count=1),
    )
    anchors = load_trust(tmp_path).store.anchors()
    assert [each.certificate.der for each in anchors] == [lists.LISTED[2]]
    distrust(tmp_path, source(lists.PUBLISHER.certificate, "icao"))
    with pytest.raises(TrustError, match="distrusted"):
        import_list(tmp_path, given, pinned=pinned, at=state.NOW)


def test_a_link_of_a_distrusted_anchor_stands_behind_no_list(tmp_path: Path) -> None:
    old = state.make_authority()
    new = link(old)
    for each in (old, new):
        add_certificates(tmp_path, source(each.certificate, "icao"), kind=TrustKind.ANCHOR)
    given = source(lists.master_list(lists.list_signer(by=new)), "icao")
    distrust(tmp_path, source(old.certificate, "icao"))
    with pytest.raises(TrustError, match="no authority is pinned"):
        import_list(tmp_path, given, at=state.NOW)
    restore(tmp_path, "icao", sha256=hashlib.sha256(old.certificate).hexdigest())
    assert import_list(tmp_path, given, at=state.NOW).added_count == 3


def test_a_distrusted_anchor_stays_out_until_the_distrust_is_taken_back(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    (tmp_path / "csca.der").write_bytes(authority.certificate)  # laid down by hand as well
    in_force = TrustInForce(tmp_path)
    begun = in_force.loaded
    (anchor,) = begun.store.anchors()
    sha256 = anchor.certificate.sha256.hex()
    der = find_certificate(tmp_path, NAME, sha256=sha256[:16].upper())
    change = distrust(tmp_path, source(der, origin="key stolen, letter of 3 May"))
    assert change == TrustChange(added_count=1, known_count=0)
    with capture_logs() as logs:
        assert in_force.reload_if_changed()
    (told,) = of_records(logs)
    assert told["event"] == "trust record added"
    assert (told["kind"], told["sha256"]) == ("distrusted", sha256)
    assert told["origin"] == "key stolen, letter of 3 May"
    assert begun.can_pass(NAME, NOW)
    assert not in_force.loaded.can_pass(NAME, NOW)
    assert in_force.loaded.store.anchors() == ()
    with pytest.raises(TrustError, match="distrusted"):
        add_certificates(tmp_path, source(authority.certificate), kind=TrustKind.ANCHOR)
    (row,) = describe(in_force.loaded, at=NOW)["distrusted"]
    assert (row["sha256"], row["reason"]) == (sha256, "key stolen, letter of 3 May")
    restore(tmp_path, NAME, sha256=sha256)
    with capture_logs() as logs:
        assert in_force.reload_if_changed()
    assert [each["event"] for each in of_records(logs)] == ["trust record gone"]
    assert in_force.loaded.can_pass(NAME, NOW)


def test_a_distrust_is_of_one_profile(tmp_path: Path, authority: CardAuthority) -> None:
    for profile in (NAME, "icao"):
        given = source(authority.certificate, profile)
        add_certificates(tmp_path, given, kind=TrustKind.ANCHOR)
    distrust(tmp_path, source(authority.certificate, "icao"))
    assert [each.profile for each in load_trust(tmp_path).store.anchors()] == [NAME]


@pytest.mark.parametrize("sha256", ["", "00", "0" * 64, "not hexadecimal, but long"])
def test_a_certificate_is_found_by_enough_of_its_fingerprint_only(
    tmp_path: Path, authority: CardAuthority, sha256: str
) -> None:
    trust(tmp_path, authority)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(TrustError, match=r"begin so|digits"):
        find_certificate(tmp_path, NAME, sha256=sha256)
    with pytest.raises(TrustError, match=r"begin so|digits"):
        restore(tmp_path, NAME, sha256=sha256)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_changed_directory_is_taken_up_and_who_has_begun_keeps_the_old_store(
    tmp_path: Path, authority: CardAuthority
) -> None:
    in_force = TrustInForce(tmp_path)
    begun = in_force.loaded
    assert not in_force.reload_if_changed()
    trust(tmp_path, authority)
    assert in_force.reload_if_changed()
    assert not in_force.reload_if_changed()
    assert in_force.loaded.can_pass(NAME, NOW)
    assert not begun.can_pass(NAME, NOW)


def test_a_broken_file_leaves_the_old_store_in_force_until_it_is_mended(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    in_force = TrustInForce(tmp_path)
    before = in_force.loaded
    half_written = tmp_path / "new.der"
    half_written.write_bytes(authority.certificate[:100])
    with capture_logs() as logs:
        assert not in_force.reload_if_changed()
    assert in_force.loaded is before
    assert [(each["log_level"], "new.der" in each["why"]) for each in logs] == [("error", True)]
    half_written.write_bytes(authority.companion(Companion.LATE).certificate)
    assert in_force.reload_if_changed()
    assert len(in_force.loaded.store.anchors()) == 2


def test_a_file_that_was_only_touched_is_read_again(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    in_force = TrustInForce(tmp_path)
    os.utime(tmp_path / FILE_NAME, ns=(0, 0))
    assert in_force.reload_if_changed()


def test_what_lies_in_a_profiles_own_directory_is_taken_up(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    in_force = TrustInForce(tmp_path)
    (tmp_path / "icao").mkdir()
    laid = tmp_path / "icao" / "csca.der"
    laid.write_bytes(authority.certificate)
    assert in_force.reload_if_changed()
    assert len(in_force.loaded.store.anchors()) == 2
    laid.unlink()
    assert in_force.reload_if_changed()
    assert len(in_force.loaded.store.anchors()) == 1


def test_two_administrators_at_once_lose_nothing(tmp_path: Path, authority: CardAuthority) -> None:
    certificates = [
        authority.companion(kind).certificate for kind in Companion if kind != Companion.NEIGHBOUR
    ]

    def add(content: bytes) -> None:
        add_certificates(tmp_path, source(content), kind=TrustKind.ANCHOR)

    threads = [threading.Thread(target=add, args=(each,)) for each in certificates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {each.content for each in read_own_records(tmp_path)} == set(certificates)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_the_log_tells_ages_and_warns_of_what_is_of_no_use(
    tmp_path: Path, authority: CardAuthority
) -> None:
    trust(tmp_path, authority)
    loaded = load_trust(tmp_path)
    with capture_logs() as logs:
        log_trust(loaded, at=NOW + timedelta(days=2))
    profile, listed, ends = logs
    assert (profile["profile"], profile["anchors"]) == (NAME, 1)
    assert (listed["log_level"], listed["age_days"], listed["is_current"]) == ("info", 2.0, True)
    # The key of the authority signs for five years.
    assert (ends["log_level"], ends["signs_until"]) == ("warning", "2027-01-09")
    with capture_logs() as logs:
        log_trust(loaded, at=NOW + timedelta(days=91))
    assert [each["log_level"] for each in logs if each["event"] == "revocation list"] == ["warning"]


def test_each_profile_says_where_its_own_anchor_came_from(
    tmp_path: Path, authority: CardAuthority
) -> None:
    certificate = authority.certificate
    for profile, origin in ((NAME, "letter"), ("icao", "list")):
        add_certificates(
            tmp_path, source(certificate, profile, origin=origin), kind=TrustKind.ANCHOR
        )
    told = describe(load_trust(tmp_path), at=NOW)["anchors"]
    assert {each["profile"]: each["origin"] for each in told} == {NAME: "letter", "icao": "list"}


def test_of_what_ends_soon_the_next_end_is_in_front(tmp_path: Path) -> None:
    young = CardAuthority(established_on=date(2022, 6, 10))
    # Its key stopped signing a year ago, and its certificate ends after the young one's key does.
    old = CardAuthority(established_on=date(1997, 10, 10))
    for each in (old, young):
        add_certificates(tmp_path, source(each.certificate), kind=TrustKind.ANCHOR)
    at = datetime(2027, 5, 1, tzinfo=UTC)
    ending = load_trust(tmp_path).ending(at, within_days=365)
    assert [each.certificate.der for each in ending] == [young.certificate, old.certificate]


def test_the_overview_can_be_watched_by_a_program(tmp_path: Path, authority: CardAuthority) -> None:
    trust(tmp_path, authority)
    overview = json.loads(json.dumps(describe(load_trust(tmp_path), at=NOW + timedelta(days=5))))
    (anchor,), (listed,) = overview["anchors"], overview["revocation_lists"]
    assert anchor["subject"] == "VN CSCA Can cuoc Mo phong"
    assert anchor["valid_until"] == "2052-01-09"
    assert (anchor["origin"], anchor["added_on"]) == ("by hand", "2026-04-15")
    assert (listed["age_days"], listed["is_usable"], listed["revoked"]) == (5.0, True, 0)
    near = describe(load_trust(tmp_path), at=NOW, within_days=30)
    assert near["anchors"] == []
    assert [each["can_pass"] for each in overview["profiles"]] == [True, False, False]


def test_a_verification_reads_the_store_once(tmp_path: Path) -> None:
    presented = Presented(sod=b"none", data_groups={}, active_signatures=(), probes=())
    in_force = TrustInForce(tmp_path)
    challenge = Challenge(nonces=(bytes(8),) * 4)
    found = in_force.examine_chip(challenge, presented, profile=NAME, at=NOW)
    assert not found.evidence.is_authentic
    with pytest.raises(TrustError, match="no trust profile"):
        in_force.examine_chip(challenge, presented, profile="vn-none", at=NOW)
