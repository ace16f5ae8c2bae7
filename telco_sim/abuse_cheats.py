"""Cheats that do what is allowed, only too often.

Owns the photographs that are used again, the failures in a row, the numbers that are tried out and
the questions without end. Each is let in at first; what counts is that it ends.
"""

from subid.v1.date_pb2 import Date
from subid.v1.kyc_service_pb2 import CheckTenureRequest
from subid.v1.verification_service_pb2 import VERDICT_STATE_VERIFIED, CompleteVerificationResponse
from telco_sim.attackers import Answer, Cheat
from telco_sim.books import e164, new_number
from telco_sim.chapters.verifying import VISITS_MAX
from telco_sim.verifications import Evidence
from telco_sim.wire import Refusal
from telco_sim.world import CountryTooSmallError, Subscriber, World

_GUESSES_MAX = 2_000
"""Many times as many as the service looks at before it judges."""

_ATTEMPTS_MAX = 20
_QUESTIONS_MAX = 1_000
_ACCEPTED = Answer(is_no=False, codes=("ACCEPTED",))


def replayed_photograph(world: World) -> Answer:
    """A photograph that proved its holder once proves the holder a second time."""
    subscriber, evidence = _verified_with(world)
    return Answer.of_verdict(_verify(subscriber, evidence).verdict)


def photograph_of_two(world: World) -> Answer:
    """Two people who share a face are verified with one photograph of it."""
    first, evidence = _verified_with(world)
    other = world.cast.role(
        "a double",
        suits=lambda each: not world.studio.has_other_face(each.holder, than=first.holder),
    )
    shared = Evidence(card=world.studio.card_of(other.holder), photographs=evidence.photographs)
    return Answer.of_verdict(_verify(other, shared).verdict)


def failures_in_a_row(world: World) -> Answer:
    """Somebody tries with the wrong face until it works."""
    victim = world.cast.role("a victim of many attempts")
    stranger = world.cast.role(
        "somebody with another face",
        suits=lambda each: world.studio.has_other_face(each.holder, than=victim.holder),
    )
    card = world.studio.card_of(victim.holder)
    for _ in range(_ATTEMPTS_MAX):
        photographs = world.studio.photographs_of(stranger.holder)
        try:
            response = _verify(victim, Evidence(card=card, photographs=photographs))
        except Refusal as refusal:
            told = "NOT_TOLD_WHEN" if refusal.retry_after is None else "TOLD_WHEN"
            return _with(Answer.of_refusal(refusal), told)
    return Answer.of_verdict(response.verdict)


def numbers_tried_out(world: World) -> Answer:
    """An operator asks for one number after the other, to learn which are in use."""
    curious = world.operators[-1]
    for _ in range(_GUESSES_MAX):
        number = new_number(world.numbers, operator_name=curious.name)
        try:
            curious.subscription(e164(number))
        except Refusal as refusal:
            if refusal.reason == "SUBSCRIPTION_NOT_FOUND":
                continue
            was_stopped = world.regulator.resume_lookups(f"operator:{curious.name}")
            return _with(Answer.of_refusal(refusal), "RESUMED" if was_stopped else "NOT_RESUMED")
    return _ACCEPTED


def questions_without_end(world: World) -> Answer:
    """An operator asks about one of its numbers again and again."""
    subscriber = world.verified_subscriber()
    caller = world.callers[subscriber.operator.name]
    request = CheckTenureRequest(
        msisdn=subscriber.msisdn, tenure_date=Date(year=2020, month=1, day=1)
    )
    for _ in range(_QUESTIONS_MAX):
        try:
            caller.ask(caller.kyc.CheckTenure, request)
        except Refusal as refusal:
            told = "NOT_TOLD_WHEN" if refusal.retry_after is None else "TOLD_WHEN"
            return _with(Answer.of_refusal(refusal), told)
    return _ACCEPTED


def _verified_with(world: World) -> tuple[Subscriber, Evidence]:
    """Somebody who is verified just now, and what they showed."""
    subscriber = world.verified_subscriber()
    for visit in range(VISITS_MAX):
        evidence = world.studio.evidence_of(subscriber.holder, visit=visit)
        if _verify(subscriber, evidence).verdict.state == VERDICT_STATE_VERIFIED:
            return subscriber, evidence
    raise CountryTooSmallError("somebody whose photographs are like their portrait")


def _verify(subscriber: Subscriber, evidence: Evidence) -> CompleteVerificationResponse:
    return subscriber.operator.verifications.verify(subscriber.msisdn, evidence)


def _with(answer: Answer, code: str) -> Answer:
    return Answer(is_no=answer.is_no, codes=(*answer.codes, code))


ABUSE_CHEATS = (
    Cheat(
        name="replayed photograph",
        tried="verify a second time with the photograph of the first",
        expected=("NOT_VERIFIED", "PROBE_REPLAYED"),
        attempt=replayed_photograph,
    ),
    Cheat(
        name="one photograph of two people",
        tried="verify somebody with the photograph of a double",
        expected=("NOT_VERIFIED", "PROBE_OF_ANOTHER_PERSON"),
        attempt=photograph_of_two,
    ),
    Cheat(
        name="failures in a row",
        tried="try with a wrong face until it works",
        expected=("RESOURCE_EXHAUSTED", "VERIFICATION_THROTTLED", "TOLD_WHEN"),
        attempt=failures_in_a_row,
    ),
    Cheat(
        name="numbers tried out",
        tried="ask for one number after the other, to learn which are in use",
        expected=("FAILED_PRECONDITION", "LOOKUPS_STOPPED", "RESUMED"),
        attempt=numbers_tried_out,
    ),
    Cheat(
        name="questions without end",
        tried="ask about one number again and again",
        expected=("RESOURCE_EXHAUSTED", "RATE_LIMITED", "TOLD_WHEN"),
        attempt=questions_without_end,
    ),
)
"""Every cheat that does what is allowed, too often."""
