"""What an operator's network really does with its numbers.

Owns the switches, and where they differ from what the operator has told: orders that it only said
were executed, and what has changed by itself. It refuses to know why an operator does so, and what
the service makes of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from subid.v1.enforcement_service_pb2 import (
    DRIFT_KIND_NOT_APPLIED,
    DRIFT_KIND_NOT_REPORTED,
    DRIFT_KIND_STRICTER_THAN_ORDERED,
    DRIFT_KIND_UNKNOWN_NUMBER,
    DriftKind,
    ReportedState,
)
from subid.v1.subscription_pb2 import (
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_INACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_SUSPENDED,
    SERVICE_STATE_TERMINATED,
    ServiceState,
)
from telco_sim.operators import Line

_WITHHELD: Mapping[ServiceState, int] = MappingProxyType(
    {
        SERVICE_STATE_ACTIVE: 0,
        SERVICE_STATE_OUTGOING_BLOCKED: 1,
        SERVICE_STATE_SUSPENDED: 2,
        SERVICE_STATE_INACTIVE: 3,
        SERVICE_STATE_TERMINATED: 3,
    }
)
"""How much of the service each state withholds: what was never switched on is as dead as what
was switched off."""

_ASTRAY_ONE_IN = 20
"""Of so many numbers in service a drifting network forgets one, and serves one too many."""

_OUT_OF_SERVICE = (SERVICE_STATE_INACTIVE, SERVICE_STATE_TERMINATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Astray:
    """A number that the network treats otherwise than its operator has told.

    Attributes:
        told: What the operator has told.
        is_lie: It said that it had executed an order; otherwise the network changed by itself.
    """

    told: ServiceState
    is_lie: bool


class Network:
    """The network of one operator."""

    def __init__(self, lines: Mapping[str, Line], *, new_number: Callable[[], str]) -> None:
        """Switch the numbers on.

        Args:
            lines: The operator's lines by number, which hold what the network does with each.
            new_number: Gives a number in E.164 that nobody has.
        """
        self._lines = lines
        self._new_number = new_number
        self._ordered: set[str] = set()
        self._astray: dict[str, Astray] = {}
        self._strays: set[str] = set()
        self._lost: set[str] = set()

    def switch(self, msisdn: str, state: ServiceState, *, is_lie: bool = False) -> None:
        """Do what is ordered with a number, or only say so."""
        line = self._lines[msisdn]
        self._ordered.add(msisdn)
        if not is_lie or _WITHHELD[line.network_state] == _WITHHELD[state]:
            line.network_state = state
        if line.network_state == state:
            self._astray.pop(msisdn, None)
        else:
            self._astray[msisdn] = Astray(told=state, is_lie=True)

    def drift(self) -> None:
        """Change by itself: suspend a number, forget some, and serve some that nobody has.

        Numbers that something was ordered for are left alone: a block that a network loses is not
        to be told from one that was never made, and counts as a false acknowledgement.
        """
        untouched = [
            line
            for msisdn, line in self._lines.items()
            if line.network_state == SERVICE_STATE_ACTIVE and msisdn not in self._ordered
        ]
        for line in untouched[:1]:
            self._astray[line.msisdn] = Astray(told=line.network_state, is_lie=False)
            line.network_state = SERVICE_STATE_SUSPENDED
        in_service = [
            line.msisdn
            for line in self._lines.values()
            if line.network_state not in _OUT_OF_SERVICE and line.msisdn not in self._astray
        ]
        some = 1 + len(in_service) // _ASTRAY_ONE_IN
        self._lost.update(in_service[:some])
        self._strays.update(self._new_number() for _ in range(some))

    def states(self) -> list[ReportedState]:
        """Return what the network does with each number that it knows of."""
        known = [
            ReportedState(msisdn=msisdn, service_state=line.network_state)
            for msisdn, line in self._lines.items()
            if msisdn not in self._lost and line.network_state != SERVICE_STATE_TERMINATED
        ]
        strays = (
            ReportedState(msisdn=each, service_state=SERVICE_STATE_ACTIVE) for each in self._strays
        )
        return [*known, *strays]

    def differences(self) -> dict[str, DriftKind]:
        """Return how each number differs from what was told of it."""
        return {
            **{msisdn: self._kind(msisdn) for msisdn in self._astray},
            **dict.fromkeys(self._strays, DRIFT_KIND_UNKNOWN_NUMBER),
            **dict.fromkeys(self._lost, DRIFT_KIND_NOT_REPORTED),
        }

    def lies(self) -> int:
        """Return of how many numbers it was said that an order was executed, and it was not."""
        return sum(each.is_lie for each in self._astray.values())

    def clear_up(self) -> None:
        """Drop the numbers that are nobody's, and find those that were forgotten."""
        self._strays.clear()
        self._lost.clear()

    def _kind(self, msisdn: str) -> DriftKind:
        seen, told = self._lines[msisdn].network_state, self._astray[msisdn].told
        is_milder = _WITHHELD[seen] < _WITHHELD[told]
        return DRIFT_KIND_NOT_APPLIED if is_milder else DRIFT_KIND_STRICTER_THAN_ORDERED
