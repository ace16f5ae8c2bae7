"""Finding the issuer among many, and judging it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from biometrics.chip import issuance
from biometrics.chip.certificate import Certificate, read_certificate
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.report import ChipVerdict
from biometrics.chip.trust import TrustProfile
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.conftest import Verify
from tests.unit.biometrics.chip.issuer import NOW


def profile(*certificates: bytes, crls: tuple[bytes, ...] = ()) -> TrustProfile:
    return TrustProfile.from_certificates(
        name="test", country="VN", certificates=certificates, crls=crls
    )


def expired_twin(card: Card) -> bytes:
    """The same authority and key in a certificate that has run out."""
    draft = state.authority_draft(key=card.authority.key)
    return (
        replace(draft, not_after=datetime(2026, 4, 29, tzinfo=UTC), serial=2)
        .sign(draft.key)
        .certificate
    )


def signer_of(card: Card) -> Certificate:
    return read_certificate(card.signer.certificate)


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_certificates_of_one_key_the_valid_one_counts(
    card: Card, verify: Verify, *, is_first: bool
) -> None:
    """Indonesia: a new certificate and an expired link hold one key."""
    pair = [card.authority.certificate, expired_twin(card)]

    report = verify(card, profile=profile(*(pair if is_first else reversed(pair))))

    assert report.verdict is ChipVerdict.AUTHENTIC


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    "extensions",
    [
        lambda draft: draft.extensions[1:],  # no CA flag
        lambda draft: (*draft.extensions, state.extension("1.2.3", asn1.NULL, is_critical=True)),
    ],
)
def test_of_two_certificates_of_one_key_the_authoritys_counts(
    card: Card,
    verify: Verify,
    extensions: Callable[[state.CertificateDraft], tuple[bytes, ...]],
    *,
    is_first: bool,
) -> None:
    draft = state.authority_draft(key=card.authority.key)
    limited = replace(draft, extensions=extensions(draft), serial=2).sign(draft.key)
    pair = [card.authority.certificate, limited.certificate]

    report = verify(card, profile=profile(*(pair if is_first else reversed(pair))))

    assert report.verdict is ChipVerdict.AUTHENTIC


def test_many_authorities_of_one_name_are_all_tried(card: Card, verify: Verify) -> None:
    others = [state.make_authority().certificate for _ in range(5)]

    report = verify(card, profile=profile(*others, card.authority.certificate))

    assert report.verdict is ChipVerdict.AUTHENTIC


def test_an_issuer_is_found_by_name_when_the_signer_names_no_key(
    card: Card, verify: Verify
) -> None:
    nameless = card.with_signer(lambda draft: replace(draft, extensions=draft.extensions[1:]))

    assert verify(nameless).verdict is ChipVerdict.AUTHENTIC


def test_an_issuer_is_found_by_name_when_the_named_key_is_unknown(
    card: Card, verify: Verify
) -> None:
    misnamed = card.with_signer(
        lambda draft: replace(
            draft, extensions=(state.authority_key_identifier(bytes(20)), *draft.extensions[1:])
        )
    )

    assert verify(misnamed).verdict is ChipVerdict.AUTHENTIC


def test_an_issuer_may_be_spelled_differently(card: Card, verify: Verify) -> None:
    spelled = card.with_signer(
        lambda draft: replace(draft, issuer=state.name("csca   Test", tag=0x13))
    )

    assert verify(spelled).verdict is ChipVerdict.AUTHENTIC


def test_the_right_key_under_another_name_is_not_the_issuer(card: Card, verify: Verify) -> None:
    renamed = card.with_signer(lambda draft: replace(draft, issuer=state.name("SOMEBODY")))

    assert ChipCode.DSC_SIGNATURE_INVALID in verify(renamed).codes


def test_a_bad_signature_under_a_name_alone_is_never_forgery(card: Card) -> None:
    stranger = state.make_authority()
    draft = state.signer_draft(stranger)
    unnamed = replace(draft, extensions=draft.extensions[1:]).sign(stranger.key)

    with pytest.raises(ChipError) as caught:
        issuance.find_issuance(
            read_certificate(unnamed.certificate),
            trust=profile(card.authority.certificate),
            at=NOW,
        )

    assert caught.value.code is ChipCode.TRUST_ANCHOR_NOT_FOUND
    assert caught.value.result is CheckResult.UNDETERMINED


def test_a_weak_anchor_is_refused(card: Card, verify: Verify) -> None:
    key = state.rsa_key(1024, "weak")
    algorithm = state.Algorithm(scheme="pkcs1", hash="sha256")
    draft = replace(state.authority_draft(key=key), algorithm=algorithm)
    weak = replace(card, authority=draft.sign(key))
    signed = weak.with_signer(lambda draft: replace(draft, algorithm=algorithm))

    report = verify(signed, profile=profile(weak.authority.certificate))

    assert ChipCode.WEAK_KEY in report.codes


def test_a_malformed_period_of_the_anchors_key_is_outside(card: Card, verify: Verify) -> None:
    draft = state.authority_draft(key=card.authority.key)
    broken = replace(draft, extensions=(*draft.extensions, state.extension("2.5.29.16", asn1.NULL)))

    report = verify(card, profile=profile(broken.sign(draft.key).certificate))

    assert report.codes == {ChipCode.DSC_OUTSIDE_CSCA_KEY_PERIOD, ChipCode.CRL_MISSING}


@pytest.mark.parametrize("oid", ["2.5.29.15", "2.5.29.19"])
def test_a_malformed_extension_of_the_anchor_makes_it_no_authority(
    card: Card, verify: Verify, oid: str
) -> None:
    draft = replace(
        state.authority_draft(key=card.authority.key),
        extensions=(state.extension(oid, b"\x03\x09", is_critical=True),),
    )

    report = verify(card, profile=profile(draft.sign(draft.key).certificate))

    assert ChipCode.CSCA_NOT_CA in report.codes


def test_a_malformed_extension_of_the_signer_is_refused(card: Card, verify: Verify) -> None:
    broken = card.with_signer(
        lambda draft: replace(
            draft, extensions=(state.extension("2.5.29.15", b"\x03\x09", is_critical=True),)
        )
    )

    assert ChipCode.DSC_KEY_USAGE in verify(broken).codes


def test_a_malformed_list_of_document_types_is_refused(card: Card, verify: Verify) -> None:
    broken = card.with_signer(
        lambda draft: replace(
            draft,
            extensions=(*draft.extensions[:2], state.extension("2.23.136.1.1.6.2", b"\x30\x09")),
        )
    )

    assert ChipCode.DSC_DOCTYPE in verify(broken).codes


def test_an_extension_nobody_knows_is_let_pass_when_it_is_not_critical(
    card: Card, verify: Verify
) -> None:
    odd = card.with_signer(
        lambda draft: replace(
            draft, extensions=(*draft.extensions, state.extension("1.2.3.4", asn1.NULL))
        )
    )

    assert verify(odd).verdict is ChipVerdict.AUTHENTIC


def revocation_code(card: Card, *crls: bytes) -> ChipCode | None:
    trust = profile(card.authority.certificate, crls=crls)
    issued = issuance.find_issuance(signer_of(card), trust=trust, at=NOW)
    try:
        issuance.check_revocation(issued, trust=trust, at=NOW)
    except ChipError as error:
        return error.code
    return None


def test_one_usable_list_among_broken_ones_is_enough(card: Card) -> None:
    forged = state.make_crl(card.authority, card.signer.serial, key=state.ec_key())
    stale = state.make_crl(card.authority, next_update=datetime(2026, 2, 1, tzinfo=UTC))
    fresh = state.make_crl(card.authority, 7)

    assert revocation_code(card, forged, stale, fresh) is None
    assert revocation_code(card, forged, stale) is ChipCode.CRL_STALE
    assert revocation_code(card, forged) is ChipCode.CRL_SIGNATURE_INVALID
    assert revocation_code(card) is ChipCode.CRL_MISSING


def test_a_list_that_begins_tomorrow_is_not_current(card: Card) -> None:
    tomorrow = state.make_crl(card.authority, this_update=datetime(2026, 6, 2, tzinfo=UTC))

    assert revocation_code(card, tomorrow) is ChipCode.CRL_STALE


def test_a_list_of_another_authority_does_not_count(card: Card) -> None:
    other = state.make_crl(state.make_authority("OTHER"), card.signer.serial)

    assert revocation_code(card, other) is ChipCode.CRL_MISSING


def test_an_anchor_that_may_not_sign_lists_signs_none(card: Card) -> None:
    draft = state.authority_draft(key=card.authority.key)
    extensions = (draft.extensions[0], state.key_usage(state.KEY_CERT_SIGN))
    anchor = replace(draft, extensions=extensions).sign(draft.key)
    limited = replace(card, authority=anchor)

    code = revocation_code(limited, state.make_crl(card.authority, card.signer.serial))

    assert code is ChipCode.CRL_SIGNATURE_INVALID


def test_a_list_under_an_unknown_algorithm_is_not_signed(card: Card) -> None:
    known, unknown = asn1.oid("1.2.840.10045.4.3.4"), asn1.oid("1.2.840.10045.4.3.9")
    crl = state.make_crl(card.authority, card.signer.serial).replace(known, unknown)

    assert revocation_code(card, crl) is ChipCode.CRL_SIGNATURE_INVALID


def test_an_anchor_of_another_name_does_not_vouch_for_a_list(card: Card, verify: Verify) -> None:
    other = state.make_authority("OTHER").certificate
    trust = profile(other, card.authority.certificate, crls=(state.make_crl(card.authority, 7),))

    assert verify(card, profile=trust).codes == frozenset()


def test_one_revocation_is_enough_whatever_newer_lists_say(card: Card) -> None:
    old = state.make_crl(
        card.authority, card.signer.serial, next_update=datetime(2026, 2, 1, tzinfo=UTC)
    )

    assert revocation_code(card, state.make_crl(card.authority), old) is ChipCode.DSC_REVOKED
