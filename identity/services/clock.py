"""What time it is.

Owns the only two places where the service learns the time: the machine's clock, and a simulated
one that a test or a simulation moves forward. Everything else is handed an instant.
"""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    is_simulated: bool

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def move_to(self, instant: datetime) -> None:
        """Move forward; only a simulated clock can.

        Raises:
            ValueError: The clock is a real one, or the instant lies before now.
        """
        ...


class SystemClock:
    """The machine's clock."""

    is_simulated = False

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def move_to(self, instant: datetime) -> None:
        """Refuse: nobody moves real time."""
        raise ValueError(f"a real clock cannot be moved to {instant:%Y-%m-%d}")


class SimulatedClock:
    """Stands still until it is moved forward."""

    is_simulated = True

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Move forward."""
        with self._lock:
            if instant < self._now:
                raise ValueError("time does not go backwards")
            self._now = instant
