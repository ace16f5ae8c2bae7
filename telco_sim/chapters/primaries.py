"""Citizens choose their primary numbers, and agencies reach them by it.

Owns the setting and changing of primary numbers, and every kind of look-up: of people with a
primary number, without one, and of nobody.
"""

from datetime import timedelta

from subid.v1.agency_pb2 import (
    PURPOSE_LEGAL_NOTICE,
    PURPOSE_PUBLIC_SAFETY,
    PURPOSE_SERVICE_DELIVERY,
    Purpose,
)
from subid.v1.contact_service_pb2 import (
    CONTACT_STATUS_AVAILABLE,
    CONTACT_STATUS_DEGRADED,
    CONTACT_STATUS_NOT_AVAILABLE,
    Contact,
    ContactStatus,
)
from telco_sim import dirt
from telco_sim.agencies import grounds_of
from telco_sim.books import e164, new_number
from telco_sim.chapters.events import work_off_directives
from telco_sim.chapters.verifying import prove_holder
from telco_sim.journal import Invariant
from telco_sim.wire import Refusal
from telco_sim.world import Subscriber, World

_WITHOUT_PRIMARY_EVERY = 3
"""One in so many verified citizens never chooses a primary number."""

_CHANGES = 2
_COOL_DOWN = timedelta(hours=24)
"""As long as the policy for Viet Nam lets a citizen say no to a change."""

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
    _check_primary(world, personal_id, answered.primary_number.msisdn)


def change_primaries(world: World) -> None:
    """Some citizens take a second number, verify it and have it take the place of the first."""
    with_primary = [each for each in world.verified if each.holder.personal_id in world.primaries]
    asked = [_ask_for_second(world, first) for first in with_primary[:_CHANGES]]
    # Whatever was ordered meanwhile is done in time, whatever the time is spent for.
    work_off_directives(world)
    world.let_pass(_COOL_DOWN)
    work_off_directives(world)
    for second in asked:
        if second is not None:
            personal_id = second.holder.personal_id
            world.primaries[personal_id] = second.msisdn
            world.journal.count("primary numbers changed")
            _check_primary(world, personal_id, second.msisdn)


def _ask_for_second(world: World, first: Subscriber) -> Subscriber | None:
    """A change takes a fresh verification, which serves once, and can be vetoed for a day.

    Returns:
        The number that will be the primary one; None when no photograph was like the portrait.
    """
    operator = world.operator_other_than(first.operator)
    national = new_number(world.numbers, operator_name=operator.name)
    operator.register(national, holder=first.holder)
    second = Subscriber(operator=operator, line=operator.lines[e164(national)])
    personal_id = second.holder.personal_id
    verification_id = prove_holder(world, second, in_app=True)
    if not verification_id:
        return None
    _check_needs_verification(world, second, "")
    asked = world.app.set_primary(personal_id, second.msisdn, verification_id=verification_id)
    _check_primary(world, personal_id, asked.primary_number.msisdn)
    world.app.veto(personal_id, asked.pending_change.change_id)
    world.journal.count("changes of primary numbers vetoed")
    _check_needs_verification(world, second, verification_id)
    again = prove_holder(world, second, in_app=True)
    if not again:
        return None
    world.app.set_primary(personal_id, second.msisdn, verification_id=again)
    # The first one will stand in: that waits as long, and takes a verification of its own.
    world.app.rank_fallbacks(
        personal_id,
        [first.msisdn],
        verification_id=prove_holder(world, second, in_app=True),
    )
    return second


def _check_needs_verification(world: World, second: Subscriber, verification_id: str) -> None:
    personal_id = second.holder.personal_id
    reason = ""
    try:
        world.app.set_primary(personal_id, second.msisdn, verification_id=verification_id)
    except Refusal as refusal:
        reason = refusal.reason
    world.journal.check_equal(
        Invariant.CHANGE_NEEDS_CITIZEN,
        seen=(reason, world.app.primary(personal_id)),
        expected=("STEP_UP_REQUIRED", world.primaries[personal_id]),
        subject="a change without a fresh verification",
    )


def _check_primary(world: World, personal_id: str, answered: str) -> None:
    """The service answers, and reads back, the number that the simulation knows of."""
    known = world.primaries[personal_id]
    world.journal.check_equal(
        Invariant.ONE_PRIMARY,
        seen=(answered, world.app.primary(personal_id)),
        expected=(known, known),
        subject="a primary number just chosen",
    )


def look_up_contacts(world: World) -> None:
    """Look up people with and without a primary number, and people who do not exist."""
    known = frozenset(each.personal_id for each in world.people)
    generator = world.studio.chance("look-ups")
    nobody = [
        dirt.unknown_personal_id(known=known, generator=generator)
        for _ in range(_PEOPLE_WITHOUT_LOOKED_UP)
    ]
    without = [
        each.personal_id
        for each in world.people
        if each.personal_id not in world.primaries.keys() | world.fallbacks.keys()
    ][:_PEOPLE_WITHOUT_LOOKED_UP]
    wanted = list(dict.fromkeys((*world.primaries, *world.fallbacks, *without, *nobody)))
    for personal_id in wanted:
        contact = world.agency.contact(personal_id, grounds_of(PURPOSE_SERVICE_DELIVERY))
        check_contact(world, personal_id, contact)
    for purpose in (PURPOSE_LEGAL_NOTICE, PURPOSE_PUBLIC_SAFETY):
        contacts = world.agency.contacts(wanted, grounds_of(purpose))
        for personal_id, contact in zip(wanted, contacts, strict=True):
            check_contact(world, personal_id, contact, purpose=purpose)
    _check_looks_alike(world, unknown=nobody[0], without_primary=without[0])
    world.journal.count("contacts looked up", 3 * len(wanted))


def expected_contact(
    world: World, personal_id: str, *, purpose: Purpose = PURPOSE_SERVICE_DELIVERY
) -> tuple[ContactStatus, str]:
    """Return what a person is reached through, as the simulation knows it."""
    if purpose == PURPOSE_SERVICE_DELIVERY and personal_id in world.objectors:
        return CONTACT_STATUS_NOT_AVAILABLE, ""
    if personal_id in world.primaries:
        return CONTACT_STATUS_AVAILABLE, world.primaries[personal_id]
    if personal_id in world.fallbacks:
        return CONTACT_STATUS_DEGRADED, world.fallbacks[personal_id]
    return CONTACT_STATUS_NOT_AVAILABLE, ""


def check_contact(
    world: World,
    personal_id: str,
    contact: Contact,
    *,
    purpose: Purpose = PURPOSE_SERVICE_DELIVERY,
) -> None:
    """Look that an agency that may have the number was given the right one."""
    world.journal.check_equal(
        Invariant.CONTACT_IS_PRIMARY,
        seen=(contact.status, contact.msisdn),
        expected=expected_contact(world, personal_id, purpose=purpose),
        subject="a contact",
    )


def _check_looks_alike(world: World, *, unknown: str, without_primary: str) -> None:
    answers = [
        world.agency.contact(each, grounds_of(PURPOSE_SERVICE_DELIVERY))
        for each in (unknown, without_primary)
    ]
    lengths = {answer.ByteSize() for answer in answers}
    for answer in answers:
        # What the agency calls a person: there for everybody, and random to it.
        answer.ClearField("subject_token")
    world.journal.check(
        Invariant.UNKNOWN_LOOKS_ALIKE,
        holds=answers[0] == answers[1] and len(lengths) == 1,
        detail="the two answers differ",
    )
