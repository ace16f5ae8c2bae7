"""Cheats with other people's data.

Owns the attempts of agencies to learn, to write or to prove what they have no grant for, of
operators to reach into another's messages, and of citizens to act for somebody else.
"""

from datetime import timedelta

from subid.v1.agency_pb2 import (
    PURPOSE_IDENTITY_CHECK,
    PURPOSE_LEGAL_NOTICE,
    PURPOSE_PUBLIC_SAFETY,
    PURPOSE_RECORD_UPKEEP,
    PURPOSE_SERVICE_DELIVERY,
    Grounds,
)
from subid.v1.kyc_service_pb2 import MatchIdentityRequest
from subid.v1.notification_service_pb2 import (
    RECEIPT_OUTCOME_DELIVERED,
    RECEIPT_RESULT_ACCEPTED,
    ReceiptResult,
)
from subid.v1.verification_service_pb2 import PRESENCE_STATE_PRESENT, PresenceState
from telco_sim.agencies import FISHER, STRANGER, WRITER, grounds_of
from telco_sim.attackers import Answer, Cheat
from telco_sim.books import can_hold, e164, new_number
from telco_sim.chapters.agencies import SERVICE_TEMPLATE, presence_request, show_card
from telco_sim.chapters.verifying import prove_holder
from telco_sim.message_desks import receipt_of
from telco_sim.signed_documents import DocumentError, open_presence
from telco_sim.wire import new_request_id
from telco_sim.world import CountryTooSmallError, Subscriber, World

_ACCEPTED = Answer(is_no=False, codes=("ACCEPTED",))


def unregistered_agency(world: World) -> Answer:
    """An agency that nobody has registered looks up a citizen."""
    return _look_up(world, STRANGER, grounds_of(PURPOSE_SERVICE_DELIVERY))


def purpose_without_grant(world: World) -> Answer:
    """An agency that is granted other things keeps its records by the register."""
    return _look_up(world, WRITER, grounds_of(PURPOSE_RECORD_UPKEEP))


def law_not_registered(world: World) -> Answer:
    """An agency names a law that it is not registered with."""
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY, legal_basis="Law 99/1999/QH10, art. 1")
    return _look_up(world, world.agency.name, grounds)


def embargo_without_right(world: World) -> Answer:
    """An agency keeps a look-up from the person without the right to."""
    later = world.clock.now() + timedelta(days=30)
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY, case_id="A-1", shown_at=later)
    return _look_up(world, world.agency.name, grounds)


def anothers_receipt(world: World) -> Answer:
    """An agency asks for the receipt of what others did with a citizen's data."""
    personal_id = world.verified_subscriber().holder.personal_id
    shown, _ = world.app.accesses(personal_id)
    others = [each.entry_id for each in shown if each.caller != f"agency:{FISHER}"]
    # Any number will do at a service that lists nothing.
    world.agencies[FISHER].receipts.receipt(next(iter(others), 1))
    return _ACCEPTED


def more_than_granted(world: World) -> Answer:
    """An agency that may know whether somebody can be reached asks for the number."""
    return _look_up(world, FISHER, grounds_of(PURPOSE_PUBLIC_SAFETY))


def anothers_relay_token(world: World) -> Answer:
    """An agency writes with a token that another was given."""
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY)
    owner, thief = world.agencies[WRITER], world.agencies[FISHER]
    token = owner.contact(_reached(world), grounds).relay_token
    thief.send(token, SERVICE_TEMPLATE, grounds, file="F-1")
    return _ACCEPTED


def template_not_approved(world: World) -> Answer:
    """An agency writes words that the regulator has not seen."""
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY)
    world.agency.send(_reached(world), "free-prize", grounds, file="F-2")
    return _ACCEPTED


def template_for_another_purpose(world: World) -> Answer:
    """An agency sends a service's words as a legal notice, which nobody can object to."""
    grounds = grounds_of(PURPOSE_LEGAL_NOTICE)
    world.agency.send(_reached(world), SERVICE_TEMPLATE, grounds, file="F-3")
    return _ACCEPTED


def anothers_message_acknowledged(world: World) -> Answer:
    """An operator says that a message of another was delivered, so that nobody sends it."""
    personal_id, operator = _served(world)
    world.agency.send(
        personal_id, SERVICE_TEMPLATE, grounds_of(PURPOSE_SERVICE_DELIVERY), file="F-4"
    )
    desk = world.message_desks[operator]
    rival = next(each for each in world.message_desks.values() if each is not desk)
    pulled = desk.pull()
    if not pulled.messages:
        raise CountryTooSmallError("somebody with a message that waits")
    receipts = [receipt_of(each, RECEIPT_OUTCOME_DELIVERED) for each in pulled.messages]
    results = rival.acknowledge(pulled.lease_id, receipts)
    desk.acknowledge(pulled.lease_id, receipts)
    names = {ReceiptResult.Name(each).removeprefix("RECEIPT_RESULT_") for each in results}
    return Answer(is_no=RECEIPT_RESULT_ACCEPTED not in results, codes=tuple(sorted(names)))


def anothers_holder_matched(world: World) -> Answer:
    """An operator asks who holds a number of another."""
    target = world.verified_subscriber()
    rival = world.callers[world.operator_other_than(target.operator).name]
    request = MatchIdentityRequest(
        request_id=new_request_id(), msisdn=target.msisdn, personal_id=target.holder.personal_id
    )
    return Answer.of_success(rival.ask(rival.kyc.MatchIdentity, request))


def anothers_presence_session(world: World) -> Answer:
    """An agency completes a session that another has opened at its counter."""
    grounds = grounds_of(PURPOSE_IDENTITY_CHECK)
    holder = world.verified_subscriber()
    session = world.agency.start_presence(grounds)
    answered = world.agencies[WRITER].complete_presence(
        presence_request(world, session, holder), grounds, personal_id=holder.holder.personal_id
    )
    return _of_presence(answered.state)


def presence_token_replayed(world: World) -> Answer:
    """An agency shows a token at another, which checks it by the published keys alone."""
    answered = show_card(world, world.agency, world.verified_subscriber())
    other = world.agencies[WRITER]
    if answered.state != PRESENCE_STATE_PRESENT:
        raise CountryTooSmallError("somebody at a counter")
    try:
        open_presence(answered.token, other.presence_keys(), audience=other.name)
    except DocumentError as error:
        return Answer(is_no=True, codes=(str(error).partition(":")[0],))
    return _ACCEPTED


def guardian_of_nobody(world: World) -> Answer:
    """Somebody acts for a child of whom nobody has said that they may."""
    today = world.clock.today()
    child = world.somebody("a child", suits=lambda each: not can_hold(each, today=today))
    world.app.primary(child.personal_id, guardian_id=world.adult().personal_id)
    return _ACCEPTED


def second_primary(world: World) -> Answer:
    """A second number becomes primary without the verification that a change takes."""
    holder = _with_primary(world)
    second = _second_number(world, holder)
    if not prove_holder(world, second):
        raise CountryTooSmallError("somebody with a good photograph")
    answered = world.app.set_primary(holder.holder.personal_id, second.msisdn)
    return Answer.of_success(answered)


def anothers_change_vetoed(world: World) -> Answer:
    """Somebody says no to a change of another's primary number."""
    holder = _with_primary(world)
    second = _second_number(world, holder)
    verification_id = prove_holder(world, second, in_app=True)
    if not verification_id:
        raise CountryTooSmallError("somebody with a good photograph")
    personal_id = holder.holder.personal_id
    asked = world.app.set_primary(personal_id, second.msisdn, verification_id=verification_id)
    stranger = world.cast.role("a citizen").holder
    try:
        world.app.veto(stranger.personal_id, asked.pending_change.change_id)
    finally:
        world.app.veto(personal_id, asked.pending_change.change_id)
    return _ACCEPTED


def anothers_export(world: World) -> Answer:
    """Somebody reads the export that another has asked for."""
    personal_id = _reached(world)
    request_id = world.app.request_export(personal_id)
    stranger = world.cast.role("a citizen").holder
    world.app.export(stranger.personal_id, request_id)
    return _ACCEPTED


def _look_up(world: World, agency: str, grounds: Grounds) -> Answer:
    return Answer.of_success(world.agencies[agency].contact(_reached(world), grounds))


def _reached(world: World) -> str:
    """Return the personal ID of somebody with a primary number."""
    return next(iter(world.primaries))


def _served(world: World) -> tuple[str, str]:
    """Return somebody with a primary number, and the operator that serves it."""
    personal_id, msisdn = next(iter(world.primaries.items()))
    serves = (each.name for each in world.operators if msisdn in each.lines)
    return personal_id, next(serves)


def _with_primary(world: World) -> Subscriber:
    return world.verified_subscriber(suits=lambda each: each.holder.personal_id in world.primaries)


def _second_number(world: World, first: Subscriber) -> Subscriber:
    operator = world.operator_other_than(first.operator)
    national = new_number(world.numbers, operator_name=operator.name)
    operator.register(national, holder=first.holder)
    return Subscriber(operator=operator, line=operator.lines[e164(national)])


def _of_presence(state: PresenceState) -> Answer:
    name = PresenceState.Name(state).removeprefix("PRESENCE_STATE_")
    is_present = state == PRESENCE_STATE_PRESENT
    return Answer(is_no=not is_present, codes=("ACCEPTED" if is_present else name,))


AGENCY_CHEATS = (
    Cheat(
        name="unregistered agency",
        tried="look up a citizen as an agency that the regulator has not registered",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=unregistered_agency,
    ),
    Cheat(
        name="purpose without a grant",
        tried="keep records by the register with a grant for messages",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=purpose_without_grant,
    ),
    Cheat(
        name="law not registered",
        tried="look up a citizen by a law that the regulator has not registered",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=law_not_registered,
    ),
    Cheat(
        name="embargo without the right",
        tried="keep a look-up from the citizen without the right to",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=embargo_without_right,
    ),
    Cheat(
        name="more than granted",
        tried="ask for a number with the right to know that there is one",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=more_than_granted,
    ),
    Cheat(
        name="another agency's relay token",
        tried="write with a token that another agency was given",
        expected=("INVALID_ARGUMENT", "REQUEST_INVALID", "relay_token"),
        attempt=anothers_relay_token,
    ),
    Cheat(
        name="template not approved",
        tried="write words that the regulator has not approved",
        expected=("NOT_FOUND", "TEMPLATE_NOT_FOUND"),
        attempt=template_not_approved,
    ),
    Cheat(
        name="service dressed as law",
        tried="send a service's words as a legal notice",
        expected=("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED"),
        attempt=template_for_another_purpose,
    ),
    Cheat(
        name="another operator's message",
        tried="say that a message of another operator was delivered",
        expected=("UNKNOWN",),
        attempt=anothers_message_acknowledged,
    ),
    Cheat(
        name="another operator's holder",
        tried="ask who holds a number that another operator serves",
        expected=("NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"),
        attempt=anothers_holder_matched,
    ),
    Cheat(
        name="another agency's counter",
        tried="complete a presence session that another agency has opened",
        expected=("NOT_FOUND", "VERIFICATION_NOT_FOUND"),
        attempt=anothers_presence_session,
    ),
    Cheat(
        name="presence token replayed",
        tried="show the token of one agency's counter at another agency",
        expected=("AUDIENCE_MISMATCH",),
        attempt=presence_token_replayed,
    ),
    Cheat(
        name="guardian of nobody",
        tried="act for a child without a guardianship",
        expected=("ACTING_REFUSED",),
        attempt=guardian_of_nobody,
    ),
    Cheat(
        name="second primary number",
        tried="mark another number as primary without a fresh verification",
        expected=("FAILED_PRECONDITION", "STEP_UP_REQUIRED"),
        attempt=second_primary,
    ),
    Cheat(
        name="somebody else's change vetoed",
        tried="say no to a change of another citizen's primary number",
        expected=("NOT_FOUND", "CHANGE_NOT_FOUND"),
        attempt=anothers_change_vetoed,
    ),
    Cheat(
        name="somebody else's receipt",
        tried="have the audit log prove what another caller did with a citizen's data",
        expected=("NOT_FOUND", "AUDIT_ENTRY_NOT_FOUND"),
        attempt=anothers_receipt,
    ),
    Cheat(
        name="somebody else's export",
        tried="read the export that another citizen has asked for",
        expected=("NOT_FOUND", "DATA_REQUEST_NOT_FOUND"),
        attempt=anothers_export,
    ),
)
"""Every cheat with other people's data."""
