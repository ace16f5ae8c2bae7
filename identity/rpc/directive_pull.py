"""One PullDirectives: leased at once, or when there is something within the time it may wait.

Owns when a pull looks and what it answers with. A wait holds neither thread, connection nor
transaction; an answer is stored only once there is one, so that the same request sent again gets
it. A wait that ends with nothing stores nothing: operators without orders would else fill tables.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from identity.domain.policy_book import PolicyBook
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.waiting import Look
from identity.services.call import Call
from identity.services.directives import hand_out, pull_directives
from identity.storage.database import UnitOfWork
from subid.v1 import enforcement_service_pb2 as pb

LEASE_DEFAULT = timedelta(minutes=5)

_Look = Look[pb.PullDirectivesResponse]


class _NothingYetError(Exception):
    """Undoes a pull that found nothing and may look again."""


@dataclass(frozen=True, slots=True)
class DirectivePull:
    """A pull of one operator.

    Attributes:
        edge: The service.
        policies: The rules, each in its time.
        request: What is asked for.
        call: The circumstances in the beginning.
    """

    edge: Edge
    policies: PolicyBook
    request: pb.PullDirectivesRequest
    call: Call

    async def answer(self) -> pb.PullDirectivesResponse:
        """The answer, when there is one.

        Raises:
            OverloadedError: Too many pulls of this operator wait already.
        """
        if not self.request.HasField("wait_duration"):
            return await self.edge.in_thread(partial(self._lease, self.call))
        wait = decode.duration(self.request.wait_duration, field="wait_duration")
        first = await self.edge.in_thread(self._first_answer)
        if first is not None:
            return first
        return await self.edge.waiting.wait(
            self.call.caller.name, self._look, wait_s=wait.total_seconds()
        )

    def _first_answer(self) -> pb.PullDirectivesResponse | None:
        return self.edge.first_answer(self.request, self.call, pb.PullDirectivesResponse)

    async def _look(self, is_last: bool) -> _Look:  # noqa: FBT001 - as Waiting.wait calls it
        return await self.edge.in_thread(partial(self._look_now, is_last=is_last))

    def _look_now(self, *, is_last: bool) -> _Look:
        at = self.edge.clock.now()
        now = replace(self.call, at=at, rules=self.policies.at(at))
        name = now.caller.name
        next_at = self.edge.transactions.run(lambda uow: uow.directives.next_at(name, at=at))
        is_due = next_at is not None and next_at <= at
        if is_due:
            with suppress(_NothingYetError):
                return Look(answer=self._lease(now, may_be_empty=False))
        if is_last:
            return Look(answer=pb.PullDirectivesResponse())
        return Look(answer=None, again_in_s=None if is_due else self._seconds_until(next_at, at))

    def _seconds_until(self, next_at: datetime | None, at: datetime) -> float | None:
        """Real seconds until a lease ends; simulated time does not pass by itself."""
        if next_at is None or self.edge.clock.is_simulated:
            return None
        return (next_at - at).total_seconds()

    def _lease(self, call: Call, *, may_be_empty: bool = True) -> pb.PullDirectivesResponse:
        request = self.request
        duration = LEASE_DEFAULT
        if request.HasField("lease_duration"):
            duration = decode.duration(request.lease_duration, field="lease_duration")

        def pull(uow: UnitOfWork) -> pb.PullDirectivesResponse:
            lease = pull_directives(uow, call, duration=duration, limit=request.directive_count_max)
            if not (lease.directives or may_be_empty):
                raise _NothingYetError
            return pb.PullDirectivesResponse(
                directives=[encode.directive(hand_out(call, item)) for item in lease.directives],
                lease_id=str(lease.lease_id),
                lease_expire_time=encode.timestamp(lease.expires_at),
            )

        return self.edge.answer_once(request, call, pull, pb.PullDirectivesResponse)
