"""CitizenService on the wire."""

from identity.domain.personal_id import PersonalID
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.disown_subscription import disown_subscription
from identity.services.primary_number import get_primary_number, set_primary_number
from identity.services.read_subscriptions import list_of_citizen
from subid.v1 import citizen_service_pb2 as pb
from subid.v1 import citizen_service_pb2_grpc


class CitizenServicer(citizen_service_pb2_grpc.CitizenServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def ListSubscriptions(
        self, request: pb.CitizenServiceListSubscriptionsRequest, call: Call
    ) -> pb.CitizenServiceListSubscriptionsResponse:
        """Read a page of the citizen's numbers."""
        personal_id = PersonalID.parse(request.personal_id)
        after = decode.page_token(request.page_token)
        limit = decode.page_size(request.page_size)
        page = self._edge.transactions.run(
            lambda uow: list_of_citizen(uow, call, personal_id, after=after, limit=limit)
        )
        return pb.CitizenServiceListSubscriptionsResponse(
            subscriptions=[encode.subscription(item) for item in page.views],
            next_page_token="" if page.next_after is None else page.next_after.hex,
        )

    def SetPrimaryNumber(
        self, request: pb.SetPrimaryNumberRequest, call: Call
    ) -> pb.SetPrimaryNumberResponse:
        """Mark a number."""
        personal_id = PersonalID.parse(request.personal_id)
        msisdn = decode.msisdn(request.msisdn)
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.SetPrimaryNumberResponse(
                primary_number=encode.primary_number(
                    set_primary_number(uow, call, personal_id, msisdn)
                )
            ),
            pb.SetPrimaryNumberResponse,
        )

    def GetPrimaryNumber(
        self, request: pb.GetPrimaryNumberRequest, call: Call
    ) -> pb.GetPrimaryNumberResponse:
        """Read the marked number."""
        personal_id = PersonalID.parse(request.personal_id)
        found = self._edge.transactions.run(lambda uow: get_primary_number(uow, call, personal_id))
        return pb.GetPrimaryNumberResponse(primary_number=encode.primary_number(found))

    def DisownSubscription(
        self, request: pb.DisownSubscriptionRequest, call: Call
    ) -> pb.DisownSubscriptionResponse:
        """Open the case of a disowned number."""
        personal_id = PersonalID.parse(request.personal_id)
        msisdn = decode.msisdn(request.msisdn)
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.DisownSubscriptionResponse(
                next_step_time=encode.timestamp(disown_subscription(uow, call, personal_id, msisdn))
            ),
            pb.DisownSubscriptionResponse,
        )
