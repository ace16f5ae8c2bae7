"""Birthdays and midnights of any child: one instant parts who has a guardian from who has none."""

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.arrangement import (
    Arrangement,
    ArrangementKind,
    ArrangementPolicy,
    ArrangementState,
    birthday,
    comes_of_age_at,
    is_minor,
    may_consent,
)
from identity.domain.calendar_date import DAY_ZONE, day_of, whole_years

POLICY = ArrangementPolicy()
TICK = timedelta(microseconds=1)

leap_years = st.integers(1900, 2199).filter(isleap)
leap_days = leap_years.map(lambda year: date(year, 2, 29))
births = st.one_of(st.dates(date(1900, 1, 1), date(2199, 12, 31)), leap_days)
ages = st.integers(1, 21)


@given(births, ages)
def test_a_birthday_is_the_first_day_of_an_age(birth_date: date, age: int) -> None:
    day = birthday(birth_date, age)
    assert whole_years(birth_date, on=day) == age
    assert whole_years(birth_date, on=day - timedelta(days=1)) == age - 1


@given(births)
def test_the_last_instant_of_childhood_is_the_one_before_midnight_in_viet_nam(
    birth_date: date,
) -> None:
    end = comes_of_age_at(birth_date, POLICY)
    local = end.astimezone(DAY_ZONE)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert is_minor(birth_date, POLICY, at=end - TICK)
    assert not is_minor(birth_date, POLICY, at=end)
    assert day_of(end) == birthday(birth_date, POLICY.majority_age)


@given(births, st.datetimes(datetime(1901, 1, 1), datetime(2230, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds the zone
def test_consent_and_majority_are_ages_in_whole_years(birth_date: date, at: datetime) -> None:
    years = whole_years(birth_date, on=day_of(at))
    assert may_consent(birth_date, POLICY, at=at) == (years >= POLICY.consent_age)
    assert is_minor(birth_date, POLICY, at=at) == (years < POLICY.majority_age)


@given(births, st.integers(-(10**14), 10**14))
def test_a_guardianship_is_read_as_ended_from_its_instant_on_and_never_before(
    birth_date: date, ticks: int
) -> None:
    end = comes_of_age_at(birth_date, POLICY)
    at = end + ticks * TICK
    item = Arrangement(
        arrangement_id=UUID(int=1),
        kind=ArrangementKind.GUARDIANSHIP,
        proposed_at=end,
        lapses_at=end,
        state=ArrangementState.AGREED,
        agreed_at=end,
    )
    now = item.as_of(birth_date, POLICY, at=at)
    assert (now.state is ArrangementState.ENDED) == (at >= end)
    assert now.closed_at == (end if at >= end else None)
    assert now.as_of(birth_date, POLICY, at=at) == now
