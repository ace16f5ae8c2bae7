"""Agencies ask for what they may have.

Owns what each agency is granted, the answers of the service in each form of a number, what stands
in for a number that is lost, and who is at a counter.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from subid.v1.agency_pb2 import (
    PURPOSE_IDENTITY_CHECK,
    PURPOSE_LEGAL_NOTICE,
    PURPOSE_PUBLIC_SAFETY,
    PURPOSE_RECORD_UPKEEP,
    PURPOSE_SERVICE_DELIVERY,
    Purpose,
)
from subid.v1.agency_service_pb2 import (
    RIGHT_CHIP_PRESENCE,
    RIGHT_CONTACT_CHANGES,
    RIGHT_DELIVERY_STATE,
    RIGHT_EMBARGO,
    RIGHT_MASKED_NUMBER,
    RIGHT_NOTIFY,
    RIGHT_NUMBER,
    RIGHT_REACHABILITY,
    RIGHT_RECORD_MATCH,
    RIGHT_RELAY_TOKEN,
    Right,
)
from subid.v1.contact_service_pb2 import CONTACT_STATUS_NOT_AVAILABLE, Contact
from subid.v1.localized_text_pb2 import LocalizedText
from subid.v1.notification_service_pb2 import (
    MESSAGE_URGENCY_LEGAL,
    MESSAGE_URGENCY_SERVICE,
    MessageUrgency,
)
from subid.v1.verification_service_pb2 import (
    PRESENCE_STATE_PRESENT,
    CompletePresenceRequest,
    CompletePresenceResponse,
    PresenceState,
    StartPresenceResponse,
)
from telco_sim.agencies import FISHER, GUESSER, HASTY, WRITER, Agency, grounds_of
from telco_sim.chapters.events import release
from telco_sim.chapters.primaries import check_contact, expected_contact
from telco_sim.journal import Invariant
from telco_sim.signed_documents import DocumentError, open_presence
from telco_sim.verifications import chip_files_of
from telco_sim.wire import new_request_id
from telco_sim.world import CountryTooSmallError, Subscriber, World

HASTY_PEOPLE_PER_DAY = 20

_PEOPLE_PER_DAY = 1_000_000
"""More than there are people: the agencies that behave are never short of their quota."""

_NUMBER = "agency"
_TELLS = (RIGHT_NOTIFY, RIGHT_DELIVERY_STATE)

GRANTS: Mapping[str, Mapping[Purpose, tuple[Right, ...]]] = MappingProxyType(
    {
        _NUMBER: {
            PURPOSE_SERVICE_DELIVERY: (RIGHT_NUMBER, RIGHT_CONTACT_CHANGES, *_TELLS),
            PURPOSE_LEGAL_NOTICE: (RIGHT_NUMBER, *_TELLS),
            PURPOSE_PUBLIC_SAFETY: (RIGHT_NUMBER, RIGHT_EMBARGO),
            PURPOSE_IDENTITY_CHECK: (RIGHT_CHIP_PRESENCE,),
        },
        WRITER: {
            PURPOSE_SERVICE_DELIVERY: (RIGHT_RELAY_TOKEN, RIGHT_DELIVERY_STATE),
            PURPOSE_LEGAL_NOTICE: (RIGHT_MASKED_NUMBER,),
            PURPOSE_IDENTITY_CHECK: (RIGHT_CHIP_PRESENCE,),
        },
        FISHER: {
            PURPOSE_SERVICE_DELIVERY: (RIGHT_RELAY_TOKEN,),
            PURPOSE_LEGAL_NOTICE: (RIGHT_MASKED_NUMBER,),
            PURPOSE_PUBLIC_SAFETY: (RIGHT_REACHABILITY,),
        },
        GUESSER: {PURPOSE_RECORD_UPKEEP: (RIGHT_RECORD_MATCH,)},
        HASTY: {PURPOSE_SERVICE_DELIVERY: (RIGHT_NUMBER,)},
    }
)
"""What the regulator grants to whom. One agency is granted nothing."""

SERVICE_TEMPLATE, LEGAL_TEMPLATE = "file-ready", "summons"
_TEXTS = {
    SERVICE_TEMPLATE: LocalizedText(
        vi="Hồ sơ {file} đã có kết quả.", en="There is an answer to your file {file}."
    ),
    LEGAL_TEMPLATE: LocalizedText(
        vi="Giấy triệu tập theo hồ sơ {file}.", en="You are summoned by file {file}."
    ),
}
TEMPLATES: tuple[tuple[str, str, MessageUrgency], ...] = (
    (_NUMBER, SERVICE_TEMPLATE, MESSAGE_URGENCY_SERVICE),
    (_NUMBER, LEGAL_TEMPLATE, MESSAGE_URGENCY_LEGAL),
    (WRITER, SERVICE_TEMPLATE, MESSAGE_URGENCY_SERVICE),
    (FISHER, SERVICE_TEMPLATE, MESSAGE_URGENCY_SERVICE),
)
"""What the regulator approves: agency, name, urgency."""

_ASKED_IN_FORMS = 12


def register_agencies(world: World) -> None:
    """The regulator grants each agency what it may have, and approves what it may write."""
    for name, grants in GRANTS.items():
        most = HASTY_PEOPLE_PER_DAY if name == HASTY else _PEOPLE_PER_DAY
        registered = world.regulator.register_agency(name, grants, people_per_day_max=most)
        world.journal.count("grants registered", len(registered.grants))
    for agency, name, urgency in TEMPLATES:
        world.regulator.approve_template(agency, name, urgency, _TEXTS[name])
        world.journal.count("templates approved")


def text_of(template: str, *, file: str) -> str:
    """Return the words that a person is sent, in Vietnamese."""
    return str(_TEXTS[template].vi).format(file=file)


def lose_primary(world: World) -> None:
    """Somebody's primary number goes, another one stands in, and the agency is told to ask again.

    Raises:
        CountryTooSmallError: Nobody has two verified numbers.
    """
    first, primary = _two_numbers(world)
    personal_id = first.holder.personal_id
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY)
    ranked = world.app.rank_fallbacks(personal_id, [first.msisdn])
    (begun,) = world.agency.changes("", until=lambda _: True)
    before = world.agency.contact(personal_id, grounds)
    check_contact(world, personal_id, before)
    world.verified.remove(first)
    release(world, primary)
    world.fallbacks.update(dict.fromkeys([personal_id], *ranked))
    hints = world.agency.changes(
        begun.position, until=lambda each: before.subject_token in each.subject_tokens
    )
    world.journal.check(
        Invariant.CHANGES_HINTED,
        holds=any(before.subject_token in each.subject_tokens for each in hints),
        detail="nobody was named",
    )
    check_contact(world, personal_id, world.agency.contact(personal_id, grounds))
    world.journal.count("primary numbers lost for a fallback")


def ask_in_other_forms(world: World) -> None:
    """Ask for people as a masked number, as a token, and as a yes or no."""
    wanted = some_people(world, _ASKED_IN_FORMS)
    writer = world.agencies[WRITER]
    _check_masked(world, wanted, writer.contacts(wanted, grounds_of(PURPOSE_LEGAL_NOTICE)))
    _check_tokens(world, wanted, writer.contacts(wanted, grounds_of(PURPOSE_SERVICE_DELIVERY)))
    for purpose in (PURPOSE_SERVICE_DELIVERY, PURPOSE_LEGAL_NOTICE):
        world.journal.check_equal(
            Invariant.FORM_AS_GRANTED,
            seen=world.agency.can_notify(wanted, grounds_of(purpose)),
            expected=[bool(expected_contact(world, each, purpose=purpose)[1]) for each in wanted],
            subject="who could be notified",
        )
    world.journal.check_equal(
        Invariant.FORM_AS_GRANTED, seen=writer.msisdns, expected=set(), subject="numbers given away"
    )


def some_people(world: World, count: int) -> list[str]:
    """Return personal IDs of people with a number to be reached by, and of some without."""
    reached = [*world.fallbacks, *world.primaries]
    others = [each.personal_id for each in world.people if each.personal_id not in reached]
    return [*reached[: count // 2], *others[: count - count // 2]]


def stand_at_counter(world: World) -> None:
    """Somebody shows a card at a counter; the agency checks the token without asking anybody."""
    holder = world.verified_subscriber()
    answered = show_card(world, world.agency, holder)
    try:
        claims = open_presence(
            answered.token, world.agency.presence_keys(), audience=world.agency.name
        )
    except DocumentError as error:
        claims = {"error": str(error)}
    world.journal.check(
        Invariant.PRESENCE_IS_PROVED,
        holds=answered.state == PRESENCE_STATE_PRESENT
        and claims.get("amr") == ["chip"]
        and holder.holder.personal_id not in str(claims),
        detail=f"{PresenceState.Name(answered.state)} {list(answered.reasons)} "
        f"{claims.get('error', '')}",
    )
    world.journal.count("people at a counter")


def show_card(world: World, agency: Agency, holder: Subscriber) -> CompletePresenceResponse:
    """Let somebody's card be checked at an agency's counter."""
    grounds = grounds_of(PURPOSE_IDENTITY_CHECK)
    request = presence_request(world, agency.start_presence(grounds), holder)
    personal_id = holder.holder.personal_id
    return agency.complete_presence(request, grounds, personal_id=personal_id)


def presence_request(
    world: World, session: StartPresenceResponse, holder: Subscriber
) -> CompletePresenceRequest:
    """Return what a card says in a session that was opened without the face."""
    card = world.studio.card_of(holder.holder)
    return CompletePresenceRequest(
        request_id=new_request_id(),
        verification_id=session.verification_id,
        chip_files=chip_files_of(card),
        active_authentication_signature=card.answer(session.chip_nonce),
    )


def _two_numbers(world: World) -> tuple[Subscriber, Subscriber]:
    """Return the first number and the primary number of somebody who has two."""
    for first in world.verified:
        primary = world.primaries.get(first.holder.personal_id, first.msisdn)
        for operator in world.operators:
            if primary != first.msisdn and primary in operator.lines:
                return first, Subscriber(operator=operator, line=operator.lines[primary])
    raise CountryTooSmallError("somebody with two numbers")


def _check_masked(world: World, wanted: Iterable[str], contacts: Iterable[Contact]) -> None:
    for personal_id, contact in zip(wanted, contacts, strict=True):
        status, msisdn = expected_contact(world, personal_id, purpose=PURPOSE_LEGAL_NOTICE)
        world.journal.check_equal(
            Invariant.FORM_AS_GRANTED,
            seen=(contact.status, contact.WhichOneof("number"), contact.masked_msisdn),
            expected=(status, *_masked(msisdn)),
            subject="a masked contact",
        )


def _masked(msisdn: str) -> tuple[str | None, str]:
    return ("masked_msisdn", f"+84 ••• ••• {msisdn[-3:]}") if msisdn else (None, "")


def _check_tokens(world: World, wanted: Iterable[str], contacts: Iterable[Contact]) -> None:
    for personal_id, contact in zip(wanted, contacts, strict=True):
        status, _ = expected_contact(world, personal_id)
        form = None if status == CONTACT_STATUS_NOT_AVAILABLE else "relay_token"
        world.journal.check_equal(
            Invariant.FORM_AS_GRANTED,
            seen=(contact.status, contact.WhichOneof("number")),
            expected=(status, form),
            subject="a contact by token",
        )
