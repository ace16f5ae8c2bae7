"""The feed of changed contacts: who is told, in which order, and that nobody misses anything."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from identity.domain.agency import Agency, Purpose, Right
from identity.domain.link import LinkState
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import ClearCause
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.citizens import citizen_key
from identity.storage.contact_changes import RENEWED_WITHIN, Hint
from identity.storage.contact_news import CHANNEL
from identity.storage.database import Database, UnitOfWork
from identity.storage.news import listen
from identity.storage.restrictions import Restriction
from tests.unit.identity.agency_makers import make_grant, store_agency
from tests.unit.identity.makers import (
    NOW,
    make_link,
    make_personal_id,
    store_citizen,
    store_number,
    store_primary,
    unverified,
)

DAY = timedelta(days=1)
AFTER_ALL = 10**9


def watching_agency(uow: UnitOfWork, *, is_active: bool = True) -> Agency:
    return store_agency(uow, make_grant(Right.NUMBER, Right.CONTACT_CHANGES), is_active=is_active)


def ask(
    uow: UnitOfWork, agency: Agency, *people: PersonalID, lasts: timedelta = 90 * DAY
) -> list[bytes]:
    """An agency asks about people; returns their keys."""
    keys = [citizen_key(uow.sealer, person) for person in people]
    uow.contact_changes.note_interest({(key, agency.name): NOW + lasts for key in keys})
    return keys


def told(uow: UnitOfWork, agency: Agency, *, at: timedelta = timedelta()) -> list[bytes]:
    """Whom an agency is told of when everything is passed on; begins anew each time."""
    after = uow.contact_changes.bounds().last
    while uow.contact_changes.pass_on(at=NOW + at, limit=100):
        pass
    hints = uow.contact_changes.read_of(agency.name, after=after, until=AFTER_ALL, limit=100)
    return [hint.citizen_key for hint in hints]


@contextmanager
def only_this_is_told(uow: UnitOfWork, agency: Agency, *people: PersonalID) -> Iterator[None]:
    """What happens in the block is told of these people, and of nobody else."""
    told(uow, agency)
    yield
    assert sorted(told(uow, agency)) == sorted(citizen_key(uow.sealer, each) for each in people)


Change = Callable[[UnitOfWork, Subscription], None]


def block(uow: UnitOfWork, item: Subscription) -> None:
    uow.subscriptions.save(replace(item, service_state=ServiceState.SUSPENDED))


def unlink(uow: UnitOfWork, item: Subscription) -> None:
    uow.subscriptions.save(replace(item, link=make_link(LinkState.MISMATCHED)))


def end(uow: UnitOfWork, item: Subscription) -> None:
    uow.subscriptions.save(replace(item, service_state=ServiceState.TERMINATED))


def hand_over(uow: UnitOfWork, item: Subscription) -> None:
    other = replace(item.claim, personal_id=make_personal_id())
    uow.subscriptions.save(unverified(replace(item, claim=other)))


def disown(uow: UnitOfWork, item: Subscription) -> None:
    uow.primaries.clear(item, ClearCause.DISOWNED, at=NOW)
    uow.fallbacks.drop(item)


CHANGES = [block, unlink, end, hand_over, disown]


def test_a_first_primary_number_and_another_are_told(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    record = store_citizen(uow)
    numbers = [store_number(uow, record) for _ in range(2)]
    ask(uow, agency, record.personal_id)
    for item in numbers:
        with only_this_is_told(uow, agency, record.personal_id):
            uow.primaries.set(item, at=NOW)


@pytest.mark.parametrize("change", CHANGES)
def test_a_primary_number_that_is_lost_is_told(uow: UnitOfWork, change: Change) -> None:
    agency = watching_agency(uow)
    record, item = store_primary(uow)
    ask(uow, agency, record.personal_id)
    with only_this_is_told(uow, agency, record.personal_id):
        change(uow, item)


@pytest.mark.parametrize("change", CHANGES)
def test_a_fallback_that_is_lost_is_told(uow: UnitOfWork, change: Change) -> None:
    agency = watching_agency(uow)
    record = store_citizen(uow)
    item = store_number(uow, record)
    key = uow.primaries.key_of(record.personal_id)
    uow.choices.hold(key)
    uow.fallbacks.rank(key, [item], at=NOW)
    ask(uow, agency, record.personal_id)
    with only_this_is_told(uow, agency, record.personal_id):
        change(uow, item)


def test_a_fallback_that_can_be_reached_again_and_new_ranks_are_told(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    record = store_citizen(uow)
    item = store_number(uow, record)
    key = uow.primaries.key_of(record.personal_id)
    uow.choices.hold(key)
    ask(uow, agency, record.personal_id)
    with only_this_is_told(uow, agency, record.personal_id):
        uow.fallbacks.rank(key, [item], at=NOW)
    block(uow, item)
    with only_this_is_told(uow, agency, record.personal_id):
        uow.subscriptions.save(item)
    with only_this_is_told(uow, agency):
        uow.subscriptions.save(item)  # as it was
    with only_this_is_told(uow, agency, record.personal_id):
        uow.fallbacks.rank(key, [], at=NOW)


def test_of_who_must_not_be_contacted_no_change_is_told_but_that_one(uow: UnitOfWork) -> None:
    agency, court = (
        watching_agency(uow),
        store_agency(
            uow, make_grant(Right.NUMBER, Right.CONTACT_CHANGES, purpose=Purpose.LEGAL_NOTICE)
        ),
    )
    record, item = store_primary(uow)
    key, *_ = ask(uow, agency, record.personal_id)
    ask(uow, court, record.personal_id)
    objecting = Restriction(objected_purposes=frozenset({Purpose.SERVICE_DELIVERY}))
    for wanted in (objecting, Restriction(is_restricted=True)):
        uow.restrictions.hold(key, at=NOW)
        with only_this_is_told(uow, agency, record.personal_id):
            uow.restrictions.save(key, wanted, at=NOW)
        with only_this_is_told(uow, agency):
            uow.primaries.set(item, at=NOW)
    told(uow, court)
    with only_this_is_told(uow, court):
        uow.primaries.set(item, at=NOW)
    with only_this_is_told(uow, court, record.personal_id):
        uow.restrictions.save(key, objecting, at=NOW)
    with only_this_is_told(uow, court, record.personal_id):
        uow.primaries.set(item, at=NOW)
    with only_this_is_told(uow, agency, record.personal_id):
        uow.restrictions.save(key, Restriction(), at=NOW)


def test_a_number_that_nobody_is_reached_by_is_not_told(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    record = store_citizen(uow)
    item = store_number(uow, record)
    ask(uow, agency, record.personal_id)
    with only_this_is_told(uow, agency):
        block(uow, item)


def test_many_changes_of_one_person_are_one_hint(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    people = [make_personal_id() for _ in range(3)]
    keys = ask(uow, agency, *people)
    with only_this_is_told(uow, agency, *people):
        uow.contact_changes.note_changed([*keys, keys[0]])
        uow.contact_changes.note_changed(keys[:2])


def test_only_who_has_asked_may_ask_and_asked_lately_is_told(uow: UnitOfWork) -> None:
    person = make_personal_id()
    agency, stranger = watching_agency(uow), watching_agency(uow)
    closed = watching_agency(uow, is_active=False)
    without = store_agency(uow, make_grant(Right.NUMBER))
    for each in (agency, closed, without):
        (key,) = ask(uow, each, person, lasts=DAY)
    for each, at, is_told in (
        (agency, DAY - timedelta(seconds=1), True),
        (agency, DAY, False),
        (stranger, timedelta(), False),
        (closed, timedelta(), False),
        (without, timedelta(), False),
    ):
        uow.contact_changes.note_changed([key])
        assert told(uow, each, at=at) == [key] * is_told


def test_asking_again_lengthens_and_never_shortens(uow: UnitOfWork) -> None:
    agency, person = watching_agency(uow), make_personal_id()
    until = text("SELECT until FROM contact_interest WHERE agency = :agency")
    for lasts, stands in (
        (10 * DAY, 10 * DAY),
        (10 * DAY + RENEWED_WITHIN, 10 * DAY),  # not worth a write
        (5 * DAY, 10 * DAY),
        (12 * DAY, 12 * DAY),
    ):
        ask(uow, agency, person, lasts=lasts)
        assert uow.connection.scalars(until, {"agency": agency.name}).all() == [NOW + stands]


def test_positions_go_on_from_where_they_were_read(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    keys = ask(uow, agency, *(make_personal_id() for _ in range(5)))
    begin = uow.contact_changes.bounds().last
    for key in keys:
        uow.contact_changes.note_changed([key])
        while uow.contact_changes.pass_on(at=NOW, limit=100):
            pass
    read: list[Hint] = []
    while found := uow.contact_changes.read(after=read[-1].position if read else begin, limit=2):
        read += found
    assert [hint.citizen_key for hint in read] == keys
    assert read[-1].position == uow.contact_changes.bounds().last


def test_old_hints_and_ended_interests_are_forgotten_and_it_is_known(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    people = [make_personal_id() for _ in range(3)]
    keys = ask(uow, agency, *people, lasts=DAY)
    for number, key in enumerate(keys):
        uow.contact_changes.note_changed([key])
        uow.contact_changes.pass_on(at=NOW - number * timedelta(seconds=1), limit=100)
        uow.contact_changes.pass_on(at=NOW - number * timedelta(seconds=1), limit=100)
    last = uow.contact_changes.bounds().last
    while uow.contact_changes.prune(before=NOW + DAY, at=NOW + 2 * DAY, limit=2):
        pass
    bounds = uow.contact_changes.bounds()
    assert (bounds.first, bounds.last) == (last, last)
    count = text("SELECT count(*) FROM contact_interest WHERE agency = :agency")
    assert uow.connection.execute(count, {"agency": agency.name}).scalar_one() == 0


def test_what_is_young_is_not_forgotten(uow: UnitOfWork) -> None:
    agency = watching_agency(uow)
    (key,) = ask(uow, agency, make_personal_id())
    while uow.contact_changes.prune(before=NOW, at=NOW, limit=100):
        pass
    begin = uow.contact_changes.bounds().last
    uow.contact_changes.note_changed([key])
    while uow.contact_changes.pass_on(at=NOW, limit=100):
        pass
    assert uow.contact_changes.prune(before=NOW, at=NOW, limit=100) == 0
    hints = uow.contact_changes.read_of(agency.name, after=begin, until=AFTER_ALL, limit=10)
    assert [hint.citizen_key for hint in hints] == [key]


async def test_a_change_is_told_to_who_listens_when_it_is_committed(
    database: Database, engine: Engine
) -> None:
    heard = listen(engine, [CHANNEL])
    assert await anext(heard) is None
    with database.transaction() as uow:
        uow.contact_changes.note_changed([b"somebody"])
    assert await anext(heard) == (CHANNEL, "")
    await heard.aclose()  # type: ignore[attr-defined] # it is a generator


class Step:
    """Something that happens in another thread, and can be waited for."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=action)
        self._thread.start()

    def is_done(self, *, within_s: float) -> bool:
        """Whether it ends in so many seconds."""
        self._thread.join(within_s)
        return not self._thread.is_alive()


def pass_everything_on(database: Database) -> None:
    with database.transaction() as uow:
        while uow.contact_changes.pass_on(at=NOW, limit=1_000):
            pass


def test_a_change_that_commits_late_is_told_after_one_that_began_later(
    database: Database,
) -> None:
    with database.transaction() as uow:
        agency = watching_agency(uow)
        slow, quick = ask(uow, agency, make_personal_id(), make_personal_id())
    pass_everything_on(database)
    with database.transaction() as uow:
        after = uow.contact_changes.bounds().last
    with database.transaction() as late:
        late.contact_changes.note_changed([slow])
        with database.transaction() as uow:
            uow.contact_changes.note_changed([quick])
        pass_everything_on(database)
        with database.transaction() as uow:
            (first,) = uow.contact_changes.read_of(
                agency.name, after=after, until=AFTER_ALL, limit=10
            )
        assert first.citizen_key == quick
    pass_everything_on(database)
    with database.transaction() as uow:
        (second,) = uow.contact_changes.read_of(
            agency.name, after=first.position, until=AFTER_ALL, limit=10
        )
    assert second.citizen_key == slow


def test_whoever_was_given_the_contact_of_before_is_told(database: Database) -> None:
    """A look-up reads, the contact changes, and only then the look-up commits."""
    with database.transaction() as uow:
        agency = watching_agency(uow)
    person = make_personal_id()
    pass_everything_on(database)
    with database.transaction() as looking:
        (key,) = ask(looking, agency, person)
        after = looking.contact_changes.bounds().last
        with database.transaction() as uow:
            uow.contact_changes.note_changed([key])
        passing = Step(lambda: pass_everything_on(database))
        assert not passing.is_done(within_s=0.2)  # it waits for the look-up
    assert passing.is_done(within_s=30)
    with database.transaction() as uow:
        hints = uow.contact_changes.read_of(agency.name, after=after, until=AFTER_ALL, limit=10)
    assert [hint.citizen_key for hint in hints] == [key]
