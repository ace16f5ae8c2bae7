"""Certificates are read strictly, with the few liberties real authorities take."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometrics.chip import tlv
from biometrics.chip.certificate import CERTIFICATE_OCTETS_MAX, read_certificate
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card


def with_extensions(card: Card, *extensions: bytes) -> bytes:
    draft = replace(state.signer_draft(card.authority), extensions=extensions)
    return draft.sign(card.authority.key).certificate


def test_every_field_is_as_its_issuer_signed_it(card: Card) -> None:
    certificate = read_certificate(card.signer.certificate)

    assert certificate.version == 3
    assert certificate.serial == 0x1001
    assert certificate.issuer.raw == card.authority.subject
    assert certificate.subject.countries == ("VN",)
    assert certificate.not_before == datetime(2024, 7, 1, tzinfo=UTC)
    assert certificate.not_after == datetime(2040, 1, 1, tzinfo=UTC)
    assert certificate.subject_key.key == card.signer.key.public_key()
    assert certificate.authority_key_identifier == state.key_identifier(card.authority.key)
    assert certificate.subject_key_identifier is None
    assert certificate.document_types == frozenset({"ID"})
    assert not certificate.is_ca
    assert certificate.key_usage is not None
    assert certificate.key_usage.is_digital_signature_only


def test_an_authority_says_what_it_may(card: Card) -> None:
    authority = read_certificate(card.authority.certificate)

    assert authority.is_ca
    assert authority.key_usage is not None
    assert authority.key_usage.has_key_cert_sign
    assert authority.key_usage.has_crl_sign
    assert authority.private_key_period == (None, None)
    assert authority.document_types is None


def test_a_key_is_the_same_however_its_curve_and_its_point_are_written(card: Card) -> None:
    draft = state.signer_draft(card.authority, state.ec_key(ec.BrainpoolP384R1()))
    spki = state.spki(draft.key, asn1.oid("1.3.36.3.3.2.8.1.1.11"))
    public_key = draft.key.public_key()
    whole = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    half = public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = tlv.read_all(tlv.read_one(spki).value)[0].raw
    compressed = asn1.sequence(algorithm, asn1.bit_string(half))
    explicit, by_name, by_half, stranger = (
        read_certificate(each.sign(card.authority.key).certificate)
        for each in (
            draft,
            replace(draft, spki=spki),
            replace(draft, spki=compressed),
            state.signer_draft(card.authority),
        )
    )

    assert len({explicit.spki, by_name.spki, by_half.spki}) == 3
    assert whole not in by_half.der
    assert explicit.has_key_of(by_name)
    assert explicit.has_key_of(by_half)
    assert not explicit.has_key_of(stranger)


@pytest.mark.parametrize("spki", [asn1.sequence(), asn1.der(0x30, b"\x04\x09")])
def test_a_key_that_is_none_is_the_same_as_itself_only(card: Card, spki: bytes) -> None:
    draft = replace(state.signer_draft(card.authority), spki=spki)
    broken = read_certificate(draft.sign(card.authority.key).certificate)

    assert broken.has_key_of(broken)
    assert not broken.has_key_of(read_certificate(card.signer.certificate))


def test_document_types_may_stand_bare_in_the_list(card: Card) -> None:
    bare = state.extension(
        "2.23.136.1.1.6.2", asn1.sequence(asn1.printable("P"), asn1.printable("PO"))
    )

    assert read_certificate(with_extensions(card, bare)).document_types == frozenset({"P", "PO"})


@pytest.mark.parametrize(
    ("content", "is_ca"),
    [
        (asn1.sequence(), False),
        (asn1.sequence(asn1.der(0x01, b"\0")), False),
        (asn1.sequence(asn1.der(0x01, b"\1"), asn1.integer(0)), True),
        (asn1.sequence(asn1.TRUE), True),
    ],
)
def test_the_ca_flag_is_read_as_issuers_write_it(
    card: Card, content: bytes, *, is_ca: bool
) -> None:
    extension = state.extension("2.5.29.19", content)

    assert read_certificate(with_extensions(card, extension)).is_ca is is_ca


def test_a_default_that_is_written_out_changes_nothing(card: Card) -> None:
    false = asn1.der(0x01, b"\0")
    written = asn1.sequence(asn1.oid("1.2.3"), false, asn1.octet_string(asn1.NULL))

    certificate = read_certificate(with_extensions(card, written))

    assert not certificate.extensions["1.2.3"].is_critical


@pytest.mark.parametrize(
    ("oid", "attribute"),
    [
        ("2.5.29.15", "key_usage"),
        ("2.5.29.16", "private_key_period"),
        ("2.5.29.19", "is_ca"),
        ("2.23.136.1.1.6.2", "document_types"),
    ],
)
def test_a_malformed_extension_is_refused_when_it_is_asked(
    card: Card, oid: str, attribute: str
) -> None:
    certificate = read_certificate(with_extensions(card, state.extension(oid, b"\x30\x05")))

    with pytest.raises(ValueError, match=r".+"):
        getattr(certificate, attribute)


def test_a_malformed_key_identifier_is_none(card: Card) -> None:
    certificate = read_certificate(
        with_extensions(
            card, state.extension("2.5.29.14", b"\x04"), state.extension("2.5.29.35", b"\x30\x09")
        )
    )

    assert certificate.subject_key_identifier is None
    assert certificate.authority_key_identifier is None


def test_a_key_usage_without_bits_allows_nothing(card: Card) -> None:
    empty = state.extension("2.5.29.15", asn1.der(0x03, b"\0"), is_critical=True)

    usage = read_certificate(with_extensions(card, empty)).key_usage

    assert usage is not None
    assert not usage.is_digital_signature_only
    assert not usage.has_key_cert_sign


@pytest.mark.parametrize("change", ["trailing", "twice", "two algorithms", "huge", "cut", "empty"])
def test_a_certificate_that_is_not_in_order_is_refused(card: Card, change: str) -> None:
    usage = state.key_usage(state.DIGITAL_SIGNATURE)
    draft = replace(state.signer_draft(card.authority), inner_algorithm=state.ECDSA_256)
    octets = {
        "trailing": card.signer.certificate + b"\0",
        "twice": with_extensions(card, usage, usage),
        "two algorithms": draft.sign(card.authority.key).certificate,
        "huge": with_extensions(card, state.extension("1.2.3", bytes(CERTIFICATE_OCTETS_MAX))),
        "cut": card.signer.certificate[:-1],
        "empty": b"",
    }

    with pytest.raises(ValueError, match=r".+"):
        read_certificate(octets[change])
