"""When a person can be erased, and what is said of it afterwards.

Owns what stands against an erasure and until when. Knows no rows and no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from identity.domain.errors import ErasureNotYetError


class ErasureObstacle(StrEnum):
    """Why a person cannot be erased yet."""

    SUBSCRIPTION_IN_SERVICE = "a subscription is in service"
    RETENTION = "what was verified must be kept"
    CASE_OPEN = "an enforcement case is open"
    DIRECTIVE_OPEN = "an operator has an order still to execute"
    DISPUTE_OPEN = "a dispute is open"
    ARRANGEMENT_OPEN = "an arrangement with somebody else holds or waits"
    VERIFICATION_OPEN = "a verification is under way"
    UPDATE_OPEN = "the population authority has not been told of everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that stands against an erasure.

    Attributes:
        kind: What.
        until: When it will be gone by itself; None where that depends on what people do.
    """

    kind: ErasureObstacle
    until: datetime | None = None


def refuse_standing(obstacles: Sequence[Obstacle], *, at: datetime) -> None:
    """Refuse an erasure that something stands against.

    Raises:
        ErasureNotYetError: It names each thing, and until when it stands where that is known. Where
            all of that is known, it says in how long to ask again.
    """
    if not obstacles:
        return
    error = ErasureNotYetError("; ".join(_told(each) for each in obstacles))
    ends = [each.until for each in obstacles if each.until is not None]
    if len(ends) == len(obstacles):
        error.retry_after_s = (max(ends) - at).total_seconds()
    raise error


def _told(obstacle: Obstacle) -> str:
    if obstacle.until is None:
        return f"{obstacle.kind.name}: {obstacle.kind.value}"
    return f"{obstacle.kind.name}: {obstacle.kind.value} until {obstacle.until.isoformat()}"
