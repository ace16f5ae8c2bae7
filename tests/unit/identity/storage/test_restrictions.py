"""What citizens do not want is found for many of them at once."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import event

from identity.domain.agency import Purpose
from identity.storage.database import UnitOfWork
from identity.storage.restrictions import Restriction
from tests.unit.identity.makers import NOW

OBJECTS = Restriction(objected_purposes=frozenset({Purpose.SERVICE_DELIVERY}))


def test_who_wants_nothing_is_not_there(uow: UnitOfWork) -> None:
    assert uow.restrictions.find([uuid4().bytes]) == {}
    assert uow.restrictions.find([]) == {}


def test_an_objection_and_a_restriction_are_found_by_their_citizens(uow: UnitOfWork) -> None:
    first, second = uuid4().bytes, uuid4().bytes
    for key, wanted in ((first, OBJECTS), (second, replace(OBJECTS, is_restricted=True))):
        assert uow.restrictions.hold(key, at=NOW) == Restriction()
        uow.restrictions.save(key, wanted, at=NOW)
    found = uow.restrictions.find([first, second, uuid4().bytes])
    assert found == {first: OBJECTS, second: replace(OBJECTS, is_restricted=True)}
    assert found[first].has_objected
    assert not found[first].is_restricted
    assert uow.restrictions.suspended_among([first, second, uuid4().bytes]) == {second}
    assert uow.restrictions.suspended_among([]) == frozenset()


def test_what_is_held_is_what_was_saved_last(uow: UnitOfWork) -> None:
    key = uuid4().bytes
    uow.restrictions.hold(key, at=NOW)
    uow.restrictions.save(key, OBJECTS, at=NOW + timedelta(days=1))
    assert uow.restrictions.hold(key, at=NOW + timedelta(days=2)) == OBJECTS


def test_a_thousand_citizens_are_one_query(uow: UnitOfWork) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(uow.connection, "before_cursor_execute", note)
    uow.restrictions.find(uuid4().bytes for _ in range(1_000))
    assert len(statements) == 1
