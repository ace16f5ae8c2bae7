"""What happens to numbers in a day's business.

Owns device changes, SIM swaps, porting, release, recycling, transfer, "not mine", merged records
and death: what operators, citizens and the register report, and the effect the contract says it
has.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain

from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_DECEASED,
    CASE_CAUSE_DEVICE_CHANGE,
    CASE_CAUSE_DISOWNED,
    CASE_CAUSE_MISMATCHED,
    LINK_CHANGE_CAUSE_POPULATION_CHANGE,
    CaseCause,
    LinkChangeCause,
)
from subid.v1.population_service_pb2 import (
    SUBSCRIPTION_END_PORTED_OUT,
    SUBSCRIPTION_END_RELEASED,
    SUBSCRIPTION_END_TRANSFERRED,
    Birth,
    Death,
    MergedRecords,
    PopulationChange,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_TERMINATED,
    ServiceState,
    Subscription,
)
from subid.v1.subscription_service_pb2 import (
    SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE,
    SUBSCRIPTION_EVENT_KIND_PORT_IN,
    SUBSCRIPTION_EVENT_KIND_PORT_OUT,
    SUBSCRIPTION_EVENT_KIND_RELEASE,
    SUBSCRIPTION_EVENT_KIND_SIM_SWAP,
    SUBSCRIPTION_EVENT_KIND_TRANSFER,
    SubscriptionEvent,
    SubscriptionEventKind,
)
from telco_sim.chapters.verifying import verify_holder
from telco_sim.journal import Invariant
from telco_sim.ledger import cause_name
from telco_sim.messages import claim_message, date_message, instant_message, record_message
from telco_sim.operators import Line, Operator
from telco_sim.population import Citizen
from telco_sim.world import Subscriber, World

_DETECTED_AFTER = timedelta(minutes=30)
"""An operator notices a change so long after it happened."""

_DISOWNED_SUSPENDED_WITHIN = timedelta(days=6)
"""Notices go out for five days (T3); a day is left for the clock between the calls."""

_ENDS = {
    SUBSCRIPTION_EVENT_KIND_PORT_OUT: SUBSCRIPTION_END_PORTED_OUT,
    SUBSCRIPTION_EVENT_KIND_RELEASE: SUBSCRIPTION_END_RELEASED,
}


def change_devices(world: World) -> None:
    """SIMs move to other devices: blocked within two hours, and restored by verification."""
    cured, *left_alone = _verified_without_primary(world, 3)
    unverified = [world.cast.take(1, operator=each) for each in world.operators]
    for subscriber in (cured, *left_alone, *chain.from_iterable(unverified)):
        reason = report(world, subscriber, SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE)
        _check_applied(world, reason, subject="device change")
        subscriber.line.is_verified = False
        _check_has_case(world, subscriber, CASE_CAUSE_DEVICE_CHANGE)
        world.journal.count("device changes")
    world.regulator.advance()
    work_off_directives(world)
    _check_state(world, cured, SERVICE_STATE_OUTGOING_BLOCKED, subject="changed device")
    cure(world, cured)


def swap_sims(world: World) -> None:
    """New SIMs for the same numbers: kept in mind, and nothing else."""
    for subscriber in world.verified[:2]:
        before = subscriber.operator.subscription(subscriber.msisdn).service_state
        reason = report(world, subscriber, SUBSCRIPTION_EVENT_KIND_SIM_SWAP)
        _check_applied(world, reason, subject="SIM swap")
        _check_state(world, subscriber, before, subject="swapped SIM")
        world.journal.count("SIM swaps")


def port_numbers(world: World) -> None:
    """A primary number moves to another operator, not before its own operator lets it go."""
    subscriber = _verified_with_primary(world)
    holder, donor = subscriber.holder, subscriber.operator
    recipient = world.operator_other_than(donor)
    claim = _event(world, subscriber.msisdn, SUBSCRIPTION_EVENT_KIND_PORT_IN, holder=holder)
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=recipient.report(claim),
        expected=["NUMBER_IN_SERVICE_ELSEWHERE"],
        subject="port in before port out",
    )
    _end(world, subscriber, SUBSCRIPTION_EVENT_KIND_PORT_OUT)
    _check_applied(world, *recipient.report(claim), subject="port in")
    arrived = _take_over(recipient, subscriber.msisdn, holder=holder)
    world.journal.count("numbers ported")
    verify_again(world, arrived)


def release_numbers(world: World) -> None:
    """A contract ends; nobody gets the number at once, neither here nor elsewhere."""
    subscriber = _verified_with_primary(world)
    release(world, subscriber)
    other = world.operator_other_than(subscriber.operator)
    claim = _event(
        world, subscriber.msisdn, SUBSCRIPTION_EVENT_KIND_PORT_IN, holder=subscriber.holder
    )
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=other.report(claim),
        expected=["NUMBER_QUARANTINED"],
        subject="port in of a number in quarantine",
    )


def release(world: World, subscriber: Subscriber) -> None:
    """Let a holder give a number up."""
    _end(world, subscriber, SUBSCRIPTION_EVENT_KIND_RELEASE)
    world.released.append(subscriber)
    world.journal.count("numbers released")


def recycle_numbers(world: World) -> None:
    """After the quarantine a number goes to somebody else, who inherits nothing."""
    while world.released:
        former = world.released.pop()
        operator, heir = former.operator, world.adult()
        before = operator.subscription(former.msisdn)
        after = operator.register(former.msisdn, holder=heir)
        explained = operator.explain(former.msisdn)
        world.journal.check(
            Invariant.EVENTS_APPLY,
            holds=after.subscription_id != before.subscription_id
            and not after.HasField("verify_time")
            and not after.is_primary
            and not explained.cases
            and not explained.link_history,
            detail="a recycled number kept something of its former holder's",
        )
        arrived = Subscriber(operator=operator, line=operator.lines[after.msisdn])
        if verify_holder(world, arrived):
            world.journal.count("released numbers in service again")


def merge_records(world: World) -> None:
    """The register finds that a verified citizen has two records: one personal ID is retired."""
    subscriber = _verified_with_primary(world)
    citizen = subscriber.holder
    world.cast.give_part(citizen)
    surviving = record_message(citizen)
    surviving.personal_id = _free_personal_id(world, like=citizen)
    merged = MergedRecords(
        retired_personal_id=citizen.personal_id, surviving_personal_id=surviving.personal_id
    )
    own = _lines_of(world, citizen)
    response = world.population.apply(
        PopulationChange(birth=Birth(record=surviving)), PopulationChange(merged_records=merged)
    )
    world.journal.count("register changes", response.applied_count)
    world.journal.count("records merged")
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=response.relinked_count,
        expected=sum(1 for each in own if each.line.network_state != SERVICE_STATE_TERMINATED),
        subject="subscriptions relinked by a merge",
    )
    for each in own:
        each.line.link = LINK_STATE_MISMATCHED
        each.line.is_verified = False
    world.primaries.pop(citizen.personal_id, None)
    _check_has_case(world, subscriber, CASE_CAUSE_MISMATCHED)
    _check_history(world, subscriber, LINK_CHANGE_CAUSE_POPULATION_CHANGE)


def transfer_numbers(world: World) -> None:
    """A number goes to another holder, whose verification starts anew."""
    subscriber = _verified_with_primary(world)
    heir = world.adult()
    transfer(world, subscriber, heir=heir)


def disown_numbers(world: World) -> None:
    """Citizens find numbers in their names that are not theirs; one real user steps forward."""
    subscribers = world.cast.take(3)
    for subscriber in subscribers:
        listed = world.app.subscriptions(subscriber.holder.personal_id)
        world.journal.check(
            Invariant.EVENTS_APPLY,
            holds=subscriber.msisdn in {each.msisdn for each in listed},
            detail="a citizen's list lacks a number in the citizen's name",
        )
        suspended_at = world.app.disown(subscriber.holder.personal_id, subscriber.msisdn)
        now = world.clock.now()
        world.journal.check(
            Invariant.EVENTS_APPLY,
            holds=now < suspended_at <= now + _DISOWNED_SUSPENDED_WITHIN,
            detail=f"disowned at {now}, suspended only at {suspended_at}",
        )
        world.tenures.disown(subscriber.operator, subscriber.line)
        _check_has_case(world, subscriber, CASE_CAUSE_DISOWNED)
        world.journal.count("numbers disowned")
    transfer(world, subscribers[0], heir=world.adult())


def bury(world: World) -> None:
    """A verified citizen dies: the numbers lose their holder, and the primary number goes."""
    subscriber = _verified_with_primary(world)
    deceased = subscriber.holder
    death = Death(personal_id=deceased.personal_id, deceased_on=date_message(world.clock.today()))
    own = _lines_of(world, deceased)
    response = world.population.apply(PopulationChange(death=death))
    world.journal.count("register changes", response.applied_count)
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=response.relinked_count,
        expected=sum(1 for each in own if each.line.network_state != SERVICE_STATE_TERMINATED),
        subject="subscriptions relinked by a death",
    )
    for each in own:
        each.line.link = LINK_STATE_DECEASED
        each.line.is_verified = False
    world.primaries.pop(deceased.personal_id, None)
    _check_has_case(world, subscriber, CASE_CAUSE_DECEASED)


def report(world: World, subscriber: Subscriber, kind: SubscriptionEventKind) -> str:
    """Report one event of a subscriber; return the reason it was refused for, or nothing."""
    (reason,) = subscriber.operator.report(_event(world, subscriber.msisdn, kind))
    return reason


def transfer(world: World, subscriber: Subscriber, *, heir: Citizen) -> None:
    """Make somebody else the holder of a number, and let them verify."""
    operator, msisdn = subscriber.operator, subscriber.msisdn
    event = _event(world, msisdn, SUBSCRIPTION_EVENT_KIND_TRANSFER, holder=heir)
    _check_applied(world, *operator.report(event), subject="transfer")
    world.tenures.end(operator, subscriber.line, by=SUBSCRIPTION_END_TRANSFERRED)
    _forget_primary(world, subscriber)
    after = operator.subscription(msisdn)
    world.journal.check(
        Invariant.EVENTS_APPLY,
        holds=not after.HasField("verify_time") and after.link.state == LINK_STATE_LINKED,
        detail="a transferred number still counts as verified, or is not linked to its new holder",
    )
    world.journal.count("numbers transferred")
    subscriber.line.holder = heir
    subscriber.line.is_verified = False
    verify_again(world, subscriber)


def verify_again(world: World, subscriber: Subscriber) -> None:
    """Let the holder of a number verify whose verification has started anew."""
    if verify_holder(world, subscriber):
        _check_state(world, subscriber, SERVICE_STATE_ACTIVE, subject="verified anew")


def cure(world: World, subscriber: Subscriber) -> None:
    """Let the holder of a blocked number verify, and look that the block is ordered away."""
    before = subscriber.operator.subscription(subscriber.msisdn)
    if not verify_holder(world, subscriber):
        return
    after = subscriber.operator.subscription(subscriber.msisdn)
    state = ServiceState.Name(before.service_state).removeprefix("SERVICE_STATE_").lower()
    world.journal.count(f"numbers cured: {state}")
    world.journal.check(
        Invariant.CURE_RESTORES,
        holds=before.service_state not in (SERVICE_STATE_ACTIVE, SERVICE_STATE_TERMINATED)
        and after.service_state == SERVICE_STATE_ACTIVE
        and not after.has_open_case,
        detail=f"verified out of {ServiceState.Name(before.service_state)} into "
        f"{ServiceState.Name(after.service_state)}, open case: {after.has_open_case}",
    )


def work_off_directives(world: World) -> None:
    """Let every operator execute what is ordered now."""
    for desk in world.desks.values():
        desk.work_off()


def _event(
    world: World, msisdn: str, kind: SubscriptionEventKind, *, holder: Citizen | None = None
) -> SubscriptionEvent:
    return SubscriptionEvent(
        msisdn=msisdn,
        kind=kind,
        occur_time=instant_message(world.clock.now() - _DETECTED_AFTER),
        holder=None if holder is None else claim_message(holder),
    )


def _end(world: World, subscriber: Subscriber, kind: SubscriptionEventKind) -> None:
    """End a contract at its operator, whose network drops the number at once."""
    _check_applied(world, report(world, subscriber, kind), subject="end of a contract")
    world.tenures.end(subscriber.operator, subscriber.line, by=_ENDS[kind])
    subscriber.line.network_state = SERVICE_STATE_TERMINATED
    subscriber.line.is_verified = False
    _forget_primary(world, subscriber)
    _check_state(world, subscriber, SERVICE_STATE_TERMINATED, subject="contract ended")


def _take_over(operator: Operator, msisdn: str, *, holder: Citizen) -> Subscriber:
    """Put a number that came from elsewhere into the state the service says."""
    state = operator.subscription(msisdn).service_state
    line = Line(msisdn=msisdn, holder=holder, link=LINK_STATE_LINKED, network_state=state)
    operator.lines[msisdn] = line
    return Subscriber(operator=operator, line=line)


def _forget_primary(world: World, subscriber: Subscriber) -> None:
    personal_id = subscriber.holder.personal_id
    if world.primaries.get(personal_id) == subscriber.msisdn:
        del world.primaries[personal_id]


def _verified_with_primary(world: World) -> Subscriber:
    return _take_verified(
        world, lambda each: world.primaries.get(each.holder.personal_id) == each.msisdn
    )


def _verified_without_primary(world: World, count: int) -> list[Subscriber]:
    return [
        _take_verified(world, lambda each: each.holder.personal_id not in world.primaries)
        for _ in range(count)
    ]


def _take_verified(world: World, suits: Callable[[Subscriber], bool]) -> Subscriber:
    """Return a verified subscriber, and keep it from being used for another event."""
    found = world.verified_subscriber(suits=suits)
    world.verified.remove(found)
    return found


def _lines_of(world: World, citizen: Citizen) -> list[Subscriber]:
    """Return the lines whose operators name this citizen by personal ID."""
    return [
        Subscriber(operator=operator, line=line)
        for operator in world.operators
        for line in operator.lines.values()
        if line.holder.personal_id == citizen.personal_id and line.link != LINK_STATE_NOT_FOUND
    ]


def _check_applied(world: World, reason: str, *, subject: str) -> None:
    world.journal.check_equal(Invariant.EVENTS_APPLY, seen=reason, expected="", subject=subject)


def _check_state(
    world: World, subscriber: Subscriber, state: ServiceState, *, subject: str
) -> None:
    seen: Subscription = subscriber.operator.subscription(subscriber.msisdn)
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=ServiceState.Name(seen.service_state),
        expected=ServiceState.Name(state),
        subject=subject,
    )


def _check_history(world: World, subscriber: Subscriber, cause: LinkChangeCause) -> None:
    """The last line of a link's history says what led to the state that it is in."""
    history = subscriber.operator.explain(subscriber.msisdn).link_history
    seen = [(each.cause, each.to_state) for each in history[-1:]]
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=seen,
        expected=[(cause, subscriber.line.link)],
        subject="the last line of a link's history",
    )


def _free_personal_id(world: World, *, like: Citizen) -> str:
    """A personal ID that nobody in the country has, of the same structure as a citizen's."""
    known = {each.personal_id for each in world.people}
    prefix = like.personal_id[:6]
    serials = (f"{prefix}{serial:06d}" for serial in range(999_999, 0, -1))
    return next(each for each in serials if each not in known)


def _check_has_case(world: World, subscriber: Subscriber, cause: CaseCause) -> None:
    explained = world.app.explain(subscriber.holder.personal_id, subscriber.msisdn)
    causes = {each.cause for each in explained.cases}
    world.journal.check(
        Invariant.EVENTS_APPLY,
        holds=cause in causes,
        detail=f"no case {cause_name(cause)} among {[cause_name(each) for each in causes]}",
    )
