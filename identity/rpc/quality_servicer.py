"""QualityService on the wire."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from identity.domain.quality import Figures, Measure, QualityReport, Share
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.quality import read_quality
from subid.v1 import date_pb2, quality_service_pb2_grpc
from subid.v1 import quality_service_pb2 as pb

TREND_DAYS_DEFAULT = 31


class QualityServicer(quality_service_pb2_grpc.QualityServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def GetReport(self, request: pb.GetReportRequest, call: Call) -> pb.GetReportResponse:
        """Read what was measured."""
        day = decode.day(request.day, field="day") if request.HasField("day") else None
        trend_days = request.trend_days or TREND_DAYS_DEFAULT
        report = self._edge.transactions.run(
            lambda uow: read_quality(uow, call, day=day, trend_days=trend_days)
        )
        return _report(report)


def _report(report: QualityReport) -> pb.GetReportResponse:
    return pb.GetReportResponse(
        day=_day(report.day),
        measure_time=encode.timestamp(report.measured_at),
        figures=[_figures(each) for each in report.figures],
        trend=[
            pb.QualityTrendPoint(day=_day(day), figures=_figures(each))
            for day, each in report.trend
        ],
    )


def _figures(figures: Figures) -> pb.QualityFigures:
    book = figures.book
    return pb.QualityFigures(
        operator_id=figures.operator_id or "",
        province_code=figures.province_code or "",
        shares=_shares(figures.shares()),
        rows=pb.QualityRowCounts(**asdict(figures.rows)),
        book=None if book is None else pb.QualityBookCounts(**asdict(book)),
        anomalies=_anomalies(figures),
    )


def _anomalies(figures: Figures) -> pb.QualityAnomalyCounts | None:
    if figures.anomalies is None:
        return None
    return pb.QualityAnomalyCounts(
        **{f"{kind.value}_count": count for kind, count in figures.anomalies.items()}
    )


def _shares(shares: Mapping[Measure, Share]) -> pb.QualityShares:
    return pb.QualityShares(
        **{
            measure.value: pb.Share(numerator=share.numerator, denominator=share.denominator)
            for measure, share in shares.items()
        }
    )


def _day(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)
