"""ContactService on the wire."""

from collections.abc import AsyncIterator, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from identity.domain.contact import AbsenceCause, ContactStatus
from identity.domain.errors import DomainError
from identity.domain.personal_id import PersonalID
from identity.rpc import encode
from identity.rpc.coalescer import Coalescer
from identity.rpc.contact_watch import ContactWatch
from identity.rpc.edge import Edge
from identity.rpc.grounds import access_of
from identity.services.call import Call
from identity.services.get_contacts import Contact, ContactQuestion, can_notify, get_contacts
from subid.v1 import agency_pb2, contact_service_pb2_grpc
from subid.v1 import contact_service_pb2 as pb

_Answer = TypeVar("_Answer")
_Contacts = list[Contact] | DomainError

STATUSES: Mapping[ContactStatus, "pb.ContactStatus"] = MappingProxyType(
    {
        ContactStatus.AVAILABLE: pb.CONTACT_STATUS_AVAILABLE,
        ContactStatus.DEGRADED: pb.CONTACT_STATUS_DEGRADED,
        ContactStatus.STALE: pb.CONTACT_STATUS_STALE,
        ContactStatus.NOT_AVAILABLE: pb.CONTACT_STATUS_NOT_AVAILABLE,
    }
)
CAUSES: Mapping[AbsenceCause, "pb.AbsenceCause"] = MappingProxyType(
    {
        AbsenceCause.UNKNOWN_PERSON: pb.ABSENCE_CAUSE_UNKNOWN_PERSON,
        AbsenceCause.DECEASED: pb.ABSENCE_CAUSE_DECEASED,
        AbsenceCause.NO_NUMBER: pb.ABSENCE_CAUSE_NO_NUMBER,
        AbsenceCause.OBJECTED: pb.ABSENCE_CAUSE_OBJECTED,
        AbsenceCause.RESTRICTED: pb.ABSENCE_CAUSE_RESTRICTED,
    }
)


class ContactServicer(contact_service_pb2_grpc.ContactServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._coalescer: Coalescer[ContactQuestion, _Contacts] = Coalescer(
            self._look_up, threads=edge.threads
        )

    async def GetContact(self, request: pb.GetContactRequest, call: Call) -> pb.GetContactResponse:
        """Look one citizen up, in one transaction with whoever else asks at this moment."""
        question = _question(request.grounds, call, [request.personal_id])
        (contact,) = _answered(await self._coalescer.submit(question))
        return pb.GetContactResponse(contact=_contact(contact))

    def BatchGetContacts(
        self, request: pb.BatchGetContactsRequest, call: Call
    ) -> pb.BatchGetContactsResponse:
        """Look up to 1,000 citizens up."""
        question = _question(request.grounds, call, request.personal_ids)
        (answer,) = self._look_up([question])
        return pb.BatchGetContactsResponse(contacts=map(_contact, _answered(answer)))

    def WatchContactChanges(
        self, request: pb.WatchContactChangesRequest, call: Call
    ) -> AsyncIterator[pb.WatchContactChangesResponse]:
        """Tell whom to ask about again."""
        position = int(request.position) if request.position else None
        return ContactWatch(self._edge, call).responses(position)

    def CanNotify(self, request: pb.CanNotifyRequest, call: Call) -> pb.CanNotifyResponse:
        """Say of up to 1,000 citizens whether they can be reached."""
        question = _question(request.grounds, call, request.personal_ids)
        (answer,) = self._edge.transactions.run(lambda uow: can_notify(uow, [question]))
        return pb.CanNotifyResponse(can_notify=_answered(answer))

    def _look_up(self, questions: list[ContactQuestion]) -> list[_Contacts]:
        return self._edge.transactions.run(lambda uow: get_contacts(uow, questions))


def _question(
    grounds: agency_pb2.Grounds, call: Call, personal_ids: Iterable[str]
) -> ContactQuestion:
    people = [PersonalID.parse(text) for text in personal_ids]
    return ContactQuestion(
        access=access_of(grounds, call, people_count=len(people)),
        people=people,
        rules=call.rules,
    )


def _answered(answer: list[_Answer] | DomainError) -> list[_Answer]:
    # A refusal is a value until here, so that the record of it is kept.
    if isinstance(answer, DomainError):
        raise answer
    return answer


def _contact(contact: Contact) -> pb.Contact:
    relay = contact.relay
    return pb.Contact(
        status=STATUSES[contact.status],
        msisdn=contact.msisdn,
        masked_msisdn=contact.masked_msisdn,
        relay_token=None if relay is None else relay.token,
        relay_expire_time=None if relay is None else encode.timestamp(relay.expires_at),
        set_time=encode.timestamp(contact.set_at),
        verify_time=encode.timestamp(contact.verified_at),
        confirm_time=encode.timestamp(contact.confirmed_at),
        subject_token=contact.subject_token,
        absence_cause=None if contact.cause is None else CAUSES[contact.cause],
    )
