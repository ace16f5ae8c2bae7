"""Cheats with requests.

Owns the attempts to ask for, or to do, what the caller has no right to: other people's numbers,
other callers' roles, requests that lie.
"""

from datetime import timedelta

from subid.v1.agency_pb2 import (
    PURPOSE_RECORD_UPKEEP,
    PURPOSE_SERVICE_DELIVERY,
    PURPOSE_UNSPECIFIED,
)
from subid.v1.citizen_service_pb2 import SetPrimaryNumberRequest
from subid.v1.subscription_service_pb2 import (
    SUBSCRIPTION_EVENT_KIND_RELEASE,
    GetSubscriptionResponse,
    SubscriptionEvent,
)
from telco_sim.agencies import Agency, grounds_of
from telco_sim.attackers import Answer, Cheat
from telco_sim.authorities import Regulator
from telco_sim.books import e164, new_number
from telco_sim.messages import instant_message
from telco_sim.verifications import Evidence, VerificationDesk, complete_request
from telco_sim.wire import Refusal, new_request_id
from telco_sim.world import Subscriber, World

NO_CERTIFICATE = "no certificate"
HOME_MADE_CERTIFICATE = "home-made certificate"
"""Names of the two strangers among the world's callers."""

_PHOTOGRAPH_BYTES_MAX = 8 * 1024 * 1024
_REQUEST_BYTES_MAX = 20 * 1024 * 1024
"""The contract's bounds on CompleteVerificationRequest."""


def anothers_number_as_primary(world: World) -> Answer:
    """A citizen marks a verified number of somebody else."""
    other, own = world.verified_subscriber(), world.cast.role("a citizen")
    return _set_primary(world, own.holder.personal_id, other.msisdn)


def unverified_primary(world: World) -> Answer:
    """A citizen marks an own number that was never verified."""
    own = world.cast.role("a citizen")
    return _set_primary(world, own.holder.personal_id, own.msisdn)


def anothers_subscriber(world: World) -> Answer:
    """An operator asks for a subscriber of another, and learns no more than of a free number."""
    curious, target = _operator_and_target(world)
    nobodys = e164(new_number(world.numbers, operator_name=target.operator.name))
    answers = []
    for msisdn in (target.msisdn, nobodys):
        try:
            found = curious.operator.subscription(msisdn)
        except Refusal as refusal:
            answers.append((refusal.status, refusal.reason, refusal.message, refusal.violations))
        else:
            return Answer.of_success(GetSubscriptionResponse(subscription=found))
    if answers[0] != answers[1]:
        return Answer(is_no=False, codes=("TELLS_TAKEN_FROM_FREE", *answers[0][:2]))
    return Answer(is_no=True, codes=answers[0][:2])


def anothers_subscriber_released(world: World) -> Answer:
    """An operator reports that a subscriber of another has left."""
    curious, target = _operator_and_target(world)
    event = SubscriptionEvent(
        msisdn=target.msisdn,
        kind=SUBSCRIPTION_EVENT_KIND_RELEASE,
        occur_time=instant_message(world.clock.now() - timedelta(minutes=5)),
    )
    (reason,) = curious.operator.report(event)
    return Answer(is_no=bool(reason), codes=(reason or "ACCEPTED",))


def anothers_session(world: World) -> Answer:
    """An operator completes a session that another has opened."""
    curious, target = _operator_and_target(world)
    session = target.operator.verifications.start(target.msisdn)
    request = complete_request(session, world.studio.evidence_of(target.holder))
    return Answer.of_verdict(curious.operator.verifications.complete(request).verdict)


def taken_number(world: World) -> Answer:
    """An operator registers a number that another has in service."""
    curious, target = _operator_and_target(world)
    subscription = curious.operator.register(target.msisdn, holder=curious.holder)
    return Answer.of_success(GetSubscriptionResponse(subscription=subscription))


def quarantined_number(world: World) -> Answer:
    """An operator gives a number away whose holder has just left."""
    former = world.released[-1]
    heir = world.cast.role("a citizen").holder
    subscription = former.operator.register(former.msisdn, holder=heir)
    return Answer.of_success(GetSubscriptionResponse(subscription=subscription))


def quarantined_number_elsewhere(world: World) -> Answer:
    """An operator takes a number over that another one's holder has just given up."""
    former = world.released[-1]
    other = world.operator_other_than(former.operator)
    subscription = other.register(former.msisdn, holder=former.holder)
    return Answer.of_success(GetSubscriptionResponse(subscription=subscription))


def anothers_number_disowned(world: World) -> Answer:
    """A citizen says "not mine" of a number that nobody says is."""
    other, own = world.verified_subscriber(), world.cast.role("a citizen")
    world.app.disown(own.holder.personal_id, other.msisdn)
    return Answer(is_no=False, codes=("ACCEPTED",))


def no_purpose(world: World) -> Answer:
    """An agency does not say what for."""
    personal_id = world.people[0].personal_id
    return _contact(world.agency, personal_id, purpose_is_given=False)


def purpose_not_granted(world: World) -> Answer:
    """An agency asks for a purpose that it was not granted."""
    contact = world.agency.contact(world.people[0].personal_id, grounds_of(PURPOSE_RECORD_UPKEEP))
    return Answer.of_success(contact)


def no_legal_basis(world: World) -> Answer:
    """An agency does not say by which law."""
    contact = world.agency.contact(
        world.people[0].personal_id, grounds_of(PURPOSE_SERVICE_DELIVERY, legal_basis="")
    )
    return Answer.of_success(contact)


def operator_as_agency(world: World) -> Answer:
    """An operator looks up a citizen as only agencies may."""
    operator = world.callers[world.operators[0].name]
    return _contact(Agency(operator), world.people[0].personal_id)


def app_as_regulator(world: World) -> Answer:
    """The citizen app runs enforcement."""
    return Answer.of_success(Regulator(world.callers["citizen-app"]).advance())


def no_certificate(world: World) -> Answer:
    """Somebody without any certificate looks up a citizen."""
    return _contact(Agency(world.callers[NO_CERTIFICATE]), world.people[0].personal_id)


def home_made_certificate(world: World) -> Answer:
    """Somebody with a self-signed certificate that says `agency` looks up a citizen."""
    return _contact(Agency(world.callers[HOME_MADE_CERTIFICATE]), world.people[0].personal_id)


def reused_request_id(world: World) -> Answer:
    """A request_id comes a second time, with another body."""
    own = world.cast.role("a citizen")
    verified = world.verified_subscriber(
        suits=lambda each: each.holder.personal_id in world.primaries
    )
    request_id = new_request_id()
    caller = world.callers["citizen-app"]
    first = SetPrimaryNumberRequest(
        request_id=request_id,
        personal_id=verified.holder.personal_id,
        msisdn=world.primaries[verified.holder.personal_id],
    )
    second = SetPrimaryNumberRequest(
        request_id=request_id, personal_id=own.holder.personal_id, msisdn=own.msisdn
    )
    caller.ask(caller.citizens.SetPrimaryNumber, first)
    return Answer.of_success(caller.ask(caller.citizens.SetPrimaryNumber, second))


def clock_backwards(world: World) -> Answer:
    """The regulator runs enforcement up to an instant that was run already."""
    world.regulator.advance()
    return Answer.of_success(world.regulator.advance(world.clock.now() - timedelta(hours=1)))


def oversized_photograph(world: World) -> Answer:
    """A photograph has one byte too many."""
    return _complete_with(world, (b"\xff" * (_PHOTOGRAPH_BYTES_MAX + 1),))


def oversized_request(world: World) -> Answer:
    """Three photographs, each within its bound, exceed the bound on the whole request."""
    return _complete_with(world, (b"\xff" * (_REQUEST_BYTES_MAX // 3),) * 3)


def _set_primary(world: World, personal_id: str, msisdn: str) -> Answer:
    world.app.set_primary(personal_id, msisdn)
    return Answer(is_no=False, codes=("ACCEPTED",))


def _contact(agency: Agency, personal_id: str, *, purpose_is_given: bool = True) -> Answer:
    purpose = PURPOSE_SERVICE_DELIVERY if purpose_is_given else PURPOSE_UNSPECIFIED
    return Answer.of_success(agency.contact(personal_id, grounds_of(purpose)))


def _operator_and_target(world: World) -> tuple[Subscriber, Subscriber]:
    """Return a subscriber of a curious operator, and one of another operator."""
    curious, target = world.operators[:2]
    return (
        world.cast.role("a curious operator's own", suits=lambda each: each.operator is curious),
        world.cast.role("another operator's", suits=lambda each: each.operator is target),
    )


def _complete_with(world: World, photographs: tuple[bytes, ...]) -> Answer:
    own = world.cast.role("a citizen")
    desk: VerificationDesk = own.operator.verifications
    evidence = Evidence(card=world.studio.card_of(own.holder), photographs=photographs)
    request = complete_request(desk.start(own.msisdn), evidence)
    return Answer.of_verdict(desk.complete(request).verdict)


INTRUSIONS = (
    Cheat(
        name="somebody else's number as primary",
        tried="mark a verified number of somebody else as the own primary",
        expected=("PRIMARY_NOT_ELIGIBLE",),
        attempt=anothers_number_as_primary,
    ),
    Cheat(
        name="unverified number as primary",
        tried="mark an own number that was never verified",
        expected=("PRIMARY_NOT_ELIGIBLE",),
        attempt=unverified_primary,
    ),
    Cheat(
        name="another operator's subscriber",
        tried="ask for a number that another operator serves, and compare with a free one",
        expected=("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"),
        attempt=anothers_subscriber,
    ),
    Cheat(
        name="another operator's subscriber released",
        tried="report that a subscriber of another operator has left",
        expected=("SUBSCRIPTION_NOT_FOUND",),
        attempt=anothers_subscriber_released,
    ),
    Cheat(
        name="another operator's session",
        tried="complete a verification that another operator has opened",
        expected=("NOT_FOUND", "VERIFICATION_NOT_FOUND"),
        attempt=anothers_session,
    ),
    Cheat(
        name="number of another operator",
        tried="register a number that another operator serves",
        expected=("NUMBER_IN_SERVICE_ELSEWHERE",),
        attempt=taken_number,
    ),
    Cheat(
        name="number in quarantine",
        tried="give a number away whose holder has just left",
        expected=("NUMBER_QUARANTINED",),
        attempt=quarantined_number,
    ),
    Cheat(
        name="number in quarantine, elsewhere",
        tried="take a number over that a holder of another operator has just given up",
        expected=("NUMBER_QUARANTINED",),
        attempt=quarantined_number_elsewhere,
    ),
    Cheat(
        name="somebody else's number disowned",
        tried="have a stranger's number suspended by saying it is not mine",
        expected=("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"),
        attempt=anothers_number_disowned,
    ),
    Cheat(
        name="no purpose",
        tried="look up a citizen without saying what for",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID", "grounds.purpose"),
        attempt=no_purpose,
    ),
    Cheat(
        name="purpose not granted",
        tried="look up a citizen for a purpose that the regulator did not grant",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=purpose_not_granted,
    ),
    Cheat(
        name="no legal basis",
        tried="look up a citizen without naming a law",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID", "grounds.legal_basis"),
        attempt=no_legal_basis,
    ),
    Cheat(
        name="operator as agency",
        tried="look up a citizen with an operator's certificate",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=operator_as_agency,
    ),
    Cheat(
        name="citizen app as regulator",
        tried="run enforcement with the app's certificate",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=app_as_regulator,
    ),
    Cheat(
        name="no certificate",
        tried="look up a citizen without a client certificate",
        expected=("UNAVAILABLE|UNAUTHENTICATED",),
        attempt=no_certificate,
    ),
    Cheat(
        name="home-made certificate",
        tried="look up a citizen with a certificate signed by oneself",
        expected=("UNAVAILABLE|UNAUTHENTICATED",),
        attempt=home_made_certificate,
    ),
    Cheat(
        name="reused request_id",
        tried="send another body under a request_id that was answered",
        expected=("REQUEST_ID_REUSED",),
        attempt=reused_request_id,
    ),
    Cheat(
        name="clock run backwards",
        tried="run enforcement up to an earlier instant",
        expected=("CLOCK_BACKWARDS",),
        attempt=clock_backwards,
    ),
    Cheat(
        name="oversized photograph",
        tried="send a photograph of 8 MiB and one byte",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID"),
        attempt=oversized_photograph,
    ),
    Cheat(
        name="oversized request",
        tried="send more than 20 MiB",
        expected=("RESOURCE_EXHAUSTED",),
        attempt=oversized_request,
    ),
)
"""Every cheat with a request."""
