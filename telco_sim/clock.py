"""The simulated clock.

Owns what time it is in the simulation and which calendar day that is in Vietnam.
It refuses to know the real time: nothing here reads the machine's clock.
"""

from datetime import UTC, date, datetime, timedelta, timezone

VIETNAM_TIME = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam has kept UTC+7 without daylight saving time since 1975, so a fixed offset is exact."""


def vietnamese_day(instant: datetime) -> date:
    """Return the calendar day on which an instant falls in Vietnam.

    Raises:
        ValueError: The instant carries no time zone.
    """
    return _require_aware(instant).astimezone(VIETNAM_TIME).date()


def start_of_vietnamese_day(day: date) -> datetime:
    """Return the instant, in UTC, at which a calendar day begins in Vietnam."""
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM_TIME).astimezone(UTC)


class SimulatedClock:
    """A clock that stands still until it is told to move, and then only moves forward.

    The instance itself is the callable that services ask for the time: ``clock()``.
    """

    def __init__(self, start: datetime) -> None:
        """Start the clock.

        Args:
            start: The first instant, with a time zone; kept in UTC.

        Raises:
            ValueError: The instant carries no time zone.
        """
        self._now = _require_aware(start).astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self._now

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self._now

    def today(self) -> date:
        """Return the present calendar day in Vietnam."""
        return vietnamese_day(self._now)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Move forward and return the new present.

        Raises:
            ValueError: The sum of the steps is negative: time does not run backwards.
        """
        return self.advance_to(self._now + timedelta(days=days, hours=hours, minutes=minutes))

    def advance_to(self, instant: datetime) -> datetime:
        """Move forward to an instant and return it, in UTC.

        Raises:
            ValueError: The instant lies in the past or carries no time zone.
        """
        target = _require_aware(instant).astimezone(UTC)
        if target < self._now:
            raise ValueError(f"the clock shows {self._now} and cannot go back to {target}")
        self._now = target
        return target


def _require_aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant}")
    return instant
