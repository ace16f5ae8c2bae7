"""Who plays which part."""

from collections.abc import Iterator

import pytest

from subid.v1.subscription_pb2 import LINK_STATE_LINKED, LINK_STATE_MISMATCHED
from telco_sim.books import can_hold
from telco_sim.world import CountryTooSmallError, World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import open_world


@pytest.fixture
def world() -> Iterator[World]:
    with open_world(Country()) as world:
        yield world


def test_nobody_is_cast_twice(world: World) -> None:
    cast = [*world.cast.take(10), *world.cast.take(10), *world.verified]
    holders = [each.holder.personal_id for each in cast]
    assert len(set(holders)) == len(holders) == 26


def test_subscribers_are_cast_by_their_link(world: World) -> None:
    assert {each.line.link for each in world.cast.take(5)} == {LINK_STATE_LINKED}
    mismatched = world.cast.take(1, link=LINK_STATE_MISMATCHED)
    assert {each.line.link for each in mismatched} == {LINK_STATE_MISMATCHED}


def test_subscribers_are_cast_by_what_suits(world: World) -> None:
    wanted = world.operators[2]
    taken = world.cast.take(3, suits=lambda each: each.operator is wanted)
    assert [each.operator for each in taken] == [wanted] * 3


def test_a_small_country_gives_fewer(world: World) -> None:
    assert 0 < len(world.cast.take(10_000)) < 10_000
    assert world.cast.take(1) == ()


def test_a_role_is_always_played_by_the_same(world: World) -> None:
    victim = world.cast.role("a victim")
    assert world.cast.role("a victim") is victim
    assert world.cast.role("a thief") is not victim


def test_a_role_that_nobody_can_play_is_named(world: World) -> None:
    with pytest.raises(CountryTooSmallError, match="a giant"):
        world.cast.role("a giant", suits=lambda _: False)
    with pytest.raises(CountryTooSmallError, match="a dwarf"):
        world.somebody("a dwarf", suits=lambda _: False)


def test_an_adult_is_alive_old_enough_and_has_no_other_part(world: World) -> None:
    adults = [world.adult() for _ in range(5)]
    today = world.clock.today()
    assert all(each.is_alive and can_hold(each, today=today) for each in adults)
    assert len({each.personal_id for each in adults}) == 5
    assert not {each.personal_id for each in adults} & {
        each.holder.personal_id for each in world.cast.take(10_000)
    }


def test_time_passes_at_the_service_and_here(world: World) -> None:
    before = world.clock.now()
    world.let_pass(before - before)
    assert world.clock.now() == before


def test_the_last_verified_who_suits_is_found(world: World) -> None:
    assert world.verified_subscriber() is world.verified[-1]
    first = world.verified[0]
    assert world.verified_subscriber(suits=lambda each: each is first) is first
    with pytest.raises(CountryTooSmallError, match="a verified holder"):
        world.verified_subscriber(suits=lambda _: False)


def test_a_competitor_is_another_operator(world: World) -> None:
    for operator in world.operators:
        assert world.operator_other_than(operator) is not operator
