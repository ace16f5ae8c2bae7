"""State agencies: what each asks, and what it was told.

Owns the calls of an agency, and the account that it keeps of them: whom it asked about, and which
numbers it has got by it. It refuses to know who behaves: scenarios do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from subid.v1.agency_pb2 import Grounds, Purpose
from subid.v1.contact_service_pb2 import (
    BatchGetContactsRequest,
    BatchGetContactsResponse,
    CanNotifyRequest,
    CanNotifyResponse,
    Contact,
    GetContactRequest,
    GetContactResponse,
    WatchContactChangesRequest,
    WatchContactChangesResponse,
)
from subid.v1.match_service_pb2 import (
    MatchRecordsRequest,
    MatchRecordsResponse,
    RecordClaim,
    RecordMatch,
)
from subid.v1.notification_service_pb2 import (
    LANGUAGE_VI,
    GetNotificationRequest,
    GetNotificationResponse,
    GetNotificationStatisticsRequest,
    GetNotificationStatisticsResponse,
    Notification,
    NotificationCount,
    SendNotificationRequest,
    SendNotificationResponse,
    TemplateValue,
)
from subid.v1.verification_service_pb2 import (
    CompletePresenceRequest,
    CompletePresenceResponse,
    GetPresenceKeysRequest,
    GetPresenceKeysResponse,
    StartPresenceRequest,
    StartPresenceResponse,
)
from telco_sim.messages import date_message, instant_message
from telco_sim.receipts import ReceiptDesk
from telco_sim.wire import Caller, Refusal, new_request_id

LEGAL_BASIS = "Law 26/2023/QH15, art. 10"
"""An article as an agency would cite it; the service keeps it with each look-up."""

WRITER, FISHER, GUESSER, HASTY, STRANGER = (
    *("agency-writer", "agency-fisher", "agency-guesser"),
    *("agency-hasty", "agency-stranger"),
)
"""Agencies beside the one that is granted numbers: one that is granted no more than masked numbers
and tokens, one that tries out personal IDs, one that tries out birth dates, one that asks too much,
and one that is not registered."""

FILE_PLACE = "file"
"""The one place of the templates: the agency's own file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One access to one person's data that was answered.

    Attributes:
        personal_id: About whom.
        agency: By whom.
        action: What was done, as the person is told.
        grounds: Why.
    """

    personal_id: str
    agency: str
    action: str
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRecord:
    """What an agency asked and what it got.

    Attributes:
        agency: Its name.
        conduct: What it does.
        asked_count: People it asked about; who was asked about twice counts twice.
        refused_count: Of these, those about whom it was refused.
        number_count: Different numbers that it learned.
        told_apart_count: People without a number, known or not, whose answers told it something.
    """

    agency: str
    conduct: str
    asked_count: int
    refused_count: int
    number_count: int
    told_apart_count: int


def grounds_of(
    purpose: Purpose,
    *,
    legal_basis: str = LEGAL_BASIS,
    case_id: str = "",
    shown_at: datetime | None = None,
) -> Grounds:
    """Return the grounds of an access.

    Args:
        purpose: What for.
        legal_basis: The article of law.
        case_id: The agency's own file.
        shown_at: When a court lets the person see it; None for at once.
    """
    return Grounds(
        purpose=purpose,
        legal_basis=legal_basis,
        case_id=case_id,
        shown_time=None if shown_at is None else instant_message(shown_at),
    )


class Agency:
    """A state agency.

    Attributes:
        name: As in its certificate.
        asked_count: People it asked about.
        refused_count: Of these, those about whom it was refused.
        told_apart_count: People without a number of whom it learned something; its scenario counts.
        msisdns: The numbers that it has learned.
    """

    def __init__(self, caller: Caller, *, looks: list[Look] | None = None) -> None:
        """Open an office.

        Args:
            caller: The connection of a caller with the role `agency`.
            looks: Where accesses are written down, those of other agencies too; None for a list
                that nobody reads.
        """
        self.name = caller.name
        self.receipts = ReceiptDesk(caller)
        self.asked_count = 0
        self.refused_count = 0
        self.told_apart_count = 0
        self.msisdns: set[str] = set()
        self._caller = caller
        self._looks = [] if looks is None else looks
        self._reached_by: dict[bytes, str] = {}
        self._letters: dict[str, tuple[str, Grounds]] = {}
        self._is_matching_stopped = False

    def record(self, *, conduct: str) -> AgencyRecord:
        """Say what it asked and what it got."""
        return AgencyRecord(
            agency=self.name,
            conduct=conduct,
            asked_count=self.asked_count,
            refused_count=self.refused_count,
            number_count=len(self.msisdns),
            told_apart_count=self.told_apart_count,
        )

    def contact(self, personal_id: str, grounds: Grounds) -> Contact:
        """Look up one citizen.

        Raises:
            Refusal: The service said no.
        """
        request = GetContactRequest(personal_id=personal_id, grounds=grounds)
        response: GetContactResponse = self._ask_about(
            [personal_id], lambda: self._caller.ask(self._caller.contacts.GetContact, request)
        )
        self._take_in([personal_id], [response.contact], grounds)
        return response.contact

    def contacts(self, personal_ids: Sequence[str], grounds: Grounds) -> list[Contact]:
        """Look up many citizens at once, each once; the answer keeps their order.

        Raises:
            Refusal: The service said no.
        """
        request = BatchGetContactsRequest(personal_ids=personal_ids, grounds=grounds)
        response: BatchGetContactsResponse = self._ask_about(
            personal_ids, lambda: self._caller.ask(self._caller.contacts.BatchGetContacts, request)
        )
        self._take_in(personal_ids, response.contacts, grounds)
        return list(response.contacts)

    def can_notify(self, personal_ids: Sequence[str], grounds: Grounds) -> list[bool]:
        """Ask who could be written to; the answer keeps the order.

        Raises:
            Refusal: The service said no.
        """
        request = CanNotifyRequest(personal_ids=personal_ids, grounds=grounds)
        response: CanNotifyResponse = self._ask_about(
            personal_ids, lambda: self._caller.ask(self._caller.contacts.CanNotify, request)
        )
        self._saw(personal_ids, "can_notify", grounds)
        return list(response.can_notify)

    def changes(
        self, position: str, *, until: Callable[[WatchContactChangesResponse], bool]
    ) -> list[WatchContactChangesResponse]:
        """Watch whom to ask again, up to a response that will do.

        Raises:
            Refusal: The service said no, or none came that would do.
        """
        return self._caller.follow(
            self._caller.contacts.WatchContactChanges,
            WatchContactChangesRequest(position=position),
            until=until,
        )

    def match(self, records: Sequence[RecordClaim], grounds: Grounds) -> list[RecordMatch]:
        """Compare one batch of records.

        Raises:
            Refusal: The service said no.
        """
        personal_ids = [each.personal_id for each in records]
        request = MatchRecordsRequest(request_id=new_request_id(), grounds=grounds, records=records)
        try:
            responses: list[MatchRecordsResponse] = self._ask_about(
                personal_ids,
                lambda: self._caller.exchange(self._caller.matching.MatchRecords, [request]),
            )
        except Refusal as refusal:
            # What made the service stop was looked up, though nothing of it was told.
            if refusal.reason == "MATCHING_STOPPED" and not self._is_matching_stopped:
                self._is_matching_stopped = True
                self._saw(personal_ids, "match_record", grounds)
            raise
        self._saw(personal_ids, "match_record", grounds)
        return [match for each in responses for match in each.matches]

    def send(self, recipient: str | bytes, template: str, grounds: Grounds, *, file: str) -> str:
        """Write to a citizen, or to whom a relay token reaches; return the notification's name.

        Raises:
            Refusal: The service said no.
        """
        request = SendNotificationRequest(
            request_id=new_request_id(),
            personal_id=recipient if isinstance(recipient, str) else None,
            relay_token=recipient if isinstance(recipient, bytes) else None,
            grounds=grounds,
            template=template,
            values=[TemplateValue(name=FILE_PLACE, value=file)],
            language=LANGUAGE_VI,
        )
        known = recipient if isinstance(recipient, str) else self._reached_by.get(recipient, "")
        response: SendNotificationResponse = self._ask_about(
            [known], lambda: self._caller.ask(self._caller.notifications.SendNotification, request)
        )
        self._letters[response.notification_id] = (known, grounds)
        self._saw([known], "send_notification", grounds)
        return response.notification_id

    def notification(self, notification_id: str) -> Notification:
        """Read what became of a notification.

        Raises:
            Refusal: The service said no.
        """
        response: GetNotificationResponse = self._caller.ask(
            self._caller.notifications.GetNotification,
            GetNotificationRequest(notification_id=notification_id),
        )
        personal_id, grounds = self._letters[notification_id]
        self._saw([personal_id], "get_notification", grounds)
        return response.notification

    def letter_counts(self, first: date, last: date) -> list[NotificationCount]:
        """Count its notifications by day, template and state.

        Raises:
            Refusal: The service said no.
        """
        response: GetNotificationStatisticsResponse = self._caller.ask(
            self._caller.notifications.GetNotificationStatistics,
            GetNotificationStatisticsRequest(
                first_date=date_message(first), last_date=date_message(last)
            ),
        )
        return list(response.counts)

    def start_presence(self, grounds: Grounds) -> StartPresenceResponse:
        """Open a session for the card of somebody at the counter.

        Raises:
            Refusal: The service said no.
        """
        response: StartPresenceResponse = self._caller.ask(
            self._caller.verifications.StartPresence,
            StartPresenceRequest(request_id=new_request_id(), grounds=grounds),
        )
        return response

    def complete_presence(
        self, request: CompletePresenceRequest, grounds: Grounds, *, personal_id: str
    ) -> CompletePresenceResponse:
        """Present the card of somebody at the counter.

        Args:
            request: The evidence.
            grounds: Those that the session was opened on.
            personal_id: Whose card it is, for the account that is kept of accesses.

        Raises:
            Refusal: The service said no.
        """
        response: CompletePresenceResponse = self._caller.ask(
            self._caller.verifications.CompletePresence, request
        )
        self._saw([personal_id], "complete_presence", grounds)
        return response

    def presence_keys(self) -> str:
        """Read the public keys of the service, a JWK set.

        Raises:
            Refusal: The service said no.
        """
        response: GetPresenceKeysResponse = self._caller.ask(
            self._caller.verifications.GetPresenceKeys, GetPresenceKeysRequest()
        )
        return response.key_set

    def _ask_about(self, personal_ids: Sequence[str], ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - the call decides
        self.asked_count += len(personal_ids)
        try:
            return ask()
        except Refusal:
            self.refused_count += len(personal_ids)
            raise

    def _take_in(
        self, personal_ids: Sequence[str], contacts: Iterable[Contact], grounds: Grounds
    ) -> None:
        self._saw(personal_ids, "get_contact", grounds)
        for personal_id, contact in zip(personal_ids, contacts, strict=True):
            if contact.msisdn:
                self.msisdns.add(contact.msisdn)
            if contact.relay_token:
                self._reached_by[contact.relay_token] = personal_id

    def _saw(self, personal_ids: Iterable[str], action: str, grounds: Grounds) -> None:
        self._looks.extend(
            Look(personal_id=each, agency=self.name, action=action, grounds=grounds)
            for each in personal_ids
        )
