"""The register learns what became of its people's numbers.

Owns the comparison of what the population authority was told with what the simulation knows.
"""

from subid.v1.population_service_pb2 import (
    SUBSCRIPTION_END_TERMINATED,
    SUBSCRIPTION_END_UNSPECIFIED,
    SubscriberUpdate,
    SubscriptionEnd,
)
from subid.v1.subscription_pb2 import SERVICE_STATE_TERMINATED, LinkState, Subscription
from telco_sim.journal import Invariant
from telco_sim.tenures import Tenure, tenure_of
from telco_sim.world import Subscriber, World

Told = tuple[bool, str, bool, bool, str]
"""Proved, link, primary, disowned, end."""


def compare_register(world: World) -> None:
    """Work off what there is, and hold the register against the country."""
    world.update_desk.work_off()
    told = {_tenure(each): each for each in world.update_desk.entered}
    world.journal.check_equal(
        Invariant.REGISTER_KNOWS,
        seen=len(world.update_desk.entered),
        expected=len(told),
        subject="standings by person, operator and number",
    )
    held = _held(world)
    for tenure in told.keys() | world.tenures.known():
        update = told.get(tenure)
        world.journal.check_equal(
            Invariant.REGISTER_KNOWS,
            seen=None if update is None else _seen(update),
            expected=_expected(world, tenure, held.get(tenure)),
            subject="a standing that the register was told of",
        )
    _check_proofs(world, told, held)


def _tenure(update: SubscriberUpdate) -> Tenure:
    return Tenure(
        personal_id=update.personal_id, operator_name=update.operator_id, msisdn=update.msisdn
    )


def _held(world: World) -> dict[Tenure, Subscriber]:
    """Return every line that is held now, by its hold."""
    return {
        tenure_of(operator, line): Subscriber(operator=operator, line=line)
        for operator in world.operators
        for line in operator.lines.values()
        if line.network_state != SERVICE_STATE_TERMINATED
    }


def _seen(update: SubscriberUpdate) -> Told:
    return (
        update.HasField("assurance"),
        "" if update.end else LinkState.Name(update.link_state),
        update.HasField("primary_time"),
        update.HasField("disown_time"),
        SubscriptionEnd.Name(update.end),
    )


def _expected(world: World, tenure: Tenure, subscriber: Subscriber | None) -> Told | None:
    if tenure not in world.tenures.known():
        return None
    primary = world.primaries.get(tenure.personal_id)
    end = world.tenures.end_of(tenure) or (
        SUBSCRIPTION_END_TERMINATED if subscriber is None else SUBSCRIPTION_END_UNSPECIFIED
    )
    is_held = subscriber is not None and not end
    return (
        world.tenures.is_proved(tenure),
        LinkState.Name(subscriber.line.link) if subscriber is not None and not end else "",
        is_held and primary == tenure.msisdn,
        world.tenures.is_disowned(tenure),
        SubscriptionEnd.Name(end),
    )


def _check_proofs(
    world: World, told: dict[Tenure, SubscriberUpdate], held: dict[Tenure, Subscriber]
) -> None:
    """Compare when holders were verified with what their operators are told."""
    listed: dict[tuple[str, str], Subscription] = {
        (each.operator_id, each.subscription_id): each
        for operator in world.operators
        for each in operator.subscriptions()
    }
    for tenure, update in told.items():
        if tenure not in held or update.end:
            continue
        subscription = listed[update.operator_id, update.subscription_id]
        world.journal.check_equal(
            Invariant.REGISTER_KNOWS,
            seen=update.assurance.verify_time,
            expected=subscription.verify_time,
            subject="when a holder was verified",
        )
