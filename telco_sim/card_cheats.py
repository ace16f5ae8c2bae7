"""Cheats with odd cards, and with nonces.

Owns one attempt for every kind of card that must not pass, and the attempts to use a nonce that is
not one's own, was used, or is late. The holder is genuine in each: card, face and number are the
victim's, so nothing but the card or the nonce can be the reason for the answer.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from subid.v1.verification_service_pb2 import (
    CompleteVerificationRequest,
    StartVerificationResponse,
)
from telco_sim.attackers import Answer, Cheat
from telco_sim.card_kinds import KINDS, CardKind
from telco_sim.cards import Card
from telco_sim.chapters.verifying import FACE_REASONS, VISITS_MAX
from telco_sim.forgeries import cast_victim, present_as
from telco_sim.verifications import Evidence, complete_request
from telco_sim.world import Subscriber, World

_LATE = timedelta(minutes=5)
"""Longer than a nonce lasts, shorter than a session."""


def odd_card(world: World, *, kind: CardKind) -> Answer:
    """Show a card of one kind, with the holder's own face."""
    victim = cast_victim(world)
    order = replace(world.studio.order_for(victim.holder), today=world.clock.today())
    card = kind.make(order)
    for visit in range(VISITS_MAX):
        session = victim.operator.verifications.start(victim.msisdn)
        answer = present_as(victim, _request(world, victim, session, card=card, visit=visit))
        # No face engine knows everybody again; this is about the card.
        if not FACE_REASONS & set(answer.codes):
            break
    return answer


def late_chip_answer(world: World) -> Answer:
    """The chip answers in time, and the answer is kept back for some minutes."""
    victim = cast_victim(world)
    session = victim.operator.verifications.start(victim.msisdn)
    request = _request(world, victim, session, card=world.studio.card_of(victim.holder))
    world.let_pass(_LATE)
    return present_as(victim, request)


def reused_nonce(world: World) -> Answer:
    """What the chip answered in a session that is over is presented in a new one."""
    victim = cast_victim(world)
    desk = victim.operator.verifications
    card = world.studio.card_of(victim.holder)
    over, new = desk.start(victim.msisdn), desk.start(victim.msisdn)
    desk.complete(complete_request(over, Evidence(card=card, photographs=(b"no photograph",))))
    return present_as(victim, _with_answer_to(world, victim, new, nonce=over.chip_nonce))


def stolen_nonce(world: World) -> Answer:
    """What the chip answered to another operator's nonce is presented to this one."""
    victim = cast_victim(world)
    other = world.cast.role(
        "somebody at another operator",
        suits=lambda each: each.operator is not victim.operator,
    )
    stolen = other.operator.verifications.start(other.msisdn)
    session = victim.operator.verifications.start(victim.msisdn)
    return present_as(victim, _with_answer_to(world, victim, session, nonce=stolen.chip_nonce))


def three_of_four(world: World) -> Answer:
    """Of four nonces the chip signed three; the fourth signature is another's."""
    victim = cast_victim(world)
    card = world.studio.card_of(victim.holder)
    session = victim.operator.verifications.start(victim.msisdn)
    request = _request(world, victim, session, card=card)
    signed = (*session.further_chip_nonces[:2], session.chip_nonce)
    signatures = [card.answer(nonce) for nonce in signed]
    request.further_active_authentication_signatures.extend(signatures)
    return present_as(victim, request)


def _with_answer_to(
    world: World, victim: Subscriber, session: StartVerificationResponse, *, nonce: bytes
) -> CompleteVerificationRequest:
    card = world.studio.card_of(victim.holder)
    request = _request(world, victim, session, card=card)
    request.active_authentication_signature = card.answer(nonce)
    request.chip_nonce = nonce
    return request


def _request(
    world: World,
    victim: Subscriber,
    session: StartVerificationResponse,
    *,
    card: Card,
    visit: int = 0,
) -> CompleteVerificationRequest:
    photographs = world.studio.photographs_of(victim.holder, visit=visit)
    return complete_request(session, Evidence(card=card, photographs=photographs))


def _cheat_of(kind: CardKind) -> Cheat:
    verdict = (
        ("REVIEW", "CHIP_UNDETERMINED")
        if kind.is_for_a_person
        else ("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC")
    )
    return Cheat(
        name=kind.name,
        tried=kind.tried,
        expected=(*verdict, kind.code),
        attempt=partial(odd_card, kind=kind),
    )


NONCE_CHEATS = (
    Cheat(
        name="late chip answer",
        tried="keep a chip's answer back until its nonce is over",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "AA_NONCE_EXPIRED"),
        attempt=late_chip_answer,
    ),
    Cheat(
        name="reused nonce",
        tried="present a chip's answer to a nonce that was used",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "AA_NONCE_REUSED"),
        attempt=reused_nonce,
    ),
    Cheat(
        name="stolen nonce",
        tried="present a chip's answer to another operator's nonce",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "AA_NONCE_UNKNOWN"),
        attempt=stolen_nonce,
    ),
    Cheat(
        name="three of four nonces",
        tried="present four signatures of which the last is over another nonce",
        expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC", "AA_DIGEST"),
        attempt=three_of_four,
    ),
)

CARD_CHEATS = (*(_cheat_of(kind) for kind in KINDS if kind.code), *NONCE_CHEATS)
"""Every cheat with an odd card or a nonce."""
