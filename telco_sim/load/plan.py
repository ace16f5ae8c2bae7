"""What a run under load is to be.

Owns its numbers and the mixture of calls. Does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

SEED = 20_261_122


class Work(StrEnum):
    """What is called for."""

    LOOK_UP = "look-up"
    CONTACT = "contact"
    REGISTER = "registration"
    EVENT = "event"
    PULL = "pull"


WEIGHTS: Mapping[Work, int] = MappingProxyType(
    {Work.LOOK_UP: 40, Work.CONTACT: 30, Work.REGISTER: 15, Work.EVENT: 10, Work.PULL: 5}
)
"""Of a hundred calls. A guess, and said to be one: no operator has published its own. Reads are
more than writes wherever somebody has counted."""


class Fault(StrEnum):
    """What is done to the service in a minute."""

    NONE = "none"
    SERVER_KILLED = "server killed"
    DATABASE_KILLED = "database killed"
    DATABASE_PAUSED = "database paused"
    CONNECTIONS_CUT = "connections cut"
    SERVER_PAUSED = "server paused"


KILLED_EVERY_MINUTES = 15
"""A server lives as long between two kills, so that memory which grows has the time to show."""

_SURVIVED = [each for each in Fault if each not in {Fault.NONE, Fault.SERVER_KILLED}]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """One run.

    Attributes:
        minutes: How many.
        share: Of the capacity that is asked for. Capacity is measured before each minute: what a
            machine does that others share was seen to change by a third within half an hour.
        has_faults: Whether each minute has one.
        seed: Of people, numbers and the order of calls.
        minute_s: How long a minute is; shorter ones are for trying it out.
        capacity_s: For how long the capacity is measured each time.
        citizen_count: People with a number in the beginning.
        pause_s: How long a paused process stands still.
        patience_s: How long a call is repeated before it counts as failed. At 0.8 of the capacity
            what an outage left behind takes four times as long to catch up with as the outage took,
            as only a fifth is left for it. To start the service again takes some ten seconds, and
            the last to be answered may be any call of the fifty.
    """

    minutes: int
    share: float
    has_faults: bool
    seed: int = SEED
    minute_s: float = 60.0
    capacity_s: float = 10.0
    citizen_count: int = 2_000
    pause_s: float = 5.0
    patience_s: float = 60.0

    def fault_of(self, minute: int) -> Fault:
        """What is done in a minute, the first of which is 0."""
        if not self.has_faults:
            return Fault.NONE
        if minute % KILLED_EVERY_MINUTES == 0:
            return Fault.SERVER_KILLED
        return _SURVIVED[minute % len(_SURVIVED)]
