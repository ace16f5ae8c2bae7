"""Agencies write to people whose numbers they need not know.

Owns the sending of messages to people with and without a number and to some who object, what their
operators make of them, and the comparison with what the agencies are told.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from subid.v1.agency_pb2 import PURPOSE_LEGAL_NOTICE, PURPOSE_SERVICE_DELIVERY, Purpose
from subid.v1.notification_service_pb2 import (
    NOTIFICATION_FAILURE_ABSENT,
    NOTIFICATION_FAILURE_NOT_AVAILABLE,
    NOTIFICATION_FAILURE_UNSPECIFIED,
    NOTIFICATION_STATE_DELIVERED,
    NOTIFICATION_STATE_FAILED,
    RECEIPT_RESULT_ACCEPTED,
    RECEIPT_RESULT_LEASE_LOST,
    NotificationFailure,
    NotificationState,
    OutgoingMessage,
    ReceiptResult,
)
from telco_sim.agencies import WRITER, Agency, grounds_of
from telco_sim.chapters.agencies import LEGAL_TEMPLATE, SERVICE_TEMPLATE, some_people, text_of
from telco_sim.chapters.fishing import pass_time
from telco_sim.journal import Invariant
from telco_sim.message_desks import LEASE, Handled, MessageDesk, MessageHabit
from telco_sim.world import World

_WRITTEN_TO = 24
_BY_TOKEN = 4
_OBJECTORS = 2

_TEMPLATES = {PURPOSE_SERVICE_DELIVERY: SERVICE_TEMPLATE, PURPOSE_LEGAL_NOTICE: LEGAL_TEMPLATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message of an agency.

    Attributes:
        agency: Who wrote.
        notification_id: What the service calls it.
        personal_id: To whom.
        purpose: What for.
        file: The agency's file, of which no other letter has the same.
        msisdn: The number that it must arrive on; empty where it must not.
    """

    agency: Agency
    notification_id: str
    personal_id: str
    purpose: Purpose
    file: str
    msisdn: str

    @property
    def text(self) -> str:
        """The words that must arrive."""
        return text_of(_TEMPLATES[self.purpose], file=self.file)


def write_letters(world: World) -> None:
    """Agencies write, operators send, and what the agencies are told is what has happened."""
    wanted = some_people(world, _WRITTEN_TO)
    objectors = [each for each in wanted if each in world.primaries][:_OBJECTORS]
    for each in objectors:
        world.app.object_to_services(each)
        world.objectors.add(each)
    letters = [
        _write(world, world.agency, each, purpose, file=f"H{place}-{purpose}")
        for purpose in _TEMPLATES
        for place, each in enumerate(wanted)
    ]
    letters += _write_by_token(world)
    for desk in world.message_desks.values():
        _send_all(world, desk)
    handled = _arrived(world, letters)
    for letter in letters:
        _check_told(world, letter, handled.get(letter.text))
    _check_counts(world, letters, handled)
    for each in objectors:
        world.app.withdraw_objection(each)
        world.objectors.remove(each)
    world.journal.count("notifications sent", len(letters))


def destination(world: World, personal_id: str, purpose: Purpose) -> str:
    """Return the number that a message goes to, as the simulation knows it; empty for none."""
    if purpose == PURPOSE_LEGAL_NOTICE:
        return world.primaries.get(personal_id, "")
    if personal_id in world.objectors:
        return ""
    return world.primaries.get(personal_id) or world.fallbacks.get(personal_id, "")


def _write(
    world: World, agency: Agency, personal_id: str, purpose: Purpose, *, file: str
) -> Letter:
    grounds = grounds_of(purpose, case_id=file)
    return Letter(
        agency=agency,
        notification_id=agency.send(personal_id, _TEMPLATES[purpose], grounds, file=file),
        personal_id=personal_id,
        purpose=purpose,
        file=file,
        msisdn=destination(world, personal_id, purpose),
    )


def _write_by_token(world: World) -> list[Letter]:
    """Write to people of whom the agency has a token, and no number."""
    writer = world.agencies[WRITER]
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY)
    reached = [each for each in world.primaries if each not in world.objectors][:_BY_TOKEN]
    letters = []
    for place, personal_id in enumerate(reached):
        token = writer.contact(personal_id, grounds).relay_token
        file = f"T{place}"
        sent = writer.send(token, SERVICE_TEMPLATE, grounds, file=file)
        letters.append(
            Letter(
                agency=writer,
                notification_id=sent,
                personal_id=personal_id,
                purpose=PURPOSE_SERVICE_DELIVERY,
                file=file,
                msisdn=world.primaries[personal_id],
            )
        )
    return letters


def _send_all(world: World, desk: MessageDesk) -> None:
    """Let an operator send what waits; one that is late loses its lease and takes all again."""
    if desk.habit is MessageHabit.LATE:
        pulled = desk.pull()
        pass_time(world, LEASE * 2)
        if pulled.messages:
            lost = [RECEIPT_RESULT_LEASE_LOST] * len(pulled.messages)
            _check_results(world, desk.submit(pulled), lost)
    before = len(desk.handled)
    results = desk.work_off()
    _check_results(world, results, [RECEIPT_RESULT_ACCEPTED] * (len(desk.handled) - before))
    world.journal.count(f"messages sent by operators: {desk.habit}", len(results))


def _check_results(
    world: World, results: Sequence[ReceiptResult], expected: Sequence[ReceiptResult]
) -> None:
    """Each message has its receipt, and no message was handed out twice under a lease."""
    world.journal.check_equal(
        Invariant.MESSAGES_REACH,
        seen=[ReceiptResult.Name(each) for each in results],
        expected=[ReceiptResult.Name(each) for each in expected],
        subject="receipts",
    )


def _arrived(world: World, letters: Sequence[Letter]) -> dict[str, Handled]:
    """Look that exactly what must arrive arrived, on the right number, once; by the words."""
    ours = {each.text: each for each in letters}
    seen: dict[str, list[str]] = {}
    handled: dict[str, Handled] = {}
    for desk in world.message_desks.values():
        for each in desk.handled.values():
            text = _words(each.message)
            if text in ours:
                seen.setdefault(text, []).append(each.message.msisdn)
                handled[text] = each
                _check_serves(world, desk, each.message)
    for text, letter in ours.items():
        is_objection = letter.personal_id in world.objectors
        world.journal.check_equal(
            Invariant.OBJECTION_HOLDS if is_objection else Invariant.MESSAGES_REACH,
            seen=seen.get(text, []),
            expected=[letter.msisdn] if letter.msisdn else [],
            subject="numbers that a message was sent to",
        )
    return handled


def _words(message: OutgoingMessage) -> str:
    return str(message.text.vi)


def _check_serves(world: World, desk: MessageDesk, message: OutgoingMessage) -> None:
    (operator,) = (each for each in world.operators if each.name == desk.name)
    world.journal.check(
        Invariant.MESSAGES_REACH,
        holds=message.msisdn in operator.lines,
        detail=f"{desk.name} was handed a message to another operator's number",
    )


_End = tuple[NotificationState, NotificationFailure]


def _end_of(letter: Letter, handled: Handled | None) -> _End:
    """Return what must have become of a letter, as its agency is told."""
    if not letter.msisdn or handled is None:
        return NOTIFICATION_STATE_FAILED, NOTIFICATION_FAILURE_NOT_AVAILABLE
    if handled.is_delivered:
        return NOTIFICATION_STATE_DELIVERED, NOTIFICATION_FAILURE_UNSPECIFIED
    return NOTIFICATION_STATE_FAILED, NOTIFICATION_FAILURE_ABSENT


def _check_told(world: World, letter: Letter, handled: Handled | None) -> None:
    told = letter.agency.notification(letter.notification_id)
    state, failure = _end_of(letter, handled)
    world.journal.check_equal(
        Invariant.MESSAGES_REACH,
        seen=(
            NotificationState.Name(told.state),
            NotificationFailure.Name(told.failure),
            told.case_id,
        ),
        expected=(
            NotificationState.Name(state),
            NotificationFailure.Name(failure),
            letter.file if letter.agency is world.agency else "",
        ),
        subject="what became of a message",
    )


def _check_counts(world: World, letters: Sequence[Letter], handled: dict[str, Handled]) -> None:
    today = world.clock.today()
    for agency in (world.agency, world.agencies[WRITER]):
        own = [each for each in letters if each.agency is agency]
        expected = Counter(
            (_TEMPLATES[each.purpose], _end_of(each, handled.get(each.text))[0]) for each in own
        )
        seen = {
            (each.template, each.state): each.notification_count
            for each in agency.letter_counts(world.started_on, today)
        }
        world.journal.check_equal(
            Invariant.LETTERS_COUNTED, seen=seen, expected=dict(expected), subject=agency.name
        )
