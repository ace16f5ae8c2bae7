"""ComplianceService on the wire."""

from identity.domain.calendar_date import day_of
from identity.domain.compliance import Days, ExecutionTimes, OperatorKpis, OperatorScore
from identity.domain.quality import Share
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.compliance import get_kpis, get_monthly_scores
from subid.v1 import compliance_service_pb2 as pb
from subid.v1 import compliance_service_pb2_grpc, quality_service_pb2


class ComplianceServicer(compliance_service_pb2_grpc.ComplianceServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def GetKpis(self, request: pb.GetKpisRequest, call: Call) -> pb.GetKpisResponse:
        """Figures of some days."""
        days = _days(request, call)
        report = self._edge.transactions.run(lambda uow: get_kpis(uow, call, days=days))
        return pb.GetKpisResponse(
            count_time=encode.timestamp(report.counted_at),
            first_day=encode.day(days.first),
            last_day=encode.day(days.last),
            operators=[_kpis(each) for each in report.operators],
        )

    def GetMonthlyScore(
        self, request: pb.GetMonthlyScoreRequest, call: Call
    ) -> pb.GetMonthlyScoreResponse:
        """The scores of a month."""
        month = Days.of_month(request.year, request.month)
        found = self._edge.transactions.run(lambda uow: get_monthly_scores(uow, call, month=month))
        return pb.GetMonthlyScoreResponse(
            is_final=found.is_final, scores=[_score(each) for each in found.scores]
        )


def _days(request: pb.GetKpisRequest, call: Call) -> Days:
    has_first, has_last = request.HasField("first_day"), request.HasField("last_day")
    return Days.chosen(
        decode.day(request.first_day, field="first_day") if has_first else None,
        decode.day(request.last_day, field="last_day") if has_last else None,
        today=day_of(call.at),
    )


def _kpis(kpis: OperatorKpis) -> pb.OperatorKpis:
    return pb.OperatorKpis(
        operator=kpis.operator_id,
        coverage=_share(kpis.coverage),
        orders=_times(kpis.orders),
        notices=_times(kpis.notices),
        device_changes=_times(kpis.device_changes),
        drift=_share(kpis.drift),
        reconcile_time=encode.timestamp(kpis.reconciled_at),
        false_acknowledgements=_share(kpis.false_acknowledgements),
        cures=_share(kpis.cures),
        reverted_blocks=_share(kpis.reverted_blocks),
        complaint_count=kpis.complaint_count,
        failures=_share(kpis.failures),
    )


def _share(share: Share) -> quality_service_pb2.Share:
    return quality_service_pb2.Share(numerator=share.numerator, denominator=share.denominator)


def _times(times: ExecutionTimes) -> pb.ExecutionTimes:
    return pb.ExecutionTimes(
        executed_count=times.executed_count,
        late_count=times.late_count,
        open_late_count=times.open_late_count,
        overtaken_late_count=times.overtaken_late_count,
        p50_s=times.p50_s,
        p95_s=times.p95_s,
    )


def _score(score: OperatorScore) -> pb.MonthlyScore:
    return pb.MonthlyScore(
        operator=score.operator_id,
        score=score.score,
        parts=[
            pb.ScorePart(name=part.name, points=part.points, weight=part.weight)
            for part in score.parts
        ],
    )
