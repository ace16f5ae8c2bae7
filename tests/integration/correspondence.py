"""An agency that writes to people before one server, and operators that send what it wrote.

Owns the steps that tests of notifications begin with. Judges no answer: that is each test's own
work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from uuid import uuid4

from identity.domain.caller import Caller, Role
from subid.v1 import agency_pb2
from subid.v1 import agency_service_pb2 as agency_pb
from subid.v1 import notification_service_pb2 as pb
from tests.integration.scene import LEGAL_BASIS, Scene
from tests.integration.wire import Stubs, new_id
from tests.integration.writes import Write, with_other

TEMPLATE = "come"
GROUNDS = agency_pb2.Grounds(purpose=agency_pb2.PURPOSE_SERVICE_DELIVERY, legal_basis=LEGAL_BASIS)
RIGHTS = (
    agency_pb.RIGHT_NOTIFY,
    agency_pb.RIGHT_DELIVERY_STATE,
    agency_pb.RIGHT_ABSENCE_CAUSE,
)


def register_request(agency: str) -> pb.RegisterTemplateRequest:
    return pb.RegisterTemplateRequest(
        request_id=new_id(),
        agency=agency,
        name=TEMPLATE,
        urgency=pb.MESSAGE_URGENCY_SERVICE,
        text_vi="Mời bạn đến nhận {item}.",
        text_en="Please come for your {item}.",
        length_max=268,
    )


def send_request(personal_id: str) -> pb.SendNotificationRequest:
    return pb.SendNotificationRequest(
        request_id=new_id(),
        personal_id=personal_id,
        grounds=GROUNDS,
        template=TEMPLATE,
        values=[pb.TemplateValue(name="item", value="passport")],
        language=pb.LANGUAGE_VI,
    )


def pull_request(*, lease_s: int = 300) -> pb.PullMessagesRequest:
    request = pb.PullMessagesRequest(request_id=new_id(), message_count_max=100)
    request.lease_duration.FromSeconds(lease_s)
    return request


def receipts(
    pulled: pb.PullMessagesResponse, outcome: "pb.ReceiptOutcome" = pb.RECEIPT_OUTCOME_DELIVERED
) -> pb.AcknowledgeMessagesRequest:
    """The same outcome for all that was pulled."""
    return pb.AcknowledgeMessagesRequest(
        request_id=new_id(),
        lease_id=pulled.lease_id,
        receipts=[
            pb.Receipt(message_id=each.message_id, outcome=outcome) for each in pulled.messages
        ],
    )


def receive_all(scene: Scene, operator: str) -> None:
    """Have an operator deliver what waits, such as what a citizen is told of a new primary."""
    stub = scene.operator(operator).notifications
    stub.AcknowledgeMessages(receipts(stub.PullMessages(pull_request())))


@dataclass(frozen=True)
class Correspondence:
    """An agency of its own name with one template.

    Attributes:
        scene: Where.
        agency: Its name.
    """

    scene: Scene
    agency: str

    @classmethod
    def of(cls, scene: Scene, *rights: "agency_pb.Right") -> "Correspondence":
        """Register one; it learns everything unless told otherwise."""
        agency = f"agency-{uuid4().hex[:12]}"
        scene.register_agency(agency, *(rights or RIGHTS), purposes=[GROUNDS.purpose])
        scene.regulator.notifications.RegisterTemplate(register_request(agency))
        return cls(scene, agency)

    @property
    def stubs(self) -> Stubs:
        """The agency."""
        return self.scene.act_as(Role.AGENCY, self.agency)

    def send(self, personal_id: str) -> str:
        """Write to somebody; returns the notification."""
        answer = self.stubs.notifications.SendNotification(send_request(personal_id))
        return str(answer.notification_id)

    def get(self, notification_id: str) -> pb.Notification:
        """What became of a notification."""
        request = pb.GetNotificationRequest(notification_id=notification_id)
        return self.stubs.notifications.GetNotification(request).notification  # type: ignore[no-any-return] # an untyped stub

    def pull(self, operator: str, *, lease_s: int = 300) -> pb.PullMessagesResponse:
        """Pull as an operator."""
        stub = self.scene.operator(operator).notifications
        return stub.PullMessages(pull_request(lease_s=lease_s))  # type: ignore[no-any-return] # as above


def register_template(scene: Scene) -> Write:
    agency = Correspondence.of(scene).agency
    request = register_request(agency)
    request.name = "other"
    return Write(
        caller=Caller(Role.REGULATOR, "regulator"),
        request=request,
        other=with_other(request, length_max=100),
    )


def send_notification(scene: Scene) -> Write:
    agency = Correspondence.of(scene).agency
    request = send_request(scene.citizen().personal_id)
    other = with_other(request, personal_id=scene.citizen().personal_id)
    return Write(caller=Caller(Role.AGENCY, agency), request=request, other=other)


def pull_messages(scene: Scene) -> Write:
    request = pull_request()
    caller = Caller(Role.OPERATOR, scene.people.operator_name())
    return Write(caller=caller, request=request, other=with_other(request, message_count_max=9))


def acknowledge_messages(scene: Scene) -> Write:
    request = pb.AcknowledgeMessagesRequest(
        request_id=new_id(),
        lease_id=new_id(),
        receipts=[pb.Receipt(message_id=new_id(), outcome=pb.RECEIPT_OUTCOME_DELIVERED)],
    )
    caller = Caller(Role.OPERATOR, scene.people.operator_name())
    return Write(caller=caller, request=request, other=with_other(request, lease_id=new_id()))


WRITES_OF_NOTIFICATIONS: MappingProxyType[str, Callable[[Scene], Write]] = MappingProxyType(
    {
        "NotificationService/RegisterTemplate": register_template,
        "NotificationService/SendNotification": send_notification,
        "NotificationService/PullMessages": pull_messages,
        "NotificationService/AcknowledgeMessages": acknowledge_messages,
    }
)
