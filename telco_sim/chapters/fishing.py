"""Agencies that ask for more than they may have.

Owns the enumeration of personal IDs, the guessing of birth dates, the quota that is used up, and
the account of what each agency got by all that it asked.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import cycle, islice
from typing import TypeVar

from subid.v1.agency_pb2 import (
    PURPOSE_LEGAL_NOTICE,
    PURPOSE_PUBLIC_SAFETY,
    PURPOSE_RECORD_UPKEEP,
    PURPOSE_SERVICE_DELIVERY,
    Purpose,
)
from subid.v1.contact_service_pb2 import Contact
from subid.v1.match_service_pb2 import RecordClaim
from telco_sim import dirt
from telco_sim.agencies import FISHER, GUESSER, HASTY, STRANGER, WRITER, AgencyRecord, grounds_of
from telco_sim.chapters.agencies import HASTY_PEOPLE_PER_DAY
from telco_sim.chapters.events import work_off_directives
from telco_sim.clock import start_of_vietnamese_day
from telco_sim.journal import Invariant
from telco_sim.messages import date_message
from telco_sim.wire import Refusal
from telco_sim.world import World

_FISHED = 25
"""Personal IDs of each kind that are tried out: of nobody, and of people without a number."""

_FORMS = (PURPOSE_SERVICE_DELIVERY, PURPOSE_LEGAL_NOTICE)
"""Of a token and of a masked number."""

MATCHED_MAX = 199
"""The policy for Viet Nam looks from 200 people a day on at how many of them failed."""

_GUESSES_PER_BATCH = 40
"""No more than there are people: a batch names each once."""

_GUESSES = 400
_BIRTH_YEARS = (1940, 2010)

_LATER_BATCH = 8
_MIDNIGHT_LATENESS = timedelta(minutes=1)
"""Between the clock of the simulation and that of the service, when the quota is asked about."""

_Answered = TypeVar("_Answered")

CONDUCT = {
    "agency": "may have numbers",
    WRITER: "may have tokens and masked numbers",
    FISHER: "tries out personal IDs",
    GUESSER: "tries out birth dates",
    HASTY: "asks too much",
    STRANGER: "is not registered",
}


def fish(world: World) -> None:
    """Two agencies try out personal IDs: one that is granted little, and one that is nobody."""
    personal_ids = people_without(world, _FISHED)
    for purpose in _FORMS:
        _fish_contacts(world, personal_ids, purpose)
    _fish_reachability(world, personal_ids)
    for name, purpose in ((FISHER, PURPOSE_RECORD_UPKEEP), (STRANGER, PURPOSE_SERVICE_DELIVERY)):
        _fish_refusals(world, name, personal_ids, purpose)
    for name in (FISHER, STRANGER):
        agency = world.agencies[name]
        world.journal.check_equal(
            Invariant.FISHERS_LEARN_NOTHING,
            seen=(len(agency.msisdns), agency.told_apart_count),
            expected=(0, 0),
            subject=f"numbers learned and people told apart by {name}",
        )


def people_without(world: World, count: int) -> list[str]:
    """Return personal IDs of nobody, and as many of people who have no number to be reached by."""
    known = frozenset(each.personal_id for each in world.people)
    generator = world.studio.chance("fishing")
    nobodys = [dirt.unknown_personal_id(known=known, generator=generator) for _ in range(count)]
    reached = world.primaries.keys() | world.fallbacks.keys()
    others = [each.personal_id for each in world.people if each.personal_id not in reached]
    mixed = [*dict.fromkeys(nobodys), *generator.sample(others, count)]
    generator.shuffle(mixed)
    return mixed


def guess(world: World) -> None:
    """An agency tries out birth dates, until it is stopped; it stays stopped."""
    guesser = world.agencies[GUESSER]
    generator = world.studio.chance("guesses")
    people = islice(cycle(world.people), _GUESSES)
    claims = [
        RecordClaim(
            personal_id=citizen.personal_id,
            birth_date=date_message(date(generator.randint(*_BIRTH_YEARS), 1, 1)),
        )
        for citizen in people
    ]
    answered = 0
    reasons = []
    for start in range(0, len(claims), _GUESSES_PER_BATCH):
        batch = claims[start : start + _GUESSES_PER_BATCH]
        ask = partial(guesser.match, batch, grounds_of(PURPOSE_RECORD_UPKEEP))
        reason, matches = _reason_of(ask)
        answered += len(matches or ())
        reasons.append(reason)
    world.journal.check(
        Invariant.GUESSERS_ARE_STOPPED,
        holds=answered <= MATCHED_MAX
        and set(reasons[answered // _GUESSES_PER_BATCH :]) <= {"MATCHING_STOPPED"},
        detail=f"{answered} records compared, answers {reasons}",
    )
    world.journal.count("birth dates tried out", answered)


def use_quota_up(world: World) -> None:
    """An agency asks about more people than a day allows, and goes on after midnight."""
    hasty = world.agencies[HASTY]
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY)
    personal_ids = [each.personal_id for each in world.people[: HASTY_PEOPLE_PER_DAY + 1]]
    first = personal_ids[: HASTY_PEOPLE_PER_DAY - _LATER_BATCH]
    later = personal_ids[HASTY_PEOPLE_PER_DAY - _LATER_BATCH :]
    seen = [
        _reason_of(lambda: hasty.contacts(first, grounds))[0],
        _reason_of(lambda: hasty.contacts(later, grounds))[0],  # one too many: nobody is answered
        _reason_of(lambda: hasty.contacts(later[1:], grounds))[0],
    ]
    retry_after = _refused_until(world, lambda: hasty.contact(personal_ids[0], grounds))
    pass_time(world, retry_after)
    seen.append(_reason_of(lambda: hasty.contact(personal_ids[0], grounds))[0])
    world.journal.check_equal(
        Invariant.QUOTA_HOLDS,
        seen=seen,
        expected=["", "QUOTA_EXCEEDED", "", ""],
        subject="look-ups up to the quota, beyond it, up to it and after midnight",
    )


def pass_time(world: World, duration: timedelta) -> None:
    """Let time pass, in which whatever was ordered meanwhile is done."""
    work_off_directives(world)
    world.let_pass(duration)
    work_off_directives(world)


def judge_agencies(world: World) -> None:
    """Write down what each agency asked and got in the whole story."""
    world.agency_records[:] = [record_of(world, name) for name in CONDUCT]
    for each in world.agency_records:
        if each.agency not in {world.agency.name, HASTY}:
            world.journal.check_equal(
                Invariant.FISHERS_LEARN_NOTHING,
                seen=(each.number_count, each.told_apart_count),
                expected=(0, 0),
                subject=f"numbers learned and people told apart by {each.agency} in the end",
            )


def record_of(world: World, name: str) -> AgencyRecord:
    """Return what one agency asked and got."""
    return world.agencies[name].record(conduct=CONDUCT[name])


def _fish_contacts(world: World, personal_ids: Sequence[str], purpose: Purpose) -> None:
    """Look up one by one: but for what the agency calls each, the answers are the same bytes."""
    fisher = world.agencies[FISHER]
    contacts = [fisher.contact(each, grounds_of(purpose)) for each in personal_ids]
    _count_told_apart(world, FISHER, [_bytes_of(each) for each in contacts])


def _bytes_of(contact: Contact) -> tuple[int, bytes]:
    """The length as it came, and all but the name that everybody has towards an agency."""
    length = contact.ByteSize()
    contact.ClearField("subject_token")
    return length, contact.SerializeToString(deterministic=True)


def _fish_reachability(world: World, personal_ids: Sequence[str]) -> None:
    answers = world.agencies[FISHER].can_notify(personal_ids, grounds_of(PURPOSE_PUBLIC_SAFETY))
    _count_told_apart(world, FISHER, answers)


def _fish_refusals(world: World, name: str, personal_ids: Sequence[str], purpose: Purpose) -> None:
    """Ask without a grant, about people with and without a number: all refusals are the same."""
    agency = world.agencies[name]
    refusals = []
    for personal_id in (*personal_ids, *list(world.primaries)[:_FISHED]):
        try:
            refusals.append(agency.contact(personal_id, grounds_of(purpose)).SerializeToString())
        except Refusal as refusal:
            refusals.append(str(refusal).encode())
    _count_told_apart(world, name, refusals)
    world.journal.check(
        Invariant.FISHERS_LEARN_NOTHING,
        holds=all(b"PURPOSE_NOT_ALLOWED" in each for each in refusals),
        detail=f"{name} was answered without a grant",
    )


def _count_told_apart(world: World, name: str, answers: Sequence[object]) -> None:
    """Count those whose answers differ from the one that most got."""
    ((_, alike),) = Counter(answers).most_common(1)
    world.agencies[name].told_apart_count += len(answers) - alike
    world.journal.count("personal IDs tried out", len(answers))


def _refused_until(world: World, ask: Callable[[], object]) -> timedelta:
    """Ask once more than may be, and return how long that is refused: until midnight."""
    retry_after = None
    try:
        ask()
    except Refusal as refusal:
        retry_after = refusal.retry_after
    midnight = start_of_vietnamese_day(world.clock.today() + timedelta(days=1))
    until_midnight = midnight - world.clock.now()
    world.journal.check(
        Invariant.QUOTA_HOLDS,
        holds=retry_after is not None and abs(retry_after - until_midnight) < _MIDNIGHT_LATENESS,
        detail=f"to be asked again after {retry_after}, midnight is in {until_midnight}",
    )
    return until_midnight


def _reason_of(ask: Callable[[], _Answered]) -> tuple[str, _Answered | None]:
    """Ask, and return the reason of the refusal, or none and what was answered."""
    try:
        return "", ask()
    except Refusal as refusal:
        return refusal.reason, None
