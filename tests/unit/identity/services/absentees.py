"""People whom no agency can reach, each kind for a reason of its own.

For the tests that hold all of them to one answer, one way and one time.
"""

from identity.domain.agency import Purpose
from identity.domain.personal_id import PersonalID
from identity.storage.database import UnitOfWork
from identity.storage.restrictions import Restriction
from tests.unit.identity.makers import (
    NOW,
    make_personal_id,
    store_citizen,
    store_number,
    store_primary,
)


def unknown(_uow: UnitOfWork) -> PersonalID:
    """Nobody."""
    return make_personal_id()


def without_number(uow: UnitOfWork) -> PersonalID:
    """Somebody whose number is not the primary one."""
    record = store_citizen(uow)
    store_number(uow, record)
    return record.personal_id


def dead(uow: UnitOfWork) -> PersonalID:
    """Somebody who has died."""
    return store_citizen(uow, deceased_on=NOW.date()).personal_id


def objecting(uow: UnitOfWork) -> PersonalID:
    """Somebody with a primary number who wants nothing of services."""
    return restricted_by(uow, Restriction(objected_purposes=frozenset({Purpose.SERVICE_DELIVERY})))


def restricted(uow: UnitOfWork) -> PersonalID:
    """Somebody with a primary number whose data are not to be used."""
    return restricted_by(uow, Restriction(is_restricted=True))


def restricted_by(uow: UnitOfWork, restriction: Restriction) -> PersonalID:
    """Somebody with a primary number and a restriction."""
    person = store_primary(uow)[0].personal_id
    key = uow.primaries.key_of(person)
    uow.restrictions.hold(key, at=NOW)
    uow.restrictions.save(key, restriction, at=NOW)
    return person
