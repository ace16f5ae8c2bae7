"""EnforcementService on the wire."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from identity.domain.errors import (
    ClockBackwardsError,
    InstantInFutureError,
    SubscriptionNotFoundError,
)
from identity.domain.policy import PolicyPackError
from identity.domain.policy_book import PolicyBook, Rules
from identity.rpc import decode, encode
from identity.rpc.directive_pull import directive_pull
from identity.rpc.edge import Edge
from identity.rpc.reconcile_stream import reconcile
from identity.rpc.signed_text import signed_text
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.directives import Acknowledgement, acknowledge_directives
from identity.services.explain_subscription import explain_subscription
from identity.services.file_complaint import file_complaint
from identity.services.open_case import open_case
from identity.services.quality import record_quality_of_the_day
from identity.services.signed_acknowledgements import Signed, keep_signed
from identity.storage.database import UnitOfWork
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import enforcement_service_pb2_grpc

AS_OF_AGE_MAX = timedelta(hours=1)
"""How long ago a run may say that it was: as long as one run may be behind the other. Days that
nobody ran could otherwise be run one after another in a minute, with every notice and block of
them. Ours."""

_CAUSES = {message: cause for cause, message in encode.CASE_CAUSES.items()}


class EnforcementServicer(enforcement_service_pb2_grpc.EnforcementServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge, policies: PolicyBook) -> None:
        self._edge = edge
        self._policies = policies

    def AdvanceEnforcement(
        self, request: pb.AdvanceEnforcementRequest, call: Call
    ) -> pb.AdvanceEnforcementResponse:
        """Run what is due."""
        response = self._edge.answer_in_parts(
            request,
            call,
            lambda: advance_enforcement(self._edge.transactions, self._as_of(request, call)),
            lambda _uow, run: pb.AdvanceEnforcementResponse(
                step_count=run.stepped.step_count,
                directive_count=run.stepped.directive_count,
                as_of_time=encode.timestamp(run.ran_until),
            ),
            pb.AdvanceEnforcementResponse,
        )
        self._measure_the_day(call)
        return response

    async def PullDirectives(
        self, request: pb.PullDirectivesRequest, call: Call
    ) -> pb.PullDirectivesResponse:
        """Lease directives, or wait for some."""
        return await directive_pull(self._edge, self._policies, request, call).answer()

    def AcknowledgeDirectives(
        self, request: pb.AcknowledgeDirectivesRequest, call: Call
    ) -> pb.AcknowledgeDirectivesResponse:
        """Take acknowledgements."""
        items = _acknowledgements(request)
        signed = Signed(
            request_id=UUID(request.request_id),
            text=signed_text(request),
            signature=request.signature,
        )

        def acknowledge(uow: UnitOfWork) -> pb.AcknowledgeDirectivesResponse:
            # Here, not before: the same request sent again gets its first answer, by whichever
            # certificate its sender is known by then.
            keep_signed(uow, call, signed)
            results = acknowledge_directives(uow, call, UUID(request.lease_id), items)
            return pb.AcknowledgeDirectivesResponse(
                results=[encode.ACKNOWLEDGEMENT_RESULTS[result] for result in results]
            )

        return self._edge.answer_once(request, call, acknowledge, pb.AcknowledgeDirectivesResponse)

    def ReconcileServiceState(
        self, requests: AsyncIterator[pb.ReconcileServiceStateRequest], call: Call
    ) -> AsyncIterator[pb.ReconcileServiceStateResponse]:
        """Compare an operator's network with the registry, message after message."""
        return reconcile(self._edge, call, requests)

    def OpenCase(self, request: pb.OpenCaseRequest, call: Call) -> pb.OpenCaseResponse:
        """Put a number on a ladder."""
        msisdn, cause = decode.msisdn(request.msisdn), _CAUSES[request.cause]
        reference = request.case_reference

        def open_it(uow: UnitOfWork) -> pb.OpenCaseResponse:
            case = open_case(uow, call, msisdn, cause, case_reference=reference)
            return pb.OpenCaseResponse(enforcement_case=encode.enforcement_case(case))

        return self._edge.answer_once(request, call, open_it, pb.OpenCaseResponse)

    def FileComplaint(
        self, request: pb.FileComplaintRequest, call: Call
    ) -> pb.FileComplaintResponse:
        """Take a complaint."""
        msisdn = decode.msisdn(request.msisdn)
        personal_id = decode.optional_personal_id(request.personal_id)

        def file(uow: UnitOfWork) -> pb.FileComplaintResponse:
            filed_at = file_complaint(uow, call, msisdn, personal_id)
            return pb.FileComplaintResponse(file_time=encode.timestamp(filed_at))

        return self._edge.answer_once(request, call, file, pb.FileComplaintResponse)

    def ExplainSubscription(
        self, request: pb.ExplainSubscriptionRequest, call: Call
    ) -> pb.ExplainSubscriptionResponse:
        """Explain where a number stands."""
        msisdn = decode.msisdn(request.msisdn)
        personal_id = decode.optional_personal_id(request.personal_id)
        found = self._edge.transactions.run(
            lambda uow: explain_subscription(uow, call, msisdn, personal_id)
        )
        if found is None:
            raise SubscriptionNotFoundError("no such subscription of yours")
        return pb.ExplainSubscriptionResponse(
            service_state=encode.SERVICE_STATES[found.service_state],
            cases=[encode.enforcement_case(case) for case in found.cases],
            link_history=[encode.link_change(each) for each in found.link_history],
            dispute_id="" if found.dispute_id is None else str(found.dispute_id),
        )

    def _measure_the_day(self, call: Call) -> None:
        """Measure the books once a day, when enforcement has moved them: the regulator's clock.

        After the answer is stored: should it fail, the same request again finishes it.
        """
        self._edge.transactions.run(
            lambda uow: record_quality_of_the_day(
                uow, call.rules, caller=str(call.caller), at=self._edge.clock.now()
            )
        )

    def _as_of(self, request: pb.AdvanceEnforcementRequest, call: Call) -> Call:
        """The call at the instant asked for; a simulated clock moves there with it."""
        if not request.HasField("as_of_time"):
            return call
        as_of = decode.instant(request.as_of_time, field="as_of_time")
        if as_of > call.at:
            if not self._edge.clock.is_simulated:
                raise InstantInFutureError("as_of_time lies after now")
            self._move_clock(as_of)
        rules = self._rules_at(as_of)
        if as_of < call.at - AS_OF_AGE_MAX:
            raise ClockBackwardsError("as_of_time lies more than an hour ago")
        return replace(call, at=as_of, rules=rules)

    def _rules_at(self, instant: datetime) -> Rules:
        try:
            return self._policies.at(instant)
        except PolicyPackError as error:
            raise ClockBackwardsError("there were no rules at that instant yet") from error

    def _move_clock(self, instant: datetime) -> None:
        try:
            self._edge.clock.move_to(instant)
        except ValueError as error:  # another run has moved it further in the meantime
            raise ClockBackwardsError("the clock stands at a later instant already") from error


def _acknowledgements(request: pb.AcknowledgeDirectivesRequest) -> list[Acknowledgement]:
    return [
        Acknowledgement(
            directive_id=UUID(item.directive_id),
            is_executed=item.outcome == pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
            failure=item.failure,
            executed_at=_executed_at(item, place),
        )
        for place, item in enumerate(request.acknowledgements)
    ]


def _executed_at(item: pb.Acknowledgement, place: int) -> datetime | None:
    if not item.HasField("execute_time"):
        return None
    return decode.instant(item.execute_time, field=f"acknowledgements[{place}].execute_time")
