"""Which days can be meant."""

from datetime import date

import pytest

from identity.domain.calendar_date import parse_date, whole_years
from identity.domain.errors import DateImpossibleError


@pytest.mark.parametrize(
    "day", [date(1900, 1, 1), date(1985, 3, 1), date(2000, 2, 29), date(2199, 12, 31)]
)
def test_a_day_of_the_calendar_is_read(day: date) -> None:
    assert parse_date(day.year, day.month, day.day, field="birth_date") == day


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (1899, 12, 31),
        (2200, 1, 1),
        (0, 1, 1),
        (-1, 1, 1),
        (2**64, 1, 1),
        (1985, 0, 1),
        (1985, 13, 1),
        (1985, 2**64, 1),
        (1985, 1, 0),
        (1985, 1, 32),
        (1985, 1, -(2**64)),
        (1985, 2, 29),
        (1900, 2, 29),
        (2001, 2, 30),
        (2001, 4, 31),
    ],
)
def test_a_day_that_cannot_be_is_refused(year: int, month: int, day: int) -> None:
    with pytest.raises(DateImpossibleError):
        parse_date(year, month, day, field="birth_date")


def test_the_refusal_names_the_field_and_not_the_day() -> None:
    with pytest.raises(DateImpossibleError) as refusal:
        parse_date(1987, 2, 30, field="holder.birth_date")
    assert "holder.birth_date" in str(refusal.value)
    assert "1987" not in str(refusal.value)
    assert "30" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    ("since", "on", "years"),
    [
        (date(2010, 5, 4), date(2024, 5, 3), 13),
        (date(2010, 5, 4), date(2024, 5, 4), 14),
        (date(2010, 5, 4), date(2010, 5, 4), 0),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
        (date(2030, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_a_year_is_full_on_its_day_and_not_before(since: date, on: date, years: int) -> None:
    assert whole_years(since, on=on) == years
