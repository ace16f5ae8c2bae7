"""One pull of an operator: answered at once, or once there is something within its time to wait.

Owns when a pull looks and what of its answers is kept. A wait holds neither thread, connection nor
transaction; an answer is stored only once there is one, so that the same request sent again gets
it. A wait that ends with nothing stores nothing: operators without work would else fill tables.
Knows nothing of what is pulled.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from identity.domain.policy_book import PolicyBook
from identity.rpc import decode
from identity.rpc.edge import Edge
from identity.rpc.waiting import Look, Waiting
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.operator_news import CHANNELS, Topic

LEASE_DEFAULT = timedelta(minutes=5)

_Response = TypeVar("_Response", bound=Message)


class NothingYetError(Exception):
    """Undoes a pull that found nothing and may look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[_Response]):
    """What is pulled.

    Attributes:
        topic: What it is, which news are told by.
        next_at: When an operator has something to lease: at once, at an instant, or None.
        lease: Leases, for a time, and answers; the answer and whether anything is in it.
        clear_up: Puts away what could not be leased, after a look that found nothing.
        kind: The class of the answer.
    """

    topic: Topic
    next_at: Callable[[UnitOfWork, str, datetime], datetime | None]
    lease: Callable[[UnitOfWork, Call, timedelta], tuple[_Response, bool]]
    clear_up: Callable[[UnitOfWork, Call], None] | None = None
    kind: type[_Response]


@dataclass(frozen=True, slots=True)
class LongPoll(Generic[_Response]):
    """A pull of one operator.

    Attributes:
        edge: The service.
        policies: The rules, each in its time.
        source: What is pulled.
        request: What is asked for.
        call: The circumstances in the beginning.
    """

    edge: Edge
    policies: PolicyBook
    source: Source[_Response]
    request: Message
    call: Call

    async def answer(self) -> _Response:
        """The answer, when there is one.

        Raises:
            OverloadedError: Too many pulls of this operator wait already.
        """
        if not self.request.HasField("wait_duration"):
            return await self.edge.in_thread(partial(self._lease, self.call))
        wait_s = self._duration("wait_duration").total_seconds()
        first = await self.edge.in_thread(self._first_answer)
        if first is not None:
            return first
        desk = (self.source.topic, self.call.caller.name)
        return await self.edge.waiting.wait(desk, self._look, wait_s=wait_s)

    def _first_answer(self) -> _Response | None:
        return self.edge.first_answer(self.request, self.call, self.source.kind)

    async def _look(self, is_last: bool) -> Look[_Response]:  # noqa: FBT001 - as Waiting.wait calls it
        return await self.edge.in_thread(partial(self._look_now, is_last=is_last))

    def _look_now(self, *, is_last: bool) -> Look[_Response]:
        at = self.edge.clock.now()
        now = replace(self.call, at=at, rules=self.policies.at(at))
        next_at = self.edge.transactions.run(
            lambda uow: self.source.next_at(uow, now.caller.name, at)
        )
        is_due = next_at is not None and next_at <= at
        if is_due:
            with suppress(NothingYetError):
                return Look(answer=self._lease(now, may_be_empty=False))
            self._clear_up(now)
        if is_last:
            return Look(answer=self.source.kind())
        return Look(answer=None, again_in_s=None if is_due else self._seconds_until(next_at, at))

    def _clear_up(self, call: Call) -> None:
        clear_up = self.source.clear_up
        if clear_up is not None:
            self.edge.transactions.run(lambda uow: clear_up(uow, call))

    def _seconds_until(self, next_at: datetime | None, at: datetime) -> float | None:
        """Real seconds until a lease ends; simulated time does not pass by itself."""
        if next_at is None or self.edge.clock.is_simulated:
            return None
        return (next_at - at).total_seconds()

    def _lease(self, call: Call, *, may_be_empty: bool = True) -> _Response:
        has_own = self.request.HasField("lease_duration")
        duration = self._duration("lease_duration") if has_own else LEASE_DEFAULT

        def pull(uow: UnitOfWork) -> _Response:
            response, has_any = self.source.lease(uow, call, duration)
            if not (has_any or may_be_empty):
                raise NothingYetError
            return response

        return self.edge.answer_once(self.request, call, pull, self.source.kind)

    def _duration(self, field: str) -> timedelta:
        value: Duration = getattr(self.request, field)
        return decode.duration(value, field=field)


def wakers(waiting: Waiting) -> Mapping[str, Callable[[str | None], None]]:
    """Whom news wake: for each channel what takes an operator's name, or None for everybody."""
    return {channel: partial(_wake, waiting, topic) for channel, topic in CHANNELS.items()}


def _wake(waiting: Waiting, topic: Topic, operator_id: str | None) -> None:
    waiting.wake(None if operator_id is None else (topic, operator_id))
