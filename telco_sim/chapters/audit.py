"""The books are compared.

Owns the checks that need no event: that blocks are explained, that networks do what is ordered,
that nobody innocent is blocked, that primary numbers are in order, and that writes repeated with
their request_id answer as before.
"""

from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_UNSPECIFIED,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_UNSPECIFIED,
    Directive,
    EnforcementCase,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    LINK_STATE_NOT_FOUND,
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_INACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_SUSPENDED,
    SERVICE_STATE_TERMINATED,
    LinkState,
    ServiceState,
    Subscription,
)
from telco_sim.directives import STATE_AFTER, says_it_twice
from telco_sim.journal import Invariant
from telco_sim.operators import Line, Operator
from telco_sim.wire import Refusal
from telco_sim.world import World

_BLOCKED = (SERVICE_STATE_OUTGOING_BLOCKED, SERVICE_STATE_SUSPENDED)
_LATER_BLOCKED = (LINK_STATE_NOT_FOUND, LINK_STATE_DECEASED)
"""Blocked on day 15 only (T4), which a short play does not reach."""

_OPERATOR_ASKS_EVERY = 10
_IN_SERVICE = (SERVICE_STATE_ACTIVE, SERVICE_STATE_OUTGOING_BLOCKED)


def check_blocks_explained(world: World) -> None:
    """Ask why each blocked number is blocked, once for every state it is seen in.

    The regulator asks about all of them; every so often the operator asks as well, and must get
    the same explanation.
    """
    for operator in world.operators:
        for subscription in operator.subscriptions():
            asked = (subscription.subscription_id, subscription.service_state)
            if subscription.service_state in _BLOCKED and asked not in world.explained:
                world.explained.add(asked)
                _check_explained(world, subscription, operator=operator)


def check_networks(world: World) -> None:
    """Compare each operator's list with its network: complete, applied, and nobody innocent."""
    for operator in world.operators:
        current = _current(operator)
        world.journal.check_equal(
            Invariant.OWN_SUBSCRIPTIONS_ONLY,
            seen=sorted(current),
            expected=sorted(operator.lines),
            subject=f"numbers of {operator.name}",
        )
        for msisdn, subscription in current.items():
            if msisdn in operator.lines:
                _check_line(world, subscription, line=operator.lines[msisdn])


def check_ladder(world: World) -> None:
    """Look that no network was told to take a step before the ones that must come first."""
    for operator in world.operators:
        for msisdn in operator.lines:
            directives = world.ledger.executed(msisdn)
            world.journal.check(
                Invariant.LADDER_IN_ORDER,
                holds=_is_ladder(directives),
                detail=f"{[each.kind for each in directives]}",
            )


def check_primaries(world: World) -> None:
    """Compare every citizen's primary number with the simulation's own, and with the lists."""
    marked: dict[str, list[Subscription]] = {}
    for operator in world.operators:
        for subscription in operator.subscriptions():
            if subscription.is_primary:
                marked.setdefault(subscription.msisdn, []).append(subscription)
    for citizen in world.people:
        expected = world.primaries.get(citizen.personal_id, "")
        if not expected and not world.cast.has_part(citizen):
            continue
        seen = world.app.primary(citizen.personal_id)
        listed = [each for each in world.app.subscriptions(citizen.personal_id) if each.is_primary]
        world.journal.check(
            Invariant.ONE_PRIMARY,
            holds=seen == expected
            and [each.msisdn for each in listed] == ([expected] if expected else [])
            and all(_may_be_primary(each) for each in listed),
            detail=f"{len(listed)} marked; a primary number was {'' if seen else 'not '}answered, "
            f"and was {'' if expected else 'not '}expected",
        )
    world.journal.check_equal(
        Invariant.ONE_PRIMARY,
        seen=sorted(marked),
        expected=sorted(world.primaries.values()),
        subject="primary numbers in the lists of all operators",
    )


def repeat_writes(world: World) -> None:
    """Send writes again, byte for byte, and compare the answers with the first ones."""
    for write in world.wiretap.take_writes():
        try:
            is_same = write.repeat() == write.answer
        except Refusal:
            is_same = False
        world.journal.check(
            Invariant.SAME_ANSWER, holds=is_same, detail=f"{write.method} answered differently"
        )
        world.journal.count("writes repeated")


def _check_explained(world: World, subscription: Subscription, *, operator: Operator) -> None:
    explained = world.regulator.explain(subscription.msisdn)
    world.journal.check(
        Invariant.BLOCK_EXPLAINED,
        holds=explained.service_state == subscription.service_state
        and bool(explained.cases)
        and all(_is_explained(each) for each in explained.cases),
        detail=f"{ServiceState.Name(subscription.service_state)} with {len(explained.cases)} cases",
    )
    if len(world.explained) % _OPERATOR_ASKS_EVERY == 0:
        world.journal.check(
            Invariant.BLOCK_EXPLAINED,
            holds=explained == operator.explain(subscription.msisdn),
            detail="regulator and operator were given different explanations",
        )


def _is_explained(case: EnforcementCase) -> bool:
    says_what_next = case.next_step != DIRECTIVE_KIND_UNSPECIFIED
    return (
        case.cause != CASE_CAUSE_UNSPECIFIED
        and bool(case.citation)
        and says_it_twice(case.way_out)
        and says_it_twice(case.explanation)
        and bool(case.track)
        and bool(case.policy_version)
        and case.HasField("open_time")
        and says_what_next == case.HasField("next_step_time")
    )


def _current(operator: Operator) -> dict[str, Subscription]:
    """Return the subscription that stands for each number now.

    A released number may be listed twice: once as it ended, and once as it went on.
    """
    current: dict[str, Subscription] = {}
    for each in operator.subscriptions():
        if each.msisdn not in current or each.service_state != SERVICE_STATE_TERMINATED:
            current[each.msisdn] = each
    return current


def _check_line(world: World, subscription: Subscription, *, line: Line) -> None:
    names = [
        ServiceState.Name(state)
        for state in (subscription.service_state, subscription.applied_state, line.network_state)
    ]
    world.journal.check(
        Invariant.ORDERED_IS_APPLIED,
        holds=len(set(names)) == 1,
        detail="ordered {}, applied {}, in the network {}".format(*names),
    )
    if not line.is_verified:
        world.journal.check(
            Invariant.UNCONFIRMED_OUT_OF_SERVICE,
            holds=subscription.service_state != SERVICE_STATE_ACTIVE or line.link in _LATER_BLOCKED,
            detail=f"{LinkState.Name(line.link)} and never verified, yet in service",
        )
    elif subscription.link.state == LINK_STATE_LINKED and not subscription.has_open_case:
        world.journal.check_equal(
            Invariant.INNOCENT_IN_SERVICE,
            seen=ServiceState.Name(subscription.service_state),
            expected=ServiceState.Name(SERVICE_STATE_ACTIVE),
            subject="a verified, linked number without a case",
        )


def _may_be_primary(subscription: Subscription) -> bool:
    return (
        subscription.link.state == LINK_STATE_LINKED
        and subscription.HasField("verify_time")
        and subscription.service_state in _IN_SERVICE
    )


def _is_ladder(directives: tuple[Directive, ...]) -> bool:
    """Say whether a notice came before each first block, and no step back without a cure."""
    is_notified = False
    severity = SERVICE_STATE_INACTIVE
    for directive in directives:
        if directive.kind == DIRECTIVE_KIND_NOTIFY:
            is_notified = True
            continue
        state = STATE_AFTER[directive.kind]
        if state == SERVICE_STATE_ACTIVE:
            # Putting back a number that was never blocked mends a network, and cures nothing.
            is_notified = is_notified and severity <= SERVICE_STATE_ACTIVE
            severity = SERVICE_STATE_ACTIVE
            continue
        if not is_notified or state < severity:
            return False
        severity = state
    return True
