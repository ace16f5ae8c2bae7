"""What an operator's network does, compared with what was ordered and acknowledged.

Owns what counts as drift, which order stands again, and what makes an acknowledgement a false one.
Knows no rows and no clock: it is told how things stand with one number at a time.
"""

from dataclasses import dataclass
from enum import StrEnum

from identity.domain.enforcement import STATE_OF_DIRECTIVE, DirectiveKind
from identity.domain.subscription import ServiceState


class DriftKind(StrEnum):
    """How a number differs."""

    NOT_APPLIED = "not_applied"
    STRICTER_THAN_ORDERED = "stricter_than_ordered"
    UNKNOWN_NUMBER = "unknown_number"
    NOT_REPORTED = "not_reported"


_WITHHELD = {
    ServiceState.ACTIVE: 0,
    ServiceState.OUTGOING_BLOCKED: 1,
    ServiceState.SUSPENDED: 2,
    ServiceState.INACTIVE: 3,
    ServiceState.TERMINATED: 3,
}
"""How much of the service a state withholds in a network. Unlike `ServiceState.strictness`, which
is about orders: to whoever holds the phone, a number not put in service is as dead as a withdrawn
one."""

_NO_SERVICE = _WITHHELD[ServiceState.TERMINATED]

ORDER_INTO = {state: kind for kind, state in STATE_OF_DIRECTIVE.items()}
"""The order that leads into a state; none leads into INACTIVE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownState:
    """How a number of the operator's stands in the registry.

    Attributes:
        ordered: What is ordered.
        applied: What the operator last acknowledged, or reported.
        acknowledged: What the last order led to that was acknowledged as executed; None without
            any.
        is_order_open: The order that leads to what is ordered is pending or leased.
    """

    ordered: ServiceState
    applied: ServiceState
    acknowledged: ServiceState | None = None
    is_order_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a comparison says of one number.

    Attributes:
        drift: How it differs; None when it does not, or only as an open order lets expect.
        order: The order that must stand again; None when one is open, or none helps.
        is_false: It was acknowledged as executed and is reported otherwise.
        applied: What its applied state is from now on; None for as it was.
    """

    drift: DriftKind | None = None
    order: DirectiveKind | None = None
    is_false: bool = False
    applied: ServiceState | None = None


AGREES = Finding()


def compare(known: KnownState | None, reported: ServiceState) -> Finding:
    """Compare what is reported of a number with what is known of it.

    A network that is still on its way from what was acknowledged to what is ordered does not drift
    while the order is open: it is as late as the order, which is counted elsewhere.

    Args:
        known: How the number stands; None when the operator has no such number in its service.
        reported: What the operator's network does.
    """
    withheld = _WITHHELD[reported]
    if known is None:
        is_served = withheld < _NO_SERVICE
        return Finding(drift=DriftKind.UNKNOWN_NUMBER) if is_served else AGREES
    if reported is known.ordered:
        return Finding(applied=reported)
    wanted, before = _WITHHELD[known.ordered], _WITHHELD[known.applied]
    if withheld == wanted:
        # Withdrawn or never put in service: either way it is not served.
        return Finding(applied=known.ordered)
    is_milder = withheld < wanted
    is_on_its_way = withheld >= before if is_milder else withheld <= before
    if known.is_order_open and is_on_its_way:
        return Finding(applied=reported)
    return Finding(
        drift=DriftKind.NOT_APPLIED if is_milder else DriftKind.STRICTER_THAN_ORDERED,
        order=None if known.is_order_open else ORDER_INTO.get(known.ordered),
        # What was reported otherwise before is known, and not held against the same word again.
        is_false=known.acknowledged is known.applied is not reported,
        applied=reported,
    )
