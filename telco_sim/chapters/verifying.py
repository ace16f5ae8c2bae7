"""Holders verify.

Owns the verification of existing numbers, of new numbers, and what a poor photograph does. Other
chapters that need somebody verified ask `verify_holder`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from subid.v1.subscription_pb2 import SERVICE_STATE_ACTIVE, SERVICE_STATE_INACTIVE, ServiceState
from subid.v1.verification_service_pb2 import (
    VERDICT_STATE_FAILURE_TO_ACQUIRE,
    VERDICT_STATE_VERIFIED,
    VERIFICATION_STATE_COMPLETED,
    VERIFICATION_STATE_EXPIRED,
    VERIFICATION_STATE_PENDING,
    CompleteVerificationResponse,
    GetVerificationResponse,
    StartVerificationResponse,
    VerdictState,
    VerificationState,
)
from telco_sim.books import e164, new_number
from telco_sim.journal import Invariant
from telco_sim.studio import PoorPhotograph
from telco_sim.verifications import Evidence, VerificationDesk, complete_request
from telco_sim.world import Subscriber, World

VISITS_MAX = 3
"""A genuine holder whose photograph was not like the portrait comes back, so often at most."""

FACE_REASONS = frozenset({"FACE_NON_MATCH", "FACE_NOT_ACQUIRED", "FACE_UNDECIDED", "PORTRAIT_AGED"})
"""What may speak against a genuine holder: a photograph, and nothing else."""

_GENUINE_VERIFIED_ONE_IN = 4

_THREADS = 2
_POOR_PHOTOGRAPH_EVERY = 8


def verify_existing(world: World) -> None:
    """Holders of existing numbers verify, half of them in the app and half in a shop.

    As many of each operator: by coverage alone no operator shall score more than another.
    """
    subscribers: list[Subscriber] = []
    for place in range(world.plan.verification_count):
        operator = world.operators[place % len(world.operators)]
        subscribers += world.cast.take(1, operator=operator)
    _verify_together(world, subscribers, verify=_verify_after_poor_photograph)


def follow_sessions(world: World) -> None:
    """Ask where sessions stand: one that is open, one that was judged, one that was forgotten."""
    subscriber = world.verified_subscriber()
    desk = subscriber.operator.verifications
    forgotten, used = desk.start(subscriber.msisdn), desk.start(subscriber.msisdn)
    _check_session(world, desk.read(used.verification_id), VERIFICATION_STATE_PENDING)
    answered = desk.complete(complete_request(used, world.studio.evidence_of(subscriber.holder)))
    judged = desk.read(used.verification_id)
    _check_session(world, judged, VERIFICATION_STATE_COMPLETED)
    world.journal.check(
        Invariant.SESSION_KNOWS_ITS_STATE,
        holds=judged.verdict == answered.verdict,
        detail="the verdict that is read differs from the one that was answered",
    )
    world.let_pass(timedelta(hours=1))
    _check_session(world, desk.read(forgotten.verification_id), VERIFICATION_STATE_EXPIRED)


def register_new(world: World) -> None:
    """Citizens take new numbers, which stay out of service until they verify."""
    places = range(world.plan.registration_count)
    subscribers = [_register(world, place=place) for place in places]
    _verify_together(world, subscribers, verify=_verify_new)


def count_verified(world: World) -> None:
    """Look that the service did not send everybody away.

    How many it sends away is a property of its face engine and of the photographs, and is
    counted; a service that knew hardly anybody again would be safe and of no use.
    """
    tried = world.plan.verification_count + world.plan.registration_count
    world.journal.check(
        Invariant.GENUINE_NOT_HOPELESS,
        holds=_GENUINE_VERIFIED_ONE_IN * len(world.verified) >= tried,
        detail=f"only {len(world.verified)} of {tried}",
    )


def verify_holder(world: World, subscriber: Subscriber, *, in_app: bool = False) -> bool:
    """Let a genuine holder verify; returns whether they were verified in the end."""
    return prove_holder(world, subscriber, in_app=in_app) != ""


def prove_holder(world: World, subscriber: Subscriber, *, in_app: bool = False) -> str:
    """Let a genuine holder verify, again with new photographs when they were not alike.

    No face engine knows everybody again; but nothing else may speak against a genuine holder.

    Returns:
        The verification that succeeded; empty when none did.
    """
    for visit in range(VISITS_MAX):
        evidence = world.studio.evidence_of(subscriber.holder, visit=visit)
        session = _begin(world, subscriber, in_app=in_app)
        desk = _desk(world, subscriber, in_app=in_app)
        verdict = desk.complete(complete_request(session, evidence)).verdict
        is_verified = verdict.state == VERDICT_STATE_VERIFIED
        world.journal.check(
            Invariant.GENUINE_VERIFIED,
            holds=is_verified or set(verdict.reasons) <= FACE_REASONS,
            detail=f"{VerdictState.Name(verdict.state)} {list(verdict.reasons)}"
            f" {list(verdict.chip_codes)} {verdict.acquisition_failure}",
        )
        if is_verified:
            subscriber.line.is_verified = True
            world.tenures.prove(subscriber.operator, subscriber.line)
            world.journal.count("holders verified")
            return session.verification_id
        world.journal.count(f"genuine visits in vain: {', '.join(verdict.reasons)}")
    world.journal.count("genuine holders never verified")
    return ""


def present(
    world: World, subscriber: Subscriber, evidence: Evidence, *, in_app: bool
) -> CompleteVerificationResponse:
    """Present evidence for a subscriber's number, in the citizen app or in a shop.

    Raises:
        Refusal: The service said no.
    """
    session = _begin(world, subscriber, in_app=in_app)
    return _desk(world, subscriber, in_app=in_app).complete(complete_request(session, evidence))


def _begin(world: World, subscriber: Subscriber, *, in_app: bool) -> StartVerificationResponse:
    personal_id = subscriber.holder.personal_id if in_app else ""
    return _desk(world, subscriber, in_app=in_app).start(subscriber.msisdn, personal_id=personal_id)


def _desk(world: World, subscriber: Subscriber, *, in_app: bool) -> VerificationDesk:
    return world.app.verifications if in_app else subscriber.operator.verifications


_Verify = Callable[[World, Subscriber, int], bool]


def _verify_together(world: World, subscribers: Sequence[Subscriber], *, verify: _Verify) -> None:
    def visit(numbered: tuple[int, Subscriber]) -> Subscriber | None:
        place, subscriber = numbered
        return subscriber if verify(world, subscriber, place) else None

    with ThreadPoolExecutor(_THREADS) as visitors:
        visited = list(visitors.map(visit, enumerate(subscribers)))
    world.verified.extend(each for each in visited if each is not None)


def _verify_after_poor_photograph(world: World, subscriber: Subscriber, place: int) -> bool:
    """Verify, some of them only after a photograph that shows nothing."""
    kinds = tuple(PoorPhotograph)
    if place % _POOR_PHOTOGRAPH_EVERY == 0:
        poor = kinds[place // _POOR_PHOTOGRAPH_EVERY % len(kinds)]
        _present_poor_photograph(world, subscriber, poor)
    return verify_holder(world, subscriber, in_app=place % 2 == 0)


def _present_poor_photograph(world: World, subscriber: Subscriber, poor: PoorPhotograph) -> None:
    before = subscriber.operator.subscription(subscriber.msisdn).service_state
    evidence = Evidence(
        card=world.studio.card_of(subscriber.holder),
        photographs=(world.studio.poor_photograph_of(subscriber.holder, poor),),
    )
    response = present(world, subscriber, evidence, in_app=False)
    verdict = response.verdict
    advice = verdict.acquisition_advice
    world.journal.count(f"poor photographs: {poor}")
    world.journal.check(
        Invariant.POOR_PHOTOGRAPH_DECIDES_NOTHING,
        holds=verdict.state == VERDICT_STATE_FAILURE_TO_ACQUIRE
        and verdict.acquisition_failure != ""
        and response.service_state == before
        # Who is sent away is told what to do, in a language of theirs.
        and "" not in {advice.vietnamese, advice.english},
        detail=f"a photograph that is {poor} led to {VerdictState.Name(verdict.state)} "
        f"{verdict.acquisition_failure}: {advice.english}",
    )


def _check_session(
    world: World, session: GetVerificationResponse, state: VerificationState
) -> None:
    world.journal.check_equal(
        Invariant.SESSION_KNOWS_ITS_STATE,
        seen=VerificationState.Name(session.state),
        expected=VerificationState.Name(state),
        subject="a session",
    )


def _register(world: World, *, place: int) -> Subscriber:
    """Register a new number for somebody, and look that it is out of service."""
    operator = world.operators[place % len(world.operators)]
    citizen = world.adult()
    national = new_number(world.numbers, operator_name=operator.name)
    subscription = operator.register(national, holder=citizen)
    world.journal.count("numbers registered")
    world.journal.check_equal(
        Invariant.NEW_NUMBER_WAITS,
        seen=ServiceState.Name(subscription.service_state),
        expected=ServiceState.Name(SERVICE_STATE_INACTIVE),
        subject="a number just registered",
    )
    return Subscriber(operator=operator, line=operator.lines[e164(national)])


def _verify_new(world: World, subscriber: Subscriber, place: int) -> bool:
    is_verified = verify_holder(world, subscriber, in_app=place % 2 == 1)
    after = subscriber.operator.subscription(subscriber.msisdn).service_state
    world.journal.check_equal(
        Invariant.NEW_NUMBER_WAITS,
        seen=ServiceState.Name(after),
        expected=ServiceState.Name(SERVICE_STATE_ACTIVE if is_verified else SERVICE_STATE_INACTIVE),
        subject="a new number after its holder's visit",
    )
    return is_verified
