"""Citizens choose their primary numbers, and agencies reach them by it.

Owns the setting and changing of primary numbers, and every kind of look-up: of people with a
primary number, without one, and of nobody.
"""

from subid.v1.contact_service_pb2 import (
    CONTACT_STATUS_AVAILABLE,
    CONTACT_STATUS_NOT_AVAILABLE,
    PURPOSE_LEGAL_NOTICE,
    PURPOSE_PUBLIC_SAFETY,
    PURPOSE_SERVICE_DELIVERY,
    Contact,
)
from telco_sim import dirt
from telco_sim.books import e164, new_number
from telco_sim.chapters.verifying import verify_holder
from telco_sim.journal import Invariant
from telco_sim.world import Subscriber, World

_WITHOUT_PRIMARY_EVERY = 3
"""One in so many verified citizens never chooses a primary number."""

_CHANGES = 2
_PEOPLE_WITHOUT_LOOKED_UP = 10


def choose_primaries(world: World) -> None:
    """Most verified citizens choose their number; asked for it, the service says that one."""
    for place, subscriber in enumerate(world.verified):
        if place % _WITHOUT_PRIMARY_EVERY == 0:
            continue
        choose(world, subscriber)


def choose(world: World, subscriber: Subscriber) -> None:
    """Make a verified number its holder's primary, and read it back."""
    personal_id = subscriber.holder.personal_id
    answered = world.app.set_primary(personal_id, subscriber.msisdn)
    world.primaries[personal_id] = subscriber.msisdn
    world.journal.count("primary numbers chosen")
    world.journal.check_equal(
        Invariant.ONE_PRIMARY,
        seen=(answered.msisdn, world.app.primary(personal_id)),
        expected=(subscriber.msisdn, subscriber.msisdn),
        subject="a primary number just chosen",
    )


def change_primaries(world: World) -> None:
    """Some citizens take a second number, verify it and make it the primary."""
    with_primary = [each for each in world.verified if each.holder.personal_id in world.primaries]
    for first in with_primary[:_CHANGES]:
        operator = world.operator_other_than(first.operator)
        national = new_number(world.numbers, operator_name=operator.name)
        operator.register(national, holder=first.holder)
        second = Subscriber(operator=operator, line=operator.lines[e164(national)])
        if verify_holder(world, second, in_app=True):
            choose(world, second)
            world.journal.count("primary numbers changed")


def look_up_contacts(world: World) -> None:
    """Look up people with and without a primary number, and people who do not exist."""
    known = frozenset(each.personal_id for each in world.people)
    generator = world.studio.chance("look-ups")
    nobody = [
        dirt.unknown_personal_id(known=known, generator=generator)
        for _ in range(_PEOPLE_WITHOUT_LOOKED_UP)
    ]
    without = [
        each.personal_id for each in world.people if each.personal_id not in world.primaries
    ][:_PEOPLE_WITHOUT_LOOKED_UP]
    wanted = list(dict.fromkeys((*world.primaries, *without, *nobody)))
    for personal_id in wanted:
        contact = world.agency.contact(personal_id, purpose=PURPOSE_SERVICE_DELIVERY)
        _check_contact(world, personal_id, contact)
    for purpose in (PURPOSE_LEGAL_NOTICE, PURPOSE_PUBLIC_SAFETY):
        contacts = world.agency.contacts(wanted, purpose=purpose)
        for personal_id, contact in zip(wanted, contacts, strict=True):
            _check_contact(world, personal_id, contact)
    _check_looks_alike(world, unknown=nobody[0], without_primary=without[0])
    world.journal.count("contacts looked up", 3 * len(wanted))


def _check_contact(world: World, personal_id: str, contact: Contact) -> None:
    msisdn = world.primaries.get(personal_id, "")
    status = CONTACT_STATUS_AVAILABLE if msisdn else CONTACT_STATUS_NOT_AVAILABLE
    world.journal.check_equal(
        Invariant.CONTACT_IS_PRIMARY,
        seen=(contact.status, contact.msisdn),
        expected=(status, msisdn),
        subject="a contact",
    )


def _check_looks_alike(world: World, *, unknown: str, without_primary: str) -> None:
    answers = [
        world.agency.contact(each, purpose=PURPOSE_SERVICE_DELIVERY).SerializeToString()
        for each in (unknown, without_primary)
    ]
    world.journal.check(
        Invariant.UNKNOWN_LOOKS_ALIKE,
        holds=answers[0] == answers[1],
        detail="the two answers differ",
    )
