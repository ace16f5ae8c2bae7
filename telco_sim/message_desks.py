"""An operator's desk for messages: it takes what is to be sent, and says what became of it.

Owns the habits of operators, and the account of what each telephone was given. It refuses to know
who wrote, and why.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from google.protobuf.duration_pb2 import Duration

from subid.v1.notification_service_pb2 import (
    RECEIPT_FAILURE_ABSENT,
    RECEIPT_OUTCOME_DELIVERED,
    RECEIPT_OUTCOME_FAILED,
    RECEIPT_OUTCOME_SUBMITTED,
    AcknowledgeMessagesRequest,
    AcknowledgeMessagesResponse,
    OutgoingMessage,
    PullMessagesRequest,
    PullMessagesResponse,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
)
from telco_sim.wire import Caller, new_request_id

LEASE = timedelta(minutes=5)

_MESSAGES_AT_ONCE = 50
_FAILS_EVERY = 3
"""A failing operator's telephones are off for one message in so many."""


class MessageHabit(StrEnum):
    """How an operator sends messages."""

    PROMPT = "prompt"
    LATE = "late"
    """It says what became of a message only when its lease is over, and has to take it again."""

    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """One message that left the desk.

    Attributes:
        message: As the service handed it out.
        is_delivered: Whether it reached the telephone.
    """

    message: OutgoingMessage
    is_delivered: bool


class MessageDesk:
    """Where an operator takes messages and acknowledges them.

    Attributes:
        name: The operator.
        habit: How it works.
        handled: What left the desk, by the message's name.
    """

    def __init__(self, caller: Caller, *, habit: MessageHabit) -> None:
        """Take the connection of an operator."""
        self.name = caller.name
        self.habit = habit
        self.handled: dict[str, Handled] = {}
        self._caller = caller

    def pull(self) -> PullMessagesResponse:
        """Lease what waits.

        Raises:
            Refusal: The service said no.
        """
        lease_duration = Duration()
        lease_duration.FromTimedelta(LEASE)
        response: PullMessagesResponse = self._caller.ask(
            self._caller.notifications.PullMessages,
            PullMessagesRequest(
                request_id=new_request_id(),
                message_count_max=_MESSAGES_AT_ONCE,
                lease_duration=lease_duration,
            ),
        )
        return response

    def acknowledge(self, lease_id: str, receipts: Iterable[Receipt]) -> list[ReceiptResult]:
        """Say what became of messages; return one result for each.

        Raises:
            Refusal: The service said no to all of it.
        """
        response: AcknowledgeMessagesResponse = self._caller.ask(
            self._caller.notifications.AcknowledgeMessages,
            AcknowledgeMessagesRequest(
                request_id=new_request_id(), lease_id=lease_id, receipts=receipts
            ),
        )
        return list(response.results)

    def submit(self, pulled: PullMessagesResponse) -> list[ReceiptResult]:
        """Say that the network has what was leased.

        Raises:
            Refusal: The service said no to all of it.
        """
        receipts = [receipt_of(each, RECEIPT_OUTCOME_SUBMITTED) for each in pulled.messages]
        return self.acknowledge(pulled.lease_id, receipts)

    def work_off(self) -> list[ReceiptResult]:
        """Send all that waits, and say what became of each message.

        Raises:
            Refusal: The service said no.
        """
        results: list[ReceiptResult] = []
        while True:
            pulled = self.pull()
            if not pulled.messages:
                return results
            receipts = [self._handle(each) for each in pulled.messages]
            results += self.acknowledge(pulled.lease_id, receipts)

    def _handle(self, message: OutgoingMessage) -> Receipt:
        is_off = self.habit is MessageHabit.FAILING and len(self.handled) % _FAILS_EVERY == 0
        self.handled[message.message_id] = Handled(message=message, is_delivered=not is_off)
        if is_off:
            return Receipt(
                message_id=message.message_id,
                outcome=RECEIPT_OUTCOME_FAILED,
                failure=RECEIPT_FAILURE_ABSENT,
            )
        return receipt_of(message, RECEIPT_OUTCOME_DELIVERED)


def receipt_of(message: OutgoingMessage, outcome: ReceiptOutcome) -> Receipt:
    """Return the receipt of a message that did not fail."""
    return Receipt(message_id=message.message_id, outcome=outcome)
