"""A service that does not find what differs, or counts otherwise, is noticed."""

from dataclasses import astuple

import pytest

from subid.v1.compliance_service_pb2 import (
    ExecutionTimes,
    MonthlyScore,
    OperatorKpis,
    ScorePart,
)
from subid.v1.enforcement_service_pb2 import (
    DIRECTIVE_KIND_SUSPEND,
    DRIFT_KIND_NOT_APPLIED,
    DRIFT_KIND_STRICTER_THAN_ORDERED,
    DRIFT_KIND_UNKNOWN_NUMBER,
    Drift,
)
from subid.v1.quality_service_pb2 import Share
from telco_sim.chapters.accounting import compare_networks, judge_operators
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding

HONEST, OTHER = "song-hong", "cuu-long"


def details(world: World, invariant: Invariant) -> str:
    return " ".join(finding(world, invariant).details)


def desk_with(world: World, habit: Habit) -> DirectiveDesk:
    return next(each for each in world.desks.values() if each.habit is habit)


def test_every_number_of_every_network_is_reported(world: World, country: Country) -> None:
    compare_networks(world)
    states = [each for desk in world.desks.values() for each in desk.network.states()]
    strays = world.journal.counts()["networks compared"]
    assert strays == len(world.operators)
    assert {each.msisdn for each in country.reported} >= {each.msisdn for each in states} - {
        # What the drifting network had forgotten was found again afterwards.
        *desk_with(world, Habit.DRIFTING).operator.lines
    }


def test_drift_that_is_not_found_is_noticed_and_only_with_the_one_who_drifts(world: World) -> None:
    compare_networks(world)
    drifting = desk_with(world, Habit.DRIFTING).operator.name
    found = finding(world, Invariant.DRIFT_FOUND)
    assert found.check_count == 2 * len(world.operators)
    assert found.broken_count == 2
    assert all(drifting in each for each in found.details)


def test_a_lie_that_is_not_found_is_noticed(world: World, country: Country) -> None:
    desk = desk_with(world, Habit.LYING)
    country.order(next(iter(desk.operator.lines)), DIRECTIVE_KIND_SUSPEND)
    desk.work_off()
    compare_networks(world)
    assert f"numbers of {desk.operator.name} that differ" in details(world, Invariant.DRIFT_FOUND)


def test_drift_that_is_made_up_is_noticed(world: World, country: Country) -> None:
    country.drifts = [Drift(msisdn="+84599999999", kind=DRIFT_KIND_UNKNOWN_NUMBER)]
    compare_networks(world)
    assert finding(world, Invariant.DRIFT_FOUND).broken_count == 2 * len(world.operators)


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        (Drift(kind=DRIFT_KIND_NOT_APPLIED), "DRIFT_KIND_NOT_APPLIED"),
        (Drift(kind=DRIFT_KIND_STRICTER_THAN_ORDERED), "DRIFT_KIND_STRICTER_THAN_ORDERED"),
        (Drift(kind=DRIFT_KIND_UNKNOWN_NUMBER, directive_id="an order"), "UNKNOWN_NUMBER"),
    ],
)
def test_an_order_that_lacks_or_helps_nobody_is_noticed(
    drift: Drift, says: str, world: World, country: Country
) -> None:
    country.drifts = [drift]
    compare_networks(world)
    assert says in details(world, Invariant.DRIFT_MENDED)


def honest_kpis(world: World, name: str) -> OperatorKpis:
    """What a service that counts right would say of an operator that was ordered nothing."""
    states = len(world.desks[name].network.states())
    nothing = Share(denominator=states)
    return OperatorKpis(
        operator=name,
        coverage=Share(numerator=0, denominator=len(world.desks[name].operator.lines)),
        drift=nothing,
        false_acknowledgements=nothing,
    )


def test_figures_that_differ_from_those_counted_by_hand_are_noticed(
    world: World, country: Country
) -> None:
    wrong = honest_kpis(world, HONEST)
    wrong.orders.CopyFrom(ExecutionTimes(executed_count=1, late_count=1))
    country.kpis = [wrong]
    judge_operators(world)
    assert f"figures of {HONEST}" in details(world, Invariant.KPIS_KNOWN)


def test_the_right_figures_of_an_idle_operator_are_taken(world: World, country: Country) -> None:
    country.kpis = [honest_kpis(world, HONEST)]
    compare_networks(world)
    figures = world.desks[HONEST].conduct.figures(
        world.started_on, world.started_on, now=world.clock.now()
    )
    seen = country.kpis[0]
    assert figures.drift == (seen.drift.numerator, seen.drift.denominator)
    assert not any(astuple(figures.orders)[:3])


def test_an_operator_that_sees_anothers_figures_is_noticed(world: World, country: Country) -> None:
    country.kpis = [honest_kpis(world, HONEST), honest_kpis(world, OTHER)]
    judge_operators(world)
    assert "may see" in details(world, Invariant.OWN_SUBSCRIPTIONS_ONLY)


def score(name: str, points: float) -> MonthlyScore:
    parts = [
        ScorePart(name="coverage", points=0, weight=0.5),
        ScorePart(name="honest", points=points, weight=0.5),
    ]
    return MonthlyScore(operator=name, score=points / 2, parts=parts)


def test_points_taken_from_the_honest_are_noticed(world: World, country: Country) -> None:
    country.kpis = [honest_kpis(world, HONEST)]
    country.scores = [score(HONEST, 99)]
    judge_operators(world)
    assert f"prompt {HONEST} has 99.0 points" in details(world, Invariant.HONEST_IS_BEST)


def test_a_score_that_differs_from_the_one_counted_by_hand_is_noticed(
    world: World, country: Country
) -> None:
    idle = [each for each in world.desks.values() if each.habit is not Habit.DRIFTING]
    country.kpis = [honest_kpis(world, each.operator.name) for each in idle]
    country.scores = [score(HONEST, 99)]
    judge_operators(world)
    assert f"score of {HONEST}" in details(world, Invariant.KPIS_KNOWN)


def test_full_points_for_one_whose_network_drifts_are_noticed(
    world: World, country: Country
) -> None:
    name = desk_with(world, Habit.DRIFTING).operator.name
    country.kpis = [honest_kpis(world, name)]
    country.scores = [score(name, 100)]
    judge_operators(world)
    assert f"drifting {name} has 100.0 points" in details(world, Invariant.HONEST_IS_BEST)


def test_operators_are_kept_for_the_report_as_they_were_ranked(
    world: World, country: Country
) -> None:
    country.kpis = [honest_kpis(world, each.name) for each in world.operators]
    country.scores = [score(HONEST, 100), score(OTHER, 90)]
    judge_operators(world)
    kept = [(each.operator, each.habit, each.score) for each in world.records]
    assert kept == [(HONEST, "prompt", 50.0), (OTHER, world.desks[OTHER].habit.value, 45.0)]
