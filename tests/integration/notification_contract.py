"""A well-formed example for each method of NotificationService, for the walks over all methods."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from google.protobuf.message import Message

from subid.v1 import agency_pb2
from subid.v1 import notification_service_pb2 as pb
from subid.v1.date_pb2 import Date
from tests.integration.wire import new_id

_TODAY = Date(year=2026, month=5, day=1)

EXAMPLES_OF_NOTIFICATIONS: Mapping[str, Callable[[], Message]] = MappingProxyType(
    {
        "NotificationService/RegisterTemplate": lambda: pb.RegisterTemplateRequest(
            request_id=new_id(),
            agency="tax",
            name="come",
            urgency=pb.MESSAGE_URGENCY_SERVICE,
            text_vi="Mời bạn đến nhận {item}.",
            text_en="Please come for your {item}.",
            length_max=268,
        ),
        "NotificationService/ListTemplates": pb.ListTemplatesRequest,
        "NotificationService/SendNotification": lambda: pb.SendNotificationRequest(
            request_id=new_id(),
            personal_id="001090123456",
            grounds=agency_pb2.Grounds(
                purpose=agency_pb2.PURPOSE_SERVICE_DELIVERY, legal_basis="Law 26/2023/QH15, art. 10"
            ),
            template="come",
            values=[pb.TemplateValue(name="item", value="passport")],
            language=pb.LANGUAGE_VI,
        ),
        "NotificationService/GetNotification": lambda: pb.GetNotificationRequest(
            notification_id=new_id()
        ),
        "NotificationService/ListNotifications": pb.ListNotificationsRequest,
        "NotificationService/GetNotificationStatistics": lambda: (
            pb.GetNotificationStatisticsRequest(first_date=_TODAY, last_date=_TODAY)
        ),
        "NotificationService/PullMessages": lambda: pb.PullMessagesRequest(
            request_id=new_id(), message_count_max=10
        ),
        "NotificationService/AcknowledgeMessages": lambda: pb.AcknowledgeMessagesRequest(
            request_id=new_id(),
            lease_id=new_id(),
            receipts=[pb.Receipt(message_id=new_id(), outcome=pb.RECEIPT_OUTCOME_DELIVERED)],
        ),
    }
)
