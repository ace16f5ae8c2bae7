"""The charts: one drawing a chart, the same for the same values, nothing made up."""

import re
from datetime import date
from xml.etree.ElementTree import fromstring  # what we drew ourselves

from identity.quality_charts import OPERATORS_MAX, provinces_chart, states_chart, trend_chart
from tests.unit.identity.quality_reports import empty_report, figures, report


def test_each_chart_is_one_drawing_and_the_same_each_time() -> None:
    for drawn, again in zip(_drawn(), _drawn(), strict=True):
        assert fromstring(drawn).tag.endswith("svg")  # noqa: S314 - as above
        assert drawn == again
        assert not re.search(r"href=\"(?!#)", drawn)


def _drawn() -> tuple[str, ...]:
    made = report()
    return (
        trend_chart({"all": made.trend_of(None), "a": made.trend_of("song-hong")}),
        states_chart(made.operators),
        provinces_chart(made.provinces),
    )


def test_charts_name_what_they_show() -> None:
    made = report()
    assert ">song-hong<" in states_chart(made.operators)
    assert ">Hồ Chí Minh<" in provinces_chart(made.provinces)
    assert "not known" not in provinces_chart(made.provinces)
    trend = trend_chart({"all operators": made.trend_of(None)})
    assert ">all operators<" in trend
    assert trend.count("Thống nhất") == 1


def test_a_country_without_anything_can_be_drawn() -> None:
    empty = empty_report()
    for drawn in (trend_chart({}), states_chart(()), provinces_chart(empty.provinces)):
        assert drawn.startswith("<svg")
    assert ">all<" in trend_chart({"all": empty.trend_of(None)})


def test_no_more_operators_are_drawn_than_can_be_told_apart() -> None:
    days = ((date(2026, 5, 4), figures("x")),)
    drawn = trend_chart({f"operator-{place}": days for place in range(OPERATORS_MAX + 3)})
    assert len(re.findall(r">operator-\d+<", drawn)) == OPERATORS_MAX + 1
