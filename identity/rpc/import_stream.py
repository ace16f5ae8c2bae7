"""One import stream: batch after batch, the next being read while others are stored.

Owns the order of batches and what runs beside what. Knows neither kind of row.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from identity.domain.errors import PageTokenInvalidError
from identity.rpc.edge import Edge, request_key
from identity.services.call import Call
from identity.services.import_progress import begin_stream, store_batch_once
from identity.services.imports import (
    BatchHead,
    BatchOrder,
    BatchResult,
    ImportSummary,
    RefusedRow,
)
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from subid.v1 import imports_pb2

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")

STORED_AT_ONCE = 2
"""Batches of one stream that are stored at the same time, each on a connection of its own."""


class ImportRequest(Protocol):
    """What both kinds of batches have."""

    request_id: str
    batch_index: int
    kind: imports_pb2.ImportKind
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind(Generic[_Row, _Key]):
    """What one kind of import does with its rows.

    Attributes:
        read: The rows of a batch, each parsed or refused; needs no transaction.
        store: Stores them.
        key: What a row is about: two rows of one key must be stored in their order.
    """

    read: Callable[[Any], Sequence[_Row | RefusedRow[_Key]]]
    store: Callable[
        [UnitOfWork, Call, Sequence[_Row | RefusedRow[_Key]], ImportRun, BatchHead], BatchResult
    ]
    key: Callable[[_Row], _Key]


async def take_stream(
    edge: Edge, call: Call, requests: AsyncIterator[Any], kind: RowKind[_Row, _Key]
) -> ImportSummary:
    """Store every batch of a stream; each is there for good when it is counted.

    Raises:
        ImportSequenceError: A batch is out of order.
        RequestIDReusedError: A batch was stored before with another body.
    """
    summary: ImportSummary | None = None
    order: BatchOrder | None = None
    under_way = _UnderWay()
    try:
        async for request in requests:
            head = _head(request)
            if summary is None or order is None:
                order = BatchOrder(head)
                summary = await edge.in_thread(partial(_begin, edge, call, request))
            order.expect(head)
            rows = await edge.in_thread(partial(kind.read, request))
            keys = {row.key if isinstance(row, RefusedRow) else kind.key(row) for row in rows}
            keys.discard(None)
            async for result in under_way.make_room(keys, is_alone=head.is_last):
                summary.add(result)
            store = partial(_store, edge, call, request, rows, kind)
            under_way.add(keys, asyncio.create_task(edge.in_thread(store)))
        async for result in under_way.make_room(set(), is_alone=True):
            assert summary is not None, "a batch is under way"
            summary.add(result)
    finally:
        await under_way.let_end()
    return summary or ImportSummary()


class _UnderWay:
    """Batches that are being stored, oldest first.

    Two at a time: while the database works on one, the other's rows are made ready for it. Should
    the first fail and the second not, the import goes on with the first, and the second is known.
    """

    def __init__(self) -> None:
        self._batches: deque[tuple[AbstractSet[object], asyncio.Task[BatchResult]]] = deque()

    def add(self, keys: AbstractSet[object], task: asyncio.Task[BatchResult]) -> None:
        """A batch that has begun to be stored."""
        self._batches.append((keys, task))

    async def make_room(
        self, keys: AbstractSet[object], *, is_alone: bool
    ) -> AsyncGenerator[BatchResult, None]:
        """Wait until a batch may begin beside the others; gives what came of those that ended."""
        while self._batches and (
            is_alone
            or len(self._batches) >= STORED_AT_ONCE
            or any(not keys.isdisjoint(others) for others, _ in self._batches)
        ):
            yield await self._batches.popleft()[1]

    async def let_end(self) -> None:
        """Let what was begun come to its end.

        A batch goes on without its stream. What came of it is asked for again, so nobody is told.
        """
        await asyncio.gather(*(task for _, task in self._batches), return_exceptions=True)


def page_after(token: str) -> int:
    """After which batch a page of refused rows begins.

    Raises:
        PageTokenInvalidError: We issued no such token.
    """
    if not token:
        return -1
    if not (token.isascii() and token.isdecimal()):
        raise PageTokenInvalidError("this page token was not issued here")
    return int(token)


def page_token(after: int | None) -> str:
    """The token of the page after a batch; empty when there is none."""
    return "" if after is None else str(after)


def _begin(edge: Edge, call: Call, first: Message) -> ImportSummary:
    head, method = _head(first), first.DESCRIPTOR.full_name
    return edge.transactions.run(lambda uow: begin_stream(uow, call, head, method=method))


def _store(
    edge: Edge,
    call: Call,
    request: Message,
    rows: Sequence[_Row | RefusedRow[_Key]],
    kind: RowKind[_Row, _Key],
) -> BatchResult:
    # A stream may take hours: each batch happens when it does.
    now = replace(call, at=edge.clock.now())
    head = _head(request)
    return store_batch_once(
        edge.transactions,
        now,
        request_key(request, now),
        head,
        lambda uow, run: kind.store(uow, now, rows, run, head),
    )


def _head(request: Message) -> BatchHead:
    batch: ImportRequest = request  # type: ignore[assignment] # both kinds of batches are
    return BatchHead(
        request_id=UUID(batch.request_id),
        batch_index=batch.batch_index,
        is_snapshot=batch.kind == imports_pb2.IMPORT_KIND_SNAPSHOT,
        is_last=batch.is_last,
    )
