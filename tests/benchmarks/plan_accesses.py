"""The hot queries of access histories and of the feed of changed contacts.

Owns their part of the list of `plan_queries.py`, brought about in the same way.
"""

from datetime import timedelta
from functools import partial

from identity.services.contact_changes import pass_on, read_feed, read_missed
from identity.services.list_accesses import list_accesses
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.benchmarks.hot_query import APP, PAGE, HotQuery, Step
from tests.benchmarks.plan_registry import NOW, World

AGENCY = "agency-1"
"""One of those that `plan_registry.sql` registers."""

_HALF = 20_000
"""Half of the hints are behind this position."""


def _list_accesses(world: World, uow: UnitOfWork) -> Step:
    person, call = world.record(20).personal_id, world.call(APP)
    return partial(list_accesses, uow, call, person, before=None, limit=PAGE)


def _note_interest(world: World, uow: UnitOfWork, *, count: int, days: int) -> Step:
    until = NOW + timedelta(days=days)
    people = [world.record(number).personal_id for number in range(count)]
    untils = {(citizen_key(uow.sealer, person), AGENCY): until for person in people}
    return partial(uow.contact_changes.note_interest, untils)


def _note_changed(world: World, uow: UnitOfWork) -> Step:
    key = citizen_key(uow.sealer, world.record(20).personal_id)
    return partial(uow.contact_changes.note_changed, [key])


def _pass_on(world: World, uow: UnitOfWork) -> Step:
    pass_on(uow, at=NOW)  # what filling the registry has changed
    _note_changed(world, uow)()
    return partial(pass_on, uow, at=NOW)


def _read_feed(_world: World, uow: UnitOfWork) -> Step:
    return partial(read_feed, uow, after=_HALF, limit=PAGE)


def _read_missed(_world: World, uow: UnitOfWork) -> Step:
    return partial(read_missed, uow, AGENCY, after=_HALF, until=2 * _HALF, limit=PAGE)


ACCESS_QUERIES = (
    HotQuery(name="ListAccesses", bring=_list_accesses),
    HotQuery(
        name="GetContact, its interest as it was",
        bring=partial(_note_interest, count=1, days=30),
    ),
    HotQuery(
        name="BatchGetContacts, the interests of 200 people",
        bring=partial(_note_interest, count=200, days=90),
        key_count=200,
    ),
    HotQuery(name="A contact changes", bring=_note_changed),
    HotQuery(
        name="WatchContactChanges: changes are passed on",
        bring=_pass_on,
        crosses={"arrangement": "children are found by their guardian"},
    ),
    HotQuery(name="WatchContactChanges: what came is read", bring=_read_feed, key_count=PAGE),
    HotQuery(name="WatchContactChanges, resumed", bring=_read_missed, key_count=PAGE),
)
