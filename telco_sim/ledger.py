"""What became of every directive.

Owns which orders were received, when, and how each attempt to execute one ended. It refuses to
know how an operator executes them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subid.v1.enforcement_service_pb2 import CaseCause, Directive, DirectiveKind
from telco_sim.messages import instant_of


class Attempt(StrEnum):
    """How one attempt to execute a directive ended."""

    EXECUTED = "executed"
    LIED = "lied"
    FAILED = "failed"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of directive, and what became of all of that kind.

    Attributes:
        kind: Such as `BLOCK_OUTGOING`.
        ordered_count: Different directives received.
        attempt_counts: How attempts ended; a directive that failed or lapsed is attempted again.
        cause_counts: Directives by cause, such as `UNVERIFIED`; one may have several.
        first_day: Day of the simulation on which the first was ordered, from 0.
        last_day: Day on which the last was ordered.
    """

    kind: str
    ordered_count: int
    attempt_counts: dict[str, int]
    cause_counts: dict[str, int]
    first_day: int
    last_day: int


class DirectiveLedger:
    """Remembers every directive once, and every attempt."""

    def __init__(self, *, started_at: datetime) -> None:
        """Open the ledger.

        Args:
            started_at: The simulation's first instant; days are counted from it.
        """
        self._started_at = started_at
        self._directives: dict[str, Directive] = {}
        self._attempts: defaultdict[int, Counter[Attempt]] = defaultdict(Counter)
        self._executed: defaultdict[str, list[Directive]] = defaultdict(list)
        self._received_counts: Counter[str] = Counter()

    def received(self, directives: Iterable[Directive]) -> None:
        """Note directives that arrived; one that comes back is noted once."""
        for directive in directives:
            if directive.directive_id not in self._directives:
                self._received_counts[directive.msisdn] += 1
            self._directives.setdefault(directive.directive_id, directive)

    def received_count(self, msisdn: str) -> int:
        """Return how many different directives arrived for one number."""
        return self._received_counts[msisdn]

    def attempted(self, directive: Directive, attempt: Attempt) -> None:
        """Note how an attempt ended."""
        self._attempts[directive.kind][attempt] += 1
        if attempt is Attempt.EXECUTED:
            self._executed[directive.msisdn].append(directive)

    def executed(self, msisdn: str) -> tuple[Directive, ...]:
        """Return the directives executed for one number, in that order."""
        return tuple(self._executed.get(msisdn, ()))

    def steps(self) -> tuple[Step, ...]:
        """Return each kind that was ordered, in the order of the contract."""
        kinds = sorted({each.kind for each in self._directives.values()})
        return tuple(self._step(kind) for kind in kinds)

    def _step(self, kind: DirectiveKind) -> Step:
        directives = [each for each in self._directives.values() if each.kind == kind]
        days = [self._day_of(each) for each in directives]
        causes = Counter(cause_name(cause) for each in directives for cause in each.causes)
        return Step(
            kind=kind_name(kind),
            ordered_count=len(directives),
            attempt_counts={attempt.value: self._attempts[kind][attempt] for attempt in Attempt},
            cause_counts=dict(causes.most_common()),
            first_day=min(days),
            last_day=max(days),
        )

    def _day_of(self, directive: Directive) -> int:
        return (instant_of(directive.create_time) - self._started_at).days


def kind_name(kind: DirectiveKind) -> str:
    """Return the short name of a kind: `BLOCK_OUTGOING`."""
    return DirectiveKind.Name(kind).removeprefix("DIRECTIVE_KIND_")


def cause_name(cause: CaseCause) -> str:
    """Return the short name of a cause: `UNVERIFIED`."""
    return CaseCause.Name(cause).removeprefix("CASE_CAUSE_")
