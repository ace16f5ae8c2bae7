"""Citizens with a phone.

Owns what the citizen app asks on behalf of one citizen, and who has which card and face. It
refuses to know why: scenarios do.
"""

from collections.abc import Iterator
from datetime import datetime

from subid.v1.citizen_service_pb2 import (
    CitizenServiceListSubscriptionsRequest,
    CitizenServiceListSubscriptionsResponse,
    DisownSubscriptionRequest,
    DisownSubscriptionResponse,
    GetPrimaryNumberRequest,
    GetPrimaryNumberResponse,
    PrimaryNumber,
    SetPrimaryNumberRequest,
    SetPrimaryNumberResponse,
)
from subid.v1.enforcement_service_pb2 import (
    ExplainSubscriptionRequest,
    ExplainSubscriptionResponse,
)
from subid.v1.subscription_pb2 import Subscription
from telco_sim.disputes import DisputeDesk
from telco_sim.messages import instant_of
from telco_sim.verifications import VerificationDesk
from telco_sim.wire import Caller, new_request_id

_PAGE_SIZE = 2
"""So small that even three numbers of one citizen come in two pages."""


class CitizenApp:
    """The national app: one caller that acts for every citizen who has logged in."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of a caller with the role `citizen-app`."""
        self.verifications = VerificationDesk(caller)
        self.disputes = DisputeDesk(caller)
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

    def set_primary(self, personal_id: str, msisdn: str) -> PrimaryNumber:
        """Make a number the citizen's primary.

        Raises:
            Refusal: The service said no.
        """
        request = SetPrimaryNumberRequest(
            request_id=new_request_id(), personal_id=personal_id, msisdn=msisdn
        )
        response: SetPrimaryNumberResponse = self._caller.ask(
            self._caller.citizens.SetPrimaryNumber, request
        )
        return response.primary_number

    def primary(self, personal_id: str) -> str:
        """Return the citizen's primary number, or an empty text without one.

        Raises:
            Refusal: The service said no.
        """
        response: GetPrimaryNumberResponse = self._caller.ask(
            self._caller.citizens.GetPrimaryNumber, GetPrimaryNumberRequest(personal_id=personal_id)
        )
        return response.primary_number.msisdn

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
