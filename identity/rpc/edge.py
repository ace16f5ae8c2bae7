"""What every servicer stands on: transactions, first answers, the way off the event loop.

Owns how a request becomes a key for its first answer. Knows no method.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from identity.domain.errors import DomainError
from identity.rpc.call_rates import CallRates
from identity.rpc.contact_feed import ContactFeed
from identity.rpc.threads import in_thread
from identity.rpc.waiting import Waiting
from identity.services.call import Call
from identity.services.clock import Clock
from identity.services.complete_verification import ChipExaminer
from identity.services.face_pool import FacePool
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.requests import RequestKey
from identity.telemetry.told import Telemetry

_Response = TypeVar("_Response", bound=Message)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The service behind the servicers.

    Attributes:
        transactions: Runs actions on the database.
        clock: What time it is.
        examine_chip: Authenticates a chip against the anchors in force.
        faces: Compares faces in other processes.
        threads: Where blocking work of asynchronous methods runs.
        waiting: Who waits for directives.
        feed: Who watches for changed contacts.
        rates: How often callers may call.
        telemetry: Who is told of every call; None: nobody.
    """

    transactions: Transactions
    clock: Clock
    examine_chip: ChipExaminer
    faces: FacePool
    threads: Executor
    waiting: Waiting = field(default_factory=Waiting)
    feed: ContactFeed = field(default_factory=ContactFeed)
    rates: CallRates = field(default_factory=CallRates)
    telemetry: Telemetry | None = None

    def answer_once(
        self,
        request: Message,
        call: Call,
        action: Callable[[UnitOfWork], _Response],
        response_type: type[_Response],
    ) -> _Response:
        """Act on a request once; a repeated one gets the first answer."""
        stored = self.transactions.run_once(
            request_key(request, call),
            lambda uow: action(uow).SerializeToString(),
            at=call.at,
        )
        return response_type.FromString(stored)

    def answer_in_parts(
        self,
        request: Message,
        call: Call,
        parts: Callable[[], _Result],
        answer: Callable[[UnitOfWork, _Result], _Response],
        response_type: type[_Response],
    ) -> _Response:
        """Act in transactions of the action's own, and answer after them.

        Cut off before the answer, the same request does what is left to do and answers then.

        Args:
            request: The request.
            call: The circumstances.
            parts: Acts; must come to the same when it runs again, or beside itself.
            answer: Ends what `parts` began, in the transaction that keeps the answer: what another
                copy of the request would be refused for is done there.
            response_type: Of the answer.
        """
        with self.transactions.refusals_noted(request_key(request, call), at=call.at):
            first = self.first_answer(request, call, response_type)
            if first is not None:
                return first
            try:
                done = parts()
            except DomainError:
                # Another copy of this very request may have been quicker: it is no refusal then.
                first = self.first_answer(request, call, response_type)
                if first is None:
                    raise
                return first
        return self.answer_once(request, call, lambda uow: answer(uow, done), response_type)

    def first_answer(
        self, request: Message, call: Call, response_type: type[_Response]
    ) -> _Response | None:
        """What was answered to a request that came before; None when it is new."""
        stored = self.transactions.first_answer(request_key(request, call))
        return None if stored is None else response_type.FromString(stored)

    async def in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Run blocking work without blocking the event loop."""
        return await in_thread(self.threads, work)


def request_key(request: Message, call: Call) -> RequestKey:
    """The key of a request's first answer."""
    return RequestKey(
        caller=str(call.caller),
        request_id=UUID(request.request_id),  # type: ignore[attr-defined] # every write has one; a test walks all
        method=request.DESCRIPTOR.full_name,
        body_digest=_digest(request, call),
    )


def _digest(request: Message, call: Call) -> bytes:
    """Of the body, and of the citizen for whom it was sent: another's first answer is nobody's."""
    digest = hashlib.sha256(request.SerializeToString(deterministic=True))
    if call.citizen is not None:
        digest.update(call.citizen.value.encode())
    return digest.digest()
