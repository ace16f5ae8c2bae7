"""Cheats with cards and faces.

Owns the attempts to be verified with a card or a face that is not one's own. The victim must not
count as verified after any of them, whatever the verdict said.
"""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from subid.v1.population_service_pb2 import NewCard, PopulationChange
from subid.v1.verification_service_pb2 import (
    CompleteVerificationRequest,
    StartVerificationResponse,
)
from telco_sim.attackers import Answer, Cheat
from telco_sim.books import new_number
from telco_sim.cards import Card, CardAuthority, clone_without_key, swap_holder, swap_portrait
from telco_sim.messages import date_message
from telco_sim.population import Citizen
from telco_sim.verifications import Evidence, complete_request
from telco_sim.wire import Refusal
from telco_sim.world import Subscriber, World

_DG15 = 15
_NONCE_BYTES = 8

_CHEATS_PER_VICTIM = 4
"""Fewer than the failures that the service lets anybody have before it makes them wait."""

_AUTHORITY_AGE = timedelta(days=3 * 365)
"""Old enough to have issued every card there is."""


def anothers_photograph(world: World) -> Answer:
    """A shop assistant verifies a customer who is not there, with somebody else's photograph."""
    victim = cast_victim(world)
    thief = _thief(world)
    return _present(world, victim, card=world.studio.card_of(victim.holder), face=thief)


def swapped_portrait(world: World) -> Answer:
    """A stolen card gets the thief's portrait."""
    victim = cast_victim(world)
    thief = _thief(world)
    card = world.studio.card_of(victim.holder)
    forged = swap_portrait(card, portrait=world.studio.portrait_of(thief))
    return _present(world, victim, card=forged, face=thief)


def swapped_holder(world: World) -> Answer:
    """The thief's own card gets the victim's name and number."""
    victim = cast_victim(world)
    thief = _thief(world)
    forged = swap_holder(world.studio.card_of(thief), citizen=victim.holder)
    return _present(world, victim, card=forged, face=thief)


def unknown_authority(world: World) -> Answer:
    """A well-made card with the victim's data and the thief's face, signed at home."""
    victim = cast_victim(world)
    thief = _thief(world)
    at_home = CardAuthority(
        established_on=world.clock.today() - _AUTHORITY_AGE, active_authentication_keys=1
    )
    forged = at_home.issue(
        victim.holder,
        portrait=world.studio.portrait_of(thief),
        issued_on=world.studio.card_of(victim.holder).dates.issued_on,
    )
    return _present(world, victim, card=forged, face=thief)


def cloned_card(world: World) -> Answer:
    """All files of the victim's card on a blank chip, which lacks the private key."""
    victim = cast_victim(world)
    clone = clone_without_key(world.studio.card_of(victim.holder))
    return _present(world, victim, card=clone, face=victim.holder)


def clone_without_dg15(world: World) -> Answer:
    """The clone leaves out the key that it would have to answer with."""
    victim = cast_victim(world)
    genuine = world.studio.card_of(victim.holder)
    without = {number: file for number, file in genuine.data_groups.items() if number != _DG15}
    stripped = replace(genuine, data_groups=MappingProxyType({**without, _DG15: b""}))
    session = victim.operator.verifications.start(victim.msisdn)
    request = _request(world, session, card=stripped, face=victim.holder, signature=b"")
    return present_as(victim, request)


def replayed_chip_answer(world: World) -> Answer:
    """What the victim's chip answered once is used in another session."""
    victim = cast_victim(world)
    card = world.studio.card_of(victim.holder)
    overheard = card.answer(b"\x01" * _NONCE_BYTES)
    session = victim.operator.verifications.start(victim.msisdn)
    request = _request(world, session, card=card, face=victim.holder, signature=overheard)
    return present_as(victim, request)


def replayed_session(world: World) -> Answer:
    """A session that ended without a match is used once more, now with the right evidence."""
    victim = cast_victim(world)
    thief = _thief(world)
    card = world.studio.card_of(victim.holder)
    session = victim.operator.verifications.start(victim.msisdn)
    victim.operator.verifications.complete(_request(world, session, card=card, face=thief))
    return present_as(victim, _request(world, session, card=card, face=victim.holder))


def expired_session(world: World) -> Answer:
    """A session is opened, left for an hour, and then completed."""
    victim = cast_victim(world)
    session = victim.operator.verifications.start(victim.msisdn)
    world.let_pass(timedelta(hours=1))
    card = world.studio.card_of(victim.holder)
    return present_as(victim, _request(world, session, card=card, face=victim.holder))


def stolen_card(world: World) -> Answer:
    """A thief takes a new number in the victim's name, with the genuine card and the own face."""
    victim = cast_victim(world)
    thief = _thief(world)
    operator = world.operator_other_than(victim.operator)
    national = new_number(world.numbers, operator_name=operator.name)
    msisdn = operator.register(national, holder=victim.holder).msisdn
    opened = Subscriber(operator=operator, line=operator.lines[msisdn])
    return _present(world, opened, card=world.studio.card_of(victim.holder), face=thief)


def anothers_number(world: World) -> Answer:
    """Somebody with an own genuine card and the own face claims a number of somebody else."""
    victim = cast_victim(world)
    thief = _thief(world)
    return _present(world, victim, card=world.studio.card_of(thief), face=thief)


def superseded_card(world: World) -> Answer:
    """A card that was reported lost and replaced is found and used."""
    victim = world.cast.role(
        "somebody who lost a card", suits=lambda each: world.has_tried_face(each.holder)
    )
    old = world.studio.card_of(victim.holder)
    today = world.clock.today()
    new_card = NewCard(personal_id=victim.holder.personal_id, issued_on=date_message(today))
    world.population.apply(PopulationChange(new_card=new_card))
    return _present(world, victim, card=old, face=victim.holder)


def cast_victim(world: World) -> Subscriber:
    """Return whoever is cheated: a holder who was never verified, and could be.

    Somebody else after a few cheats, because the service makes those wait who fail again and again;
    all of one face, so that a thief who has another is no victim's double.
    """

    def suits(each: Subscriber) -> bool:
        first = _first_victim(world)
        return world.has_tried_face(each.holder) and not world.studio.has_other_face(
            each.holder, than=first.holder
        )

    return world.cast.turn("a victim", turns=_CHEATS_PER_VICTIM, suits=suits)


def _first_victim(world: World) -> Subscriber:
    return world.cast.role("a first victim", suits=lambda each: world.has_tried_face(each.holder))


def _thief(world: World) -> Citizen:
    victim = _first_victim(world).holder
    thief = world.cast.role(
        "a thief",
        suits=lambda each: (
            world.has_tried_face(each.holder)
            and world.studio.has_other_face(each.holder, than=victim)
        ),
    )
    return thief.holder


def _present(world: World, victim: Subscriber, *, card: Card, face: Citizen) -> Answer:
    session = victim.operator.verifications.start(victim.msisdn)
    return present_as(victim, _request(world, session, card=card, face=face))


def _request(
    world: World,
    session: StartVerificationResponse,
    *,
    card: Card,
    face: Citizen,
    signature: bytes | None = None,
) -> CompleteVerificationRequest:
    evidence = Evidence(card=card, photographs=world.studio.photographs_of(face))
    return complete_request(session, evidence, signature=signature)


def present_as(victim: Subscriber, request: CompleteVerificationRequest) -> Answer:
    """Present evidence; a victim who counts as verified afterwards is a cheat that got through."""
    try:
        response = victim.operator.verifications.complete(request)
        answer = Answer.of_verdict(response.verdict)
    except Refusal as refusal:
        answer = Answer.of_refusal(refusal)
    if victim.operator.subscription(victim.msisdn).HasField("verify_time"):
        return Answer(is_no=False, codes=(*answer.codes, "HOLDER_COUNTS_AS_VERIFIED"))
    return answer


FORGERIES = (
    Cheat(
        name="another person's photograph",
        tried="verify an absent customer with somebody else's photograph",
        expected=("NOT_VERIFIED", "FACE_NON_MATCH"),
        attempt=anothers_photograph,
    ),
    Cheat(
        name="swapped portrait",
        tried="put the own portrait into DG2 of a stolen card",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "DG_HASH_MISMATCH"),
        attempt=swapped_portrait,
    ),
    Cheat(
        name="swapped holder",
        tried="write the victim into DG1 and DG13 of the own card",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "DG_HASH_MISMATCH"),
        attempt=swapped_holder,
    ),
    Cheat(
        name="unknown authority",
        tried="sign a card at home",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC"),
        attempt=unknown_authority,
    ),
    Cheat(
        name="cloned card",
        tried="copy all files of a card to a chip without its private key",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC"),
        attempt=cloned_card,
    ),
    Cheat(
        name="clone without DG15",
        tried="leave out the key that a clone cannot answer with",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC"),
        attempt=clone_without_dg15,
    ),
    Cheat(
        name="replayed chip answer",
        tried="use a chip's answer to an earlier nonce",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC"),
        attempt=replayed_chip_answer,
    ),
    Cheat(
        name="replayed session",
        tried="complete one session twice",
        expected=("VERIFICATION_USED",),
        attempt=replayed_session,
    ),
    Cheat(
        name="expired session",
        tried="complete a session an hour after it was opened",
        expected=("VERIFICATION_EXPIRED",),
        attempt=expired_session,
    ),
    Cheat(
        name="stolen card",
        tried="take a number in the victim's name with a genuine card and the own face",
        expected=("NOT_VERIFIED", "FACE_NON_MATCH"),
        attempt=stolen_card,
    ),
    Cheat(
        name="another person's number",
        tried="verify somebody else's number with the own card and face",
        expected=("NOT_VERIFIED", "PERSONAL_ID_MISMATCH"),
        attempt=anothers_number,
    ),
    Cheat(
        name="superseded card",
        tried="use a card that was replaced by a new one",
        expected=("NOT_VERIFIED", "CARD_SUPERSEDED"),
        attempt=superseded_card,
    ),
)
"""Every cheat with a card or a face."""
