"""The regulator reads how good the data are.

Owns the comparison of the service's report with what the simulation knows: rows by link, by field
at fault, by province and by operator, and citizens with a primary number. It refuses to know how
the service counts.
"""

from collections import Counter

from subid.v1.quality_service_pb2 import (
    GetReportResponse,
    QualityFigures,
    QualityShares,
    Share,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
    SERVICE_STATE_TERMINATED,
)
from telco_sim.flaws import BIRTH_DATE_DIFFERS, NAME_DIFFERS
from telco_sim.journal import Invariant
from telco_sim.operators import Line, Operator
from telco_sim.world import World

TREND_DAYS_MAX = 366
"""The contract's bound."""

_UNKNOWN_PROVINCE = "00"
"""The contract's code for rows of no known province."""


def compare_quality(world: World) -> None:
    """Compare the regulator's report with the simulation, and each operator's with the former."""
    report = world.regulator.quality_report(trend_days=TREND_DAYS_MAX)
    figures = {(each.operator_id, each.province_code): each for each in report.figures}
    for operator in world.operators:
        _compare_book(world, operator, figures)
        _compare_own_report(world, operator, report)
    _compare_country(world, figures[("", "")])
    _compare_trend(world, report)
    _count_shares(world, figures[("", "")].shares)


def _compare_book(
    world: World, operator: Operator, figures: dict[tuple[str, str], QualityFigures]
) -> None:
    lines = _in_service(operator)
    book = figures.get((operator.name, ""), QualityFigures())
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen=_row_counts(book),
        expected=_expected_row_counts(lines),
        subject=f"quality of {operator.name}",
    )
    provinces = Counter(each.province_code or _UNKNOWN_PROVINCE for each in lines)
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen={
            province: each.rows.row_count
            for (name, province), each in figures.items()
            if name == operator.name and province
        },
        expected=dict(provinces),
        subject=f"provinces of {operator.name}",
    )


def _compare_own_report(world: World, operator: Operator, report: GetReportResponse) -> None:
    own = operator.quality_report()
    world.journal.check_equal(
        Invariant.OWN_SUBSCRIPTIONS_ONLY,
        seen=list(own.figures),
        expected=[each for each in report.figures if each.operator_id == operator.name],
        subject=f"the part of the quality report that is {operator.name}'s",
    )


def _compare_country(world: World, country: QualityFigures) -> None:
    lines = [line for operator in world.operators for line in _in_service(operator)]
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen=_row_counts(country),
        expected=_expected_row_counts(lines),
        subject="quality of all operators",
    )
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen=(country.book.primary_person_count, country.shares.shared.numerator),
        expected=(len(world.primaries), len(world.primaries)),
        subject="citizens with a primary number",
    )
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen=country.shares.correct,
        expected=Share(
            numerator=sum(each.link == LINK_STATE_LINKED for each in lines), denominator=len(lines)
        ),
        subject="correct rows of all operators",
    )


def _compare_trend(world: World, report: GetReportResponse) -> None:
    """Each simulated day was measured once, the last one as the report says."""
    days = [
        (each.day.year, each.day.month, each.day.day)
        for each in report.trend
        if not each.figures.operator_id
    ]
    world.journal.check_equal(
        Invariant.QUALITY_KNOWN,
        seen=(len(set(days)), days[-1:] == [(report.day.year, report.day.month, report.day.day)]),
        expected=(len(days), True),
        subject="days of the trend",
    )
    world.journal.check(
        Invariant.QUALITY_KNOWN,
        holds=len(days) > min(world.plan.day_count, TREND_DAYS_MAX - 1),
        detail=f"{len(days)} days in the trend of {world.plan.day_count}",
    )


def _count_shares(world: World, shares: QualityShares) -> None:
    for field, share in shares.ListFields():
        world.journal.count(
            f"quality of the data: {field.name}, of {share.denominator:,}", share.numerator
        )


def _in_service(operator: Operator) -> list[Line]:
    return [
        each for each in operator.lines.values() if each.network_state != SERVICE_STATE_TERMINATED
    ]


def _row_counts(figures: QualityFigures) -> dict[str, int]:
    rows = figures.rows
    return {
        "rows": rows.row_count,
        "linked": rows.linked_count,
        "mismatched": rows.mismatched_count,
        "not found": rows.not_found_count,
        "deceased": rows.deceased_count,
        "name differs": rows.full_name_mismatched_count,
        "birth date differs": rows.birth_date_mismatched_count,
    }


def _expected_row_counts(lines: list[Line]) -> dict[str, int]:
    links = Counter(each.link for each in lines)
    mismatched = [each for each in lines if each.link == LINK_STATE_MISMATCHED]
    return {
        "rows": len(lines),
        "linked": links[LINK_STATE_LINKED],
        "mismatched": len(mismatched),
        "not found": links[LINK_STATE_NOT_FOUND],
        "deceased": links[LINK_STATE_DECEASED],
        "name differs": sum(each.flaw in NAME_DIFFERS for each in mismatched),
        "birth date differs": sum(each.flaw in BIRTH_DATE_DIFFERS for each in mismatched),
    }
