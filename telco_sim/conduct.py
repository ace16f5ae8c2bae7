"""What one operator did with its orders, counted by hand.

Owns the simulation's own count of each figure that the service gives of an operator, from what
was received and acknowledged, and the score that follows. It is written down from
docs/concepts/compliance.md, apart from the service's own count on purpose. It refuses to know what
the service counts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_DEVICE_CHANGE,
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    DIRECTIVE_KIND_NOTIFY,
    Directive,
)
from telco_sim.clock import vietnamese_day
from telco_sim.measurements import percentile
from telco_sim.messages import instant_of

COVERAGE = "coverage"
"""The part of a score that citizens decide, and not the operator's obedience."""

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        COVERAGE: 0.25,
        "on_time": 0.25,
        "device_change_on_time": 0.2,
        "without_drift": 0.1,
        "honest": 0.1,
        "without_failure": 0.1,
    }
)
"""What a month's score is made of (docs/concepts/compliance.md)."""

_DEVICE_CHANGE_WITHIN = timedelta(hours=2)
"""From the event to the block (Circular 08/2026/TT-BKHCN; mst.gov.vn, 10 April 2026)."""

Share = tuple[int, int]
"""Some of a whole; of nothing, 0 of 0."""


@dataclass(slots=True, kw_only=True)
class _Order:
    """One directive, and what was acknowledged of it."""

    directive: Directive
    created_at: datetime
    due_at: datetime
    day: date
    has_failed: bool = False
    executed_at: datetime | None = None
    is_superseded: bool = False

    def is_late(self, now: datetime) -> bool:
        return (self.executed_at or now) > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reconciliation:
    """What one comparison of the network came to."""

    finished_at: datetime
    drift: Share
    false_acknowledgements: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How fast one kind of order was executed.

    Attributes:
        executed_count: Orders executed.
        late_count: Orders executed past due, and those open past due.
        open_late_count: Of them, those open.
        p50_s: Half of those executed took at most so many seconds; None where none was.
        p95_s: The same of 95 in 100.
    """

    executed_count: int = 0
    late_count: int = 0
    open_late_count: int = 0
    p50_s: float | None = None
    p95_s: float | None = None

    @property
    def on_time(self) -> Share:
        """What was executed in time, of all that should have been."""
        whole = self.executed_count + self.open_late_count
        return whole - self.late_count, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How an operator obeyed over some days.

    Attributes:
        orders: All orders but notices.
        notices: Notices.
        device_changes: Blocks after a change of device, from the event.
        drift: Numbers that differed, of all numbers, at the last reconciliation.
        false_acknowledgements: Lies found, of all numbers compared.
        failures: Orders and notices that failed, of those answered.
    """

    orders: Times
    notices: Times
    device_changes: Times
    drift: Share
    false_acknowledgements: Share
    failures: Share

    @property
    def has_vice(self) -> bool:
        """Whether anything speaks against the operator."""
        return any(
            (
                self.orders.late_count,
                self.notices.late_count,
                self.drift[0],
                self.false_acknowledgements[0],
                self.failures[0],
            )
        )

    def score(self, *, coverage: Share) -> float | None:
        """Return the score that a month with these figures has; None when nothing can be said."""
        shares = {
            COVERAGE: coverage,
            "on_time": _worse(self.orders.on_time, self.notices.on_time),
            "device_change_on_time": self.device_changes.on_time,
            "without_drift": _rest(self.drift),
            "honest": _rest(self.false_acknowledgements),
            "without_failure": _rest(self.failures),
        }
        known = {name: part / whole for name, (part, whole) in shares.items() if whole}
        weight = sum(WEIGHTS[name] for name in known)
        return 100 * sum(WEIGHTS[name] * known[name] for name in known) / weight if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """How one operator obeyed in a month, as the service says and the simulation has counted too.

    Attributes:
        operator: Its name.
        habit: How it works.
        order_count: Orders executed, or said to be; notices not among them.
        late_count: Orders past due.
        failure_count: Orders and notices that failed.
        false_count: Numbers of which reconciliations found that it had lied.
        drift_count: Numbers that differed at the last reconciliation.
        month: Which, such as 2026-12.
        score: 0 to 100.
    """

    operator: str
    habit: str
    order_count: int
    late_count: int
    failure_count: int
    false_count: int
    drift_count: int
    month: str
    score: float


class Conduct:
    """Remembers what one operator was ordered, and what it acknowledged."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._orders: dict[str, _Order] = {}
        self._reconciliations: list[_Reconciliation] = []

    def received(self, directives: Iterable[Directive]) -> None:
        """Note directives that arrived; one that comes back is noted once."""
        for directive in directives:
            if directive.directive_id not in self._orders:
                self._orders[directive.directive_id] = _order_of(directive)

    def failed(self, directive: Directive) -> None:
        """Note that a directive was acknowledged as failed."""
        self._orders[directive.directive_id].has_failed = True

    def executed(self, directive: Directive, *, at: datetime) -> None:
        """Note that a directive was acknowledged as executed, true or not."""
        self._orders[directive.directive_id].executed_at = at

    def superseded(self, directive: Directive) -> None:
        """Note that a directive was overtaken."""
        self._orders[directive.directive_id].is_superseded = True

    def reconciled(self, *, drift: Share, false_acknowledgements: Share, at: datetime) -> None:
        """Note what a comparison of the network had to find."""
        self._reconciliations.append(
            _Reconciliation(
                finished_at=at, drift=drift, false_acknowledgements=false_acknowledgements
            )
        )

    def an_order(self) -> str:
        """Return the identifier of the first directive that arrived; empty before any."""
        return next(iter(self._orders), "")

    def figures(self, first: date, last: date, *, now: datetime) -> Figures:
        """Count the orders made from one day to another, as they stand now."""
        orders = [each for each in self._orders.values() if first <= each.day <= last]
        compared = [
            each
            for each in self._reconciliations
            if first <= vietnamese_day(each.finished_at) <= last
        ]
        answered = [each for each in orders if each.has_failed or each.executed_at is not None]
        return Figures(
            orders=_times((each for each in orders if not _is_notice(each)), now=now),
            notices=_times(filter(_is_notice, orders), now=now),
            device_changes=_times(
                filter(_is_device_change, orders), now=now, begun_at=_event_instant
            ),
            drift=compared[-1].drift if compared else (0, 0),
            false_acknowledgements=(
                sum(each.false_acknowledgements[0] for each in compared),
                sum(each.false_acknowledgements[1] for each in compared),
            ),
            failures=(sum(each.has_failed for each in answered), len(answered)),
        )


def _order_of(directive: Directive) -> _Order:
    created_at = instant_of(directive.create_time)
    return _Order(
        directive=directive,
        created_at=created_at,
        due_at=instant_of(directive.due_time),
        day=vietnamese_day(created_at),
    )


def _is_notice(order: _Order) -> bool:
    return order.directive.kind == DIRECTIVE_KIND_NOTIFY


def _is_device_change(order: _Order) -> bool:
    directive = order.directive
    is_block = directive.kind == DIRECTIVE_KIND_BLOCK_OUTGOING
    return is_block and directive.track == "T1" and CASE_CAUSE_DEVICE_CHANGE in directive.causes


def _order_instant(order: _Order) -> datetime:
    return order.created_at


def _event_instant(order: _Order) -> datetime:
    """The device changed as long before the order was due as the operator has time."""
    return order.due_at - _DEVICE_CHANGE_WITHIN


def _times(
    orders: Iterable[_Order],
    *,
    now: datetime,
    begun_at: Callable[[_Order], datetime] = _order_instant,
) -> Times:
    standing = [each for each in orders if each.executed_at is not None or not each.is_superseded]
    late = [each for each in standing if each.is_late(now)]
    taken_s = [
        (each.executed_at - begun_at(each)).total_seconds()
        for each in standing
        if each.executed_at is not None
    ]
    return Times(
        executed_count=len(taken_s),
        late_count=len(late),
        open_late_count=sum(each.executed_at is None for each in late),
        p50_s=percentile(taken_s, 0.5) if taken_s else None,
        p95_s=percentile(taken_s, 0.95) if taken_s else None,
    )


def _worse(one: Share, other: Share) -> Share:
    if not one[1] or not other[1]:
        return one if one[1] else other
    return one if one[0] * other[1] < other[0] * one[1] else other


def _rest(share: Share) -> Share:
    return share[1] - share[0], share[1]
