"""QualityService on the wire: measured once a simulated day, each caller its part."""

from datetime import timedelta

import pytest

from identity.domain.caller import Role
from subid.v1 import quality_service_pb2 as quality_pb
from subid.v1.date_pb2 import Date
from tests.integration.scene import Scene
from tests.integration.wire import Stubs, refused


def report(stubs: Stubs, **given: object) -> quality_pb.GetReportResponse:
    request = quality_pb.GetReportRequest(**given)  # type: ignore[arg-type] # fields of the message
    return stubs.quality.GetReport(request)  # type: ignore[no-any-return] # an untyped stub


def books(response: quality_pb.GetReportResponse) -> dict[str, quality_pb.QualityFigures]:
    return {each.operator_id: each for each in response.figures if not each.province_code}


def test_each_simulated_day_is_measured_once(scene: Scene) -> None:
    operator = scene.people.operator_name()
    scene.advance(days=1)
    before = report(scene.regulator)
    scene.imported(operator)
    scene.advance(seconds=1)
    same_day = report(scene.regulator)
    assert same_day.measure_time == before.measure_time
    scene.advance(days=1)
    after = report(scene.regulator, trend_days=2)
    elapsed = after.measure_time.ToDatetime() - before.measure_time.ToDatetime()
    assert elapsed >= timedelta(days=1)
    assert operator not in books(before)
    assert books(after)[operator].rows.row_count == 1
    country = [each for each in after.trend if not each.figures.operator_id]
    assert [each.day for each in country] == [before.day, after.day]
    assert country[1].figures == books(after)[""]


def test_an_operator_reads_its_own_part_of_what_the_regulator_reads(scene: Scene) -> None:
    first, second = scene.people.operator_name(), scene.people.operator_name()
    scene.imported(first)
    scene.imported(second)
    scene.advance(days=1)
    whole = report(scene.regulator)
    own = report(scene.operator(first))
    assert {each.operator_id for each in own.figures} == {first}
    assert {each.figures.operator_id for each in own.trend} == {first}
    assert list(own.figures) == [each for each in whole.figures if each.operator_id == first]
    assert books(own)[first].rows.linked_count == 1
    stranger = report(scene.operator(scene.people.operator_name()))
    assert not stranger.figures
    assert not stranger.trend


def test_shares_are_numerators_and_denominators_and_absent_where_they_cannot_be_said(
    scene: Scene,
) -> None:
    operator = scene.people.operator_name()
    scene.imported(operator)
    scene.advance(days=1)
    book, province = report(scene.operator(operator)).figures
    assert (book.province_code, province.province_code) == ("", "00")
    assert (book.shares.correct.numerator, book.shares.correct.denominator) == (1, 1)
    assert book.shares.HasField("unified")
    assert book.shares.unified.denominator == 0
    assert not province.shares.HasField("unified")
    assert not province.HasField("book")


@pytest.mark.parametrize("role", [Role.REGULATOR, Role.OPERATOR])
def test_a_day_without_a_measurement_is_refused(scene: Scene, role: Role) -> None:
    stubs = scene.act_as(role, "regulator")
    request = quality_pb.GetReportRequest(day=Date(year=1999, month=1, day=1))
    answer = refused(stubs.quality.GetReport, request)
    assert (answer.status, answer.reason) == ("NOT_FOUND", "QUALITY_NOT_MEASURED")


def test_a_day_that_does_not_exist_is_refused_as_such(scene: Scene) -> None:
    request = quality_pb.GetReportRequest(day=Date(year=2026, month=2, day=30))
    answer = refused(scene.regulator.quality.GetReport, request)
    assert answer.violations == (("day", "DATE_IMPOSSIBLE"),)
