"""Claiming a number that somebody else holds.

Owns the calls of a dispute, as each side, the operator and the regulator make them. It refuses to
know whose the number is.
"""

import hashlib

from subid.v1.dispute_service_pb2 import (
    EVIDENCE_KIND_BILLS,
    AddEvidenceRequest,
    AddEvidenceResponse,
    AppealDisputeRequest,
    AppealDisputeResponse,
    DecideDisputeRequest,
    DecideDisputeResponse,
    Dispute,
    DisputeDecision,
    Evidence,
    GetDisputeRequest,
    GetDisputeResponse,
    OpenDisputeRequest,
    OpenDisputeResponse,
)
from telco_sim.wire import Caller, new_request_id

_PLACE = "Hoan Kiem shop, file 2026/118"


class DisputeDesk:
    """Where disputes are heard: the citizen app, an operator, or the regulator."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of an operator, the regulator or the citizen app."""
        self._caller = caller

    def open(self, msisdn: str, *, claimant_id: str) -> Dispute:
        """Claim a number for somebody.

        Raises:
            Refusal: The service said no.
        """
        response: OpenDisputeResponse = self._caller.ask(
            self._caller.disputes.OpenDispute,
            OpenDisputeRequest(
                request_id=new_request_id(), msisdn=msisdn, claimant_personal_id=claimant_id
            ),
        )
        return response.dispute

    def add_evidence(
        self, dispute_id: str, *, is_for_claimant: bool, personal_id: str = ""
    ) -> Dispute:
        """Add a bill to the list of evidence.

        Args:
            dispute_id: Which dispute.
            is_for_claimant: For whom it speaks.
            personal_id: From the citizen app, the citizen it acts for; others leave it out.

        Raises:
            Refusal: The service said no.
        """
        bill = Evidence(
            kind=EVIDENCE_KIND_BILLS,
            document_digest=hashlib.sha256(f"bill {is_for_claimant}".encode()).digest(),
            place=_PLACE,
            is_for_claimant=is_for_claimant,
        )
        response: AddEvidenceResponse = self._caller.ask(
            self._caller.disputes.AddEvidence,
            AddEvidenceRequest(
                request_id=new_request_id(),
                dispute_id=dispute_id,
                personal_id=personal_id,
                evidence=[bill],
            ),
        )
        return response.dispute

    def decide(self, dispute_id: str, decision: DisputeDecision) -> Dispute:
        """Say whose the number is.

        Raises:
            Refusal: The service said no.
        """
        response: DecideDisputeResponse = self._caller.ask(
            self._caller.disputes.DecideDispute,
            DecideDisputeRequest(
                request_id=new_request_id(), dispute_id=dispute_id, decision=decision
            ),
        )
        return response.dispute

    def appeal(self, dispute_id: str, *, personal_id: str) -> Dispute:
        """Appeal for one side.

        Raises:
            Refusal: The service said no.
        """
        response: AppealDisputeResponse = self._caller.ask(
            self._caller.disputes.AppealDispute,
            AppealDisputeRequest(
                request_id=new_request_id(), dispute_id=dispute_id, personal_id=personal_id
            ),
        )
        return response.dispute

    def read(self, dispute_id: str, *, personal_id: str = "") -> Dispute:
        """Read where a dispute stands.

        Raises:
            Refusal: The service said no.
        """
        response: GetDisputeResponse = self._caller.ask(
            self._caller.disputes.GetDispute,
            GetDisputeRequest(dispute_id=dispute_id, personal_id=personal_id),
        )
        return response.dispute
