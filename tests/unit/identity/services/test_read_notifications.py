"""What agencies learn of their notifications goes by their rights, and leaves a record."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from identity.audit.log import read_about_citizen
from identity.domain.agency import Right
from identity.domain.caller import Role
from identity.domain.errors import NotificationNotFoundError, RequestInvalidError
from identity.domain.message import MessageFailure, MessageState, ReceiptOutcome
from identity.domain.notification import Notification, NotificationCount
from identity.services.read_notifications import (
    count_notifications,
    get_notification,
    list_notifications,
)
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_grant
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_operator,
    make_personal_id,
    store_citizen,
    store_number,
)
from tests.unit.identity.notification_makers import Desk, Sender, store_sender

TODAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("rights", "state", "failure"),
    [
        ((), None, None),
        ((Right.ABSENCE_CAUSE,), None, None),
        ((Right.DELIVERY_STATE,), MessageState.FAILED, MessageFailure.NOT_AVAILABLE),
        (
            (Right.DELIVERY_STATE, Right.ABSENCE_CAUSE),
            MessageState.FAILED,
            MessageFailure.UNREACHABLE,
        ),
    ],
)
def test_an_agency_learns_what_its_grant_says(
    uow: UnitOfWork,
    rights: tuple[Right, ...],
    state: MessageState | None,
    failure: MessageFailure | None,
) -> None:
    sender = store_sender(uow, rights=rights)
    person = make_personal_id()
    sent = sender.send(person)
    shown = get_notification(uow, sender.call(), sent)
    assert (shown.state, shown.failure, shown.done_at is None) == (state, failure, state is None)
    (listed,), _ = list_notifications(uow, sender.call(), after=None, limit=10)
    assert listed == shown
    trail = [
        (each.action, each.fields)
        for each in read_about_citizen(uow.connection, citizen_key(uow.sealer, person))
    ]
    reads = [(name, "delivery_state") for name in ("get_notification", "list_notifications")]
    assert trail == [("send_notification", None), *(reads if state else ())]


def test_the_grant_of_now_counts(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    sent = sender.send(make_personal_id())
    assert get_notification(uow, sender.call(), sent).state is MessageState.FAILED
    for agency in (
        replace(sender.agency, is_active=False),
        replace(sender.agency, grants=(make_grant(Right.NOTIFY),)),
    ):
        uow.agencies.save(agency, by="regulator:r", at=NOW)
        assert get_notification(uow, sender.call(), sent).state is None


def test_another_agencys_notification_is_not_found_like_none_at_all(uow: UnitOfWork) -> None:
    sent = store_sender(uow).send(make_personal_id())
    other = store_sender(uow)
    refusals = []
    for asked in (sent, uuid4()):
        with pytest.raises(NotificationNotFoundError) as refused:
            get_notification(uow, other.call(), asked)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]
    assert list_notifications(uow, other.call(), after=None, limit=10) == ([], False)


def test_pages_have_every_notification_once_the_newest_first(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    person = make_personal_id()
    sent = [sender.send(person, at=NOW + timedelta(seconds=place // 2)) for place in range(7)]
    found: list[Notification] = []
    after, has_more = None, True
    while has_more:
        page, has_more = list_notifications(uow, sender.call(), after=after, limit=3)
        assert len(page) == 3 or not has_more
        after = page[-1].notification_id
        found += page
    assert Counter(each.notification_id for each in found) == Counter(sent)
    times = [each.created_at for each in found]
    assert times == sorted(times, reverse=True)


def send_some(uow: UnitOfWork, sender: Sender) -> Desk:
    """Of ten: four delivered, two failed, one out, one pending, one to nobody, and one expired."""
    desk = Desk(uow, make_operator())
    record = store_citizen(uow)
    uow.primaries.set(store_number(uow, record, operator_id=desk.operator), at=NOW)
    sent = [sender.send(record.personal_id) for _ in range(7)]
    desk.pull()
    desk.say(ReceiptOutcome.DELIVERED, *sent[:4])
    desk.say(ReceiptOutcome.FAILED, *sent[4:6], failure=MessageFailure.ABSENT)
    sender.send(make_personal_id())
    sender.send(record.personal_id, expires_at=NOW + timedelta(seconds=1))
    sender.send(record.personal_id)
    desk.wait(timedelta(seconds=2))
    return desk


COUNTED = {
    MessageState.DELIVERED: 4,
    MessageState.FAILED: 3,
    MessageState.LEASED: 1,
    MessageState.PENDING: 1,
    MessageState.EXPIRED: 1,
}


def test_statistics_equal_a_count_by_hand(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    desk = send_some(uow, sender)
    call = sender.call(desk.at)
    counts = count_notifications(uow, call, sender.agency.name, first=TODAY, last=TODAY)
    assert {each.state: each.count for each in counts} == COUNTED
    assert {(each.day, each.template) for each in counts} == {(TODAY, sender.template.name)}
    page, _ = list_notifications(uow, call, after=None, limit=99)
    assert Counter(each.state for each in page) == COUNTED


def test_whoever_may_not_learn_one_state_learns_no_count_of_states(uow: UnitOfWork) -> None:
    sender = store_sender(uow, rights=())
    desk = send_some(uow, sender)
    name = sender.agency.name
    (count,) = count_notifications(uow, sender.call(desk.at), name, first=TODAY, last=TODAY)
    assert (count.state, count.count) == (None, 10)
    regulator = make_call("regulator", role=Role.REGULATOR, at=desk.at)
    seen = count_notifications(uow, regulator, name, first=TODAY, last=TODAY)
    assert {each.state: each.count for each in seen} == COUNTED


def test_days_are_those_of_viet_nam(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    midnight = datetime(2026, 5, 2, 17, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    for at in (midnight - tick, midnight, midnight + timedelta(days=1) - tick):
        sender.send(make_personal_id(), at=at)
    counts = count_notifications(
        uow, sender.call(), sender.agency.name, first=date(2026, 5, 1), last=date(2026, 5, 31)
    )
    assert [(each.day.day, each.count) for each in counts] == [(2, 1), (3, 2)]
    assert all(isinstance(each, NotificationCount) for each in counts)
    first_only = count_notifications(
        uow, sender.call(), sender.agency.name, first=date(2026, 5, 2), last=date(2026, 5, 2)
    )
    assert [each.count for each in first_only] == [1]


@pytest.mark.parametrize("last", [date(2026, 4, 30), date(2026, 6, 1)])
def test_days_that_end_before_they_begin_or_are_too_many_are_refused(
    uow: UnitOfWork, last: date
) -> None:
    with pytest.raises(RequestInvalidError) as refused:
        count_notifications(uow, make_call(), "anybody", first=TODAY, last=last)
    assert refused.value.violations[0].field == "last_date"
