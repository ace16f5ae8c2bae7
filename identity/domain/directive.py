"""Directives: what operators are ordered to do, and what becomes of each order.

Owns the life of an order: pending, leased, executed or superseded. Knows no transport.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from identity.domain.enforcement import DirectiveKind
from identity.domain.msisdn import MSISDN
from identity.domain.notice import NextStep
from identity.domain.policy import CaseCause


class DirectiveState(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    LEASED = "leased"
    EXECUTED = "executed"
    SUPERSEDED = "superseded"


class AcknowledgementResult(StrEnum):
    """What becomes of one acknowledgement."""

    ACCEPTED = "accepted"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    LEASE_LOST = "lease_lost"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """One order. Executing the same one twice must do nothing the second time.

    The number is the subscription's, and the words are the pack's: neither is stored twice.

    Attributes:
        directive_id: Identifier.
        subscription_id: Whose order.
        operator_id: Who is ordered.
        kind: What to do.
        causes: Every cause behind it; empty for RESTORE.
        policy_version: The pack behind it; None for RESTORE.
        track: The ladder in that pack; None for RESTORE.
        is_primary: The number was a citizen's primary when it was ordered.
        is_last_number: Its holder has no other number in service.
        upcoming: What a notice tells of: what happens to the number next, and when.
        wave_id: The wave that ordered it.
        created_at: When it was ordered.
        due_at: When it must be executed by.
    """

    directive_id: UUID
    subscription_id: UUID
    operator_id: str
    kind: DirectiveKind
    causes: tuple[CaseCause, ...]
    policy_version: str | None
    track: str | None
    created_at: datetime
    due_at: datetime
    is_primary: bool = False
    is_last_number: bool = False
    upcoming: NextStep | None = None
    wave_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A directive and the number it is about."""

    directive: Directive
    msisdn: MSISDN


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Directives handed out for a while."""

    lease_id: UUID
    expires_at: datetime
    directives: tuple[Ordered, ...]


def judge_acknowledgement(
    state: DirectiveState | None, *, lease_is_held: bool
) -> AcknowledgementResult:
    """What an acknowledgement is worth.

    Args:
        state: Where the directive stands; None when the operator has no such directive.
        lease_is_held: The lease named in the acknowledgement is the current one and has not ended.
    """
    match state:
        case None:
            return AcknowledgementResult.UNKNOWN
        case DirectiveState.EXECUTED:
            return AcknowledgementResult.ALREADY_ACKNOWLEDGED
        case DirectiveState.SUPERSEDED:
            return AcknowledgementResult.SUPERSEDED
        case _:
            accepted = AcknowledgementResult.ACCEPTED
            return accepted if lease_is_held else AcknowledgementResult.LEASE_LOST
