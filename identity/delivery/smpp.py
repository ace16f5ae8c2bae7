"""An operator's message centre, spoken to by SMPP 3.4.

Owns the session: bound as transceiver, kept alive, bound anew when it breaks; messages given one
PDU each, and what the centre answers and reports, in our words. The centre cuts a long message into
parts: it is given whole, in `message_payload` where 254 octets are too few. Text goes in the GSM
7-bit alphabet where that has all of its letters, else as UCS-2. What the library would log is not
kept: its lines hold numbers and words of messages. Knows no outbox.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from aiosmpplib import (
    ESME,
    NPI,
    TON,
    AbstractBroker,
    AbstractHook,
    AbstractThrottleHandler,
    BindTransceiverResp,
    DeliverSm,
    GenericNack,
    PduHeader,
    PhoneNumber,
    SmppCommandStatus,
    SmppMessage,
    SubmitSm,
    SubmitSmResp,
)
from aiosmpplib.correlator import SimpleCorrelator
from aiosmpplib.retrytimer import SimpleExponentialBackoff
from aiosmpplib.state import MESSAGE_STATE, RECEIPTED_MESSAGE_ID

from identity.delivery.deliver import NetworkReceipt, Submission
from identity.domain.message import MessageFailure, OutgoingMessage, ReceiptOutcome

WINDOW = 50
"""Messages that the centre has not answered yet; the usual bound of operators is tens."""

ANSWER_TIMEOUT_S = 30.0
"""After that nobody knows whether the centre has a message."""

THROTTLE_S = 1.0
"""Silence after the centre has said that it is given too much."""

_GOODBYE_S = 5.0
_SHORT_CODE_MAX = 8
"""Digits of a short code; whatever is longer is a number with its country."""

_DELIVERED, _FAILED = ReceiptOutcome.DELIVERED, ReceiptOutcome.FAILED
_FATES: Mapping[str | int, tuple[ReceiptOutcome, MessageFailure | None]] = {
    "DELIVRD": (_DELIVERED, None),
    "EXPIRED": (_FAILED, MessageFailure.ABSENT),
    "DELETED": (_FAILED, MessageFailure.REJECTED),
    "UNDELIV": (_FAILED, MessageFailure.NETWORK_FAULT),
    "REJECTD": (_FAILED, MessageFailure.REJECTED),
    # As `message_state` (SMPP 3.4, 5.2.28); the words are those of its appendix B.
    2: (_DELIVERED, None),
    3: (_FAILED, MessageFailure.ABSENT),
    4: (_FAILED, MessageFailure.REJECTED),
    5: (_FAILED, MessageFailure.NETWORK_FAULT),
    8: (_FAILED, MessageFailure.REJECTED),
}
"""States that are final. The others (ENROUTE, ACCEPTD, UNKNOWN) are no news."""

_THROTTLED = frozenset({SmppCommandStatus.ESME_RTHROTTLED, SmppCommandStatus.ESME_RMSGQFUL})
_PASSING = frozenset(
    {
        SmppCommandStatus.ESME_RSYSERR,
        SmppCommandStatus.ESME_RX_T_APPN,
        SmppCommandStatus.ESME_RINVBNDSTS,
    }
)
"""Faults of the centre's own that may be over when the message comes back."""

_NUMBER_FAULTS = frozenset(
    {
        SmppCommandStatus.ESME_RINVDSTADR,
        SmppCommandStatus.ESME_RINVDSTTON,
        SmppCommandStatus.ESME_RINVDSTNPI,
    }
)

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A message centre, and as whom to bind there.

    Attributes:
        host: Its host.
        port: Its port.
        system_id: As whom, at most 15 characters.
        password: Its password, at most 8 characters (SMPP 3.4, 4.1.1).
        sender: What users see as the sender: a name of up to 11 characters, or a number.
        language: Of messages that stand in several.
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    sender: str
    language: str = "vi"


@asynccontextmanager
async def bound(centre: Centre) -> AsyncIterator["SMPPDeliverer"]:
    """Keep a session with a centre during the block; it is bound anew whenever it breaks."""
    deliverer = SMPPDeliverer(centre)
    session = deliverer.session()
    task = asyncio.create_task(session.start())
    try:
        yield deliverer
    finally:
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await session.stop()
        except TimeoutError:
            _log.warning("the message centre did not say goodbye")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await session.hang_up()


@dataclass(frozen=True, slots=True)
class _Open:
    """A message that the centre has not answered yet."""

    taken: Callable[[str], None]
    answer: "asyncio.Future[SmppCommandStatus]"
    network_ids: list[str] = field(default_factory=list)


class SMPPDeliverer:
    """Gives messages to a centre; `bound` makes one with its session."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._window = asyncio.Semaphore(WINDOW)
        self._open: dict[str, _Open] = {}
        self._told: Callable[[NetworkReceipt], None] = _ignore
        self._broker = _Broker(self._open)

    def on_receipt(self, told: Callable[[NetworkReceipt], None]) -> None:
        """As `Deliverer.on_receipt`."""
        self._told = told

    async def submit(self, message: OutgoingMessage, *, taken: Callable[[str], None]) -> Submission:
        """As `Deliverer.submit`; again while the centre says that it is given too much."""
        async with self._window:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    while True:
                        opened = _Open(taken, asyncio.get_running_loop().create_future())
                        status = await self._ask(message, opened)
                        if status not in _THROTTLED:
                            return _judged(status, opened.network_ids)
            except (TimeoutError, OSError):
                return Submission()
            except ValueError:  # it cannot be written as a PDU, now or ever
                return Submission(failure=MessageFailure.REJECTED)

    async def _ask(self, message: OutgoingMessage, opened: _Open) -> SmppCommandStatus:
        name = str(message.message_id)
        self._open[name] = opened
        try:
            await self._broker.enqueue(self._submit_sm(message))
            return await opened.answer
        finally:
            self._open.pop(name, None)

    def _submit_sm(self, message: OutgoingMessage) -> SubmitSm:
        text = message.text
        return SubmitSm(
            short_message=text.get(self._centre.language) or next(iter(text.values())),
            source=_sender(self._centre.sender),
            destination=PhoneNumber(message.msisdn.value[1:], TON.INTERNATIONAL, NPI.ISDN),
            validity_period=message.expires_at - datetime.now(UTC),
            registered_delivery=1,
            log_id=str(message.message_id),
        )

    def session(self) -> "_Session":
        """A session of the library's for this deliverer; not started."""
        return _Session(
            smsc_host=self._centre.host,
            smsc_port=self._centre.port,
            system_id=self._centre.system_id,
            password=self._centre.password,
            hook=_Hook(self._lost),
            broker=self._broker,
            throttle_handler=_Throttle(),
            correlator=_Correlator(self._answered, self._reported),
            retry_timer=SimpleExponentialBackoff(min_delay=200, max_increases=6),
            log_level=logging.CRITICAL,
            log_handler=logging.NullHandler(),
        )

    def _answered(self, request: SubmitSm, response: SmppMessage) -> None:
        opened = self._open.get(request.log_id)
        if opened is None or opened.answer.done():
            return
        status = response.command_status
        if isinstance(response, SubmitSmResp) and status == SmppCommandStatus.ESME_ROK:
            # Before anything else that the centre sends is read: its receipts name it so.
            opened.taken(response.message_id)
            opened.network_ids.append(response.message_id)
        elif status == SmppCommandStatus.ESME_ROK:  # a nack that does not say why
            status = SmppCommandStatus.ESME_RUNKNOWNERR
        opened.answer.set_result(status)

    def _lost(self, request: SmppMessage, error: Exception) -> None:
        opened = self._open.get(getattr(request, "log_id", ""))
        if opened is not None and not opened.answer.done():
            opened.answer.set_exception(error)

    def _reported(self, receipt: DeliverSm) -> None:
        told = _fate_of(receipt)
        if told is not None:
            self._told(told)


def _judged(status: SmppCommandStatus, network_ids: list[str]) -> Submission:
    if network_ids:
        return Submission(network_id=network_ids[-1])
    if status in _PASSING:
        return Submission()
    is_number = status in _NUMBER_FAULTS
    failure = MessageFailure.UNKNOWN_NUMBER if is_number else MessageFailure.REJECTED
    _log.warning("the message centre refused a message", status=status.name)
    return Submission(failure=failure)


def _fate_of(receipt: DeliverSm) -> NetworkReceipt | None:
    """What a receipt says: by its optional parameters where it has them, else by its text."""
    parameters = {each.tag: each.value for each in receipt.optional_params or []}
    words = receipt.parse_receipt()
    network_id = parameters.get(RECEIPTED_MESSAGE_ID) or words.get("id")
    state = parameters.get(MESSAGE_STATE) or words.get("stat")
    if not isinstance(network_id, str) or not isinstance(state, int | str):
        return None
    fate = _FATES.get(state)
    return None if fate is None else (network_id, *fate)


def _sender(name: str) -> PhoneNumber:
    if name.lstrip("+").isdigit():
        is_short = len(name) <= _SHORT_CODE_MAX
        ton = TON.NETWORK_SPECIFIC if is_short else TON.INTERNATIONAL
        return PhoneNumber(name.lstrip("+"), ton, NPI.ISDN)
    return PhoneNumber(name, TON.ALPHANUMERIC, NPI.UNKNOWN)


def _ignore(_receipt: NetworkReceipt) -> None:
    """Nobody is told yet."""


class _Session(ESME):  # type: ignore[misc] # the library has no types
    """The library's session, but for two things that it leaves undone."""

    _last_writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Connect, the connection before it closed: the library only forgets it."""
        await self.hang_up()
        try:
            await super().connect()
        finally:
            self._last_writer = self._writer

    async def hang_up(self) -> None:
        """Close the connection, whatever state it is in."""
        writer, self._last_writer = self._last_writer, None
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _handle_request(self, pdu: bytes, header: PduHeader) -> SmppMessage | None:
        """Refuse a receipt whose text nobody can read; the library would end the session."""
        try:
            return await super()._handle_request(pdu, header)
        except ValueError:
            _log.warning("a receipt of the message centre cannot be read")
            await self._send_data(GenericNack(header.sequence_num))
            return None


class _Broker(AbstractBroker):  # type: ignore[misc] # as above
    """Messages on their way to the session; those that nobody waits for any more are left out."""

    def __init__(self, opened: Mapping[str, _Open]) -> None:
        self._opened = opened
        self._queue: asyncio.Queue[SmppMessage] = asyncio.Queue()

    async def enqueue(self, message: SmppMessage) -> None:
        await self._queue.put(message)

    async def dequeue(self) -> SmppMessage:
        while True:
            message = await self._queue.get()
            opened = self._opened.get(message.log_id)
            if opened is not None and not opened.answer.done():
                return message


class _Throttle(AbstractThrottleHandler):  # type: ignore[misc] # as above
    """A second's silence after each complaint. The library's own is silent for minutes."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    async def throttled(self) -> None:
        self._silent_until = asyncio.get_running_loop().time() + THROTTLE_S

    async def not_throttled(self) -> None:
        """Nothing changes: the silence ends by itself."""

    async def allow_request(self) -> bool:
        return asyncio.get_running_loop().time() >= self._silent_until

    async def throttle_delay(self) -> float:
        return THROTTLE_S / 10


class _Correlator(SimpleCorrelator):  # type: ignore[misc] # as above
    """Answers by sequence number, as the library has it; receipts are the journal's."""

    def __init__(
        self,
        answered: Callable[[SubmitSm, SmppMessage], None],
        reported: Callable[[DeliverSm], None],
    ) -> None:
        super().__init__("subid", max_ttl_response=ANSWER_TIMEOUT_S)
        self._answered = answered
        self._reported = reported

    async def get(self, response: SmppMessage) -> SmppMessage | None:
        request = await super().get(response)
        if isinstance(request, SubmitSm):
            self._answered(request, response)
        return request

    async def put_delivery(self, smsc_message_id: str, submit_sm: SubmitSm) -> None:
        """Keep nothing: words and numbers of messages have no place here."""

    async def get_delivery(self, receipt: DeliverSm) -> SubmitSm | None:
        self._reported(receipt)
        return None


class _Hook(AbstractHook):  # type: ignore[misc] # as above
    def __init__(self, lost: Callable[[SmppMessage, Exception], None]) -> None:
        self._lost = lost

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        """Nothing of a PDU is kept: the first one holds the password."""

    async def received(
        self,
        smpp_message: SmppMessage | None,
        pdu: bytes,  # noqa: ARG002 - as the library calls it
        client_id: str,  # noqa: ARG002 - as above
    ) -> None:
        if isinstance(smpp_message, BindTransceiverResp):
            status = smpp_message.command_status
            if status == SmppCommandStatus.ESME_ROK:
                _log.info("bound to the message centre")
            else:
                _log.warning("the message centre refuses us", status=status.name)

    async def send_error(
        self,
        smpp_message: SmppMessage,
        error: Exception,
        client_id: str,  # noqa: ARG002 - as the library calls it
    ) -> None:
        self._lost(smpp_message, error)
