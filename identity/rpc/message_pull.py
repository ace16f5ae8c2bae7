"""What an operator pulls by PullMessages.

Owns how leased messages are answered. When a pull looks is `long_poll.py`'s.
"""

from datetime import timedelta

from identity.domain.policy_book import PolicyBook
from identity.rpc import encode_notifications
from identity.rpc.edge import Edge
from identity.rpc.long_poll import LongPoll, Source
from identity.services.call import Call
from identity.services.messages import clear_up, pull_messages
from identity.storage.database import UnitOfWork
from identity.storage.operator_news import Topic
from subid.v1 import notification_service_pb2 as pb


def message_pull(
    edge: Edge, policies: PolicyBook, request: pb.PullMessagesRequest, call: Call
) -> LongPoll[pb.PullMessagesResponse]:
    """A pull of one operator's messages."""
    limit = request.message_count_max

    def lease(
        uow: UnitOfWork, call: Call, duration: timedelta
    ) -> tuple[pb.PullMessagesResponse, bool]:
        leased = pull_messages(uow, call, duration=duration, limit=limit)
        return encode_notifications.lease(leased), bool(leased.messages)

    def put_away(uow: UnitOfWork, call: Call) -> None:
        clear_up(uow, call, limit=limit)

    source = Source(
        topic=Topic.MESSAGE,
        next_at=lambda uow, name, at: uow.messages.queue.next_at(name, at=at),
        lease=lease,
        clear_up=put_away,
        kind=pb.PullMessagesResponse,
    )
    return LongPoll(edge, policies, source, request, call)
