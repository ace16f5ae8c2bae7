"""Conversions to messages of the contract."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subid.v1.date_pb2 import Date
from subid.v1.population_service_pb2 import SEX_MALE
from telco_sim.messages import (
    claim_message,
    date_message,
    instant_message,
    instant_of,
    record_message,
)
from telco_sim.population import Citizen


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_an_instant_survives_the_way_there_and_back(instant: datetime) -> None:
    assert instant_of(instant_message(instant)) == instant


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    hanoi = datetime(2026, 11, 21, 15, tzinfo=timezone(timedelta(hours=7)))
    assert instant_of(instant_message(hanoi)) == datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant_message(datetime(2026, 11, 21))  # noqa: DTZ001 - that is what is refused


def test_a_day_has_year_month_and_day() -> None:
    assert date_message(date(2026, 2, 28)) == Date(year=2026, month=2, day=28)


def test_a_record_says_what_the_register_knows(citizen: Citizen) -> None:
    record = record_message(citizen)
    assert (record.personal_id, record.full_name) == (citizen.personal_id, citizen.full_name)
    assert record.sex == SEX_MALE
    assert not record.HasField("deceased_on")
    assert not record.HasField("card_issued_on")


def test_a_record_says_when_somebody_died_and_got_a_card(citizen: Citizen) -> None:
    dead = replace(citizen, deceased_on=date(2026, 1, 2))
    record = record_message(dead, card_issued_on=date(2024, 3, 4))
    assert record.deceased_on == Date(year=2026, month=1, day=2)
    assert record.card_issued_on == Date(year=2024, month=3, day=4)


def test_a_claim_says_what_the_card_says(citizen: Citizen) -> None:
    claim = claim_message(citizen)
    assert (claim.personal_id, claim.full_name) == (citizen.personal_id, citizen.full_name)
    assert claim.birth_date == Date(year=1990, month=1, day=1)
