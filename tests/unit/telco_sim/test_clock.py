"""The simulated clock: forward only, UTC inside, Vietnamese days outside."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from telco_sim.clock import SimulatedClock, start_of_vietnamese_day, vietnamese_day

START = datetime(2026, 4, 15, 16, 30, tzinfo=UTC)


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = SimulatedClock(START)
    assert clock.now() == clock() == START


def test_a_clock_moves_by_days_hours_and_minutes() -> None:
    clock = SimulatedClock(START)
    assert clock.advance(days=2, hours=3, minutes=5) == datetime(2026, 4, 17, 19, 35, tzinfo=UTC)
    assert clock.now() == datetime(2026, 4, 17, 19, 35, tzinfo=UTC)


def test_a_clock_never_moves_back() -> None:
    clock = SimulatedClock(START)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(hours=-1)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance_to(START - timedelta(seconds=1))
    assert clock.now() == START


def test_a_clock_keeps_utc_whatever_zone_it_is_given() -> None:
    clock = SimulatedClock(START.astimezone(timezone(timedelta(hours=-5))))
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() == START


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        SimulatedClock(naive)
    with pytest.raises(ValueError, match="time zone"):
        SimulatedClock(START).advance_to(naive)


def test_the_vietnamese_day_begins_seven_hours_before_the_utc_day() -> None:
    clock = SimulatedClock(START)
    assert clock.today() == date(2026, 4, 15)
    clock.advance(minutes=30)  # 17:00 UTC is midnight in Hanoi
    assert clock.today() == date(2026, 4, 16)


def test_a_vietnamese_day_starts_at_its_own_first_instant() -> None:
    start = start_of_vietnamese_day(date(2026, 4, 16))
    assert start == datetime(2026, 4, 15, 17, 0, tzinfo=UTC)
    assert vietnamese_day(start) == date(2026, 4, 16)
    assert vietnamese_day(start - timedelta(microseconds=1)) == date(2026, 4, 15)
