"""A deadline in working days leaves exactly so many of them, whatever days are holidays."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.working_days import deadline, is_working_day

INSTANTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2032, 12, 31),  # noqa: DTZ001 - as above
    timezones=st.just(DAY_ZONE),
)
PERIODS = st.integers(min_value=1, max_value=30)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[datetime, frozenset[date]]:
    """An instant, and holidays around it: single days, and a long one such as Tet."""
    since = draw(INSTANTS)
    first = since.date()
    near = st.integers(min_value=-5, max_value=60).map(lambda days: first + timedelta(days=days))
    single = draw(st.frozensets(near, max_size=12))
    begins, length = draw(near), draw(st.integers(min_value=0, max_value=12))
    return since, single | {begins + timedelta(days=each) for each in range(length)}


def working_days(after: date, before: date, holidays: Collection[date]) -> int:
    days = (after + timedelta(days=each) for each in range(1, (before - after).days))
    return sum(is_working_day(day, holidays) for day in days)


@given(calendars(), PERIODS)
def test_so_many_working_days_lie_between(
    given_days: tuple[datetime, frozenset[date]], days: int
) -> None:
    since, holidays = given_days
    end = deadline(since, days, holidays)
    assert end.time() == datetime.min.time()
    assert working_days(day_of(since), end.date(), holidays) == days
    assert is_working_day(end.date() - timedelta(days=1), holidays)


@given(calendars(), PERIODS)
def test_a_longer_period_ends_later(
    given_days: tuple[datetime, frozenset[date]], days: int
) -> None:
    since, holidays = given_days
    assert deadline(since, days, holidays) < deadline(since, days + 1, holidays)


@given(calendars(), PERIODS, st.integers(min_value=0, max_value=60))
def test_one_more_holiday_never_makes_it_sooner(
    given_days: tuple[datetime, frozenset[date]], days: int, offset: int
) -> None:
    since, holidays = given_days
    more = holidays | {since.date() + timedelta(days=offset)}
    assert deadline(since, days, holidays) <= deadline(since, days, more)


@given(calendars(), PERIODS)
def test_what_is_asked_on_a_day_off_counts_as_if_asked_before_the_next_day_on(
    given_days: tuple[datetime, frozenset[date]], days: int
) -> None:
    since, holidays = given_days
    tomorrow = since + timedelta(days=1)
    if not is_working_day(day_of(tomorrow), holidays):
        assert deadline(since, days, holidays) == deadline(tomorrow, days, holidays)
