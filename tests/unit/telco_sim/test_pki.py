"""Certificates, revocation lists and EF.SOD, read by libraries that know the standards."""

import hashlib
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, core, crl, parser, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from telco_sim.cards import Card, CardAuthority
from telco_sim.pki import LDS_SECURITY_OBJECT
from telco_sim.population import Citizen

NOW = datetime(2026, 4, 15, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def card(authority: CardAuthority, citizen: Citizen, portrait: bytes) -> Card:
    return authority.issue(
        citizen, portrait=portrait, issued_on=date(2024, 8, 1), has_chip_authentication=True
    )


def signed_data(card: Card) -> cms.SignedData:
    _, _, tag, _, contents, _ = parser.parse(card.sod, strict=True)
    assert tag == 0x17
    content_info = cms.ContentInfo.load(contents, strict=True)
    assert content_info["content_type"].native == "signed_data"
    return content_info["content"]


def public_key_of(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Read the point of an explicit key onto the named curve of the same size."""
    point = certificate.public_key["public_key"].native
    curve = {97: ec.BrainpoolP384R1, 129: ec.BrainpoolP512R1}[len(point)]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve(), point)


def extension(certificate: x509.Certificate, name: str) -> x509.Extension:
    [found] = [
        each
        for each in certificate["tbs_certificate"]["extensions"]
        if each["extn_id"].native == name
    ]
    return found


def test_the_authority_signs_itself_and_nothing_below_document_signers(
    authority: CardAuthority,
) -> None:
    csca = x509.Certificate.load(authority.certificate, strict=True)
    assert csca.issuer == csca.subject
    assert csca.subject.native["country_name"] == "VN"
    assert csca.public_key["algorithm"]["parameters"].name == "specified"
    assert extension(csca, "basic_constraints")["critical"].native
    assert csca.ca
    assert csca.max_path_length == 0
    assert extension(csca, "key_usage")["critical"].native
    assert csca.key_usage_value.native == {"key_cert_sign", "crl_sign"}
    public_key_of(csca).verify(
        csca.signature, csca["tbs_certificate"].dump(), ec.ECDSA(hashes.SHA512())
    )


def test_a_document_signer_signs_documents_only(authority: CardAuthority, card: Card) -> None:
    csca = x509.Certificate.load(authority.certificate)
    [choice] = signed_data(card)["certificates"]
    dsc = choice.chosen
    assert dsc.issuer == csca.subject
    assert dsc.key_usage_value.native == {"digital_signature"}
    assert extension(dsc, "key_usage")["critical"].native
    assert not dsc.ca
    assert dsc.authority_key_identifier == csca.key_identifier
    assert dsc.key_identifier == hashlib.sha1(bytes(dsc.public_key["public_key"])).digest()  # noqa: S324 - RFC 5280, 4.2.1.2
    document_types = extension(dsc, "2.23.136.1.1.6.2")["extn_value"].native
    assert document_types.hex() == "3009020100310413024944"  # as on the synthetic chip
    public_key_of(csca).verify(
        dsc.signature, dsc["tbs_certificate"].dump(), ec.ECDSA(hashes.SHA512())
    )


def test_a_document_signer_starts_within_the_authoritys_key_period(
    authority: CardAuthority, card: Card
) -> None:
    csca = x509.Certificate.load(authority.certificate)
    dsc = signed_data(card)["certificates"][0].chosen
    period = csca.private_key_usage_period_value.native
    assert period["not_before"] <= dsc.not_valid_before < period["not_after"]
    assert period["not_after"] - period["not_before"] < timedelta(days=5 * 366)
    own = dsc.private_key_usage_period_value.native
    signed_at = _signed_attribute(card, "signing_time")
    assert own["not_before"] <= signed_at <= own["not_after"]
    assert own["not_after"] - own["not_before"] <= timedelta(days=92)


def test_dates_after_2049_are_generalized_time(authority: CardAuthority) -> None:
    validity = x509.Certificate.load(authority.certificate)["tbs_certificate"]["validity"]
    assert validity["not_before"].name == "utc_time"
    assert validity["not_after"].name == "general_time"
    assert validity["not_after"].native == datetime(2052, 1, 9, 17, tzinfo=UTC)


def test_the_document_signature_is_over_the_attributes_as_a_set(card: Card) -> None:
    signed = signed_data(card)
    [signer] = signed["signer_infos"]
    content = signed["encap_content_info"]["content"].native
    assert signed["version"].native == "v3"
    assert signed["encap_content_info"]["content_type"].dotted == LDS_SECURITY_OBJECT
    assert signer["digest_algorithm"]["algorithm"].native == "sha384"
    assert signer["signature_algorithm"]["algorithm"].native == "sha384_ecdsa"
    assert _signed_attribute(card, "message_digest") == hashlib.sha384(content).digest()
    assert _signed_attribute(card, "content_type") == LDS_SECURITY_OBJECT
    assert _signed_attribute(card, "signing_time") == datetime(2024, 8, 1, 2, tzinfo=UTC)
    attributes = b"\x31" + signer["signed_attrs"].dump()[1:]
    public_key_of(signed["certificates"][0].chosen).verify(
        signer["signature"].native, attributes, ec.ECDSA(hashes.SHA384())
    )


def test_every_data_group_has_its_hash_in_the_security_object(card: Card) -> None:
    content = signed_data(card)["encap_content_info"]["content"].native
    security_object = core.load(content, strict=True)
    version, algorithm, entries = (security_object[index] for index in range(3))
    assert version.native == 0
    assert algorithm.native == {"0": "2.16.840.1.101.3.4.2.1"}
    hashes_by_number = {entry["0"]: entry["1"] for entry in entries.native.values()}
    assert hashes_by_number == {
        number: hashlib.sha256(group).digest() for number, group in card.data_groups.items()
    }
    assert list(hashes_by_number) == [1, 2, 13, 14, 15]


def test_openssl_accepts_the_document_signature(card: Card, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    _, _, _, _, contents, _ = parser.parse(card.sod)
    message, out = tmp_path / "cms.der", tmp_path / "content.der"
    message.write_bytes(contents)
    command = [openssl, "cms", "-verify", "-noverify", "-inform", "DER"]
    result = subprocess.run(
        [*command, "-in", str(message), "-out", str(out)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert out.read_bytes() == signed_data(card)["encap_content_info"]["content"].native


def test_a_revocation_list_is_signed_numbered_and_first_empty(authority: CardAuthority) -> None:
    first = crl.CertificateList.load(authority.revocation_list(at=NOW), strict=True)
    second = crl.CertificateList.load(authority.revocation_list(at=NOW), strict=True)
    csca = x509.Certificate.load(authority.certificate)
    body = second["tbs_cert_list"]
    assert body["issuer"] == csca.subject
    assert body["this_update"].native == NOW
    assert body["next_update"].native == NOW + timedelta(days=90)
    assert second.crl_number_value.native == first.crl_number_value.native + 1
    assert second.authority_key_identifier == csca.key_identifier
    assert body["revoked_certificates"].native is None
    public_key_of(csca).verify(second["signature"].native, body.dump(), ec.ECDSA(hashes.SHA512()))


def test_a_revoked_signer_stands_on_every_later_list(citizen: Citizen, portrait: bytes) -> None:
    authority = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=1)
    card = authority.issue(citizen, portrait=portrait, issued_on=date(2024, 8, 1))
    authority.revoke_signer_of(card, at=NOW)
    for days in (0, 30):
        content = authority.revocation_list(at=NOW + timedelta(days=days))
        [entry] = crl.CertificateList.load(content)["tbs_cert_list"]["revoked_certificates"]
        assert entry["user_certificate"].native == card.signer_serial_number
        assert entry["revocation_date"].native == NOW


def _signed_attribute(card: Card, name: str) -> object:
    [signer] = signed_data(card)["signer_infos"]
    [attribute] = [each for each in signer["signed_attrs"] if each["type"].native == name]
    [value] = attribute["values"]
    return value.dotted if name == "content_type" else value.native
