"""ComplianceService on the wire."""

from identity.domain.compliance import ExecutionTimes, MonthlyScore, OperatorKpis
from identity.domain.errors import FieldViolation, RequestInvalidError
from identity.domain.quality import Share
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.compliance import get_kpis, get_monthly_scores
from subid.v1 import compliance_service_pb2 as pb
from subid.v1 import compliance_service_pb2_grpc, quality_service_pb2

DAYS_MAX = 366


class ComplianceServicer(compliance_service_pb2_grpc.ComplianceServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def GetKpis(self, request: pb.GetKpisRequest, call: Call) -> pb.GetKpisResponse:
        """Figures of some days."""
        first = (
            decode.day(request.first_day, field="first_day")
            if request.HasField("first_day")
            else None
        )
        last = (
            decode.day(request.last_day, field="last_day") if request.HasField("last_day") else None
        )
        report = self._edge.transactions.run(
            lambda uow: get_kpis(uow, call, first_day=first, last_day=last)
        )
        if not 0 <= (report.last_day - report.first_day).days < DAYS_MAX:
            fault = FieldViolation(
                field="first_day",
                reason="OUT_OF_RANGE",
                description=f"the days are 1 to {DAYS_MAX}, the first before the last",
            )
            raise RequestInvalidError((fault,))
        return pb.GetKpisResponse(
            count_time=encode.timestamp(report.counted_at),
            first_day=encode.day(report.first_day),
            last_day=encode.day(report.last_day),
            operators=[_kpis(each) for each in report.operators],
        )

    def GetMonthlyScore(
        self, request: pb.GetMonthlyScoreRequest, call: Call
    ) -> pb.GetMonthlyScoreResponse:
        """The scores of a month."""
        scores, is_final = self._edge.transactions.run(
            lambda uow: get_monthly_scores(uow, call, year=request.year, month=request.month)
        )
        return pb.GetMonthlyScoreResponse(
            is_final=is_final, scores=[_score(each) for each in scores]
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
        p50_s=times.p50_s or 0,
        p95_s=times.p95_s or 0,
    )


def _score(score: MonthlyScore) -> pb.MonthlyScore:
    return pb.MonthlyScore(
        operator=score.operator_id,
        score=score.score or 0,
        parts=[
            pb.ScorePart(name=part.name, points=part.points, weight=part.weight)
            for part in score.parts
        ],
    )
