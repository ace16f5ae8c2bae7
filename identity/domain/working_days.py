"""Days on which offices work: what deadlines of an administration are counted in.

Owns the counting. Which days are holidays is a policy pack's to say; weekends are Saturday and
Sunday. Days begin in Viet Nam.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from identity.domain.calendar_date import DAY_ZONE, day_of

_SATURDAY = 5
_DAY = timedelta(days=1)


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    """Whether offices work on a day."""
    return day.weekday() < _SATURDAY and day not in holidays


def deadline(since: datetime, days: int, holidays: Collection[date]) -> datetime:
    """When the last of some working days ends.

    The day itself does not count, whatever kind of day it is (Civil Code 91/2015/QH13, art. 147:
    a period begins on the day after).

    Args:
        since: What the period is counted from, with a zone.
        days: Working days, at least 1.
        holidays: Days of Viet Nam on which nobody works although it is no weekend.

    Returns:
        The midnight, in Viet Nam, that ends the last working day.

    Raises:
        ValueError: It is less than a day.
    """
    if days < 1:
        raise ValueError("a period has a working day or more")
    day = day_of(since)
    left = days
    while left:
        day += _DAY
        left -= is_working_day(day, holidays)
    return datetime.combine(day + _DAY, time(), DAY_ZONE)
