"""One import stream: batch after batch, the next being read while one is stored.

Owns the order of batches and what runs beside what. Knows neither kind of row.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from identity.domain.errors import PageTokenInvalidError
from identity.rpc.edge import Edge, request_key
from identity.services.call import Call
from identity.services.import_progress import begin_stream, store_batch_once
from identity.services.imports import BatchHead, BatchOrder, BatchResult, ImportSummary, RowError
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from subid.v1 import imports_pb2

_Row = TypeVar("_Row")


class ImportRequest(Protocol):
    """What both kinds of batches have."""

    request_id: str
    batch_index: int
    kind: imports_pb2.ImportKind
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind(Generic[_Row]):
    """What one kind of import does with its rows.

    Attributes:
        read: The rows of a batch, each parsed or refused; needs no transaction.
        store: Stores them.
    """

    read: Callable[[Any], Sequence[_Row | RowError]]
    store: Callable[
        [UnitOfWork, Call, Sequence[_Row | RowError], ImportRun, BatchHead], BatchResult
    ]


async def take_stream(
    edge: Edge, call: Call, requests: AsyncIterator[Any], kind: RowKind[_Row]
) -> ImportSummary:
    """Store every batch of a stream; each is there for good when it is counted.

    Raises:
        ImportSequenceError: A batch is out of order.
        RequestIDReusedError: A batch was stored before with another body.
    """
    summary: ImportSummary | None = None
    order: BatchOrder | None = None
    storing: asyncio.Task[BatchResult] | None = None
    try:
        async for request in requests:
            head = _head(request)
            if summary is None or order is None:
                order = BatchOrder(head)
                summary = await edge.in_thread(partial(_begin, edge, call, head))
            order.expect(head)
            rows = await edge.in_thread(partial(kind.read, request))
            if storing is not None:
                summary.add(await storing)
            storing = asyncio.create_task(
                edge.in_thread(partial(_store, edge, call, request, rows, kind))
            )
        if storing is not None and summary is not None:
            summary.add(await storing)
    finally:
        # A batch that is being stored goes on without its stream; what came of it is asked for
        # again (or was raised above), so nobody is told here.
        if storing is not None:
            await asyncio.gather(storing, return_exceptions=True)
    return summary or ImportSummary()


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


def _begin(edge: Edge, call: Call, head: BatchHead) -> ImportSummary:
    return edge.transactions.run(lambda uow: begin_stream(uow, call, head))


def _store(
    edge: Edge,
    call: Call,
    request: Message,
    rows: Sequence[_Row | RowError],
    kind: RowKind[_Row],
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
