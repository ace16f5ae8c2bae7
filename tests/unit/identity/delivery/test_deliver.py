"""Between an outbox and a real message centre: every message once, whatever breaks in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from identity.delivery.deliver import Delivery, OutboxUnavailableError
from identity.delivery.journal import Journal
from identity.delivery.smpp import bound
from identity.domain.message import (
    MessageFailure,
    MessageLease,
    OutgoingMessage,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
)
from tests.message_centre import MessageCentre, message_centre
from tests.unit.identity.delivery.test_smpp import address_of, make_message

SUBMITTED, DELIVERED = ReceiptOutcome.SUBMITTED, ReceiptOutcome.DELIVERED


@dataclass
class Outbox:
    """An outbox in memory that may be out of reach."""

    waiting: "asyncio.Queue[list[OutgoingMessage]]" = field(default_factory=asyncio.Queue)
    told: "asyncio.Queue[tuple[UUID, Receipt]]" = field(default_factory=asyncio.Queue)
    is_down: bool = False

    async def pull(self, *, limit: int) -> MessageLease:
        """Wait for some."""
        messages = await self.waiting.get()
        assert len(messages) <= limit
        ends_at = datetime.now(UTC) + timedelta(minutes=5)
        return MessageLease(lease_id=uuid4(), expires_at=ends_at, messages=tuple(messages))

    async def acknowledge(
        self, lease_id: UUID, receipts: Sequence[Receipt]
    ) -> Sequence[ReceiptResult]:
        """Take receipts."""
        if self.is_down:
            raise OutboxUnavailableError("down")
        for receipt in receipts:
            self.told.put_nowait((lease_id, receipt))
        return [ReceiptResult.ACCEPTED] * len(receipts)

    async def next(self) -> tuple[UUID, Receipt]:
        """What is told next."""
        async with asyncio.timeout(20):
            return await self.told.get()


@asynccontextmanager
async def delivering(outbox: Outbox, peer: MessageCentre, path: Path) -> AsyncIterator[None]:
    with Journal.at(path) as journal:
        async with bound(address_of(peer)) as deliverer:
            delivery = Delivery(outbox=outbox, deliverer=deliverer, journal=journal)
            running = asyncio.create_task(delivery.run())
            try:
                yield
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def test_a_message_is_given_and_its_receipt_told_under_its_lease(path: Path) -> None:
    outbox, message = Outbox(), make_message()
    async with message_centre() as peer, delivering(outbox, peer, path):
        outbox.waiting.put_nowait([message])
        lease_id, given = await outbox.next()
        assert given == Receipt(message_id=message.message_id, outcome=SUBMITTED)
        (sent,) = await peer.heard("submit", count=1)
        await peer.tell(receipt=sent["submit"], stat="DELIVRD")
        told = Receipt(message_id=message.message_id, outcome=DELIVERED)
        assert await outbox.next() == (lease_id, told)


async def test_what_the_centre_refuses_has_failed(path: Path) -> None:
    outbox, message = Outbox(), make_message()
    async with message_centre() as peer, delivering(outbox, peer, path):
        await peer.tell(answer="ESME_RINVDSTADR")
        outbox.waiting.put_nowait([message])
        _, told = await outbox.next()
        assert (told.outcome, told.failure) == (
            ReceiptOutcome.FAILED,
            MessageFailure.UNKNOWN_NUMBER,
        )


async def test_what_the_centre_has_is_not_sent_again_after_a_restart(path: Path) -> None:
    outbox, message = Outbox(), make_message()
    async with message_centre() as peer:
        async with delivering(outbox, peer, path):
            outbox.waiting.put_nowait([message])
            first_lease, _ = await outbox.next()
            (sent,) = await peer.heard("submit", count=1)
        async with delivering(outbox, peer, path):
            outbox.waiting.put_nowait([message])  # handed out again: the answer was lost
            second_lease, given = await outbox.next()
            assert given.outcome is SUBMITTED
            await peer.heard("bind", count=2)
            await peer.tell(receipt=sent["submit"], stat="DELIVRD")
            lease_id, told = await outbox.next()
            assert (lease_id, told.outcome) == (second_lease, DELIVERED)
            assert first_lease != second_lease
        assert len([each for each in peer.said if "submit" in each]) == 1


async def test_a_receipt_that_could_not_be_told_is_told_later_and_after_a_restart(
    path: Path,
) -> None:
    outbox, message = Outbox(), make_message()
    async with message_centre() as peer:
        async with delivering(outbox, peer, path):
            outbox.waiting.put_nowait([message])
            await outbox.next()
            (sent,) = await peer.heard("submit", count=1)
            outbox.is_down = True
            await peer.tell(receipt=sent["submit"], stat="DELIVRD")
            await peer.heard("receipt_answered", count=1)
        outbox.is_down = False
        async with delivering(outbox, peer, path):
            _, told = await outbox.next()
            assert told == Receipt(message_id=message.message_id, outcome=DELIVERED)
        with Journal.at(path) as journal:
            assert not journal.unreported(limit=10)


async def test_a_message_that_is_over_is_not_sent(path: Path) -> None:
    outbox = Outbox()
    over = make_message(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    async with message_centre() as peer, delivering(outbox, peer, path):
        outbox.waiting.put_nowait([over])
        later = make_message()
        outbox.waiting.put_nowait([later])
        _, told = await outbox.next()
        assert told.message_id == later.message_id
        assert len([each for each in peer.said if "submit" in each]) == 1


def test_a_journal_forgets_what_ended_long_ago(path: Path) -> None:
    now, old, young = datetime.now(UTC), uuid4(), uuid4()
    with Journal.at(path) as journal:
        for message_id, ends_at in ((old, now - timedelta(days=1)), (young, now)):
            lease_id = uuid4()
            journal.keep(str(message_id), message_id=message_id, lease_id=lease_id, ends_at=ends_at)
        journal.forget_before(now - timedelta(hours=1))
        assert not journal.take_over(old, uuid4())
        assert journal.take_over(young, uuid4())
        assert not journal.note("somebody else's", DELIVERED, None)
