"""Proving a holder by chip and face, as a phone does it.

Owns the two calls of a verification and what travels in them. It refuses to know whether the
card and the face are genuine.
"""

from dataclasses import dataclass, field

from subid.v1.verification_service_pb2 import (
    ChipFiles,
    CompleteVerificationRequest,
    CompleteVerificationResponse,
    GetVerificationRequest,
    GetVerificationResponse,
    StartVerificationRequest,
    StartVerificationResponse,
)
from telco_sim.cards import Card
from telco_sim.wire import Caller, new_request_id

_DG1, _DG2, _DG13, _DG14, _DG15 = 1, 2, 13, 14, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What somebody holds up to a phone.

    Attributes:
        card: The card at the phone's reader.
        photographs: Live photographs, 1 to 5 image files.
    """

    card: Card
    photographs: tuple[bytes, ...] = field(repr=False)


class VerificationDesk:
    """Where verifications happen: an operator's shop, or the citizen app."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of an operator or of the citizen app."""
        self._caller = caller

    def verify(
        self, msisdn: str, evidence: Evidence, *, personal_id: str = ""
    ) -> CompleteVerificationResponse:
        """Open a session for a number and present evidence.

        Args:
            msisdn: The number, in any form.
            evidence: Card and photographs.
            personal_id: From the citizen app, the citizen it acts for; an operator leaves it out.

        Raises:
            Refusal: The service said no. A verdict is never a refusal.
        """
        session = self.start(msisdn, personal_id=personal_id)
        return self.complete(complete_request(session, evidence))

    def start(self, msisdn: str, *, personal_id: str = "") -> StartVerificationResponse:
        """Open a session.

        Raises:
            Refusal: The service said no.
        """
        response: StartVerificationResponse = self._caller.ask(
            self._caller.verifications.StartVerification,
            StartVerificationRequest(
                request_id=new_request_id(), msisdn=msisdn, personal_id=personal_id
            ),
        )
        return response

    def complete(self, request: CompleteVerificationRequest) -> CompleteVerificationResponse:
        """Present evidence.

        Raises:
            Refusal: The service said no.
        """
        response: CompleteVerificationResponse = self._caller.ask(
            self._caller.verifications.CompleteVerification, request
        )
        return response

    def read(self, verification_id: str) -> GetVerificationResponse:
        """Read the state of a session.

        Raises:
            Refusal: The service said no.
        """
        response: GetVerificationResponse = self._caller.ask(
            self._caller.verifications.GetVerification,
            GetVerificationRequest(verification_id=verification_id),
        )
        return response


def complete_request(
    session: StartVerificationResponse, evidence: Evidence, *, signature: bytes | None = None
) -> CompleteVerificationRequest:
    """Return the request that presents evidence in a session.

    Args:
        session: The open session.
        evidence: Card and photographs.
        signature: The chip's answer; by default the card is asked for one to the session's nonce.
    """
    return CompleteVerificationRequest(
        request_id=new_request_id(),
        verification_id=session.verification_id,
        chip_files=chip_files_of(evidence.card),
        active_authentication_signature=(
            evidence.card.answer(session.chip_nonce) if signature is None else signature
        ),
        probe_photographs=evidence.photographs,
    )


def chip_files_of(card: Card) -> ChipFiles:
    """Return what a reader takes from a card's chip."""
    data_groups = card.data_groups
    return ChipFiles(
        sod=card.sod,
        dg1=data_groups[_DG1],
        dg2=data_groups[_DG2],
        dg13=data_groups[_DG13],
        dg14=data_groups.get(_DG14, b""),
        dg15=data_groups.get(_DG15, b""),
    )
