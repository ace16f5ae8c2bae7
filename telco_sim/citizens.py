"""Citizens with a phone.

Owns what the citizen app asks on behalf of one citizen, and who has which card and face. It
refuses to know why: scenarios do.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from subid.v1.agency_pb2 import PURPOSE_SERVICE_DELIVERY
from subid.v1.citizen_service_pb2 import (
    Access,
    CitizenServiceListSubscriptionsRequest,
    CitizenServiceListSubscriptionsResponse,
    DisownSubscriptionRequest,
    DisownSubscriptionResponse,
    GetPrimaryNumberRequest,
    GetPrimaryNumberResponse,
    ListAccessesRequest,
    ListAccessesResponse,
    SetFallbackNumbersRequest,
    SetFallbackNumbersResponse,
    SetLockRequest,
    SetLockResponse,
    SetPrimaryNumberRequest,
    SetPrimaryNumberResponse,
    VetoPrimaryChangeRequest,
)
from subid.v1.enforcement_service_pb2 import (
    ExplainSubscriptionRequest,
    ExplainSubscriptionResponse,
)
from subid.v1.privacy_service_pb2 import (
    GetExportRequest,
    ObjectRequest,
    RequestExportRequest,
    RequestExportResponse,
    WithdrawObjectionRequest,
)
from subid.v1.subscription_pb2 import Subscription
from telco_sim.disputes import DisputeDesk
from telco_sim.messages import instant_of
from telco_sim.receipts import ReceiptDesk
from telco_sim.verifications import VerificationDesk
from telco_sim.wire import Caller, new_request_id

_PAGE_SIZE = 2
"""So small that even three numbers of one citizen come in two pages."""

_ACCESSES_PER_PAGE = 20


class CitizenApp:
    """The national app: one caller that acts for every citizen who has logged in."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of a caller with the role `citizen-app`."""
        self.verifications = VerificationDesk(caller)
        self.disputes = DisputeDesk(caller)
        self.receipts = ReceiptDesk(caller)
        self._caller = caller

    def subscriptions(self, personal_id: str) -> Iterator[Subscription]:
        """List the numbers in a citizen's name, page by page.

        Raises:
            Refusal: The service said no.
        """
        page_token = ""
        while True:
            request = CitizenServiceListSubscriptionsRequest(
                personal_id=personal_id, page_size=_PAGE_SIZE, page_token=page_token
            )
            response: CitizenServiceListSubscriptionsResponse = self._caller.ask(
                self._caller.citizens.ListSubscriptions, request
            )
            yield from response.subscriptions
            page_token = response.next_page_token
            if not page_token:
                return

    def set_primary(
        self, personal_id: str, msisdn: str, *, verification_id: str = ""
    ) -> SetPrimaryNumberResponse:
        """Make a number the citizen's primary, or ask for a change.

        Args:
            personal_id: The citizen.
            msisdn: The number.
            verification_id: To change the number: the verification just made for that.

        Raises:
            Refusal: The service said no.
        """
        request = SetPrimaryNumberRequest(
            request_id=new_request_id(),
            personal_id=personal_id,
            msisdn=msisdn,
            verification_id=verification_id,
        )
        response: SetPrimaryNumberResponse = self._caller.ask(
            self._caller.citizens.SetPrimaryNumber, request
        )
        return response

    def veto(self, personal_id: str, change_id: str) -> None:
        """Say no to a change of the primary number.

        Raises:
            Refusal: The service said no.
        """
        request = VetoPrimaryChangeRequest(
            request_id=new_request_id(), personal_id=personal_id, change_id=change_id
        )
        self._caller.ask(self._caller.citizens.VetoPrimaryChange, request)

    def primary(self, personal_id: str, *, guardian_id: str = "") -> str:
        """Return the citizen's primary number, or an empty text without one.

        Args:
            personal_id: The citizen.
            guardian_id: Personal ID of the guardian who asks; empty when the citizen does.

        Raises:
            Refusal: The service said no.
        """
        response: GetPrimaryNumberResponse = self._caller.ask(
            self._caller.citizens.GetPrimaryNumber,
            GetPrimaryNumberRequest(personal_id=personal_id, acting_personal_id=guardian_id),
        )
        return response.primary_number.msisdn

    def rank_fallbacks(
        self, personal_id: str, msisdns: Sequence[str], *, verification_id: str = ""
    ) -> list[str]:
        """Rank the numbers that stand in for the primary one; return them as they stand now.

        Args:
            personal_id: The citizen.
            msisdns: The numbers, the first choice first.
            verification_id: For a number that was not ranked: the verification just made for that.

        Raises:
            Refusal: The service said no.
        """
        response: SetFallbackNumbersResponse = self._caller.ask(
            self._caller.citizens.SetFallbackNumbers,
            SetFallbackNumbersRequest(
                request_id=new_request_id(),
                personal_id=personal_id,
                msisdns=msisdns,
                verification_id=verification_id,
            ),
        )
        return list(response.msisdns)

    def lock(self, personal_id: str, *, is_locked: bool = True, open_minutes: int = 0) -> bool:
        """Lock new numbers and choices, unlock them, or open the lock for some minutes.

        Returns:
            Whether there is a lock now.

        Raises:
            Refusal: The service said no.
        """
        response: SetLockResponse = self._caller.ask(
            self._caller.citizens.SetLock,
            SetLockRequest(
                request_id=new_request_id(),
                personal_id=personal_id,
                is_locked=is_locked,
                open_minutes=open_minutes,
            ),
        )
        return response.is_locked

    def accesses(self, personal_id: str) -> tuple[list[Access], int]:
        """Read who looked at the citizen's data, the newest first, and how many are withheld.

        Raises:
            Refusal: The service said no.
        """
        accesses: list[Access] = []
        page_token = ""
        while True:
            request = ListAccessesRequest(
                personal_id=personal_id, page_size=_ACCESSES_PER_PAGE, page_token=page_token
            )
            response: ListAccessesResponse = self._caller.ask(
                self._caller.citizens.ListAccesses, request
            )
            accesses += response.accesses
            page_token = response.next_page_token
            if not page_token:
                return accesses, response.withheld_count

    def object_to_services(self, personal_id: str) -> None:
        """Object to being contacted for services.

        Raises:
            Refusal: The service said no.
        """
        request = ObjectRequest(
            request_id=new_request_id(),
            personal_id=personal_id,
            purposes=[PURPOSE_SERVICE_DELIVERY],
        )
        self._caller.ask(self._caller.privacy.Object, request)

    def withdraw_objection(self, personal_id: str) -> None:
        """Take an objection back.

        Raises:
            Refusal: The service said no.
        """
        request = WithdrawObjectionRequest(
            request_id=new_request_id(),
            personal_id=personal_id,
            purposes=[PURPOSE_SERVICE_DELIVERY],
        )
        self._caller.ask(self._caller.privacy.WithdrawObjection, request)

    def request_export(self, personal_id: str) -> str:
        """Ask for all that is held of the citizen; return the name of the request.

        Raises:
            Refusal: The service said no.
        """
        response: RequestExportResponse = self._caller.ask(
            self._caller.privacy.RequestExport,
            RequestExportRequest(request_id=new_request_id(), personal_id=personal_id),
        )
        return response.data_request.data_request_id

    def export(self, personal_id: str, data_request_id: str) -> str:
        """Read an export, a JWS in compact form.

        Raises:
            Refusal: The service said no.
        """
        request = GetExportRequest(personal_id=personal_id, data_request_id=data_request_id)
        parts = self._caller.read(self._caller.privacy.GetExport, request)
        return b"".join(each.chunk for each in parts).decode()

    def disown(self, personal_id: str, msisdn: str) -> datetime:
        """Say "not mine"; return when the number is suspended unless its user proves it.

        Raises:
            Refusal: The service said no.
        """
        request = DisownSubscriptionRequest(
            request_id=new_request_id(), personal_id=personal_id, msisdn=msisdn
        )
        response: DisownSubscriptionResponse = self._caller.ask(
            self._caller.citizens.DisownSubscription, request
        )
        return instant_of(response.next_step_time)

    def explain(self, personal_id: str, msisdn: str) -> ExplainSubscriptionResponse:
        """Ask why a number in the citizen's name is in its state.

        Raises:
            Refusal: The service said no.
        """
        request = ExplainSubscriptionRequest(msisdn=msisdn, personal_id=personal_id)
        response: ExplainSubscriptionResponse = self._caller.ask(
            self._caller.enforcement.ExplainSubscription, request
        )
        return response
