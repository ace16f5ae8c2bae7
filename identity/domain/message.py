"""Messages to citizens: how urgent each is, what becomes of it, and what a receipt is worth.

Owns the life of a message: pending, leased, then delivered, failed or expired. Knows no channel and
no words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from identity.domain.agency import Purpose
from identity.domain.msisdn import MSISDN


class Urgency(StrEnum):
    """What a message is for. The first goes first."""

    SAFETY = "safety"
    TIDINGS = "tidings"
    LEGAL = "legal"
    SERVICE = "service"

    @property
    def priority(self) -> int:
        """Its place among all: 0 goes first. Tidings can tell of a theft that is under way."""
        return list(Urgency).index(self)


PURPOSE_OF_URGENCY: Mapping[Urgency, Purpose] = {
    Urgency.SAFETY: Purpose.PUBLIC_SAFETY,
    Urgency.LEGAL: Purpose.LEGAL_NOTICE,
    Urgency.SERVICE: Purpose.SERVICE_DELIVERY,
}
"""The purpose that an agency needs to send each: whoever may announce a service may not alarm."""


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    LEASED = "leased"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


OPEN_STATES = frozenset({MessageState.PENDING, MessageState.LEASED})


class MessageFailure(StrEnum):
    """Why a message was not delivered.

    NOT_AVAILABLE stands for the next four where nobody may know which; it is never stored.
    """

    NOT_AVAILABLE = "not_available"
    UNREACHABLE = "unreachable"
    OBJECTED = "objected"
    NOT_CONFIRMED = "not_confirmed"
    NUMBER_GONE = "number_gone"
    ABSENT = "absent"
    BARRED = "barred"
    UNKNOWN_NUMBER = "unknown_number"
    REJECTED = "rejected"
    NETWORK_FAULT = "network_fault"


PERSONAL_FAILURES = frozenset(
    {
        MessageFailure.UNREACHABLE,
        MessageFailure.OBJECTED,
        MessageFailure.NOT_CONFIRMED,
        MessageFailure.NUMBER_GONE,
    }
)
"""Those that tell of the person and were known without any network."""


class ReceiptOutcome(StrEnum):
    """What an operator says of a message."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"


class ReceiptResult(StrEnum):
    """What becomes of one receipt."""

    ACCEPTED = "accepted"
    ALREADY_ENDED = "already_ended"
    LEASE_LOST = "lease_lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an operator says of one message.

    Attributes:
        message_id: Which.
        outcome: What became of it.
        failure: Why it failed; None unless it did.
    """

    message_id: UUID
    outcome: ReceiptOutcome
    failure: MessageFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message as its operator gets it.

    Attributes:
        message_id: Identifier. To send the same one twice is a fault that people see.
        msisdn: To which number.
        urgency: How urgent.
        text: The words by language: in the one that its sender chose, or in all.
        expires_at: When it is of no use any more.
    """

    message_id: UUID
    msisdn: MSISDN
    urgency: Urgency
    text: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLease:
    """Messages handed out for a while."""

    lease_id: UUID
    expires_at: datetime
    messages: tuple[OutgoingMessage, ...]


def judge_receipt(
    state: MessageState | None, outcome: ReceiptOutcome, *, was_handed: bool, lease_is_held: bool
) -> ReceiptResult:
    """What a receipt is worth.

    That a message was delivered cannot be undone, whoever has leased it since: it counts as long as
    the message is open. Everything else counts by the current lease only.

    Args:
        state: Where the message stands; None when the operator has no such message.
        outcome: What the receipt says.
        was_handed: The message was handed out before.
        lease_is_held: The lease named is the current one and has not ended.
    """
    if state is None or not was_handed:
        return ReceiptResult.UNKNOWN
    if state not in OPEN_STATES:
        return ReceiptResult.ALREADY_ENDED
    counts = lease_is_held or outcome is ReceiptOutcome.DELIVERED
    return ReceiptResult.ACCEPTED if counts else ReceiptResult.LEASE_LOST
