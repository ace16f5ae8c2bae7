"""Deadlines in working days, by the calendar of Viet Nam."""

from datetime import UTC, date, datetime, timedelta

import pytest

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.working_days import deadline, is_working_day
from tests.unit.identity.makers import rules

HOLIDAYS = rules().privacy.holidays


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=DAY_ZONE)


def last_day(since: date, days: int) -> date:
    """The last day of a period: the one that its midnight ends."""
    return (deadline(at_noon(since), days, HOLIDAYS) - timedelta(seconds=1)).date()


@pytest.mark.parametrize(
    ("since", "days", "last"),
    [
        # Monday: Tuesday, Wednesday.
        (date(2026, 3, 2), 2, date(2026, 3, 4)),
        # Thursday before a plain weekend.
        (date(2026, 3, 5), 2, date(2026, 3, 9)),
        # Friday before Tet: the week of 16 to 20 February is no working week.
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        # In the middle of Tet, and on a Sunday.
        (date(2026, 2, 18), 1, date(2026, 2, 23)),
        (date(2026, 2, 22), 1, date(2026, 2, 23)),
        # 15 working days over Tet: Wednesday to Friday, then two whole weeks, then two days.
        (date(2026, 2, 10), 15, date(2026, 3, 10)),
        # A long weekend: 30 April and 1 May are Thursday and Friday.
        (date(2026, 4, 29), 1, date(2026, 5, 4)),
        # A leap day is a day like others: 29 February 2028 is a Tuesday.
        (date(2028, 2, 28), 1, date(2028, 2, 29)),
        (date(2028, 2, 28), 2, date(2028, 3, 1)),
    ],
)
def test_a_period_ends_on_its_last_working_day(since: date, days: int, last: date) -> None:
    assert last_day(since, days) == last


def test_days_begin_in_viet_nam() -> None:
    """At 20:00 UTC on a Monday it is Tuesday there."""
    found = deadline(datetime(2026, 3, 2, 20, tzinfo=UTC), 1, HOLIDAYS)
    assert found == datetime(2026, 3, 4, 17, tzinfo=UTC)


def test_a_saturday_and_a_holiday_are_no_working_days() -> None:
    assert not is_working_day(date(2026, 3, 7), HOLIDAYS)
    assert not is_working_day(date(2026, 9, 2), HOLIDAYS)
    assert is_working_day(date(2026, 9, 3), HOLIDAYS)


def test_a_period_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="a working day or more"):
        deadline(at_noon(date(2026, 3, 2)), 0, HOLIDAYS)
