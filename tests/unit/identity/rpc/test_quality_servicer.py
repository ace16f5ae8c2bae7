"""Anomalies on the wire: each kind has its field, and none is there where nobody counted."""

from identity.domain.anomalies import AnomalyKind
from identity.domain.quality import with_anomalies
from identity.rpc.quality_servicer import _figures
from subid.v1 import quality_service_pb2 as pb
from tests.unit.identity.quality_reports import figures


def test_each_kind_has_its_field() -> None:
    counts = {kind: place for place, kind in enumerate(AnomalyKind, start=1)}
    (book,) = with_anomalies([figures("song-hong")], {"song-hong": counts})
    told = _figures(book).anomalies
    fields = pb.QualityAnomalyCounts.DESCRIPTOR.fields_by_name
    assert set(fields) == {f"{kind}_count" for kind in AnomalyKind}
    assert {kind: getattr(told, f"{kind}_count") for kind in AnomalyKind} == counts


def test_what_nobody_counted_is_absent() -> None:
    assert not _figures(figures("song-hong")).HasField("anomalies")
