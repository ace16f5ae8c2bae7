"""What the register was told is held against the country, and a difference is noticed."""

from typing import Any

import pytest

from subid.v1.population_service_pb2 import (
    SUBSCRIPTION_END_RELEASED,
    SUBSCRIPTION_END_TERMINATED,
    Assurance,
    SubscriberUpdate,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    SERVICE_STATE_TERMINATED,
)
from telco_sim.chapters.giving_back import compare_register
from telco_sim.journal import Finding, Invariant
from telco_sim.world import Subscriber, World
from tests.unit.telco_sim.credulous_service import Country, timestamp


@pytest.fixture
def world(world: World) -> World:
    """Nobody has a primary number."""
    world.primaries.clear()
    return world


@pytest.fixture
def subscriber(world: World, country: Country) -> Subscriber:
    """Somebody who was verified, as operator and simulation know."""
    found = world.verified[0]
    subscription = country.add(found.msisdn, operator_id=found.operator.name)
    subscription.verify_time.CopyFrom(timestamp(country.now))
    world.tenures.prove(found.operator, found.line)
    return found


def told(country: Country, subscriber: Subscriber, **given: Any) -> None:  # noqa: ANN401 - any field
    """Queue the update that a verified number deserves, unless a test says otherwise."""
    usual: dict[str, Any] = {
        "personal_id": subscriber.holder.personal_id,
        "sequence": 1,
        "subscription_id": country.subscriptions[subscriber.msisdn].subscription_id,
        "msisdn": subscriber.msisdn,
        "operator_id": subscriber.operator.name,
        "link_state": LINK_STATE_LINKED,
        "assurance": Assurance(verify_time=timestamp(country.now)),
    }
    country.updates.append(SubscriberUpdate(**usual | given))


def finding(world: World) -> Finding:
    compare_register(world)
    (found,) = world.journal.findings(Invariant.REGISTER_KNOWS)
    return found


def test_a_register_that_was_told_the_truth_is_in_order(
    world: World, country: Country, subscriber: Subscriber
) -> None:
    told(country, subscriber)
    found = finding(world)
    assert (found.check_count, found.holds) == (3, True), found


def test_a_number_that_was_taken_away_by_order_has_ended(
    world: World, country: Country, subscriber: Subscriber
) -> None:
    told(country, subscriber, end=SUBSCRIPTION_END_TERMINATED)
    subscriber.line.network_state = SERVICE_STATE_TERMINATED
    assert finding(world).holds


def test_a_number_that_was_released_has_ended_for_its_holder(
    world: World, country: Country, subscriber: Subscriber
) -> None:
    told(country, subscriber, end=SUBSCRIPTION_END_RELEASED)
    world.tenures.end(subscriber.operator, subscriber.line, by=SUBSCRIPTION_END_RELEASED)
    subscriber.line.holder = world.verified[1].holder
    assert finding(world).holds


def test_what_the_register_was_not_told_is_noticed(world: World, subscriber: Subscriber) -> None:
    assert subscriber in world.verified
    assert finding(world).broken_count == 1


def test_what_nobody_proved_and_the_register_was_told_is_noticed(
    world: World, country: Country, subscriber: Subscriber
) -> None:
    told(country, subscriber)
    claimed = world.verified[1]
    country.add(claimed.msisdn, operator_id=claimed.operator.name)
    told(country, claimed, assurance=None)
    assert finding(world).broken_count > 0


@pytest.mark.parametrize(
    "lie",
    [
        {"link_state": LINK_STATE_DECEASED},
        {"primary_time": timestamp(Country().now)},
        {"disown_time": timestamp(Country().now)},
        {"end": SUBSCRIPTION_END_RELEASED},
        {"assurance": None},
        {"assurance": Assurance()},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_each_lie_is_noticed(
    world: World, country: Country, subscriber: Subscriber, lie: dict[str, Any]
) -> None:
    told(country, subscriber, **lie)
    assert finding(world).broken_count > 0


def test_somebody_who_is_verified_again_no_longer_disowns(
    world: World, country: Country, subscriber: Subscriber
) -> None:
    world.tenures.disown(subscriber.operator, subscriber.line)
    world.tenures.prove(subscriber.operator, subscriber.line)
    told(country, subscriber)
    assert finding(world).holds
