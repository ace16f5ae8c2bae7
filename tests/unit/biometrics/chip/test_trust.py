"""Trust profiles load what operators supply, and follow links only from anchors."""

import base64
from dataclasses import replace

import pytest

from biometrics.chip.report import ChipVerdict
from biometrics.chip.trust import TrustProfile
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.conftest import Verify
from tests.unit.biometrics.chip.issuer import Identity


def pem(label: str, octets: bytes) -> bytes:
    body = base64.encodebytes(octets)
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), body, label.encode())


def load(*certificates: bytes, country: str = "VNM") -> TrustProfile:
    return TrustProfile.from_certificates(name="test", country=country, certificates=certificates)


def link(old: Identity, new: Identity) -> bytes:
    """The old key signs the new one."""
    draft = replace(state.authority_draft(key=new.key), subject=new.subject, issuer=old.subject)
    return draft.sign(old.key).certificate


def test_der_and_pem_load_alike(card: Card) -> None:
    der = card.authority.certificate
    other = state.make_authority("OTHER").certificate
    bundle = b"# our anchors\n" + pem("CERTIFICATE", der) + pem("CERTIFICATE", other)

    profile = load(bundle)

    assert [anchor.der for anchor in profile.anchors] == [der, other]
    assert profile.country == "VN"


def test_a_crl_loads_from_pem(card: Card) -> None:
    profile = TrustProfile.from_certificates(
        name="test",
        country="VN",
        certificates=[card.authority.certificate],
        crls=[pem("X509 CRL", state.make_crl(card.authority, 7))],
    )

    assert profile.crls[0].serials == {7}


@pytest.mark.parametrize(
    "octets",
    [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\n", pem("CERTIFICATE", b"garbage")],
)
def test_what_is_no_certificate_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load(octets)


def test_a_pem_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        load(b"-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n")


def test_an_unknown_country_is_refused(card: Card) -> None:
    with pytest.raises(ValueError, match="country"):
        load(card.authority.certificate, country="XX")


def test_an_anchor_with_a_foreign_curve_does_not_spoil_the_others(
    card: Card, verify: Verify
) -> None:
    odd_key = state.ec_key()
    odd = replace(
        state.authority_draft("ODD", key=odd_key),
        spki=state.spki(odd_key, asn1.oid("1.3.36.3.3.2.8.1.1.5")),
    ).sign(odd_key)

    profile = load(odd.certificate, card.authority.certificate)

    assert verify(card, profile=profile).verdict is ChipVerdict.AUTHENTIC


def test_a_link_signed_by_an_anchor_leads_to_the_next_authority(verify: Verify, card: Card) -> None:
    first, second, third = (state.make_authority(f"CSCA {n}") for n in (1, 2, 3))
    by_third = replace(card, authority=third).with_signer(lambda draft: draft)
    links = [link(second, third), link(first, second)]

    linked = load(first.certificate).with_links(links)

    assert verify(by_third, profile=load(first.certificate)).verdict is ChipVerdict.UNDETERMINED
    assert verify(by_third, profile=linked).verdict is ChipVerdict.AUTHENTIC
    assert len(linked.anchors) == 3


def test_a_link_no_anchor_signed_is_left_out(card: Card) -> None:
    stranger, other = state.make_authority(), state.make_authority("CSCA 2")

    profile = load(card.authority.certificate).with_links([link(stranger, other)])

    assert len(profile.anchors) == 1


def test_a_state_makes_no_links_to_another_states_authority(card: Card) -> None:
    neighbour, rogue = state.make_authority("CSCA KHM", "KH"), state.make_authority()
    anchors = [card.authority.certificate, neighbour.certificate]
    everybody = TrustProfile.from_certificates(name="icao", country=None, certificates=anchors)

    assert everybody.with_links([link(neighbour, rogue)]).anchors == everybody.anchors


def test_a_link_signed_over_sha1_is_left_out(card: Card) -> None:
    other = state.make_authority("CSCA 2")
    weak = replace(
        state.authority_draft(key=other.key),
        subject=other.subject,
        issuer=card.authority.subject,
        algorithm=state.Algorithm(scheme="ecdsa", hash="sha1"),
    ).sign(card.authority.key)

    profile = load(card.authority.certificate).with_links([weak.certificate])

    assert len(profile.anchors) == 1


def test_a_signers_certificate_is_no_link(card: Card) -> None:
    profile = load(card.authority.certificate).with_links([card.signer.certificate])

    assert len(profile.anchors) == 1


def test_a_sod_may_leave_its_signer_to_the_profile(card: Card, verify: Verify) -> None:
    bare = card.with_sod(replace(card.draft(), certificates=()))
    profile = load(card.authority.certificate)

    stocked = profile.with_document_signers([card.signer.certificate])

    assert verify(bare, profile=profile).verdict is ChipVerdict.UNDETERMINED
    assert verify(bare, profile=stocked).verdict is ChipVerdict.AUTHENTIC


def test_a_signer_in_the_profile_must_be_issued_by_an_anchor_all_the_same(
    card: Card, verify: Verify
) -> None:
    bare = card.with_sod(replace(card.draft(), certificates=()))
    stranger = state.make_authority("STRANGER")

    profile = load(stranger.certificate).with_document_signers([card.signer.certificate])

    assert verify(bare, profile=profile).verdict is ChipVerdict.UNDETERMINED
