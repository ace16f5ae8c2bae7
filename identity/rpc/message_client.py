"""The other side of PullMessages: an operator's outbox, reached over gRPC.

Owns the channel and what its answers and refusals mean. Knows no network that messages go to.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf.message import Message

from identity.delivery.deliver import OutboxUnavailableError
from identity.domain.message import (
    MessageFailure,
    MessageLease,
    OutgoingMessage,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
)
from identity.domain.msisdn import MSISDN
from identity.rpc.encode_notifications import RECEIPT_RESULTS, URGENCIES
from identity.security.client_keys import ClientKeys
from subid.v1 import notification_service_pb2 as pb
from subid.v1.notification_service_pb2_grpc import NotificationServiceStub

LEASE_S = 300
"""A batch is given to a network in seconds; what was lost with a killed process waits so long."""

WAIT_S = 25
TIMEOUT_S = 60.0
_WORTH_REPEATING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
_RESULTS = {message: result for result, message in RECEIPT_RESULTS.items()}
_URGENCIES = {message: urgency for urgency, message in URGENCIES.items()}
_OUTCOMES = {
    ReceiptOutcome.SUBMITTED: pb.RECEIPT_OUTCOME_SUBMITTED,
    ReceiptOutcome.DELIVERED: pb.RECEIPT_OUTCOME_DELIVERED,
    ReceiptOutcome.FAILED: pb.RECEIPT_OUTCOME_FAILED,
}
_FAILURES = {
    None: pb.RECEIPT_FAILURE_UNSPECIFIED,
    MessageFailure.ABSENT: pb.RECEIPT_FAILURE_ABSENT,
    MessageFailure.BARRED: pb.RECEIPT_FAILURE_BARRED,
    MessageFailure.UNKNOWN_NUMBER: pb.RECEIPT_FAILURE_UNKNOWN_NUMBER,
    MessageFailure.REJECTED: pb.RECEIPT_FAILURE_REJECTED,
    MessageFailure.NETWORK_FAULT: pb.RECEIPT_FAILURE_NETWORK_FAULT,
}


class OutboxRefusedError(Exception):
    """The service says no, and will again; one line."""


class MessageClient:
    """An operator's outbox; `open_outbox` makes one."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = NotificationServiceStub(channel)

    async def pull(self, *, limit: int) -> MessageLease:
        """As `Outbox.pull`.

        Raises:
            OutboxUnavailableError: Not at this moment.
            OutboxRefusedError: Neither now nor later.
        """
        request = pb.PullMessagesRequest(request_id=str(uuid4()), message_count_max=limit)
        request.lease_duration.FromSeconds(LEASE_S)
        request.wait_duration.FromSeconds(WAIT_S)
        answer = await _asked(self._stub.PullMessages, request)
        if not answer.messages:
            return MessageLease(lease_id=uuid4(), expires_at=datetime.now(UTC), messages=())
        return MessageLease(
            lease_id=UUID(answer.lease_id),
            expires_at=answer.lease_expire_time.ToDatetime(UTC),
            messages=tuple(map(_message, answer.messages)),
        )

    async def acknowledge(
        self, lease_id: UUID, receipts: Sequence[Receipt]
    ) -> Sequence[ReceiptResult]:
        """As `Outbox.acknowledge`.

        Raises:
            OutboxUnavailableError: Not at this moment.
            OutboxRefusedError: Neither now nor later.
        """
        request = pb.AcknowledgeMessagesRequest(
            request_id=str(uuid4()),
            lease_id=str(lease_id),
            receipts=[
                pb.Receipt(
                    message_id=str(each.message_id),
                    outcome=_OUTCOMES[each.outcome],
                    failure=_FAILURES[each.failure],
                )
                for each in receipts
            ],
        )
        answer = await _asked(self._stub.AcknowledgeMessages, request)
        return [_RESULTS[result] for result in answer.results]


@asynccontextmanager
async def open_outbox(address: str, keys: ClientKeys) -> AsyncIterator[MessageClient]:
    """Connect with mutual TLS.

    Args:
        address: `host:port`.
        keys: The operator's.
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=keys.authority,
        private_key=keys.private_key,
        certificate_chain=keys.certificate,
    )
    async with grpc.aio.secure_channel(address, credentials) as channel:
        yield MessageClient(channel)


async def _asked(method: Any, request: Message) -> Any:  # noqa: ANN401 - an untyped stub
    try:
        return await method(request, timeout=TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        if error.code() in _WORTH_REPEATING:
            raise OutboxUnavailableError(error.code().name) from error
        raise OutboxRefusedError(f"{error.code().name}: {error.details()}") from error


def _message(value: pb.OutgoingMessage) -> OutgoingMessage:
    words = {"vi": value.text.vi, "en": value.text.en}
    return OutgoingMessage(
        message_id=UUID(value.message_id),
        msisdn=MSISDN(value.msisdn),
        urgency=_URGENCIES[value.urgency],
        text={language: text for language, text in words.items() if text},
        expires_at=value.expire_time.ToDatetime(UTC),
    )
