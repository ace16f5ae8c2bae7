"""ContactService on the wire."""

from identity.domain.personal_id import PersonalID
from identity.rpc import encode
from identity.rpc.coalescer import Coalescer
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.get_contacts import ContactLookup, Purpose, get_contacts
from identity.storage.primaries import PrimaryNumber
from subid.v1 import contact_service_pb2 as pb
from subid.v1 import contact_service_pb2_grpc

_PURPOSES = {
    pb.PURPOSE_SERVICE_DELIVERY: Purpose.SERVICE_DELIVERY,
    pb.PURPOSE_LEGAL_NOTICE: Purpose.LEGAL_NOTICE,
    pb.PURPOSE_PUBLIC_SAFETY: Purpose.PUBLIC_SAFETY,
}


class ContactServicer(contact_service_pb2_grpc.ContactServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._coalescer: Coalescer[ContactLookup, PrimaryNumber | None] = Coalescer(
            self._look_up, threads=edge.threads
        )

    async def GetContact(self, request: pb.GetContactRequest, call: Call) -> pb.GetContactResponse:
        """Look one citizen up, in one transaction with whoever else asks at this moment."""
        lookup = _lookup(request, call, request.personal_id)
        return pb.GetContactResponse(contact=encode.contact(await self._coalescer.submit(lookup)))

    def BatchGetContacts(
        self, request: pb.BatchGetContactsRequest, call: Call
    ) -> pb.BatchGetContactsResponse:
        """Look up to 1,000 citizens up."""
        lookups = [_lookup(request, call, text) for text in request.personal_ids]
        found = self._look_up(lookups)
        return pb.BatchGetContactsResponse(contacts=[encode.contact(item) for item in found])

    def _look_up(self, lookups: list[ContactLookup]) -> list[PrimaryNumber | None]:
        return self._edge.transactions.run(lambda uow: get_contacts(uow, lookups))


def _lookup(
    request: pb.GetContactRequest | pb.BatchGetContactsRequest, call: Call, personal_id: str
) -> ContactLookup:
    return ContactLookup(
        caller=call.caller,
        personal_id=PersonalID.parse(personal_id),
        purpose=_PURPOSES[request.purpose],
        legal_basis=request.legal_basis,
        at=call.at,
    )
