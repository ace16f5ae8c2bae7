"""NotificationService on the wire."""

import re
from uuid import UUID

from identity.domain.caller import Role
from identity.domain.errors import PageTokenInvalidError, PermissionRefusedError
from identity.domain.message import MessageFailure, Receipt, ReceiptOutcome
from identity.domain.notification import Language, Template
from identity.domain.personal_id import PersonalID
from identity.domain.policy import Bilingual
from identity.domain.policy_book import PolicyBook
from identity.rpc import decode, encode_notifications
from identity.rpc.edge import Edge
from identity.rpc.grounds import access_of
from identity.rpc.message_pull import message_pull
from identity.services.call import Call
from identity.services.messages import acknowledge_messages
from identity.services.notification_templates import list_templates, register_template
from identity.services.read_notifications import (
    count_notifications,
    get_notification,
    list_notifications,
)
from identity.services.send_notification import Letter, send_notification
from identity.storage.database import UnitOfWork
from subid.v1 import notification_service_pb2 as pb
from subid.v1 import notification_service_pb2_grpc

_URGENCIES = {message: urgency for urgency, message in encode_notifications.URGENCIES.items()}
_LANGUAGES = {pb.LANGUAGE_VI: Language.VI, pb.LANGUAGE_EN: Language.EN}
_OUTCOMES = {
    pb.RECEIPT_OUTCOME_SUBMITTED: ReceiptOutcome.SUBMITTED,
    pb.RECEIPT_OUTCOME_DELIVERED: ReceiptOutcome.DELIVERED,
    pb.RECEIPT_OUTCOME_FAILED: ReceiptOutcome.FAILED,
}
_FAILURES = {
    pb.RECEIPT_FAILURE_UNSPECIFIED: None,
    pb.RECEIPT_FAILURE_ABSENT: MessageFailure.ABSENT,
    pb.RECEIPT_FAILURE_BARRED: MessageFailure.BARRED,
    pb.RECEIPT_FAILURE_UNKNOWN_NUMBER: MessageFailure.UNKNOWN_NUMBER,
    pb.RECEIPT_FAILURE_REJECTED: MessageFailure.REJECTED,
    pb.RECEIPT_FAILURE_NETWORK_FAULT: MessageFailure.NETWORK_FAULT,
}
_TEMPLATE_NAME = re.compile(r"[a-z0-9_-]{1,64}")


class NotificationServicer(notification_service_pb2_grpc.NotificationServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge, policies: PolicyBook) -> None:
        self._edge = edge
        self._policies = policies

    def RegisterTemplate(
        self, request: pb.RegisterTemplateRequest, call: Call
    ) -> pb.RegisterTemplateResponse:
        """Approve a template."""
        template = Template(
            agency=request.agency,
            name=request.name,
            urgency=_URGENCIES[request.urgency],
            text=Bilingual(vi=request.text_vi, en=request.text_en),
            length_max=request.length_max,
            approved_at=call.at,
        )

        def register(uow: UnitOfWork) -> pb.RegisterTemplateResponse:
            kept = register_template(uow, call, template)
            return pb.RegisterTemplateResponse(template=encode_notifications.template(kept))

        return self._edge.answer_once(request, call, register, pb.RegisterTemplateResponse)

    def ListTemplates(
        self, request: pb.ListTemplatesRequest, call: Call
    ) -> pb.ListTemplatesResponse:
        """List an agency's templates."""
        agency = _agency(request.agency, call)
        after, size = _after_name(request.page_token), decode.page_size(request.page_size)
        found = self._edge.transactions.run(
            lambda uow: list_templates(uow, agency, after=after, limit=size + 1)
        )
        page = found[:size]
        return pb.ListTemplatesResponse(
            templates=map(encode_notifications.template, page),
            next_page_token=page[-1].name if len(found) > size else "",
        )

    def SendNotification(
        self, request: pb.SendNotificationRequest, call: Call
    ) -> pb.SendNotificationResponse:
        """Write to a citizen."""
        has_end = request.HasField("expire_time")
        access = access_of(request.grounds, call)
        letter = Letter(
            recipient=_recipient(request),
            template=request.template,
            values=[(value.name, value.value) for value in request.values],
            language=_LANGUAGES[request.language],
            expires_at=decode.instant(request.expire_time, field="expire_time")
            if has_end
            else None,
        )

        def send(uow: UnitOfWork) -> pb.SendNotificationResponse:
            sent = send_notification(uow, call, access, letter)
            return pb.SendNotificationResponse(notification_id=str(sent))

        return self._edge.answer_once(request, call, send, pb.SendNotificationResponse)

    def GetNotification(
        self, request: pb.GetNotificationRequest, call: Call
    ) -> pb.GetNotificationResponse:
        """Read what became of a notification."""
        notification_id = UUID(request.notification_id)
        found = self._edge.transactions.run(
            lambda uow: get_notification(uow, call, notification_id)
        )
        return pb.GetNotificationResponse(notification=encode_notifications.notification(found))

    def ListNotifications(
        self, request: pb.ListNotificationsRequest, call: Call
    ) -> pb.ListNotificationsResponse:
        """List the agency's notifications."""
        after, size = decode.page_token(request.page_token), decode.page_size(request.page_size)
        page, has_more = self._edge.transactions.run(
            lambda uow: list_notifications(uow, call, after=after, limit=size)
        )
        return pb.ListNotificationsResponse(
            notifications=map(encode_notifications.notification, page),
            next_page_token=page[-1].notification_id.hex if has_more else "",
        )

    def GetNotificationStatistics(
        self, request: pb.GetNotificationStatisticsRequest, call: Call
    ) -> pb.GetNotificationStatisticsResponse:
        """Count an agency's notifications."""
        agency = _agency(request.agency, call)
        first = decode.day(request.first_date, field="first_date")
        last = decode.day(request.last_date, field="last_date")
        counts = self._edge.transactions.run(
            lambda uow: count_notifications(uow, call, agency, first=first, last=last)
        )
        return pb.GetNotificationStatisticsResponse(
            counts=map(encode_notifications.notification_count, counts)
        )

    async def PullMessages(
        self, request: pb.PullMessagesRequest, call: Call
    ) -> pb.PullMessagesResponse:
        """Lease messages, or wait for some."""
        return await message_pull(self._edge, self._policies, request, call).answer()

    def AcknowledgeMessages(
        self, request: pb.AcknowledgeMessagesRequest, call: Call
    ) -> pb.AcknowledgeMessagesResponse:
        """Take receipts."""
        receipts = [
            Receipt(
                message_id=UUID(item.message_id),
                outcome=_OUTCOMES[item.outcome],
                failure=_FAILURES[item.failure],
            )
            for item in request.receipts
        ]

        def acknowledge(uow: UnitOfWork) -> pb.AcknowledgeMessagesResponse:
            results = acknowledge_messages(uow, call, UUID(request.lease_id), receipts)
            return pb.AcknowledgeMessagesResponse(
                results=[encode_notifications.RECEIPT_RESULTS[result] for result in results]
            )

        return self._edge.answer_once(request, call, acknowledge, pb.AcknowledgeMessagesResponse)


def _recipient(request: pb.SendNotificationRequest) -> PersonalID | bytes:
    if request.WhichOneof("recipient") == "relay_token":
        return request.relay_token
    return PersonalID.parse(request.personal_id)


def _agency(named: str, call: Call) -> str:
    """Whose notifications a caller asks about; agencies know of nobody's but their own.

    Raises:
        PermissionRefusedError: It names another agency.
    """
    if call.caller.role is Role.AGENCY and named not in {"", call.caller.name}:
        raise PermissionRefusedError("an agency sees its own notifications only")
    return named or call.caller.name


def _after_name(token: str) -> str:
    if token and not _TEMPLATE_NAME.fullmatch(token):
        raise PageTokenInvalidError("this page token was not issued here")
    return token
