"""Figures and scores on the wire: each field its own, and nothing where nothing can be said."""

from identity.domain.compliance import score
from identity.rpc.compliance_servicer import _kpis, _score
from subid.v1 import compliance_service_pb2 as pb
from tests.unit.identity.kpi_reports import kpis, silent


def test_each_figure_has_its_field() -> None:
    told = _kpis(kpis())
    assert {field.name for field, _ in told.ListFields()} == {
        field.name for field in pb.OperatorKpis.DESCRIPTOR.fields
    }
    assert (told.orders.late_count, told.orders.open_late_count) == (6, 2)
    assert (told.orders.p50_s, told.orders.p95_s) == (5_400, 80_000)
    assert (told.drift.numerator, told.drift.denominator) == (5, 1_000)
    assert (told.reverted_blocks.numerator, told.complaint_count) == (10, 7)


def test_what_cannot_be_said_is_absent() -> None:
    told = _kpis(silent())
    assert not told.HasField("reconcile_time")
    assert not told.orders.HasField("p50_s")
    assert not told.orders.HasField("p95_s")
    assert told.coverage.denominator == 0


def test_a_score_has_its_parts() -> None:
    made = score(kpis())
    told = _score(made)
    assert told.score == made.score
    assert [part.name for part in told.parts] == [part.name for part in made.parts]
