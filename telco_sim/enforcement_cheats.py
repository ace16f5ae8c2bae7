"""Cheats with enforcement.

Owns the attempts to win or lose a number by disputes, waves, cases and acknowledgements that the
caller has no right to, or no second person for.
"""

from datetime import timedelta

from subid.v1.dispute_service_pb2 import DISPUTE_DECISION_CLAIMANT, GetDisputeResponse
from subid.v1.enforcement_service_pb2 import (
    ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
    ACKNOWLEDGEMENT_OUTCOME_FAILED,
    ACKNOWLEDGEMENT_RESULT_ACCEPTED,
    CASE_CAUSE_FACE_UNDER_ANOTHER_ID,
    AcknowledgeDirectivesRequest,
    Acknowledgement,
    AcknowledgementResult,
)
from subid.v1.subscription_service_pb2 import (
    SUBSCRIPTION_EVENT_KIND_TRANSFER,
    SubscriptionEvent,
)
from subid.v1.wave_service_pb2 import ExecuteWaveResponse
from telco_sim import dirt
from telco_sim.attackers import Answer, Cheat
from telco_sim.authorities import Regulator
from telco_sim.disputes import DisputeDesk
from telco_sim.messages import claim_message, instant_message
from telco_sim.operators import Operator
from telco_sim.signatures import sign
from telco_sim.wire import new_request_id
from telco_sim.world import Subscriber, World


def own_number_claimed(world: World) -> Answer:
    """A holder holds the own number's clock by a dispute with nobody."""
    own = world.cast.role("a citizen")
    dispute = world.app.disputes.open(own.msisdn, claimant_id=own.holder.personal_id)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def claimed_for_nobody(world: World) -> Answer:
    """An operator holds a clock by a dispute with a person who does not exist."""
    own = world.cast.role("a citizen")
    known = frozenset(each.personal_id for each in world.people)
    nobody = dirt.unknown_personal_id(known=known, generator=world.studio.chance("claimants"))
    dispute = own.operator.disputes.open(own.msisdn, claimant_id=nobody)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def anothers_dispute_read(world: World) -> Answer:
    """A citizen reads a dispute of two others."""
    _, dispute_id = _disputed(world)
    stranger = world.cast.role("a stranger to a dispute").holder
    dispute = world.app.disputes.read(dispute_id, personal_id=stranger.personal_id)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def evidence_of_a_stranger(world: World) -> Answer:
    """An operator adds evidence about a number of another."""
    subscriber, dispute_id = _disputed(world)
    desk = world.operator_other_than(subscriber.operator).disputes
    dispute = desk.add_evidence(dispute_id, is_for_claimant=True)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def decided_by_its_operator(world: World) -> Answer:
    """The operator of a disputed number says whose it is."""
    subscriber, dispute_id = _disputed(world)
    return _decide(subscriber.operator.disputes, dispute_id)


def decided_by_one_alone(world: World) -> Answer:
    """One caller of the regulator says twice whose a number is."""
    _, dispute_id = _disputed(world)
    _decide(world.regulator.disputes, dispute_id)
    return _decide(world.regulator.disputes, dispute_id)


def appeal_against_nothing(world: World) -> Answer:
    """A claimant appeals before anything was decided, to win time."""
    _, dispute_id = _disputed(world)
    claimant = world.cast.role("a claimant").holder
    dispute = world.app.disputes.appeal(dispute_id, personal_id=claimant.personal_id)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def disputed_number_given_away(world: World) -> Answer:
    """The operator of a disputed number gives it to the claimant."""
    subscriber, _ = _disputed(world)
    event = SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=SUBSCRIPTION_EVENT_KIND_TRANSFER,
        occur_time=instant_message(world.clock.now() - timedelta(minutes=5)),
        holder=claim_message(world.cast.role("a claimant").holder),
    )
    (reason,) = subscriber.operator.report(event)
    return Answer(is_no=bool(reason), codes=(reason or "ACCEPTED",))


def wave_of_an_operator(world: World) -> Answer:
    """An operator tries a wave over everybody's numbers."""
    regulator = Regulator(world.callers[world.operators[0].name])
    return Answer.of_success(regulator.preview_wave(track="T2", has_primaries=True))


def wave_of_one(world: World) -> Answer:
    """One caller of the regulator approves a wave and executes it."""
    wave_id = world.regulator.preview_wave(track="T2", has_primaries=True).wave_id
    world.regulator.approve_wave(wave_id)
    return Answer.of_success(ExecuteWaveResponse(wave=world.regulator.execute_wave(wave_id)))


def wave_over_the_clock(world: World) -> Answer:
    """The regulator blocks by a wave what the rules leave to the clock."""
    return Answer.of_success(world.regulator.preview_wave(track="T1", has_primaries=True))


def case_about_anothers_number(world: World) -> Answer:
    """An operator has a competitor's subscriber verified again."""
    target = world.verified_subscriber()
    curious = world.operator_other_than(target.operator)
    return Answer.of_success(curious.open_case(target.msisdn))


def case_of_the_regulator(world: World) -> Answer:
    """An operator says that a face was found under another personal ID."""
    target = world.verified_subscriber()
    answered = target.operator.open_case(target.msisdn, cause=CASE_CAUSE_FACE_UNDER_ANOTHER_ID)
    return Answer.of_success(answered)


def case_of_the_app(world: World) -> Answer:
    """The citizen app has a number put on a ladder."""
    app = Operator(world.callers["citizen-app"], book=())
    return Answer.of_success(app.open_case(world.verified_subscriber().msisdn))


def unsigned(world: World) -> Answer:
    """An operator acknowledges without a signature, to deny it later."""
    return _acknowledge(world, _acknowledgement(_order_of(world, world.operators[0])))


def signed_by_another(world: World) -> Answer:
    """An operator acknowledges with the key of another."""
    request = _acknowledgement(_order_of(world, world.operators[0]))
    sign(request, private_key=_key_of(world, world.operators[1]))
    return _acknowledge(world, request)


def changed_after_signing(world: World) -> Answer:
    """Somebody on the way turns a failed order into an executed one."""
    request = _acknowledgement(_order_of(world, world.operators[0]))
    request.acknowledgements[0].outcome = ACKNOWLEDGEMENT_OUTCOME_FAILED
    sign(request, private_key=_key_of(world, world.operators[0]))
    request.acknowledgements[0].outcome = ACKNOWLEDGEMENT_OUTCOME_EXECUTED
    return _acknowledge(world, request)


def anothers_order(world: World) -> Answer:
    """An operator says, under its own name, that another's order was executed."""
    request = _acknowledgement(_order_of(world, world.operators[1]))
    sign(request, private_key=_key_of(world, world.operators[0]))
    return _acknowledge(world, request)


def _disputed(world: World) -> tuple[Subscriber, str]:
    """Return a verified number that is in dispute, and the dispute."""
    subscriber = world.verified_subscriber()
    if subscriber.msisdn not in world.disputes:
        claimant = world.cast.role("a claimant").holder
        dispute = world.app.disputes.open(subscriber.msisdn, claimant_id=claimant.personal_id)
        world.disputes[subscriber.msisdn] = dispute.dispute_id
    return subscriber, world.disputes[subscriber.msisdn]


def _decide(desk: DisputeDesk, dispute_id: str) -> Answer:
    dispute = desk.decide(dispute_id, DISPUTE_DECISION_CLAIMANT)
    return Answer.of_success(GetDisputeResponse(dispute=dispute))


def _order_of(world: World, operator: Operator) -> str:
    """Return an order that an operator was given, or made-up letters before it was given any."""
    return world.desks[operator.name].conduct.an_order() or new_request_id()


def _acknowledgement(directive_id: str) -> AcknowledgeDirectivesRequest:
    executed = Acknowledgement(directive_id=directive_id, outcome=ACKNOWLEDGEMENT_OUTCOME_EXECUTED)
    return AcknowledgeDirectivesRequest(
        request_id=new_request_id(), lease_id=new_request_id(), acknowledgements=[executed]
    )


def _key_of(world: World, operator: Operator) -> bytes:
    private_key = world.callers[operator.name].private_key
    assert private_key is not None, "an operator has a certificate"
    return private_key


def _acknowledge(world: World, request: AcknowledgeDirectivesRequest) -> Answer:
    caller = world.callers[world.operators[0].name]
    (result,) = caller.ask(caller.enforcement.AcknowledgeDirectives, request).results
    name = AcknowledgementResult.Name(result).removeprefix("ACKNOWLEDGEMENT_RESULT_")
    return Answer(is_no=result != ACKNOWLEDGEMENT_RESULT_ACCEPTED, codes=(name,))


ENFORCEMENT_CHEATS = (
    Cheat(
        name="own number claimed",
        tried="hold the own number's clock by claiming it from oneself",
        expected=("DISPUTE_INVALID",),
        attempt=own_number_claimed,
    ),
    Cheat(
        name="number claimed for nobody",
        tried="hold a clock by a dispute with a personal ID that nobody has",
        expected=("DISPUTE_INVALID",),
        attempt=claimed_for_nobody,
    ),
    Cheat(
        name="somebody else's dispute",
        tried="read a dispute of two other people",
        expected=("NOT_FOUND", "DISPUTE_NOT_FOUND"),
        attempt=anothers_dispute_read,
    ),
    Cheat(
        name="evidence of a stranger",
        tried="add evidence about a number of another operator",
        expected=("NOT_FOUND", "DISPUTE_NOT_FOUND"),
        attempt=evidence_of_a_stranger,
    ),
    Cheat(
        name="dispute decided by the operator",
        tried="decide a dispute with an operator's certificate",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=decided_by_its_operator,
    ),
    Cheat(
        name="dispute decided by one",
        tried="say twice whose a number is, as one caller of the regulator",
        expected=("DISPUTE_NOT_READY",),
        attempt=decided_by_one_alone,
    ),
    Cheat(
        name="appeal against nothing",
        tried="appeal before there is a decision",
        expected=("DISPUTE_NOT_READY",),
        attempt=appeal_against_nothing,
    ),
    Cheat(
        name="disputed number given away",
        tried="transfer a number in dispute to who claims it",
        expected=("NUMBER_IN_DISPUTE",),
        attempt=disputed_number_given_away,
    ),
    Cheat(
        name="wave of an operator",
        tried="try a wave with an operator's certificate",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=wave_of_an_operator,
    ),
    Cheat(
        name="wave of one",
        tried="execute a wave that one caller of the regulator has approved",
        expected=("WAVE_NOT_READY",),
        attempt=wave_of_one,
    ),
    Cheat(
        name="wave over the clock",
        tried="block by a wave what the rules leave to the clock",
        expected=("WAVE_INVALID",),
        attempt=wave_over_the_clock,
    ),
    Cheat(
        name="case about another's number",
        tried="open a case about a number of another operator",
        expected=("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"),
        attempt=case_about_anothers_number,
    ),
    Cheat(
        name="case of the regulator",
        tried="open a case, as an operator, for what only the regulator finds",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID", "cause"),
        attempt=case_of_the_regulator,
    ),
    Cheat(
        name="case of the citizen app",
        tried="open a case with the app's certificate",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=case_of_the_app,
    ),
    Cheat(
        name="no signature",
        tried="acknowledge an order without a signature",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID", "signature"),
        attempt=unsigned,
    ),
    Cheat(
        name="another's signature",
        tried="acknowledge an order with the key of another operator",
        expected=("INVALID_ARGUMENT", "ACKNOWLEDGEMENT_UNSIGNED"),
        attempt=signed_by_another,
    ),
    Cheat(
        name="changed after signing",
        tried="turn a failed order into an executed one after it was signed",
        expected=("INVALID_ARGUMENT", "ACKNOWLEDGEMENT_UNSIGNED"),
        attempt=changed_after_signing,
    ),
    Cheat(
        name="another operator's order",
        tried="acknowledge, under the own signature, an order that another was given",
        expected=("UNKNOWN",),
        attempt=anothers_order,
    ),
)
"""Every cheat with enforcement."""
