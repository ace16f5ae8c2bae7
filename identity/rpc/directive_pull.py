"""What an operator pulls by PullDirectives.

Owns how leased directives are answered. When a pull looks is `long_poll.py`'s.
"""

from datetime import timedelta

from identity.domain.policy_book import PolicyBook
from identity.rpc import encode
from identity.rpc.edge import Edge
from identity.rpc.long_poll import LongPoll, Source
from identity.services.call import Call
from identity.services.directives import hand_out, pull_directives
from identity.storage.database import UnitOfWork
from identity.storage.operator_news import Topic
from subid.v1 import enforcement_service_pb2 as pb


def directive_pull(
    edge: Edge, policies: PolicyBook, request: pb.PullDirectivesRequest, call: Call
) -> LongPoll[pb.PullDirectivesResponse]:
    """A pull of one operator's directives."""

    def lease(
        uow: UnitOfWork, call: Call, duration: timedelta
    ) -> tuple[pb.PullDirectivesResponse, bool]:
        lease = pull_directives(uow, call, duration=duration, limit=request.directive_count_max)
        response = pb.PullDirectivesResponse(
            directives=[encode.directive(hand_out(call, item)) for item in lease.directives],
            lease_id=str(lease.lease_id),
            lease_expire_time=encode.timestamp(lease.expires_at),
        )
        return response, bool(lease.directives)

    source = Source(
        topic=Topic.DIRECTIVE,
        next_at=lambda uow, name, at: uow.directives.next_at(name, at=at),
        lease=lease,
        kind=pb.PullDirectivesResponse,
    )
    return LongPoll(edge, policies, source, request, call)
