"""Operators are judged.

Owns the comparison of networks with what was ordered, and of the service's figures and scores with
what the simulation has counted by hand: who is late, who fails, who lies, whose network drifts.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from subid.v1.compliance_service_pb2 import ExecutionTimes, MonthlyScore, OperatorKpis
from subid.v1.enforcement_service_pb2 import (
    DRIFT_KIND_NOT_APPLIED,
    DRIFT_KIND_NOT_REPORTED,
    DRIFT_KIND_STRICTER_THAN_ORDERED,
    Drift,
    DriftKind,
)
from subid.v1.quality_service_pb2 import Share as ShareMessage
from subid.v1.subscription_pb2 import SERVICE_STATE_TERMINATED
from telco_sim.conduct import COVERAGE, Figures, OperatorRecord, Share, Times
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.journal import Invariant
from telco_sim.tenures import tenure_of
from telco_sim.world import World

_DIGITS = 6
"""Seconds and points are compared to so many decimals: both are floats."""

_ALL_POINTS = 100.0

_SET_RIGHT_AFTER = timedelta(minutes=1)
"""Short enough that no other order falls due meanwhile."""

_REORDERED = (DRIFT_KIND_NOT_APPLIED, DRIFT_KIND_STRICTER_THAN_ORDERED)
"""Where an order helps."""


def compare_networks(world: World) -> None:
    """Each operator says what its network does; the service finds what really differs."""
    for desk in world.desks.values():
        if desk.habit is Habit.DRIFTING:
            desk.network.drift()
        _reconcile(world, desk)
        desk.network.clear_up()


def judge_operators(world: World) -> None:
    """Compare the networks, and all figures and scores; once more when all is set right."""
    compare_networks(world)
    _compare_kpis(world, *_days(world))
    _compare_months(world)
    world.let_pass(_SET_RIGHT_AFTER)
    for desk in world.desks.values():
        desk.work_off()
        _reconcile(world, desk)
        world.journal.check_equal(
            Invariant.DRIFT_MENDED,
            seen=desk.conduct.figures(*_days(world), now=world.clock.now()).drift[0],
            expected=0,
            subject=f"numbers of {desk.operator.name} that differ after they were set right",
        )
    _compare_kpis(world, *_days(world))
    _compare_coverage(world)


def _reconcile(world: World, desk: DirectiveDesk) -> None:
    """Report a whole network, and hold what is found against what the simulation knows."""
    states, expected = desk.network.states(), desk.network.differences()
    answers = desk.operator.reconcile(states)
    drifts = [drift for answer in answers for drift in answer.drifts]
    missing_count = sum(kind == DRIFT_KIND_NOT_REPORTED for kind in expected.values())
    world.journal.check_equal(
        Invariant.DRIFT_FOUND,
        seen={each.msisdn: DriftKind.Name(each.kind) for each in drifts},
        expected={msisdn: DriftKind.Name(kind) for msisdn, kind in expected.items()},
        subject=f"numbers of {desk.operator.name} that differ",
    )
    world.journal.check_equal(
        Invariant.DRIFT_FOUND,
        seen=(
            answers[-1].compared_count,
            answers[-1].drift_count,
            answers[-1].not_reported_count,
        ),
        expected=(len(states), len(expected) - missing_count, missing_count),
        subject=f"counts of {desk.operator.name}: compared, differing, not reported",
    )
    _check_ordered_again(world, drifts)
    desk.conduct.reconciled(
        drift=(len(expected), len(states) + missing_count),
        false_acknowledgements=(desk.network.lies(), len(states)),
        at=world.clock.now(),
    )
    world.journal.count("networks compared")
    for drift in drifts:
        kind = DriftKind.Name(drift.kind).removeprefix("DRIFT_KIND_")
        world.journal.count(f"drift found: {kind.replace('_', ' ').lower()}")


def _check_ordered_again(world: World, drifts: list[Drift]) -> None:
    for drift in drifts:
        world.journal.check_equal(
            Invariant.DRIFT_MENDED,
            seen=bool(drift.directive_id),
            expected=drift.kind in _REORDERED,
            subject=f"an order that stands again for {DriftKind.Name(drift.kind)}",
        )


def _days(world: World) -> tuple[date, date]:
    return world.started_on, world.clock.today()


def _compare_kpis(world: World, first: date, last: date) -> dict[str, OperatorKpis]:
    """Compare the figures of some days, as the regulator and as each operator gets them."""
    answer = world.regulator.kpis(first, last)
    kpis = {each.operator: each for each in answer.operators}
    for desk in world.desks.values():
        name = desk.operator.name
        world.journal.check_equal(
            Invariant.KPIS_KNOWN,
            seen=_seen(kpis.get(name, OperatorKpis())),
            expected=_expected(desk.conduct.figures(first, last, now=world.clock.now())),
            subject=f"figures of {name} from {first} to {last}",
        )
        own = desk.operator.kpis(first, last)
        world.journal.check_equal(
            Invariant.OWN_SUBSCRIPTIONS_ONLY,
            seen=list(own.operators),
            expected=[kpis[name]] if name in kpis else [],
            subject=f"the figures that {name} may see",
        )
    return kpis


def _compare_months(world: World) -> None:
    """Compare the scores of each month of the story, and keep them.

    All of them: on which day the story begins decides in which month an operator was late.
    """
    for first, last in _months(world):
        kpis = _compare_kpis(world, first, last)
        scores = {each.operator: each for each in world.regulator.monthly_score(first).scores}
        for desk in world.desks.values():
            name = desk.operator.name
            figures = desk.conduct.figures(first, last, now=world.clock.now())
            score = scores[name].score if name in scores else None
            world.journal.check_equal(
                Invariant.KPIS_KNOWN,
                seen=_rounded(score),
                expected=_rounded(figures.score(coverage=_share(kpis[name].coverage)))
                if name in kpis
                else None,
                subject=f"score of {name} in {first:%Y-%m}",
            )
        _check_honest_is_best(world, scores, first=first, last=last)
        _keep_records(world, scores, first=first, last=last)


def _months(world: World) -> Iterator[tuple[date, date]]:
    """Yield first and last day of each month that the story has seen."""
    first, today = _days(world)
    first = first.replace(day=1)
    while first <= today:
        following = (first + timedelta(days=31)).replace(day=1)
        yield first, following - timedelta(days=1)
        first = following


def _check_honest_is_best(
    world: World, scores: dict[str, MonthlyScore], *, first: date, last: date
) -> None:
    """Whoever is late, fails, lies or drifts has fewer points than the one who does not.

    Coverage is left out: whether citizens are verified is theirs to say, not the operator's.
    """
    now = world.clock.now()
    for desk in world.desks.values():
        if desk.operator.name not in scores:
            continue
        points = _obedience(scores[desk.operator.name])
        has_vice = desk.conduct.figures(first, last, now=now).has_vice
        world.journal.check(
            Invariant.HONEST_IS_BEST,
            holds=(points is None or points < _ALL_POINTS) if has_vice else points == _ALL_POINTS,
            detail=f"{desk.habit} {desk.operator.name} has {points} points in {first:%Y-%m}",
        )
        if desk.habit is Habit.PROMPT:
            world.journal.check(
                Invariant.HONEST_IS_BEST,
                holds=not has_vice,
                detail=f"the prompt {desk.operator.name} was not honest in {first:%Y-%m}",
            )


def _obedience(score: MonthlyScore) -> float | None:
    """Return a score without coverage: what it would be if that could not be said."""
    parts = [each for each in score.parts if each.name != COVERAGE]
    weight = sum(each.weight for each in parts)
    if not weight:
        return None
    return _rounded(sum(each.points * each.weight for each in parts) / weight)


def _keep_records(
    world: World, scores: dict[str, MonthlyScore], *, first: date, last: date
) -> None:
    """Keep for the report how each operator did in a month, the best first."""
    for name, score in scores.items():
        desk = world.desks[name]
        figures = desk.conduct.figures(first, last, now=world.clock.now())
        world.records.append(
            OperatorRecord(
                operator=name,
                habit=desk.habit.value,
                order_count=figures.orders.executed_count,
                late_count=figures.orders.late_count,
                failure_count=figures.failures[0],
                false_count=figures.false_acknowledgements[0],
                drift_count=figures.drift[0],
                month=f"{first:%Y-%m}",
                score=round(score.score, 1),
            )
        )


def _compare_coverage(world: World) -> None:
    """Measured when every order is executed, coverage counts the holders who were verified."""
    world.regulator.advance()
    answer = world.regulator.kpis(*_days(world))
    for each in answer.operators:
        operator = world.desks[each.operator].operator
        lines = [
            line
            for line in operator.lines.values()
            if line.network_state != SERVICE_STATE_TERMINATED
        ]
        proved = (world.tenures.is_proved(tenure_of(operator, line)) for line in lines)
        world.journal.check_equal(
            Invariant.KPIS_KNOWN,
            seen=_share(each.coverage),
            expected=(sum(proved), len(lines)),
            subject=f"coverage of {each.operator}",
        )


def _seen(kpis: OperatorKpis) -> dict[str, object]:
    return {
        "orders": _times(kpis.orders),
        "notices": _times(kpis.notices),
        "device changes": _times(kpis.device_changes),
        "drift": _share(kpis.drift),
        "false acknowledgements": _share(kpis.false_acknowledgements),
        "failures": _share(kpis.failures),
    }


def _expected(figures: Figures) -> dict[str, object]:
    return {
        "orders": _counted(figures.orders),
        "notices": _counted(figures.notices),
        "device changes": _counted(figures.device_changes),
        "drift": figures.drift,
        "false acknowledgements": figures.false_acknowledgements,
        "failures": figures.failures,
    }


_TimesFields = tuple[int, int, int, float | None, float | None]


def _times(times: ExecutionTimes) -> _TimesFields:
    return (
        times.executed_count,
        times.late_count,
        times.open_late_count,
        _rounded(times.p50_s) if times.HasField("p50_s") else None,
        _rounded(times.p95_s) if times.HasField("p95_s") else None,
    )


def _counted(times: Times) -> _TimesFields:
    return (
        times.executed_count,
        times.late_count,
        times.open_late_count,
        _rounded(times.p50_s),
        _rounded(times.p95_s),
    )


def _share(share: ShareMessage) -> Share:
    return share.numerator, share.denominator


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
