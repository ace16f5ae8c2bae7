"""Who holds which number, as the simulation knows it.

Owns what the population register ought to be told of: whose hold on a number was proved, who said
"not mine", and how holds ended. It refuses to know what the register was told.
"""

from dataclasses import dataclass

from subid.v1.population_service_pb2 import SubscriptionEnd
from telco_sim.operators import Line, Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One person's hold on one number at one operator."""

    personal_id: str
    operator_name: str
    msisdn: str


class Tenures:
    """Remembers what happened to the holds that the register ought to be told of."""

    def __init__(self) -> None:
        """Start with nobody proved."""
        self._proved: set[Tenure] = set()
        self._disowned: set[Tenure] = set()
        self._ends: dict[Tenure, SubscriptionEnd] = {}

    def prove(self, operator: Operator, line: Line) -> None:
        """Note that a line's holder was verified; that takes back any "not mine"."""
        tenure = tenure_of(operator, line)
        self._proved.add(tenure)
        self._disowned.discard(tenure)

    def disown(self, operator: Operator, line: Line) -> None:
        """Note that a line's holder says "not mine"."""
        self._disowned.add(tenure_of(operator, line))

    def end(self, operator: Operator, line: Line, *, by: SubscriptionEnd) -> None:
        """Note that a line's holder, who is still named in it, loses it."""
        self._ends[tenure_of(operator, line)] = by

    def known(self) -> frozenset[Tenure]:
        """Return every hold that the register ought to be told of."""
        return frozenset(self._proved | self._disowned)

    def is_proved(self, tenure: Tenure) -> bool:
        """Say whether the holder was ever verified."""
        return tenure in self._proved

    def is_disowned(self, tenure: Tenure) -> bool:
        """Say whether the holder says "not mine"."""
        return tenure in self._disowned

    def end_of(self, tenure: Tenure) -> SubscriptionEnd | None:
        """Return how a hold ended at its operator, if it did."""
        return self._ends.get(tenure)


def tenure_of(operator: Operator, line: Line) -> Tenure:
    """Return the hold of a line's present holder."""
    return Tenure(
        personal_id=line.holder.personal_id, operator_name=operator.name, msisdn=line.msisdn
    )
