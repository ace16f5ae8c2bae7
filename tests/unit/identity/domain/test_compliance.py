"""Which days can be asked for, and the formulas of times and scores."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from identity.domain.calendar_date import day_of
from identity.domain.compliance import (
    DAYS_MAX,
    WEIGHTS,
    Days,
    ExecutionTimes,
    OperatorScore,
    months_until,
    ranked,
    score,
)
from identity.domain.errors import RequestInvalidError
from identity.domain.quality import Share
from tests.unit.identity.kpi_reports import NONE, kpis, silent

TODAY = date(2026, 5, 30)


def fields_at_fault(first: date | None, last: date | None, today: date = TODAY) -> list[str]:
    with pytest.raises(RequestInvalidError) as caught:
        Days.chosen(first, last, today=today)
    assert {fault.reason for fault in caught.value.violations} == {"DAYS_OUT_OF_RANGE"}
    return [fault.field for fault in caught.value.violations]


def test_thirty_days_up_to_today_are_meant_unless_others_are() -> None:
    assert Days.chosen(None, None, today=TODAY) == Days(date(2026, 5, 1), TODAY)
    last = date(2024, 3, 10)
    assert Days.chosen(None, last, today=TODAY) == Days(date(2024, 2, 10), last)
    assert Days.chosen(TODAY, None, today=TODAY) == Days(TODAY, TODAY)


def test_a_leap_year_can_be_asked_for_and_not_a_day_more() -> None:
    first, last = date(2028, 1, 1), date(2028, 12, 31)
    assert (last - first).days + 1 == DAYS_MAX
    assert Days.chosen(first, last, today=TODAY) == Days(first, last)
    assert fields_at_fault(date(2027, 12, 31), last) == ["first_day"]


def test_days_begin_before_they_end() -> None:
    assert fields_at_fault(date(2026, 5, 2), date(2026, 5, 1)) == ["first_day"]
    assert fields_at_fault(TODAY + timedelta(days=1), None) == ["first_day"]


@pytest.mark.parametrize("last", [date.max, date(2200, 1, 1), date(1899, 12, 31), date.min])
def test_years_that_no_day_can_have_are_refused(last: date) -> None:
    assert fields_at_fault(None, last) == ["last_day"]
    assert fields_at_fault(last, last) == ["last_day"]
    assert fields_at_fault(None, None, today=last) == ["last_day"]


def test_the_first_and_the_last_day_of_the_calendar_can_be_asked_for() -> None:
    assert Days.chosen(None, date(2199, 12, 31), today=TODAY).ends_at.year == 2200
    assert Days.chosen(None, date(1900, 1, 1), today=TODAY).first == date(1899, 12, 3)


def test_days_begin_and_end_at_midnight_in_viet_nam() -> None:
    days = Days(date(2028, 2, 29), date(2028, 2, 29))
    assert days.begins_at == datetime(2028, 2, 28, 17, tzinfo=UTC)
    assert days.ends_at == datetime(2028, 2, 29, 17, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    assert day_of(days.begins_at) == day_of(days.ends_at - tick) == days.first
    assert day_of(days.begins_at - tick) == date(2028, 2, 28)
    assert day_of(days.ends_at) == date(2028, 3, 1)


@pytest.mark.parametrize(
    ("year", "month", "last"),
    [(2026, 2, 28), (2028, 2, 29), (2100, 2, 28), (2026, 4, 30), (2026, 12, 31), (2199, 12, 31)],
)
def test_a_month_ends_on_its_last_day(year: int, month: int, last: int) -> None:
    assert Days.of_month(year, month) == Days(date(year, month, 1), date(year, month, last))


def test_months_follow_one_another_over_the_turn_of_a_year() -> None:
    firsts = [month.first for month in months_until(date(2026, 2, 28), count=3)]
    assert firsts == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert months_until(TODAY, count=1) == (Days.of_month(2026, 5),)


def test_on_time_is_what_was_executed_in_time_of_what_should_have_been() -> None:
    assert ExecutionTimes().on_time == NONE
    assert ExecutionTimes(executed_count=3).on_time == Share(3, 3)
    assert ExecutionTimes(executed_count=3, late_count=1).on_time == Share(2, 3)
    late = ExecutionTimes(executed_count=3, late_count=3, open_late_count=2)
    assert late.on_time == Share(2, 5)
    assert ExecutionTimes(late_count=2, open_late_count=2).on_time == Share(0, 2)
    overtaken = ExecutionTimes(executed_count=3, late_count=2, overtaken_late_count=1)
    assert overtaken.on_time == Share(2, 4)


def test_the_weights_add_up_to_one_and_the_duty_of_the_law_has_its_own() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert min(WEIGHTS.values()) > 0
    assert WEIGHTS["device_change_on_time"] == 0.2


def test_a_score_is_the_weighted_mean_of_its_parts() -> None:
    made = score(kpis())
    points = {part.name: part.points for part in made.parts}
    assert points == pytest.approx(
        {
            "coverage": 90,
            "on_time": 97,
            "device_change_on_time": 80,
            "without_drift": 99.5,
            "honest": 99.8,
            "without_failure": 100 * 697 / 700,
        }
    )
    assert [part.name for part in made.parts] == list(WEIGHTS)
    assert {part.name: part.weight for part in made.parts} == pytest.approx(dict(WEIGHTS))
    wanted = sum(points[name] * weight for name, weight in WEIGHTS.items())
    assert made.score == pytest.approx(wanted)


def test_a_part_that_cannot_be_said_leaves_its_weight_to_the_others() -> None:
    made = score(kpis(device_changes=ExecutionTimes(), coverage=Share(0, 10)))
    weights = {part.name: part.weight for part in made.parts}
    assert "device_change_on_time" not in weights
    assert weights["on_time"] == pytest.approx(0.25 / 0.8)
    assert sum(weights.values()) == pytest.approx(1)
    assert score(kpis()).score != made.score


def test_whoever_delivers_no_notice_is_not_on_time() -> None:
    mute = kpis(orders=ExecutionTimes(), notices=ExecutionTimes(late_count=5, open_late_count=5))
    (part,) = (each for each in score(mute).parts if each.name == "on_time")
    assert part.points == 0


def test_notices_in_time_hide_no_order_that_is_late() -> None:
    late = kpis(
        orders=ExecutionTimes(late_count=1, open_late_count=1),
        notices=ExecutionTimes(executed_count=5),
    )
    (part,) = (each for each in score(late).parts if each.name == "on_time")
    assert part.points == 0


def test_who_has_never_been_asked_anything_has_no_score() -> None:
    assert score(silent()) == OperatorScore(operator_id="cuu-long", parts=())
    assert score(silent()).score is None


def test_blocks_that_are_still_open_past_two_hours_cost_points() -> None:
    idle = kpis(device_changes=ExecutionTimes(late_count=3, open_late_count=3))
    (part,) = (each for each in score(idle).parts if each.name == "device_change_on_time")
    assert part.points == 0


def test_the_best_come_first_and_equal_ones_by_name() -> None:
    worse = kpis("a", coverage=Share(1, 1_000))
    order = ranked(score(each) for each in (worse, silent("b"), kpis("d"), kpis("c")))
    assert [each.operator_id for each in order] == ["c", "d", "a"]
    assert ranked(iter(())) == ()


def test_a_perfect_operator_has_a_hundred_points_and_none_more() -> None:
    perfect: dict[str, Any] = {
        **dict.fromkeys(("drift", "false_acknowledgements", "failures"), Share(0, 7)),
        **dict.fromkeys(("orders", "device_changes"), ExecutionTimes(executed_count=3)),
        "coverage": Share(3, 3),
    }
    points = score(kpis(**perfect)).score
    assert points == pytest.approx(100)
    assert points is not None
    assert points <= 100
