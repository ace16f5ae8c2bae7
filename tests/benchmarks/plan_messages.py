"""The hot queries of messages: what is asked for each that is written, sent, and looked up.

Owns their list and how each is brought about.
"""

from datetime import timedelta
from functools import partial

from identity.domain.calendar_date import day_of
from identity.domain.caller import Caller, Role
from identity.domain.message import Receipt, ReceiptOutcome, Urgency
from identity.domain.tiding import TidingKind
from identity.services.ask_to_confirm import ask_to_confirm
from identity.services.messages import acknowledge_messages, pull_messages
from identity.services.read_notifications import (
    count_notifications,
    get_notification,
    list_notifications,
)
from identity.services.tidings import Tiding, post_tidings
from identity.storage.database import UnitOfWork
from tests.benchmarks.hot_query import BY_ID, IN_ORDER, PAGE, HotQuery, Step
from tests.benchmarks.plan_registry import NOW, World
from tests.unit.identity.notification_makers import store_sender

LEASE = timedelta(minutes=5)
AGENCY = Caller(Role.AGENCY, "agency-1")


def _send(world: World, uow: UnitOfWork) -> Step:
    sender = store_sender(uow)
    return partial(sender.send, world.record(1).personal_id)


def _write(world: World, uow: UnitOfWork, count: int) -> None:
    """Have messages wait at the first operator."""
    items = [world.subscription(uow, number) for number in range(count)]
    tidings = [
        Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED, values={"time": NOW})
        for item in items
    ]
    post_tidings(uow, world.call(), tidings)


def _pull(world: World, uow: UnitOfWork) -> Step:
    _write(world, uow, PAGE)
    return lambda: pull_messages(uow, world.call(), duration=LEASE, limit=PAGE)


def _next(world: World, uow: UnitOfWork) -> Step:
    return partial(uow.messages.queue.next_at, world.call().caller.name, at=NOW)


def _acknowledge(world: World, uow: UnitOfWork) -> Step:
    _write(world, uow, 1)
    lease = pull_messages(uow, world.call(), duration=LEASE, limit=1)
    told = [
        Receipt(message_id=each.message_id, outcome=ReceiptOutcome.DELIVERED)
        for each in lease.messages
    ]
    return lambda: acknowledge_messages(uow, world.call(), lease.lease_id, told)


def _get(world: World, uow: UnitOfWork) -> Step:
    sender = store_sender(uow, Urgency.SERVICE)
    sent = sender.send(world.record(1).personal_id)
    return partial(get_notification, uow, sender.call(), sent)


def _list(world: World, uow: UnitOfWork) -> Step:
    call = world.call(AGENCY)
    (last, *_), _has_more = list_notifications(uow, call, after=None, limit=1)
    after = last.notification_id
    return lambda: list_notifications(uow, call, after=after, limit=PAGE)


def _count(world: World, uow: UnitOfWork) -> Step:
    today = day_of(NOW)
    return lambda: count_notifications(
        uow, world.call(AGENCY), AGENCY.name, first=today, last=today
    )


def _expire(_world: World, uow: UnitOfWork) -> Step:
    return partial(uow.messages.queue.expire, at=NOW, limit=PAGE)


def _ask(world: World, uow: UnitOfWork) -> Step:
    at = NOW + world.call().rules.primary.ask_after
    return lambda: ask_to_confirm(uow, world.call(at=at), limit=PAGE)


MESSAGE_QUERIES = (
    HotQuery(name="SendNotification", bring=_send),
    HotQuery(name="PullMessages", bring=_pull, key_count=PAGE, crosses={"message": IN_ORDER}),
    HotQuery(name="PullMessages, whether there is any", bring=_next, crosses={"message": IN_ORDER}),
    HotQuery(name="AcknowledgeMessages", bring=_acknowledge, crosses={"message": BY_ID}),
    HotQuery(name="GetNotification", bring=_get, crosses={"message": BY_ID}),
    HotQuery(name="ListNotifications", bring=_list, key_count=PAGE, crosses={"message": IN_ORDER}),
    HotQuery(
        name="GetNotificationStatistics, a day",
        bring=_count,
        crosses={"message": IN_ORDER},
        reads={"message": "the agency's of the days asked for"},
    ),
    HotQuery(
        name="AdvanceEnforcement, messages that are over",
        bring=_expire,
        key_count=PAGE,
        crosses={"message": IN_ORDER},
    ),
    HotQuery(
        name="AdvanceEnforcement, who is to confirm the primary number",
        bring=_ask,
        key_count=PAGE,
        crosses={"primary_number": IN_ORDER},
    ),
)
