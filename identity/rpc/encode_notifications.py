"""From messages and notifications to the wire.

Owns the tables between our enumerations and those of the contract. Decides nothing: what a caller
may see was decided before.
"""

from identity.domain.message import (
    MessageFailure,
    MessageLease,
    MessageState,
    OutgoingMessage,
    ReceiptResult,
    Urgency,
)
from identity.domain.notification import Notification, NotificationCount, Template
from identity.rpc import encode
from identity.rpc.grounds import PURPOSES
from subid.v1 import localized_text_pb2
from subid.v1 import notification_service_pb2 as pb

URGENCIES = {
    Urgency.SERVICE: pb.MESSAGE_URGENCY_SERVICE,
    Urgency.LEGAL: pb.MESSAGE_URGENCY_LEGAL,
    Urgency.SAFETY: pb.MESSAGE_URGENCY_SAFETY,
    Urgency.TIDINGS: pb.MESSAGE_URGENCY_TIDINGS,
}
RECEIPT_RESULTS = {
    ReceiptResult.ACCEPTED: pb.RECEIPT_RESULT_ACCEPTED,
    ReceiptResult.ALREADY_ENDED: pb.RECEIPT_RESULT_ALREADY_ENDED,
    ReceiptResult.LEASE_LOST: pb.RECEIPT_RESULT_LEASE_LOST,
    ReceiptResult.UNKNOWN: pb.RECEIPT_RESULT_UNKNOWN,
}
_STATES = {
    None: pb.NOTIFICATION_STATE_ACCEPTED,
    MessageState.PENDING: pb.NOTIFICATION_STATE_ACCEPTED,
    MessageState.LEASED: pb.NOTIFICATION_STATE_HANDED_OVER,
    MessageState.DELIVERED: pb.NOTIFICATION_STATE_DELIVERED,
    MessageState.FAILED: pb.NOTIFICATION_STATE_FAILED,
    MessageState.EXPIRED: pb.NOTIFICATION_STATE_EXPIRED,
}
_FAILURES = {
    None: pb.NOTIFICATION_FAILURE_UNSPECIFIED,
    MessageFailure.NOT_AVAILABLE: pb.NOTIFICATION_FAILURE_NOT_AVAILABLE,
    MessageFailure.UNREACHABLE: pb.NOTIFICATION_FAILURE_UNREACHABLE,
    MessageFailure.OBJECTED: pb.NOTIFICATION_FAILURE_OBJECTED,
    MessageFailure.NOT_CONFIRMED: pb.NOTIFICATION_FAILURE_NOT_CONFIRMED,
    # Of tidings only, which no agency sees.
    MessageFailure.NUMBER_GONE: pb.NOTIFICATION_FAILURE_UNREACHABLE,
    MessageFailure.ABSENT: pb.NOTIFICATION_FAILURE_ABSENT,
    MessageFailure.BARRED: pb.NOTIFICATION_FAILURE_BARRED,
    MessageFailure.UNKNOWN_NUMBER: pb.NOTIFICATION_FAILURE_UNKNOWN_NUMBER,
    MessageFailure.REJECTED: pb.NOTIFICATION_FAILURE_REJECTED,
    MessageFailure.NETWORK_FAULT: pb.NOTIFICATION_FAILURE_NETWORK_FAULT,
}
_PURPOSES = {purpose: message for message, purpose in PURPOSES.items()}


def template(value: Template) -> pb.Template:
    """A template."""
    return pb.Template(
        agency=value.agency,
        name=value.name,
        urgency=URGENCIES[value.urgency],
        text=encode.localized(value.text),
        length_max=value.length_max,
        approve_time=encode.timestamp(value.approved_at),
    )


def notification(value: Notification) -> pb.Notification:
    """A notification, with what its agency may know of it."""
    return pb.Notification(
        notification_id=str(value.notification_id),
        template=value.template,
        urgency=URGENCIES[value.urgency],
        purpose=_PURPOSES[value.purpose],
        case_id=value.case_id,
        state=_STATES[value.state],
        failure=_FAILURES[value.failure],
        create_time=encode.timestamp(value.created_at),
        expire_time=encode.timestamp(value.expires_at),
        done_time=encode.timestamp(value.done_at),
    )


def notification_count(value: NotificationCount) -> pb.NotificationCount:
    """A count."""
    return pb.NotificationCount(
        date=encode.day(value.day),
        template=value.template,
        state=_STATES[value.state],
        notification_count=value.count,
    )


def lease(value: MessageLease) -> pb.PullMessagesResponse:
    """Leased messages."""
    return pb.PullMessagesResponse(
        messages=map(_outgoing, value.messages),
        lease_id=str(value.lease_id),
        lease_expire_time=encode.timestamp(value.expires_at),
    )


def _outgoing(value: OutgoingMessage) -> pb.OutgoingMessage:
    return pb.OutgoingMessage(
        message_id=str(value.message_id),
        msisdn=value.msisdn.value,
        urgency=URGENCIES[value.urgency],
        text=localized_text_pb2.LocalizedText(**value.text),
        expire_time=encode.timestamp(value.expires_at),
    )
