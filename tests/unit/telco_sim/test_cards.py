"""Cards: what a genuine one answers, and in what each forgery differs."""

import dataclasses
import hashlib
from datetime import UTC, date, datetime

import pytest
from asn1crypto import cms, parser, x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from telco_sim.cards import (
    Card,
    CardAuthority,
    clone_without_key,
    expiry_of,
    replace_data_group,
    swap_holder,
    swap_portrait,
)
from telco_sim.population import Citizen

NONCE = bytes.fromhex("0123456789abcdef")
ISSUED_ON = date(2024, 8, 1)


@pytest.fixture(scope="module")
def card(authority: CardAuthority, citizen: Citizen, portrait: bytes) -> Card:
    return authority.issue(citizen, portrait=portrait, issued_on=ISSUED_ON)


def recovered(card: Card, signature: bytes) -> bytes:
    """Apply the public key of DG15 to a signature."""
    key = load_der_public_key(card.data_groups[15][4:])
    assert isinstance(key, rsa.RSAPublicKey)
    numbers = key.public_numbers()
    return pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def is_proof(card: Card, signature: bytes, *, nonce: bytes) -> bool:
    """Check ISO/IEC 9796-2, scheme 1, written from the standard and not from the signer."""
    message = recovered(card, signature)
    recoverable, digest = message[1:-34], message[-34:-2]
    return (
        message[:1] == b"\x6a"
        and message[-2:] == b"\x34\xcc"
        and digest == hashlib.sha256(recoverable + nonce).digest()
    )


def dsc_of(card: Card) -> x509.Certificate:
    contents = parser.parse(card.sod)[4]
    return cms.ContentInfo.load(contents)["content"]["certificates"][0].chosen


def test_a_card_carries_its_files(card: Card) -> None:
    assert card.sod[0] == 0x77
    assert sorted(card.data_groups) == [1, 2, 13, 15]
    assert [card.data_groups[number][0] for number in (1, 2, 13, 15)] == [0x61, 0x75, 0x6D, 0x6F]


def test_files_stay_within_what_a_chip_holds(card: Card) -> None:
    assert len(card.sod) < 16 * 1024
    assert len(card.data_groups[1]) == 95
    assert len(card.data_groups[13]) < 8 * 1024


def test_a_card_cannot_be_written_to_and_does_not_show_its_key(card: Card) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.sod = b""  # type: ignore[misc]  # the assignment is what must fail
    with pytest.raises(TypeError):
        card.data_groups[1] = b""  # type: ignore[index]  # the assignment is what must fail
    assert "key" not in repr(card)


def test_a_genuine_card_proves_its_key_for_the_nonce_and_no_other(card: Card) -> None:
    signature = card.answer(NONCE)
    assert len(signature) == 256
    assert is_proof(card, signature, nonce=NONCE)
    assert not is_proof(card, signature, nonce=bytes(8))


def test_a_clone_has_every_file_but_not_the_key(card: Card) -> None:
    clone = clone_without_key(card)
    assert (clone.sod, clone.data_groups) == (card.sod, card.data_groups)
    assert not is_proof(clone, clone.answer(NONCE), nonce=NONCE)


def test_a_swapped_portrait_changes_dg2_only(card: Card, portrait_jpeg2000: bytes) -> None:
    forged = swap_portrait(card, portrait=portrait_jpeg2000)
    changed = [n for n in card.data_groups if forged.data_groups[n] != card.data_groups[n]]
    assert changed == [2]
    assert portrait_jpeg2000 in forged.data_groups[2]
    assert forged.sod == card.sod
    assert is_proof(forged, forged.answer(NONCE), nonce=NONCE)


def test_a_swapped_holder_changes_dg1_and_dg13(card: Card, citizen: Citizen) -> None:
    other = dataclasses.replace(citizen, personal_id="001090888888", full_name="Trần Văn Giả")
    forged = swap_holder(card, citizen=other)
    changed = [n for n in card.data_groups if forged.data_groups[n] != card.data_groups[n]]
    assert changed == [1, 13]
    assert forged.personal_id == "001090888888"
    assert b"001090888888" in forged.data_groups[1]
    assert "Trần Văn Giả".encode() in forged.data_groups[13]
    assert forged.sod == card.sod


def test_a_data_group_can_be_slipped_in(card: Card) -> None:
    forged = replace_data_group(card, number=11, content=b"\x6b\x00")
    assert forged.data_groups[11] == b"\x6b\x00"
    assert 11 not in card.data_groups


def test_an_unknown_authority_of_the_same_name_has_another_key(
    authority: CardAuthority, citizen: Citizen, portrait: bytes
) -> None:
    unknown = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=1)
    forged = unknown.issue(citizen, portrait=portrait, issued_on=ISSUED_ON)
    genuine = x509.Certificate.load(authority.certificate)
    assert dsc_of(forged).issuer == genuine.subject
    assert dsc_of(forged).authority_key_identifier != genuine.key_identifier


def test_a_card_can_outlive_its_document_signer(
    authority: CardAuthority, citizen: Citizen, portrait: bytes
) -> None:
    short = authority.issue(
        citizen, portrait=portrait, issued_on=ISSUED_ON, signer_ends_on=date(2025, 8, 1)
    )
    assert dsc_of(short).not_valid_after == datetime(2025, 7, 31, 17, tzinfo=UTC)
    assert short.dates.expires_on == date(2030, 1, 1)


def test_cards_of_one_quarter_share_their_signer(
    authority: CardAuthority, citizen: Citizen, portrait: bytes
) -> None:
    serial_numbers = [
        authority.issue(citizen, portrait=portrait, issued_on=day).signer_serial_number
        for day in (date(2025, 1, 1), date(2025, 3, 31), date(2025, 4, 1))
    ]
    assert serial_numbers[0] == serial_numbers[1] != serial_numbers[2]


@pytest.mark.parametrize("issued_on", [date(2022, 1, 9), date(2027, 1, 10)])
def test_an_authority_signs_only_in_its_own_time(
    authority: CardAuthority, citizen: Citizen, portrait: bytes, issued_on: date
) -> None:
    with pytest.raises(ValueError, match="signs from 2022-01-10"):
        authority.issue(citizen, portrait=portrait, issued_on=issued_on)


def test_the_first_and_the_last_day_of_an_authority_count(
    authority: CardAuthority, citizen: Citizen, portrait: bytes
) -> None:
    for day in (date(2022, 1, 10), date(2027, 1, 9)):
        card = authority.issue(citizen, portrait=portrait, issued_on=day)
        assert card.signer_serial_number == dsc_of(card).serial_number


def test_nobody_revokes_the_signer_of_another_authority(card: Card) -> None:
    other = CardAuthority(established_on=date(2022, 1, 10))
    with pytest.raises(ValueError, match="another authority"):
        other.revoke_signer_of(card, at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_pool_shares_its_keys_and_no_pool_shares_none(citizen: Citizen, portrait: bytes) -> None:
    def keys_of(authority: CardAuthority, count: int) -> list[bytes]:
        cards = (
            authority.issue(citizen, portrait=portrait, issued_on=ISSUED_ON) for _ in range(count)
        )
        return [card.data_groups[15] for card in cards]

    pooled = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=2)
    single = CardAuthority(established_on=date(2022, 1, 10))
    assert len(set(keys_of(pooled, 6))) == 2
    assert len(set(keys_of(single, 3))) == 3


@pytest.mark.parametrize(
    ("birth_date", "issued_on", "expires_on"),
    [
        (date(2020, 5, 1), date(2024, 8, 1), date(2034, 5, 1)),
        (date(1999, 8, 2), date(2022, 8, 1), date(2024, 8, 2)),
        (date(1999, 8, 2), date(2022, 8, 2), date(2039, 8, 2)),
        (date(1990, 1, 1), date(2024, 8, 1), date(2030, 1, 1)),
        (date(1970, 1, 1), date(2027, 12, 31), date(2030, 1, 1)),
        (date(1970, 1, 1), date(2028, 1, 1), None),
        (date(1940, 1, 1), date(2024, 8, 1), None),
        (date(2000, 2, 29), date(2022, 8, 1), date(2025, 2, 28)),
    ],
)
def test_a_card_holds_to_the_next_age_of_renewal(
    birth_date: date, issued_on: date, expires_on: date | None
) -> None:
    assert expiry_of(birth_date=birth_date, issued_on=issued_on) == expires_on
