"""The simulator's cards before the service's verifier.

Owns one claim: two programs written apart agree on what a genuine card is, and on what is wrong
with each forgery.
"""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from PIL import Image

from biometrics.chip.files import ActiveEvidence, ChipFiles
from biometrics.chip.portrait import decode_portrait
from biometrics.chip.profiles import make_profile
from biometrics.chip.report import ChipCode, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustPolicy, TrustProfile
from biometrics.chip.verify import verify_chip
from identity.services.chip_nonces import Challenge, NonceFault
from identity.services.complete_verification import Presented, examine_chip
from telco_sim.card_kinds import KINDS, CardKind, Order
from telco_sim.cards import (
    Card,
    CardAuthority,
    Companion,
    clone_without_key,
    replace_data_group,
    swap_holder,
    swap_portrait,
)
from telco_sim.pki import add_unsigned_attribute
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


@pytest.mark.parametrize(("hour", "codes"), [(16, ()), (17, ("DOCUMENT_EXPIRED",))])
def test_the_last_day_of_a_card_ends_at_midnight_in_viet_nam(
    authority: CardAuthority,
    population: tuple[Citizen, ...],
    hour: int,
    codes: tuple[str, ...],
) -> None:
    young = next(each for each in population if each.birth_date.year == 2002)
    card = authority.issue(young, portrait=PORTRAIT, issued_on=date(2023, 1, 1))
    assert card.dates.expires_on is not None
    at = datetime.combine(card.dates.expires_on, time(hour), UTC)
    presented = Presented(
        sod=card.sod,
        data_groups=card.data_groups,
        active_signatures=(card.answer(NONCE),),
        probes=(),
    )
    trust = make_profile(
        "vn-cccd",
        certificates=[authority.certificate],
        crls=[authority.revocation_list(at=at)],
    )
    examined = examine_chip(Challenge(nonces=(NONCE,) * 4), presented, trust=trust, at=at)
    assert examined.evidence.codes == codes


@pytest.fixture(scope="module")
def trusted(authority: CardAuthority) -> TrustProfile:
    """The real authority and its companions, as an administrator's folder holds them."""
    late, silent = authority.companion(Companion.LATE), authority.companion(Companion.SILENT)
    revoked, neighbour = (
        authority.companion(Companion.REVOKED),
        authority.companion(Companion.NEIGHBOUR),
    )
    revoked.revoke_all_signers(until=ISSUED_ON, at=NOW)
    return make_profile(
        "vn-cccd",
        certificates=[each.certificate for each in (authority, late, silent, revoked, neighbour)],
        crls=[
            late.revocation_list(at=NOW - timedelta(days=200)),
            *(each.revocation_list(at=NOW) for each in (authority, revoked, neighbour)),
        ],
    )


def examine(card: Card, trusted: TrustProfile) -> ChipReport:
    return verify_chip(
        ChipFiles(sod=card.sod, data_groups=card.data_groups),
        trust=trusted,
        at=NOW,
        active=ActiveEvidence(nonce=NONCE, signature=card.answer(NONCE)),
        decode=decode_portrait,
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_card_is_told_from_every_other(
    kind: CardKind,
    authority: CardAuthority,
    population: tuple[Citizen, ...],
    trusted: TrustProfile,
) -> None:
    order = Order(
        authority=authority,
        citizen=population[0],
        portrait=PORTRAIT,
        issued_on=ISSUED_ON,
        today=NOW.date(),
    )
    report = examine(kind.make(order), trusted)
    if not kind.code:
        assert (report.verdict, report.codes) == (ChipVerdict.AUTHENTIC, frozenset())
        return
    assert set(kind.code.split("|")) & report.codes, report.codes
    assert report.verdict is not ChipVerdict.AUTHENTIC
    assert (report.verdict is ChipVerdict.UNDETERMINED) >= kind.is_for_a_person
    # Of a card that is for a person, a person must be able to read what it says.
    assert (report.citizen is not None) >= kind.is_for_a_person


def test_a_remark_that_nobody_signed_does_not_make_another_document(
    card: Card, trusted: TrustProfile
) -> None:
    remarked = replace(card, sod=add_unsigned_attribute(card.sod))
    presented = [
        Presented(
            sod=each.sod,
            data_groups=each.data_groups,
            active_signatures=(each.answer(NONCE),),
            probes=(),
        )
        for each in (card, remarked)
    ]
    challenge = Challenge(nonces=(NONCE, *(bytes([n]) * 8 for n in range(3))))
    first, second = (
        examine_chip(challenge, each, trust=trusted, at=NOW).evidence for each in presented
    )
    assert card.sod != remarked.sod
    assert first.is_authentic
    # What was presented is another file; what is believed of it is the same.
    assert first.inputs != second.inputs
    assert first == replace(second, inputs=first.inputs)
    assert first.document_digest is not None


@pytest.mark.parametrize("signed", [1, 4])
def test_one_nonce_or_all_four_may_be_signed(
    card: Card, trusted: TrustProfile, signed: int
) -> None:
    nonces = tuple(bytes([number]) * 8 for number in range(1, 5))
    answers = tuple(card.answer(nonce) for nonce in nonces[:signed])
    good = Presented(
        sod=card.sod, data_groups=card.data_groups, active_signatures=answers, probes=()
    )
    assert examine_chip(Challenge(nonces=nonces), good, trust=trusted, at=NOW).evidence.is_authentic
    for spoilt in ((*answers[:-1], card.answer(bytes(8))), (*answers[:-1], answers[-1][:-1])):
        bad = replace(good, active_signatures=spoilt)
        found = examine_chip(Challenge(nonces=nonces), bad, trust=trusted, at=NOW).evidence
        assert not found.is_authentic
        assert set(found.codes) <= {"AA_DIGEST", "AA_SIG_LENGTH"}
        assert found.codes


@pytest.mark.parametrize("fault", NonceFault)
def test_an_answer_to_a_nonce_that_does_not_count_proves_nothing(
    card: Card, trusted: TrustProfile, fault: NonceFault
) -> None:
    presented = Presented(
        sod=card.sod,
        data_groups=card.data_groups,
        active_signatures=(card.answer(NONCE),),
        probes=(),
    )
    challenge = Challenge(nonces=(NONCE, *(bytes([n]) * 8 for n in range(3))), fault=fault)
    found = examine_chip(challenge, presented, trust=trusted, at=NOW).evidence
    assert (found.is_authentic, found.is_undetermined) == (False, False)
    assert found.codes == (fault.value,)
    assert found.holder is None


def test_a_card_whose_list_is_overdue_is_read_for_a_person(
    authority: CardAuthority, population: tuple[Citizen, ...], trusted: TrustProfile
) -> None:
    card = authority.companion(Companion.LATE).issue(
        population[0], portrait=PORTRAIT, issued_on=ISSUED_ON
    )
    presented = Presented(
        sod=card.sod,
        data_groups=card.data_groups,
        active_signatures=(card.answer(NONCE),),
        probes=(),
    )
    challenge = Challenge(nonces=(NONCE, *(bytes([n]) * 8 for n in range(3))))
    examined = examine_chip(challenge, presented, trust=trusted, at=NOW)
    assert examined.evidence.is_undetermined
    assert not examined.evidence.is_authentic
    assert examined.evidence.codes == ("CRL_STALE",)
    assert examined.evidence.holder is not None
    assert examined.portrait == PORTRAIT
