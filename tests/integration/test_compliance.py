"""ComplianceService on the wire: what was ordered and done, each caller its part."""

from datetime import UTC, date, datetime, timedelta

import pytest

from identity.domain.calendar_date import day_of
from subid.v1 import compliance_service_pb2 as pb
from subid.v1.date_pb2 import Date
from tests.integration.scene import Scene
from tests.integration.wire import Stubs, refused


def day(value: date) -> Date:
    return Date(year=value.year, month=value.month, day=value.day)


def kpis(stubs: Stubs, **given: Date) -> pb.GetKpisResponse:
    return stubs.compliance.GetKpis(pb.GetKpisRequest(**given))  # type: ignore[no-any-return] # an untyped stub


def scores(stubs: Stubs, on: date) -> pb.GetMonthlyScoreResponse:
    request = pb.GetMonthlyScoreRequest(year=on.year, month=on.month)
    return stubs.compliance.GetMonthlyScore(request)  # type: ignore[no-any-return] # as above


def test_what_is_ordered_is_counted_for_its_operator_alone(scene: Scene) -> None:
    first, second = scene.people.operator_name(), scene.people.operator_name()
    for name in (first, second, second):
        scene.imported(name)
    scene.advance(seconds=1)  # the first notice is due at once
    scene.advance(days=2)
    whole = {each.operator: each for each in kpis(scene.regulator).operators}
    assert list(whole) == sorted(whole)
    assert 0 < whole[first].notices.open_late_count < whole[second].notices.open_late_count
    assert not whole[second].notices.HasField("p50_s")
    assert not whole[second].HasField("reconcile_time")
    for name in (first, second):
        assert list(kpis(scene.operator(name)).operators) == [whole[name]]
    stranger = scene.operator(scene.people.operator_name())
    assert not kpis(stranger).operators
    assert not scores(stranger, day_of(now_of(scene))).scores


def now_of(scene: Scene) -> datetime:
    return kpis(scene.regulator).count_time.ToDatetime(tzinfo=UTC)


def test_what_is_left_undone_is_late_in_figures_and_scores(scene: Scene) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance(seconds=1)
    begun = day_of(now_of(scene))
    scene.advance(days=2)
    (own,) = kpis(scene.operator(name), first_day=day(begun), last_day=day(begun)).operators
    assert (own.notices.late_count, own.notices.open_late_count) == (1, 1)
    found = scores(scene.regulator, begun)
    points = [each.score for each in found.scores]
    assert points == sorted(points, reverse=True)
    for each in found.scores:
        assert sum(part.weight for part in each.parts) == pytest.approx(1)
        assert 0 <= each.score <= 100
    mine = [each for each in found.scores if each.operator == name]
    assert list(scores(scene.operator(name), begun).scores) == mine


def test_days_are_thirty_up_to_today_unless_they_are_said(scene: Scene) -> None:
    answer = kpis(scene.regulator)
    today = day_of(now_of(scene))
    assert answer.last_day == day(today)
    assert answer.first_day == day(today - timedelta(days=29))
    leap = kpis(
        scene.regulator,
        first_day=Date(year=2028, month=2, day=29),
        last_day=Date(year=2028, month=2, day=29),
    )
    assert leap.first_day == leap.last_day == Date(year=2028, month=2, day=29)


@pytest.mark.parametrize(
    ("first", "last", "violations"),
    [
        (date(2027, 12, 31), date(2028, 12, 31), (("first_day", "DAYS_OUT_OF_RANGE"),)),
        (date(2028, 1, 2), date(2028, 1, 1), (("first_day", "DAYS_OUT_OF_RANGE"),)),
    ],
)
def test_days_that_do_not_go_together_are_refused(
    scene: Scene, first: date, last: date, violations: tuple[tuple[str, str], ...]
) -> None:
    request = pb.GetKpisRequest(first_day=day(first), last_day=day(last))
    answer = refused(scene.regulator.compliance.GetKpis, request)
    assert (answer.status, answer.violations) == ("INVALID_ARGUMENT", violations)


def test_days_at_the_end_of_the_calendar_are_answered(scene: Scene) -> None:
    last = Date(year=2199, month=12, day=31)
    assert kpis(scene.regulator, last_day=last).last_day == last
    december = scores(scene.regulator, date(2199, 12, 1))
    assert (december.is_final, list(december.scores)) == (False, [])
