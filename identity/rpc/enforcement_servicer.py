"""EnforcementService on the wire."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from identity.domain.errors import (
    ClockBackwardsError,
    InstantInFutureError,
    SubscriptionNotFoundError,
)
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.explain_subscription import explain_subscription
from identity.services.quality import record_quality_of_the_day
from identity.storage.database import UnitOfWork
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import enforcement_service_pb2_grpc

LEASE_DEFAULT = timedelta(minutes=5)


class EnforcementServicer(enforcement_service_pb2_grpc.EnforcementServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def AdvanceEnforcement(
        self, request: pb.AdvanceEnforcementRequest, call: Call
    ) -> pb.AdvanceEnforcementResponse:
        """Run what is due."""

        def advance(uow: UnitOfWork) -> pb.AdvanceEnforcementResponse:
            run = advance_enforcement(uow, self._as_of(request, call))
            return pb.AdvanceEnforcementResponse(
                step_count=run.step_count,
                directive_count=run.directive_count,
                as_of_time=encode.timestamp(run.ran_until),
            )

        response = self._edge.answer_once(request, call, advance, pb.AdvanceEnforcementResponse)
        self._measure_the_day(call)
        return response

    def PullDirectives(
        self, request: pb.PullDirectivesRequest, call: Call
    ) -> pb.PullDirectivesResponse:
        """Lease directives."""
        duration = LEASE_DEFAULT
        if request.HasField("lease_duration"):
            duration = decode.duration(request.lease_duration, field="lease_duration")

        def pull(uow: UnitOfWork) -> pb.PullDirectivesResponse:
            lease = pull_directives(uow, call, duration=duration, limit=request.directive_count_max)
            return pb.PullDirectivesResponse(
                directives=[encode.directive(item) for item in lease.directives],
                lease_id=str(lease.lease_id),
                lease_expire_time=encode.timestamp(lease.expires_at),
            )

        return self._edge.answer_once(request, call, pull, pb.PullDirectivesResponse)

    def AcknowledgeDirectives(
        self, request: pb.AcknowledgeDirectivesRequest, call: Call
    ) -> pb.AcknowledgeDirectivesResponse:
        """Take acknowledgements."""
        items = [
            Acknowledgement(
                directive_id=UUID(item.directive_id),
                is_executed=item.outcome == pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
                failure=item.failure,
            )
            for item in request.acknowledgements
        ]

        def acknowledge(uow: UnitOfWork) -> pb.AcknowledgeDirectivesResponse:
            results = acknowledge_directives(uow, call, UUID(request.lease_id), items)
            return pb.AcknowledgeDirectivesResponse(
                results=[encode.ACKNOWLEDGEMENT_RESULTS[result] for result in results]
            )

        return self._edge.answer_once(request, call, acknowledge, pb.AcknowledgeDirectivesResponse)

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
        )

    def _measure_the_day(self, call: Call) -> None:
        """Measure the books once a day, when enforcement has moved them: the regulator's clock.

        After the answer is stored: should it fail, the same request again finishes it.
        """
        self._edge.transactions.run(
            lambda uow: record_quality_of_the_day(
                uow, call.policy, caller=str(call.caller), at=self._edge.clock.now()
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
        return replace(call, at=as_of)

    def _move_clock(self, instant: datetime) -> None:
        try:
            self._edge.clock.move_to(instant)
        except ValueError as error:  # another run has moved it further in the meantime
            raise ClockBackwardsError("the clock stands at a later instant already") from error
