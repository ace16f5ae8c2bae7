"""Real time cannot be moved; simulated time moves forward only."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.services.clock import SimulatedClock, SystemClock
from tests.unit.identity.makers import NOW


def test_the_machines_clock_tells_aware_time_and_cannot_be_moved() -> None:
    clock = SystemClock()
    before, told, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= told <= after
    assert told.tzinfo is UTC
    assert not clock.is_simulated
    with pytest.raises(ValueError, match="cannot be moved"):
        clock.move_to(after + timedelta(days=1))


def test_a_simulated_clock_stands_until_it_is_moved_forward() -> None:
    clock = SimulatedClock(NOW)
    assert clock.is_simulated
    assert clock.now() == clock.now() == NOW
    clock.move_to(NOW)
    clock.move_to(NOW + timedelta(days=5))
    with pytest.raises(ValueError, match="backwards"):
        clock.move_to(NOW)
    assert clock.now() == NOW + timedelta(days=5)
