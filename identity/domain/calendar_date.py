"""Days of the calendar, as registers and contracts write them.

Owns which days can be meant, and how many years lie between two. Refuses to know what day it is
today.
"""

from datetime import date

from identity.domain.errors import DateImpossibleError

# `Date` in subid/v1. The oldest living people were born after 1900; the personal ID's own
# structure reaches further than 2199, no record does.
YEAR_MIN = 1900
YEAR_MAX = 2199


def parse_date(year: int, month: int, day: int, *, field: str) -> date:
    """Read a day of the Gregorian calendar.

    Args:
        year: 1900 to 2199.
        month: 1 to 12.
        day: 1 to the length of the month.
        field: The name of the field, for the error's message.

    Returns:
        The day.

    Raises:
        DateImpossibleError: The day is not in the calendar, or the year is out of bounds.
    """
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise DateImpossibleError(f"{field}: the year is {YEAR_MIN} to {YEAR_MAX}")
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        # Python's own message may hold the value; `from None` keeps it out of the log.
        raise DateImpossibleError(f"{field}: there is no such day in the calendar") from None


def whole_years(since: date, *, on: date) -> int:
    """Full years from one day to another: an age; 0 when the second comes first.

    Who was born on 29 February is a year older on 1 March of a common year.
    """
    has_had_its_day = (on.month, on.day) >= (since.month, since.day)
    return max(0, on.year - since.year - (0 if has_had_its_day else 1))
