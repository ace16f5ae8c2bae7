"""Messages go where their person is reached, once, and what operators say of them is kept."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from identity.domain.message import (
    MessageFailure,
    MessageState,
    ReceiptOutcome,
    ReceiptResult,
    Urgency,
)
from identity.domain.notification import Notification
from identity.domain.person_name import PersonName
from identity.domain.primary_choice import ClearCause
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.tiding import TidingKind
from identity.services.messages import RECEIPT_GRACE_S
from identity.services.read_notifications import get_notification
from identity.services.tidings import Tiding, post_tidings
from identity.storage.database import UnitOfWork
from identity.storage.message_tables import message
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_claim,
    make_link,
    make_operator,
    store_citizen,
    store_number,
    store_primary,
)
from tests.unit.identity.notification_makers import LEASE, Desk, Sender, store_sender

DELIVERED, FAILED = ReceiptOutcome.DELIVERED, ReceiptOutcome.FAILED
SUBMITTED = ReceiptOutcome.SUBMITTED


def primary_at(uow: UnitOfWork, operator: str) -> Subscription:
    """Somebody's primary number at an operator."""
    record = store_citizen(uow)
    item = store_number(uow, record, operator_id=operator)
    uow.primaries.set(item, at=NOW)
    return item


@pytest.fixture
def desk(uow: UnitOfWork) -> Desk:
    return Desk(uow, make_operator())


@pytest.fixture
def item(uow: UnitOfWork, desk: Desk) -> Subscription:
    return primary_at(uow, desk.operator)


def state(sender: Sender, sent: object, desk: Desk) -> Notification:
    return get_notification(sender.uow, sender.call(desk.at), sent)  # type: ignore[arg-type] # identifiers are handed on


def test_a_message_is_handed_to_the_operator_of_the_primary_number(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent = sender.send(item.claim.personal_id)
    assert state(sender, sent, desk).state is MessageState.PENDING
    assert desk.pull() == [sent]
    assert desk.lease is not None
    (handed,) = desk.lease.messages
    assert (handed.msisdn, handed.urgency) == (item.msisdn, Urgency.SERVICE)
    assert handed.text == {"en": "Please come for your passport."}
    assert state(sender, sent, desk).state is MessageState.LEASED
    assert desk.pull() == []
    assert Desk(uow, make_operator()).pull() == []


def test_the_most_urgent_goes_first_and_of_equals_the_oldest(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    urgencies = (Urgency.SERVICE, Urgency.LEGAL, Urgency.SAFETY)
    sent = {
        urgency: [sender.send(item.claim.personal_id) for _ in range(2)]
        for urgency in urgencies
        for sender in [store_sender(uow, urgency)]
    }
    tiding = Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED, values={"time": NOW})
    post_tidings(uow, make_call(), [tiding])
    pulled = desk.pull()
    assert pulled[:2] == sent[Urgency.SAFETY]
    assert pulled[3:] == sent[Urgency.LEGAL] + sent[Urgency.SERVICE]
    assert desk.lease is not None
    assert desk.lease.messages[2].urgency is Urgency.TIDINGS
    assert desk.lease.messages[2].text.keys() == {"vi", "en"}


def test_what_is_pulled_a_few_at_a_time_comes_in_the_same_order(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent = [sender.send(item.claim.personal_id) for _ in range(5)]
    pulled = [desk.pull(limit=2) for _ in range(4)]
    assert pulled == [sent[:2], sent[2:4], sent[4:], []]


def test_a_message_whose_lease_ended_comes_back_and_the_old_lease_counts_for_a_delivery_only(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent, other = (sender.send(item.claim.personal_id) for _ in range(2))
    desk.pull()
    first = desk.lease
    desk.wait()
    assert desk.pull() == [sent, other]
    second, desk.lease = desk.lease, first
    assert desk.say(FAILED, sent, failure=MessageFailure.ABSENT) == [ReceiptResult.LEASE_LOST]
    assert desk.say(SUBMITTED, sent) == [ReceiptResult.LEASE_LOST]
    assert desk.say(DELIVERED, sent) == [ReceiptResult.ACCEPTED]
    desk.lease = second
    assert desk.say(DELIVERED, sent) == [ReceiptResult.ALREADY_ENDED]
    assert desk.say(FAILED, other, failure=MessageFailure.BARRED) == [ReceiptResult.ACCEPTED]
    assert state(sender, sent, desk).state is MessageState.DELIVERED
    failed = state(sender, other, desk)
    assert (failed.state, failed.failure) == (MessageState.FAILED, MessageFailure.BARRED)
    assert failed.done_at == desk.at


def test_a_receipt_counts_once_even_within_a_request(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sent = store_sender(uow).send(item.claim.personal_id)
    desk.pull()
    assert desk.say(DELIVERED, sent, sent) == [ReceiptResult.ACCEPTED, ReceiptResult.ALREADY_ENDED]


def test_another_operators_messages_and_those_not_handed_out_are_unknown(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent = sender.send(item.claim.personal_id)
    desk.pull()
    later = sender.send(item.claim.personal_id)
    stranger = Desk(uow, make_operator(), lease=desk.lease)
    assert stranger.say(DELIVERED, sent) == [ReceiptResult.UNKNOWN]
    assert desk.say(DELIVERED, later) == [ReceiptResult.UNKNOWN]
    assert state(sender, sent, desk).state is MessageState.LEASED


def test_what_a_network_has_is_handed_out_no_more_and_may_be_delivered_until_after_its_end(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent, late = (
        sender.send(item.claim.personal_id, expires_at=NOW + timedelta(hours=1)) for _ in range(2)
    )
    desk.pull()
    assert desk.say(SUBMITTED, sent, late) == [ReceiptResult.ACCEPTED] * 2
    desk.wait(timedelta(hours=1, minutes=30))
    assert desk.pull() == []
    expire = partial(uow.messages.queue.expire, limit=10)
    assert expire(at=desk.at) == 0
    assert desk.say(DELIVERED, sent) == [ReceiptResult.ACCEPTED]
    desk.wait(timedelta(seconds=RECEIPT_GRACE_S))
    assert state(sender, late, desk).state is MessageState.EXPIRED
    assert expire(at=desk.at) == 1
    assert desk.say(DELIVERED, late) == [ReceiptResult.ALREADY_ENDED]
    assert state(sender, sent, desk).state is MessageState.DELIVERED


def test_a_message_past_its_end_is_handed_to_nobody(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    end = NOW + timedelta(minutes=1)
    sent = sender.send(item.claim.personal_id, expires_at=end)
    desk.wait(timedelta(minutes=1))
    assert uow.messages.queue.next_at(desk.operator, at=desk.at) is None
    assert desk.pull() == []
    shown = state(sender, sent, desk)
    assert (shown.state, shown.done_at) == (MessageState.EXPIRED, end)
    assert uow.messages.queue.expire(at=desk.at, limit=10) == 1
    again = state(sender, sent, desk)
    assert again == shown


def test_a_message_follows_its_person_to_a_new_primary_number(uow: UnitOfWork, desk: Desk) -> None:
    record, other = store_citizen(uow), Desk(uow, make_operator())
    old = store_number(uow, record, operator_id=desk.operator)
    new = store_number(uow, record, operator_id=other.operator)
    uow.primaries.set(old, at=NOW)
    sender = store_sender(uow)
    sent = sender.send(record.personal_id)
    uow.primaries.set(new, at=NOW)
    assert desk.pull() == []
    assert other.pull() == [sent]
    assert state(sender, sent, desk).state is MessageState.LEASED
    assert desk.say(DELIVERED, sent) == [ReceiptResult.UNKNOWN]


def test_a_message_that_moves_within_an_operator_is_handed_out_at_once(
    uow: UnitOfWork, desk: Desk
) -> None:
    record = store_citizen(uow)
    old, new = (store_number(uow, record, operator_id=desk.operator) for _ in range(2))
    uow.primaries.set(old, at=NOW)
    sent = store_sender(uow).send(record.personal_id)
    uow.primaries.set(new, at=NOW)
    assert desk.pull() == [sent]
    assert desk.lease is not None
    assert desk.lease.messages[0].msisdn == new.msisdn


def test_a_message_to_somebody_who_lost_their_number_fails(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    sender = store_sender(uow)
    sent = sender.send(item.claim.personal_id)
    uow.primaries.clear(item, ClearCause.BLOCKED, at=NOW)
    assert desk.pull() == []
    shown = state(sender, sent, desk)
    assert (shown.state, shown.failure) == (MessageState.FAILED, MessageFailure.UNREACHABLE)


def test_a_tiding_is_told_to_nobody_who_has_the_number_later(uow: UnitOfWork, desk: Desk) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=desk.operator)
    tiding = Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED, values={"time": NOW})
    post_tidings(uow, make_call(), [tiding])
    heir = make_claim(store_citizen(uow, full_name=PersonName("Trần Văn Mới")))
    uow.subscriptions.save(item.transferred_to(heir, make_link(), at=NOW))
    assert desk.pull() == []
    rows = uow.connection.execute(
        select(message.c.failure).where(message.c.subscription_id == item.subscription_id)
    )
    assert rows.scalars().all() == [MessageFailure.NUMBER_GONE.value]


def test_a_tiding_stays_with_its_number_whatever_the_primary_one_is(
    uow: UnitOfWork, desk: Desk
) -> None:
    record, _primary = store_primary(uow)
    item = store_number(uow, record, operator_id=desk.operator)
    tiding = Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED, values={"time": NOW})
    post_tidings(uow, make_call(), [tiding])
    assert len(desk.pull()) == 1
    uow.subscriptions.save(item.ordered(ServiceState.TERMINATED, at=NOW))
    desk.wait(LEASE)
    assert desk.pull() == []


def test_next_is_at_once_or_when_a_lease_ends(
    uow: UnitOfWork, desk: Desk, item: Subscription
) -> None:
    store_sender(uow).send(item.claim.personal_id)
    next_at = partial(uow.messages.queue.next_at, desk.operator, at=NOW)
    assert next_at() == NOW
    desk.pull()
    assert next_at() == NOW + LEASE
    assert uow.messages.queue.next_at(make_operator(), at=NOW) is None
