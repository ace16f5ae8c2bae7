"""Take messages from the service, give them to a network, and tell the service what became of them.

Owns the loop between the two ports: `Outbox` is where messages come from, `Deliverer` where they
go. At least once: a message whose fate is not known, because a connection broke or the process was
killed between giving it and writing that down, comes back when its lease ends and is sent again.
Knows neither gRPC nor SMPP.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import stamina
import structlog

from identity.delivery.journal import Journal, Unreported
from identity.domain.message import (
    MessageFailure,
    MessageLease,
    OutgoingMessage,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
)

BATCH_MAX = 200
"""Messages taken at a time, and receipts told at a time: few enough to be given within a lease."""

GRACE = timedelta(hours=2)
"""How long after its end a message is remembered: receipts count for an hour (`services.messages`),
and clocks differ."""

_log = structlog.get_logger("subid")


class OutboxUnavailableError(Exception):
    """The service cannot be asked at this moment; the same again may well succeed."""


class Outbox(Protocol):
    """Where messages come from, and who is told what became of them."""

    async def pull(self, *, limit: int) -> MessageLease:
        """Lease some messages; waits a while for the first.

        Raises:
            OutboxUnavailableError: Not at this moment.
        """
        ...

    async def acknowledge(
        self, lease_id: UUID, receipts: Sequence[Receipt]
    ) -> Sequence[ReceiptResult]:
        """Tell what became of messages of one lease.

        Raises:
            OutboxUnavailableError: Not at this moment.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a network says to a message that it is given.

    Attributes:
        network_id: What it calls it from now on; None where it has not taken it.
        failure: Why it will never take it; None where it may.
    """

    network_id: str | None = None
    failure: MessageFailure | None = None


NetworkReceipt = tuple[str, ReceiptOutcome, MessageFailure | None]
"""What a network says became of a message, by its own identifier."""


class Deliverer(Protocol):
    """A network that messages are given to."""

    async def submit(self, message: OutgoingMessage, *, taken: Callable[[str], None]) -> Submission:
        """Give it a message.

        Args:
            message: It.
            taken: Told the network's identifier, before any receipt by it can come.
        """
        ...

    def on_receipt(self, told: Callable[[NetworkReceipt], None]) -> None:
        """Whom to tell of receipts; the network is answered when that has returned."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One outbox, one network, and the journal between them.

    Attributes:
        outbox: Where messages come from.
        deliverer: Where they go.
        journal: What the network has.
        now: What time it is.
    """

    outbox: Outbox
    deliverer: Deliverer
    journal: Journal
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _has_news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Deliver until cancelled."""
        self.deliverer.on_receipt(self._note)
        self._has_news.set()  # what was not told before this process began
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_on_for_ever())
            tasks.create_task(self._report_for_ever())

    async def _hand_on_for_ever(self) -> None:
        while True:
            await self._retried(self._hand_on)

    async def _report_for_ever(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self._retried(self._report)

    async def _hand_on(self) -> None:
        lease = await self.outbox.pull(limit=BATCH_MAX)
        self.journal.forget_before(self.now() - GRACE)
        answers = await asyncio.gather(
            *(self._give(message, lease.lease_id) for message in lease.messages)
        )
        receipts = [answer for answer in answers if answer is not None]
        if receipts:
            results = await self.outbox.acknowledge(lease.lease_id, receipts)
            _log.info("messages given", count=len(receipts), lost=_lost(results))

    async def _give(self, message: OutgoingMessage, lease_id: UUID) -> Receipt | None:
        """Give one message to the network; None when nobody knows whether it has it."""
        submitted = Receipt(message_id=message.message_id, outcome=ReceiptOutcome.SUBMITTED)
        if self.journal.take_over(message.message_id, lease_id):
            return submitted
        if message.expires_at <= self.now():
            return None

        def taken(network_id: str) -> None:
            self.journal.keep(
                network_id,
                message_id=message.message_id,
                lease_id=lease_id,
                ends_at=message.expires_at,
            )

        answer = await self.deliverer.submit(message, taken=taken)
        if answer.failure is not None:
            return Receipt(
                message_id=message.message_id,
                outcome=ReceiptOutcome.FAILED,
                failure=answer.failure,
            )
        return None if answer.network_id is None else submitted

    def _note(self, receipt: NetworkReceipt) -> None:
        network_id, outcome, failure = receipt
        if self.journal.note(network_id, outcome, failure):
            self._has_news.set()

    async def _report(self) -> None:
        while told := self.journal.unreported(limit=BATCH_MAX):
            by_lease: dict[UUID, list[Unreported]] = defaultdict(list)
            for each in told:
                by_lease[each.lease_id].append(each)
            for lease_id, group in by_lease.items():
                results = await self.outbox.acknowledge(lease_id, [each.receipt for each in group])
                self.journal.forget(each.network_id for each in group)
                _log.info("receipts told", count=len(group), lost=_lost(results))

    async def _retried(self, work: Callable[[], Awaitable[None]]) -> None:
        async for attempt in stamina.retry_context(
            on=OutboxUnavailableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=10.0
        ):
            with attempt:
                await work()


def _lost(results: Sequence[ReceiptResult]) -> int:
    return sum(result is not ReceiptResult.ACCEPTED for result in results)
