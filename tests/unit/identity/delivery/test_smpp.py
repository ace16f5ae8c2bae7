"""Messages given to a real message centre: written, answered, reported, thrown back, cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog

from identity.delivery.deliver import NetworkReceipt, Submission
from identity.delivery.smpp import Centre, SMPPDeliverer, bound
from identity.domain.message import MessageFailure, OutgoingMessage, ReceiptOutcome, Urgency
from tests.message_centre import PASSWORD, SYSTEM_ID, MessageCentre, message_centre
from tests.unit.identity.makers import make_msisdn

DELIVERED, FAILED = ReceiptOutcome.DELIVERED, ReceiptOutcome.FAILED
WRONG = "hunter2"
GSM_ONLY = {"en": "Please come for your passport [urgent] @ 9."}
VIETNAMESE = {"vi": "Mời bạn đến nhận hộ chiếu. " * 9, "en": "Please come."}


def make_message(**given: Any) -> OutgoingMessage:  # noqa: ANN401 - whatever the message takes
    usual: dict[str, Any] = {
        "message_id": uuid4(),
        "msisdn": make_msisdn(),
        "urgency": Urgency.SERVICE,
        "text": GSM_ONLY,
        "expires_at": datetime.now(UTC) + timedelta(days=1),
    }
    return OutgoingMessage(**usual | given)


def address_of(peer: MessageCentre) -> Centre:
    return Centre(
        host="127.0.0.1", port=peer.port, system_id=SYSTEM_ID, password=PASSWORD, sender="CQNN"
    )


class Session:
    """A centre, a session with it, and what was heard there."""

    def __init__(self, peer: MessageCentre, deliverer: SMPPDeliverer) -> None:
        self.peer = peer
        self.deliverer = deliverer
        self.receipts: asyncio.Queue[NetworkReceipt] = asyncio.Queue()
        self.taken: list[str] = []
        deliverer.on_receipt(self.receipts.put_nowait)

    async def submit(self, message: OutgoingMessage) -> Submission:
        """Give it a message."""
        async with asyncio.timeout(40):
            return await self.deliverer.submit(message, taken=self.taken.append)

    async def receipt(self) -> NetworkReceipt:
        """The next one."""
        async with asyncio.timeout(20):
            return await self.receipts.get()


@asynccontextmanager
async def session() -> AsyncIterator[Session]:
    async with message_centre() as peer, bound(address_of(peer)) as deliverer:
        yield Session(peer, deliverer)


async def test_a_message_arrives_as_it_was_written() -> None:
    async with session() as own:
        message = make_message()
        answer = await own.submit(message)
        (sent,) = await own.peer.heard("submit", count=1)
        assert answer == Submission(network_id=sent["submit"])
        assert own.taken == [sent["submit"]]
        assert sent["to"] == message.msisdn.value.removeprefix("+")
        assert (sent["to_ton"], sent["from"], sent["registered"]) == (1, "CQNN", 1)
        assert (sent["text"], sent["data_coding"]) == (GSM_ONLY["en"], 0)


async def test_what_the_gsm_alphabet_lacks_is_ucs_2_and_what_is_long_is_one_payload() -> None:
    async with session() as own:
        await own.submit(make_message(text=VIETNAMESE))
        (sent,) = await own.peer.heard("submit", count=1)
        assert (sent["text"], sent["data_coding"]) == (VIETNAMESE["vi"], 8)
        assert sent["payload"]


@pytest.mark.parametrize("form", ["text", "parameters"])
@pytest.mark.parametrize(
    ("stat", "fate"),
    [
        ("DELIVRD", (DELIVERED, None)),
        ("EXPIRED", (FAILED, MessageFailure.ABSENT)),
        ("UNDELIV", (FAILED, MessageFailure.NETWORK_FAULT)),
        ("REJECTD", (FAILED, MessageFailure.REJECTED)),
    ],
)
async def test_a_receipt_is_understood_by_its_text_and_by_its_parameters(
    form: str, stat: str, fate: tuple[ReceiptOutcome, MessageFailure | None]
) -> None:
    async with session() as own:
        answer = await own.submit(make_message())
        # One that is no news comes first, and is none.
        await own.peer.tell(receipt=answer.network_id, stat="ACCEPTD", form=form)
        await own.peer.tell(receipt=answer.network_id, stat=stat, form=form)
        assert await own.receipt() == (answer.network_id, *fate)
        answered = await own.peer.heard("receipt_answered", count=2)
        assert [each["receipt_answered"] for each in answered] == [0, 0]


async def test_a_receipt_that_nobody_can_read_ends_nothing() -> None:
    async with session() as own:
        answer = await own.submit(make_message())
        await own.peer.tell(receipt="x", text="id:x stat:DELIVRD err:zz text:")
        await own.peer.heard("nack", count=1)
        await own.peer.tell(receipt=answer.network_id, stat="DELIVRD")
        assert await own.receipt() == (answer.network_id, DELIVERED, None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ESME_RINVDSTADR", Submission(failure=MessageFailure.UNKNOWN_NUMBER)),
        ("ESME_RINVMSGLEN", Submission(failure=MessageFailure.REJECTED)),
        ("ESME_RSUBMITFAIL", Submission(failure=MessageFailure.REJECTED)),
        ("ESME_RSYSERR", Submission()),
    ],
)
async def test_what_the_centre_does_not_take_is_told_apart(
    status: str, expected: Submission
) -> None:
    async with session() as own:
        await own.peer.tell(answer=status)
        assert await own.submit(make_message()) == expected
        assert own.taken == []


async def test_a_message_that_is_too_much_is_given_again() -> None:
    async with session() as own:
        await own.peer.tell(answer="ESME_RTHROTTLED", times=1)
        answer = await own.submit(make_message())
        sent = await own.peer.heard("submit", count=2)
        assert [each["status"] for each in sent] == ["ESME_RTHROTTLED", "ESME_ROK"]
        assert answer.network_id == sent[1]["submit"]


async def test_a_session_that_breaks_is_bound_anew_and_its_receipts_come_there() -> None:
    async with session() as own:
        answer = await own.submit(make_message())
        await own.peer.tell(hang_up=True)
        await own.peer.heard("bind", count=2)
        await own.peer.tell(receipt=answer.network_id, stat="DELIVRD")
        assert await own.receipt() == (answer.network_id, DELIVERED, None)
        again = await own.submit(make_message())
        assert again.network_id not in {None, answer.network_id}


async def test_no_line_of_the_log_holds_a_password_a_number_or_words(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with session() as own:
            message = make_message(text=VIETNAMESE)
            await own.peer.tell(answer="ESME_RSUBMITFAIL")
            await own.submit(message)
            await own.submit(make_message())
        async with message_centre() as peer:
            wrong = replace(address_of(peer), password=WRONG)
            async with bound(wrong):
                await peer.heard("bind", count=1)
        assert PASSWORD not in repr(address_of(peer))
    assert {"bound to the message centre", "the message centre refused a message"} <= {
        each["event"] for each in logs
    }
    told = repr(logs) + "".join(capfd.readouterr())
    for secret in (PASSWORD, WRONG, message.msisdn.value[1:], "Mời bạn"):
        assert secret not in told
