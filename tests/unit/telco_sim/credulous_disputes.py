"""Disputes at a service that believes everything.

Owns the opposite of the contract: anybody may open, read and decide any dispute, and one caller is
enough.
"""

# Servicers and their methods have the names of the contract, and its comments say what they do.
# ruff: noqa: D101, D102, N802

import uuid

import grpc

from subid.v1 import dispute_service_pb2 as pb
from subid.v1 import dispute_service_pb2_grpc


class DisputeServicer(dispute_service_pb2_grpc.DisputeServiceServicer):
    def __init__(self) -> None:
        self._disputes: dict[str, pb.Dispute] = {}

    def OpenDispute(
        self, request: pb.OpenDisputeRequest, _: grpc.ServicerContext
    ) -> pb.OpenDisputeResponse:
        dispute = pb.Dispute(
            dispute_id=str(uuid.uuid4()), msisdn=request.msisdn, state=pb.DISPUTE_STATE_OPEN
        )
        self._disputes[dispute.dispute_id] = dispute
        return pb.OpenDisputeResponse(dispute=dispute)

    def AddEvidence(
        self, request: pb.AddEvidenceRequest, _: grpc.ServicerContext
    ) -> pb.AddEvidenceResponse:
        dispute = self._disputes[request.dispute_id]
        dispute.evidence.extend(pb.AddedEvidence(evidence=each) for each in request.evidence)
        return pb.AddEvidenceResponse(dispute=dispute)

    def DecideDispute(
        self, request: pb.DecideDisputeRequest, _: grpc.ServicerContext
    ) -> pb.DecideDisputeResponse:
        dispute = self._disputes[request.dispute_id]
        dispute.decision, dispute.state = request.decision, pb.DISPUTE_STATE_CLOSED
        return pb.DecideDisputeResponse(dispute=dispute)

    def AppealDispute(
        self, request: pb.AppealDisputeRequest, _: grpc.ServicerContext
    ) -> pb.AppealDisputeResponse:
        return pb.AppealDisputeResponse(dispute=self._disputes[request.dispute_id])

    def GetDispute(
        self, request: pb.GetDisputeRequest, _: grpc.ServicerContext
    ) -> pb.GetDisputeResponse:
        return pb.GetDisputeResponse(dispute=self._disputes[request.dispute_id])
