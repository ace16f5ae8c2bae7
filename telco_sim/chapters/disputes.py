"""Two people claim one number.

Owns three disputes: one that an appeal decides, one that its deadline ends without a decision, and
one that gives the number to who claimed it. And what must hold of all three: while they last
nothing escalates, and nobody loses a number by what one caller says.
"""

from dataclasses import dataclass

from subid.v1.dispute_service_pb2 import (
    DISPUTE_DECISION_CLAIMANT,
    DISPUTE_DECISION_HOLDER,
    DISPUTE_DECISION_UNSPECIFIED,
    DISPUTE_STATE_APPEALED,
    DISPUTE_STATE_CLOSED,
    DISPUTE_STATE_DECIDED,
    DISPUTE_STATE_OPEN,
    Dispute,
    DisputeDecision,
    DisputeState,
)
from subid.v1.population_service_pb2 import SUBSCRIPTION_END_TRANSFERRED
from subid.v1.subscription_pb2 import LINK_STATE_LINKED, SERVICE_STATE_ACTIVE
from subid.v1.subscription_service_pb2 import (
    SUBSCRIPTION_EVENT_KIND_PORT_OUT,
    SUBSCRIPTION_EVENT_KIND_RELEASE,
    SUBSCRIPTION_EVENT_KIND_TRANSFER,
    SubscriptionEvent,
)
from telco_sim.authorities import Regulator
from telco_sim.chapters.passing_days import let_a_day_pass
from telco_sim.chapters.verifying import verify_holder
from telco_sim.journal import Invariant
from telco_sim.messages import claim_message, instant_message
from telco_sim.population import Citizen
from telco_sim.wire import Refusal
from telco_sim.world import CountryTooSmallError, Subscriber, World

_DEADLINE_DAYS = 15
"""As long as the policy for Viet Nam gives for a decision, and again for an appeal."""

DISPUTE_DAYS = 1 + _DEADLINE_DAYS
"""How long the chapter takes: what is decided on its first day stands on its last."""

_ACTS = (
    SUBSCRIPTION_EVENT_KIND_PORT_OUT,
    SUBSCRIPTION_EVENT_KIND_RELEASE,
    SUBSCRIPTION_EVENT_KIND_TRANSFER,
)
"""What an operator could give a number away by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One number, who holds it and who claims it."""

    subscriber: Subscriber
    holder: Citizen
    claimant: Citizen
    dispute_id: str


def dispute_numbers(world: World) -> None:
    """Open three disputes about numbers that stand on a ladder, and see each to its end."""
    appealed, undecided, lost = _open_all(world)
    let_a_day_pass(world)
    for each in (appealed, undecided, lost):
        _add_evidence(world, each)
        _check_one_alone_takes_nothing(world, each)
    for each in (appealed, lost):
        _decide(world, each, DISPUTE_DECISION_CLAIMANT, is_on_appeal=False)
    _appeal(world, appealed)
    directive_count = world.ledger.received_count(undecided.subscriber.msisdn)
    for _ in range(_DEADLINE_DAYS - 2):
        let_a_day_pass(world)
        _check_nothing_escalates(world, undecided, directive_count=directive_count)
    _check_stands(world, undecided, DISPUTE_STATE_OPEN, DISPUTE_DECISION_UNSPECIFIED)
    _check_stands(world, lost, DISPUTE_STATE_DECIDED, DISPUTE_DECISION_CLAIMANT)
    let_a_day_pass(world)
    _check_stands(world, undecided, DISPUTE_STATE_CLOSED, DISPUTE_DECISION_UNSPECIFIED)
    let_a_day_pass(world)
    _check_goes_on(world, undecided, directive_count=directive_count)
    _check_stands(world, lost, DISPUTE_STATE_CLOSED, DISPUTE_DECISION_CLAIMANT)
    _hand_over(world, lost)


def _open_all(world: World) -> tuple[_Claim, _Claim, _Claim]:
    """Cast three holders, each of whom claims another's number."""
    subscribers = _in_good_standing(world, 3)
    claims = []
    for place, subscriber in enumerate(subscribers):
        subscriber.operator.open_case(subscriber.msisdn)
        claimant = subscribers[place - 1].holder
        dispute = world.app.disputes.open(subscriber.msisdn, claimant_id=claimant.personal_id)
        claims.append(
            _Claim(
                subscriber=subscriber,
                holder=subscriber.holder,
                claimant=claimant,
                dispute_id=dispute.dispute_id,
            )
        )
        world.journal.count("disputes opened")
    first, second, third = claims
    return first, second, third


def _in_good_standing(world: World, count: int) -> list[Subscriber]:
    """Find verified numbers in service, each of another holder.

    Raises:
        CountryTooSmallError: There are fewer.
    """
    found: dict[str, Subscriber] = {}
    for operator in world.operators:
        for line in operator.lines.values():
            is_good = line.is_verified and line.link == LINK_STATE_LINKED
            if line.msisdn in world.disputes:
                continue
            if is_good and line.network_state == SERVICE_STATE_ACTIVE:
                subscriber = Subscriber(operator=operator, line=line)
                found.setdefault(line.holder.personal_id, subscriber)
    if len(found) < count:
        raise CountryTooSmallError("a side of a dispute")
    return list(found.values())[:count]


def _add_evidence(world: World, claim: _Claim) -> None:
    """Both sides and the operator say what they have."""
    world.app.disputes.add_evidence(
        claim.dispute_id, is_for_claimant=True, personal_id=claim.claimant.personal_id
    )
    world.app.disputes.add_evidence(
        claim.dispute_id, is_for_claimant=False, personal_id=claim.holder.personal_id
    )
    operator = claim.subscriber.operator
    dispute = operator.disputes.add_evidence(claim.dispute_id, is_for_claimant=True)
    world.journal.check_equal(
        Invariant.DISPUTE_RUNS_ITS_COURSE,
        seen=[each.adder for each in dispute.evidence],
        expected=["claimant", "holder", f"operator:{operator.name}"],
        subject="who has added evidence",
    )


def _check_one_alone_takes_nothing(world: World, claim: _Claim) -> None:
    """The operator and one caller of the regulator do what they can, each alone."""
    reasons = claim.subscriber.operator.report(*_events(world, claim))
    world.journal.check_equal(
        Invariant.NOBODY_LOSES_BY_ONE_ACT,
        seen=reasons,
        expected=["NUMBER_IN_DISPUTE"] * len(_ACTS),
        subject="an operator that gives a disputed number away",
    )
    world.regulator.disputes.decide(claim.dispute_id, DISPUTE_DECISION_CLAIMANT)
    world.journal.check_equal(
        Invariant.NOBODY_LOSES_BY_ONE_ACT,
        seen=_refusal_of(world.regulator, claim, DISPUTE_DECISION_CLAIMANT),
        expected="DISPUTE_NOT_READY",
        subject="one caller of the regulator who says so twice",
    )
    _check_stands(world, claim, DISPUTE_STATE_OPEN, DISPUTE_DECISION_UNSPECIFIED)
    _check_holder_keeps(world, claim)


def _events(world: World, claim: _Claim) -> list[SubscriptionEvent]:
    return [
        SubscriptionEvent(
            msisdn=claim.subscriber.msisdn,
            kind=kind,
            occur_time=instant_message(world.clock.now()),
            holder=claim_message(claim.claimant)
            if kind == SUBSCRIPTION_EVENT_KIND_TRANSFER
            else None,
        )
        for kind in _ACTS
    ]


def _decide(world: World, claim: _Claim, decision: DisputeDecision, *, is_on_appeal: bool) -> None:
    """Those say the same who have not said so yet: two of them decide."""
    deciders = world.appeal_regulators if is_on_appeal else (world.second_regulator,)
    for each in deciders:
        each.disputes.decide(claim.dispute_id, decision)
    world.journal.count("disputes decided on appeal" if is_on_appeal else "disputes decided")
    state = DISPUTE_STATE_CLOSED if is_on_appeal else DISPUTE_STATE_DECIDED
    _check_stands(world, claim, state, decision)
    _check_holder_keeps(world, claim)


def _appeal(world: World, claim: _Claim) -> None:
    """The holder appeals; who has decided has no say any more, and two others decide otherwise."""
    world.app.disputes.appeal(claim.dispute_id, personal_id=claim.holder.personal_id)
    _check_stands(world, claim, DISPUTE_STATE_APPEALED, DISPUTE_DECISION_CLAIMANT)
    for each in (world.regulator, world.second_regulator):
        world.journal.check_equal(
            Invariant.NOBODY_LOSES_BY_ONE_ACT,
            seen=_refusal_of(each, claim, DISPUTE_DECISION_HOLDER),
            expected="DISPUTE_NOT_READY",
            subject="one who has decided already, on the appeal",
        )
    _decide(world, claim, DISPUTE_DECISION_HOLDER, is_on_appeal=True)


def _check_nothing_escalates(world: World, claim: _Claim, *, directive_count: int) -> None:
    """While a dispute is open nothing is ordered, and its clocks are held."""
    explained = claim.subscriber.operator.explain(claim.subscriber.msisdn)
    world.journal.check(
        Invariant.NOTHING_ESCALATES_IN_DISPUTE,
        holds=explained.dispute_id == claim.dispute_id
        and explained.service_state == SERVICE_STATE_ACTIVE
        and bool(explained.cases)
        and all(each.HasField("freeze_time") for each in explained.cases)
        and world.ledger.received_count(claim.subscriber.msisdn) == directive_count,
        detail=f"{len(explained.cases)} cases, "
        f"{world.ledger.received_count(claim.subscriber.msisdn)} orders of {directive_count}",
    )


def _check_goes_on(world: World, claim: _Claim, *, directive_count: int) -> None:
    """A dispute that nobody decided has held the clocks, and no longer does."""
    explained = claim.subscriber.operator.explain(claim.subscriber.msisdn)
    world.journal.check(
        Invariant.NOTHING_ESCALATES_IN_DISPUTE,
        holds=not explained.dispute_id
        and bool(explained.cases)
        and not any(each.HasField("freeze_time") for each in explained.cases)
        and world.ledger.received_count(claim.subscriber.msisdn) > directive_count,
        detail="a clock is still held after its dispute",
    )
    _check_holder_keeps(world, claim)


def _check_stands(
    world: World, claim: _Claim, state: DisputeState, decision: DisputeDecision
) -> None:
    """Both sides, the operator and the regulator are told the same of a dispute."""
    seen = [
        world.regulator.disputes.read(claim.dispute_id),
        claim.subscriber.operator.disputes.read(claim.dispute_id),
        *(
            world.app.disputes.read(claim.dispute_id, personal_id=each.personal_id)
            for each in (claim.holder, claim.claimant)
        ),
    ]
    world.journal.check_equal(
        Invariant.DISPUTE_RUNS_ITS_COURSE,
        seen=[_standing(each) for each in seen],
        expected=[(DisputeState.Name(state), DisputeDecision.Name(decision))] * len(seen),
        subject="a dispute as it is told to four",
    )


def _standing(dispute: Dispute) -> tuple[str, str]:
    return DisputeState.Name(dispute.state), DisputeDecision.Name(dispute.decision)


def _check_holder_keeps(world: World, claim: _Claim) -> None:
    """The holder still has the number in the list, verified and in service; nobody else has."""
    msisdn = claim.subscriber.msisdn
    own = [
        each
        for each in world.app.subscriptions(claim.holder.personal_id)
        if each.msisdn == msisdn and each.service_state == SERVICE_STATE_ACTIVE
    ]
    theirs = [
        each
        for each in world.app.subscriptions(claim.claimant.personal_id)
        if each.msisdn == msisdn
    ]
    world.journal.check(
        Invariant.NOBODY_LOSES_BY_ONE_ACT,
        holds=len(own) == 1 and own[0].HasField("verify_time") and not theirs,
        detail=f"{len(own)} at the holder, {len(theirs)} at the claimant",
    )


def _hand_over(world: World, claim: _Claim) -> None:
    """The number begins anew in the claimant's name, who verifies."""
    subscriber = claim.subscriber
    world.tenures.end(subscriber.operator, subscriber.line, by=SUBSCRIPTION_END_TRANSFERRED)
    if world.primaries.get(claim.holder.personal_id) == subscriber.msisdn:
        del world.primaries[claim.holder.personal_id]
    subscriber.line.holder = claim.claimant
    subscriber.line.is_verified = False
    subscriber.line.province_code = ""
    after = subscriber.operator.subscription(subscriber.msisdn)
    former = [
        each
        for each in world.app.subscriptions(claim.holder.personal_id)
        if each.msisdn == subscriber.msisdn
    ]
    world.journal.check(
        Invariant.DISPUTE_RUNS_ITS_COURSE,
        holds=not after.HasField("verify_time") and not after.is_primary and not former,
        detail="a number that was given to its claimant kept something of its holder's",
    )
    world.journal.count("disputed numbers given to who claimed them")
    verify_holder(world, subscriber)


def _refusal_of(regulator: Regulator, claim: _Claim, decision: DisputeDecision) -> str:
    """Return the reason that a decision is refused for, or nothing."""
    try:
        regulator.disputes.decide(claim.dispute_id, decision)
    except Refusal as refusal:
        return refusal.reason
    return ""
