"""Mistakes in rows, and the answer each must get."""

import unicodedata
from datetime import date
from random import Random

import pytest

from subid.v1.subscription_pb2 import (
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
)
from subid.v1.subscription_service_pb2 import SubscriptionRow
from telco_sim.flaws import SHARES, Expected, Flaw, RowRefusal, Surroundings, spoil
from telco_sim.messages import claim_message
from telco_sim.population import Citizen, draw_population

PEOPLE = draw_population(50, seed=3, today=date(2026, 11, 21))


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings(
        people=PEOPLE,
        known_personal_ids=frozenset(each.personal_id for each in PEOPLE),
        generator=Random(5),
    )


def row_of(citizen: Citizen, *, msisdn: str = "0321234567") -> SubscriptionRow:
    return SubscriptionRow(msisdn=msisdn, holder=claim_message(citizen))


def made(
    flaw: Flaw, citizen: Citizen, surroundings: Surroundings
) -> tuple[SubscriptionRow, Expected]:
    row = row_of(citizen)
    expected = spoil(row, flaw=flaw, surroundings=surroundings)
    assert expected is not None
    return row, expected


@pytest.mark.parametrize("flaw", [each for each in SHARES if each is not Flaw.NONE])
def test_a_mistake_changes_the_row_or_is_not_offered(
    flaw: Flaw, citizen: Citizen, surroundings: Surroundings
) -> None:
    row = row_of(citizen)
    expected = spoil(row, flaw=flaw, surroundings=surroundings)
    assert (expected is None) == (row == row_of(citizen))


def test_a_name_without_a_tone_to_misplace_stays_as_it_was(
    citizen: Citizen, surroundings: Surroundings
) -> None:
    row = row_of(citizen)  # Nguyễn Văn Thử
    assert spoil(row, flaw=Flaw.NEW_TONE_PLACEMENT, surroundings=surroundings) is None
    assert row == row_of(citizen)


def test_spelling_alone_keeps_the_link(citizen: Citizen, surroundings: Surroundings) -> None:
    for flaw in (Flaw.DECOMPOSED_NAME, Flaw.SEPARATE_TONES, Flaw.CAPITALS):
        row, expected = made(flaw, citizen, surroundings)
        assert expected == LINK_STATE_LINKED
        composed = unicodedata.normalize("NFC", row.holder.full_name)
        assert composed.casefold() == citizen.full_name.casefold()


def test_missing_accents_are_a_mismatch(citizen: Citizen, surroundings: Surroundings) -> None:
    row, expected = made(Flaw.WITHOUT_ACCENTS, citizen, surroundings)
    assert (row.holder.full_name, expected) == ("Nguyen Van Thu", LINK_STATE_MISMATCHED)


def test_a_retired_number_is_the_same_number(citizen: Citizen, surroundings: Surroundings) -> None:
    row, expected = made(Flaw.RETIRED_NUMBER, citizen, surroundings)
    assert (row.msisdn, expected) == ("01621234567", LINK_STATE_LINKED)


def test_a_personal_id_of_nobody_is_not_found(citizen: Citizen, surroundings: Surroundings) -> None:
    row, expected = made(Flaw.UNKNOWN_PERSONAL_ID, citizen, surroundings)
    assert expected == LINK_STATE_NOT_FOUND
    assert row.holder.personal_id not in surroundings.known_personal_ids


def test_somebody_elses_name_is_another_name(citizen: Citizen, surroundings: Surroundings) -> None:
    row, expected = made(Flaw.ANOTHER_NAME, citizen, surroundings)
    assert expected == LINK_STATE_MISMATCHED
    assert row.holder.full_name in {each.full_name for each in PEOPLE}
    assert row.holder.full_name != citizen.full_name


@pytest.mark.parametrize(
    ("flaw", "field", "reason"),
    [
        (Flaw.SHORT_PERSONAL_ID, "holder.personal_id", "PERSONAL_ID_MALFORMED"),
        (Flaw.LETTER_IN_PERSONAL_ID, "holder.personal_id", "PERSONAL_ID_MALFORMED"),
        (Flaw.LANDLINE_NUMBER, "msisdn", "MSISDN_MALFORMED"),
        (Flaw.NUMBER_WITHOUT_ZERO, "msisdn", "MSISDN_MALFORMED"),
        (Flaw.NO_NAME, "holder.full_name", "FULL_NAME_MALFORMED"),
        (Flaw.OVERLONG_NAME, "holder.full_name", "FULL_NAME_MALFORMED"),
        (Flaw.DIGIT_IN_NAME, "holder.full_name", "FULL_NAME_MALFORMED"),
        (Flaw.IMPOSSIBLE_BIRTH_DATE, "holder.birth_date", "DATE_IMPOSSIBLE"),
    ],
)
def test_a_broken_row_must_be_refused_for_what_is_broken(
    flaw: Flaw, field: str, reason: str, citizen: Citizen, surroundings: Surroundings
) -> None:
    _, expected = made(flaw, citizen, surroundings)
    assert expected == RowRefusal(field=field, reason=reason)
