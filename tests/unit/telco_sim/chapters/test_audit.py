"""The checks at the end notice what is broken."""

import pytest

from subid.v1.enforcement_service_pb2 import (
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_RESTORE,
    DIRECTIVE_KIND_SUSPEND,
    DIRECTIVE_KIND_TERMINATE,
    DirectiveKind,
)
from subid.v1.subscription_pb2 import SERVICE_STATE_SUSPENDED
from telco_sim.chapters.audit import check_ladder, check_networks, repeat_writes
from telco_sim.journal import Invariant
from telco_sim.ledger import Attempt
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding


def test_writes_that_answer_the_same_are_in_order(world: World) -> None:
    world.app.set_primary("001090999999", "+84912345678")
    world.wiretap.take_writes()
    world.app.set_primary("001090999999", "+84912345678")
    repeat_writes(world)
    same = finding(world, Invariant.SAME_ANSWER)
    assert (same.check_count, same.holds) == (1, True)


def test_a_write_that_answers_differently_is_noticed(world: World, country: Country) -> None:
    world.wiretap.take_writes()
    country.repeats_differ = True
    world.app.set_primary("001090999999", "+84912345678")
    repeat_writes(world)
    same = finding(world, Invariant.SAME_ANSWER)
    assert same.details == ("SetPrimaryNumber answered differently",)


@pytest.mark.parametrize(
    ("kinds", "holds"),
    [
        ((), True),
        ((DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_BLOCK_OUTGOING, DIRECTIVE_KIND_SUSPEND), True),
        ((DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_SUSPEND, DIRECTIVE_KIND_TERMINATE), True),
        ((DIRECTIVE_KIND_BLOCK_OUTGOING,), False),
        ((DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_SUSPEND, DIRECTIVE_KIND_BLOCK_OUTGOING), False),
        ((DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_SUSPEND, DIRECTIVE_KIND_RESTORE), True),
        ((DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_RESTORE, DIRECTIVE_KIND_BLOCK_OUTGOING), True),
        (
            (
                *(DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_SUSPEND, DIRECTIVE_KIND_RESTORE),
                DIRECTIVE_KIND_BLOCK_OUTGOING,
            ),
            False,
        ),
    ],
)
def test_the_ladder_is_climbed_rung_by_rung(
    kinds: tuple[DirectiveKind, ...],
    holds: bool,  # noqa: FBT001 - parametrized
    world: World,
    country: Country,
) -> None:
    msisdn = next(iter(world.operators[0].lines))
    for kind in kinds:
        world.ledger.attempted(country.order(msisdn, kind), Attempt.EXECUTED)
    check_ladder(world)
    assert finding(world, Invariant.LADDER_IN_ORDER).holds is holds


def serve_lines_of(world: World, country: Country) -> None:
    """Let the service know exactly the first operator's lines, and that operator nobody else's."""
    country.subscriptions.clear()
    for msisdn in world.operators[0].lines:
        country.add(msisdn)


def test_a_network_that_does_something_else_is_noticed(world: World, country: Country) -> None:
    serve_lines_of(world, country)
    line = next(iter(world.operators[0].lines.values()))
    line.network_state = SERVICE_STATE_SUSPENDED
    check_networks(world)
    applied = finding(world, Invariant.ORDERED_IS_APPLIED)
    assert applied.broken_count == 1
    assert "in the network SERVICE_STATE_SUSPENDED" in applied.details[0]


def test_an_operator_that_sees_foreign_numbers_is_noticed(world: World, country: Country) -> None:
    serve_lines_of(world, country)
    check_networks(world)
    own_only = finding(world, Invariant.OWN_SUBSCRIPTIONS_ONLY)
    assert own_only.check_count == len(world.operators)
    assert own_only.broken_count == len(world.operators) - 1  # they were given the first one's list


def test_a_blocked_innocent_is_noticed(world: World, country: Country) -> None:
    serve_lines_of(world, country)
    msisdn, line = next(iter(world.operators[0].lines.items()))
    line.is_verified = True
    country.subscriptions[msisdn].service_state = SERVICE_STATE_SUSPENDED
    check_networks(world)
    assert finding(world, Invariant.INNOCENT_IN_SERVICE).broken_count == 1


def test_an_unconfirmed_number_in_service_is_noticed(world: World, country: Country) -> None:
    serve_lines_of(world, country)
    check_networks(world)
    assert finding(world, Invariant.UNCONFIRMED_OUT_OF_SERVICE).broken_count > 0
