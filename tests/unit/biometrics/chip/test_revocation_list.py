"""Complete revocation lists are read, partial ones refused."""

from datetime import UTC, datetime

import pytest

from biometrics.chip.revocation_list import CRL_OCTETS_MAX, read_revocation_list
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card


def test_a_list_names_its_serials_and_its_time(card: Card) -> None:
    crl = read_revocation_list(state.make_crl(card.authority, 7, 9, 2**150))

    assert crl.serials == {7, 9, 2**150}
    assert crl.issuer.raw == card.authority.subject
    assert not crl.is_current(datetime(2025, 12, 31, tzinfo=UTC))
    assert crl.is_current(datetime(2026, 6, 1, tzinfo=UTC))
    assert not crl.is_current(datetime(2027, 1, 2, tzinfo=UTC))


def test_a_list_may_revoke_nothing(card: Card) -> None:
    assert read_revocation_list(state.make_crl(card.authority)).serials == frozenset()


def test_a_list_without_an_end_is_never_current(card: Card) -> None:
    crl = read_revocation_list(state.make_crl(card.authority, next_update=None))

    assert not crl.is_current(datetime(2026, 6, 1, tzinfo=UTC))


def test_a_crl_number_is_no_obstacle(card: Card) -> None:
    number = state.extension("2.5.29.20", asn1.integer(12))

    crl = read_revocation_list(state.make_crl(card.authority, 7, extensions=(number,)))

    assert crl.serials == {7}


@pytest.mark.parametrize("is_critical", [True, False])
@pytest.mark.parametrize("oid", ["2.5.29.27", "2.5.29.28"])
def test_a_delta_or_partial_list_is_refused(card: Card, oid: str, *, is_critical: bool) -> None:
    marker = state.extension(oid, asn1.integer(1), is_critical=is_critical)

    with pytest.raises(ValueError, match=oid):
        read_revocation_list(state.make_crl(card.authority, extensions=(marker,)))


def test_a_list_with_a_critical_extension_is_refused(card: Card) -> None:
    unknown = state.extension("1.2.3.4", asn1.NULL, is_critical=True)

    with pytest.raises(ValueError, match=r"1\.2\.3\.4"):
        read_revocation_list(state.make_crl(card.authority, extensions=(unknown,)))


def test_a_list_that_revokes_for_another_authority_is_refused(card: Card) -> None:
    issuer = state.extension("2.5.29.29", asn1.sequence())
    entry = state.make_revoked(7, extensions=(issuer,))

    with pytest.raises(ValueError, match=r"2\.5\.29\.29"):
        read_revocation_list(state.make_crl(card.authority, entries=(entry,)))


def test_a_list_that_says_two_algorithms_is_refused(card: Card) -> None:
    octets = state.make_crl(card.authority)
    inner, other = state.ECDSA_512.identifier, state.ECDSA_256.identifier

    with pytest.raises(ValueError, match="two signature algorithms"):
        read_revocation_list(octets.replace(inner, other, 1))


def test_a_list_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="octets"):
        read_revocation_list(bytes(CRL_OCTETS_MAX + 1))


@pytest.mark.parametrize("change", ["empty", "trailing", "certificate"])
def test_what_is_no_list_is_refused(card: Card, change: str) -> None:
    octets = {
        "empty": b"",
        "trailing": state.make_crl(card.authority) + b"\0",
        "certificate": card.authority.certificate,
    }

    with pytest.raises(ValueError, match=r".+"):
        read_revocation_list(octets[change])
