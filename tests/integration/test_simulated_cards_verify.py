"""The simulator's cards before the service's verifier.

Owns one claim: two programs written apart agree on what a genuine card is, and on what is wrong
with each forgery.
"""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from PIL import Image

from biometrics.chip.files import ActiveEvidence, ChipFiles
from biometrics.chip.report import ChipCode, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustPolicy, TrustProfile
from biometrics.chip.verify import verify_chip
from telco_sim.cards import (
    Card,
    CardAuthority,
    clone_without_key,
    replace_data_group,
    swap_holder,
    swap_portrait,
)
from telco_sim.population import Citizen, draw_population

NOW = datetime(2026, 4, 15, 3, tzinfo=UTC)
ISSUED_ON = date(2024, 8, 1)
THE_DAY_AFTER_ISSUE = datetime(2024, 8, 2, 3, tzinfo=UTC)
NONCE = bytes.fromhex("0123456789abcdef")


def encoded_image(*, image_format: str, grey: int = 128) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (480, 640), (grey, grey, grey)).save(encoded, image_format)
    return encoded.getvalue()


PORTRAIT = encoded_image(image_format="JPEG")


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    return CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=2)


@pytest.fixture(scope="module")
def population() -> tuple[Citizen, ...]:
    adults = (each for each in draw_population(400, seed=2, today=ISSUED_ON) if each.is_alive)
    return tuple(each for each in adults if each.birth_date.year < 2010)


@pytest.fixture(scope="module")
def card(authority: CardAuthority, population: tuple[Citizen, ...]) -> Card:
    return authority.issue(population[0], portrait=PORTRAIT, issued_on=ISSUED_ON)


def verify(
    card: Card, *, authority: CardAuthority, at: datetime = NOW, nonce: bytes = NONCE
) -> ChipReport:
    """Verify a card that answered `nonce` before a server that had sent NONCE."""
    trust = TrustProfile.from_certificates(
        name="vn-cccd",
        country="VN",
        certificates=[authority.certificate],
        crls=[authority.revocation_list(at=at)],
        policy=TrustPolicy(require_revocation=True),
    )
    return verify_chip(
        ChipFiles(sod=card.sod, data_groups=card.data_groups),
        trust=trust,
        at=at,
        active=ActiveEvidence(nonce=NONCE, signature=card.answer(nonce)),
    )


def test_the_cards_of_a_whole_population_are_authentic(
    authority: CardAuthority, population: tuple[Citizen, ...]
) -> None:
    limits = set()
    for citizen in population:
        card = authority.issue(citizen, portrait=PORTRAIT, issued_on=ISSUED_ON)
        report = verify(card, authority=authority, at=THE_DAY_AFTER_ISSUE)
        assert report.verdict is ChipVerdict.AUTHENTIC, (citizen.full_name, report.codes)
        assert report.codes == frozenset()
        assert report.citizen is not None
        assert report.citizen.personal_id == citizen.personal_id
        assert report.citizen.full_name == citizen.full_name
        assert report.citizen.born_on == citizen.birth_date
        assert report.portrait is not None
        limits.add(card.dates.expires_on is None)
    assert limits == {True, False}  # cards without a limit were among them


def test_a_card_with_a_jpeg2000_portrait_and_chip_authentication_is_authentic(
    authority: CardAuthority, population: tuple[Citizen, ...]
) -> None:
    card = authority.issue(
        population[1],
        portrait=encoded_image(image_format="JPEG2000"),
        issued_on=ISSUED_ON,
        has_chip_authentication=True,
    )
    report = verify(card, authority=authority)
    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.codes == frozenset()


def test_a_swapped_portrait_is_noticed(authority: CardAuthority, card: Card) -> None:
    forged = swap_portrait(card, portrait=encoded_image(image_format="JPEG", grey=10))
    report = verify(forged, authority=authority)
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DG_HASH_MISMATCH}
    assert report.portrait is None


def test_a_swapped_holder_is_noticed(
    authority: CardAuthority, card: Card, population: tuple[Citizen, ...]
) -> None:
    report = verify(swap_holder(card, citizen=population[2]), authority=authority)
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DG_HASH_MISMATCH}
    assert report.citizen is None


def test_a_data_group_slipped_in_is_noticed(authority: CardAuthority, card: Card) -> None:
    report = verify(replace_data_group(card, number=11, content=b"\x6b\x00"), authority=authority)
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert ChipCode.DG_NOT_IN_SOD in report.codes


def test_a_clone_without_the_key_is_noticed(authority: CardAuthority, card: Card) -> None:
    report = verify(clone_without_key(card), authority=authority)
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    # What another key makes of the answer is chance: mostly no header at all.
    assert report.codes & {
        ChipCode.AA_HEADER,
        ChipCode.AA_TRAILER,
        ChipCode.AA_DIGEST,
        ChipCode.AA_SIG_LENGTH,
    }


def test_an_answer_to_another_nonce_is_noticed(authority: CardAuthority, card: Card) -> None:
    report = verify(card, authority=authority, nonce=bytes(8))
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.AA_DIGEST}


def test_an_unknown_authority_of_the_same_name_is_not_believed(
    authority: CardAuthority, population: tuple[Citizen, ...]
) -> None:
    unknown = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=1)
    forged = unknown.issue(population[0], portrait=PORTRAIT, issued_on=ISSUED_ON)
    report = verify(forged, authority=authority)
    assert report.verdict is not ChipVerdict.AUTHENTIC
    assert ChipCode.TRUST_ANCHOR_NOT_FOUND in report.codes
    assert report.citizen is None


def test_a_card_that_outlived_its_document_signer_is_not_believed(
    authority: CardAuthority, population: tuple[Citizen, ...]
) -> None:
    card = authority.issue(
        population[0], portrait=PORTRAIT, issued_on=ISSUED_ON, signer_ends_on=date(2025, 8, 1)
    )
    before = verify(card, authority=authority, at=datetime(2025, 7, 1, tzinfo=UTC))
    after = verify(card, authority=authority)
    assert before.verdict is ChipVerdict.AUTHENTIC
    assert after.verdict is not ChipVerdict.AUTHENTIC
    assert after.codes == {ChipCode.DSC_EXPIRED}


def test_a_card_of_a_revoked_signer_is_not_believed(population: tuple[Citizen, ...]) -> None:
    authority = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=1)
    card = authority.issue(population[0], portrait=PORTRAIT, issued_on=ISSUED_ON)
    assert verify(card, authority=authority).verdict is ChipVerdict.AUTHENTIC
    authority.revoke_signer_of(card, at=NOW)
    report = verify(card, authority=authority)
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DSC_REVOKED}


def test_a_card_past_its_last_day_is_noticed(
    authority: CardAuthority, population: tuple[Citizen, ...]
) -> None:
    young = next(each for each in population if each.birth_date.year == 2002)
    card = authority.issue(young, portrait=PORTRAIT, issued_on=date(2023, 1, 1))
    assert card.dates.expires_on is not None
    the_day = datetime(
        card.dates.expires_on.year,
        card.dates.expires_on.month,
        card.dates.expires_on.day,
        3,
        tzinfo=UTC,
    )
    assert verify(card, authority=authority, at=the_day).verdict is ChipVerdict.AUTHENTIC
    report = verify(card, authority=authority, at=the_day + timedelta(days=1))
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.codes == {ChipCode.DOCUMENT_EXPIRED}
