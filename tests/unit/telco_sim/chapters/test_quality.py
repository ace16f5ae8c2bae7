"""A quality report that counts something else is noticed."""

from collections import Counter

import pytest

from subid.v1.date_pb2 import Date
from subid.v1.quality_service_pb2 import (
    GetReportResponse,
    QualityBookCounts,
    QualityFigures,
    QualityRowCounts,
    QualityShares,
    QualityTrendPoint,
    Share,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
)
from telco_sim.chapters.quality import compare_quality
from telco_sim.flaws import BIRTH_DATE_DIFFERS, NAME_DIFFERS
from telco_sim.journal import Finding, Invariant
from telco_sim.operators import Line
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country


@pytest.fixture
def world(world: World, country: Country) -> World:
    """The report is an honest one."""
    country.quality = honest_report(world)
    return world


def finding(world: World, invariant: Invariant = Invariant.QUALITY_KNOWN) -> Finding:
    compare_quality(world)
    (found,) = world.journal.findings(invariant)
    return found


def honest_report(world: World) -> GetReportResponse:
    """What a service that counts right would answer."""
    everything = [line for each in world.operators for line in each.lines.values()]
    figures = [part("", "", everything, primary_count=len(world.primaries))]
    for operator in world.operators:
        lines = list(operator.lines.values())
        figures.append(part(operator.name, "", lines))
        for province in Counter(line.province_code for line in lines):
            own = [line for line in lines if line.province_code == province]
            figures.append(part(operator.name, province or "00", own))
    days = [
        QualityTrendPoint(
            day=Date(year=2026, month=1 + place // 28, day=1 + place % 28), figures=figures[0]
        )
        for place in range(world.plan.day_count + 1)
    ]
    return GetReportResponse(day=days[-1].day, figures=figures, trend=days)


def part(
    operator: str, province: str, lines: list[Line], *, primary_count: int = 0
) -> QualityFigures:
    links = Counter(line.link for line in lines)
    wrong = [line for line in lines if line.link == LINK_STATE_MISMATCHED]
    return QualityFigures(
        operator_id=operator,
        province_code=province,
        rows=QualityRowCounts(
            row_count=len(lines),
            linked_count=links[LINK_STATE_LINKED],
            mismatched_count=len(wrong),
            not_found_count=links[LINK_STATE_NOT_FOUND],
            deceased_count=links[LINK_STATE_DECEASED],
            full_name_mismatched_count=sum(line.flaw in NAME_DIFFERS for line in wrong),
            birth_date_mismatched_count=sum(line.flaw in BIRTH_DATE_DIFFERS for line in wrong),
        ),
        book=QualityBookCounts(primary_person_count=primary_count),
        shares=QualityShares(
            correct=Share(numerator=links[LINK_STATE_LINKED], denominator=len(lines)),
            shared=Share(numerator=primary_count, denominator=primary_count),
        ),
    )


def test_a_report_that_counts_right_is_in_order(world: World) -> None:
    assert finding(world).holds
    assert any(name.startswith("quality of the data: correct") for name in world.journal.counts())


def test_a_row_too_many_is_noticed(world: World, country: Country) -> None:
    country.quality.figures[0].rows.linked_count += 1
    assert finding(world).broken_count == 1


def test_a_row_in_another_province_is_noticed(world: World, country: Country) -> None:
    for each in country.quality.figures:
        if each.operator_id and each.province_code:
            each.province_code = "99"
            break
    assert finding(world).broken_count == 1


def test_a_primary_number_too_few_is_noticed(world: World, country: Country) -> None:
    country.quality.figures[0].book.primary_person_count = 0
    assert finding(world).broken_count == 1


def test_days_that_were_not_measured_are_noticed(world: World, country: Country) -> None:
    del country.quality.trend[:-2]
    assert finding(world).broken_count == 1


def test_an_operator_that_reads_the_others_rows_is_noticed(world: World) -> None:
    # The credulous service gives everybody the regulator's report.
    assert finding(world, Invariant.OWN_SUBSCRIPTIONS_ONLY).broken_count == len(world.operators)
