"""A service that gives numbers away to whoever claims them is noticed."""

import pytest

from subid.v1.subscription_pb2 import LINK_STATE_LINKED
from telco_sim.chapters.disputes import dispute_numbers
from telco_sim.journal import Invariant
from telco_sim.world import CountryTooSmallError, World
from tests.unit.telco_sim.credulous_world import finding


def verify_some(world: World) -> None:
    for each in world.verified:
        assert each.line.link == LINK_STATE_LINKED
        each.line.is_verified = True


def test_disputes_need_three_holders(world: World) -> None:
    with pytest.raises(CountryTooSmallError, match="a side of a dispute"):
        dispute_numbers(world)


def test_a_number_in_a_dispute_already_is_left_alone(world: World) -> None:
    verify_some(world)
    world.disputes.update((each.msisdn, "a dispute") for each in world.verified)
    with pytest.raises(CountryTooSmallError):
        dispute_numbers(world)


def test_one_who_decides_alone_and_clocks_that_run_on_are_noticed(world: World) -> None:
    verify_some(world)
    dispute_numbers(world)
    assert not finding(world, Invariant.NOBODY_LOSES_BY_ONE_ACT).holds
    assert not finding(world, Invariant.DISPUTE_RUNS_ITS_COURSE).holds
    escalates = finding(world, Invariant.NOTHING_ESCALATES_IN_DISPUTE)
    assert escalates.broken_count == escalates.check_count > 10
    alone = " ".join(finding(world, Invariant.NOBODY_LOSES_BY_ONE_ACT).details)
    assert "an operator that gives a disputed number away" in alone
    assert "one caller of the regulator who says so twice" in alone


def test_the_number_is_the_claimants_in_the_end(world: World) -> None:
    verify_some(world)
    holders = {each.msisdn: each.holder for each in world.verified}
    dispute_numbers(world)
    changed = [each for each in world.verified if each.holder != holders[each.msisdn]]
    assert len(changed) == 1
    assert changed[0].holder in holders.values()
    assert world.journal.counts()["disputed numbers given to who claimed them"] == 1
