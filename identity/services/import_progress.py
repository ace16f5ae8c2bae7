"""How far imports have come: where a stream may begin, what is stored, which rows were refused.

Owns an import as a whole. What its rows do is `import_subscriptions.py`'s and
`import_population.py`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from identity.domain.errors import ImportSequenceError, RequestIDReusedError
from identity.services.call import Call
from identity.services.imports import (
    ROW_ERRORS_MAX,
    BatchHead,
    BatchResult,
    ImportSummary,
    RowError,
)
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from identity.storage.requests import RequestKey

StoreBatch = Callable[[UnitOfWork, ImportRun], BatchResult]
"""Stores the rows of a batch of an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import has come.

    Attributes:
        next_batch_index: The batch to go on with.
        is_complete: Its last batch is stored.
        summary: The reconciliation over what is stored.
    """

    next_batch_index: int
    is_complete: bool
    summary: ImportSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """Refused rows of one batch; `next_after` names the page before the next, if there is one."""

    row_errors: tuple[RowError, ...]
    next_after: int | None


def begin_stream(uow: UnitOfWork, call: Call, first: BatchHead, *, method: str) -> ImportSummary:
    """Enter the import, if it is new; returns what was stored before the stream's first batch.

    In a transaction of its own: batches that are stored beside each other would otherwise wait to
    see which of them enters the import.

    Raises:
        ImportSequenceError: Batches before it are missing.
        RequestIDReusedError: The import is of another method or kind.
    """
    stored = uow.import_runs.next_batch_index(str(call.caller), first.request_id)
    if first.batch_index > stored:
        raise ImportSequenceError(f"expected batch {stored}, got {first.batch_index}")
    _begun(uow, call, first, method=method)
    return _summary(uow, call, first.request_id, before=first.batch_index)


def get_progress(uow: UnitOfWork, call: Call, request_id: UUID, *, method: str) -> Progress:
    """How far an import of the caller's has come; nowhere, when nobody began it."""
    run = uow.import_runs.find(str(call.caller), request_id)
    if run is None or run.method != method:
        return Progress(next_batch_index=0, is_complete=False, summary=ImportSummary())
    stored = uow.import_runs.next_batch_index(str(call.caller), request_id)
    return Progress(
        next_batch_index=stored,
        is_complete=run.completed_at is not None,
        summary=_summary(uow, call, request_id, before=stored),
    )


def list_errors(
    uow: UnitOfWork, call: Call, request_id: UUID, *, method: str, after: int
) -> ErrorPage:
    """The refused rows of the next batch that has any, after one batch; -1 for the first."""
    run = uow.import_runs.find(str(call.caller), request_id)
    if run is None or run.method != method:
        return ErrorPage(row_errors=(), next_after=None)
    found = uow.import_runs.refused_rows(str(call.caller), request_id, after=after)
    if found is None:
        return ErrorPage(row_errors=(), next_after=None)
    return ErrorPage(
        row_errors=tuple(RowError(**e).shifted(found.received_before) for e in found.errors),
        next_after=found.batch_index if found.has_more else None,
    )


def store_batch_once(
    transactions: Transactions, call: Call, key: RequestKey, head: BatchHead, store: StoreBatch
) -> BatchResult:
    """Store a batch the first time it comes; afterwards return what became of it then.

    Raises:
        RequestIDReusedError: The batch was stored before with another body, or the import is of
            another method or kind.
        ImportSequenceError: The import is complete, or would be with later batches stored.
    """

    def run(uow: UnitOfWork) -> Mapping[str, Any]:
        uow.import_runs.hold_sender(key.caller, alone=head.is_snapshot and head.is_last)
        run = _begun(uow, call, head, method=key.method)
        run = uow.import_runs.hold(run, alone=head.is_last)
        _expect(uow, run, head)
        result = store(uow, run)
        if head.is_last:
            gone_count = result.gone_count if head.is_snapshot else None
            uow.import_runs.complete(run, gone_count=gone_count, at=call.at)
        return result.to_fields()

    fields = transactions.run_batch_once(key, head.batch_index, run, at=call.at)
    return BatchResult.from_fields(fields)


def _begun(uow: UnitOfWork, call: Call, head: BatchHead, *, method: str) -> ImportRun:
    run = uow.import_runs.begin(
        str(call.caller),
        head.request_id,
        method=method,
        is_snapshot=head.is_snapshot,
        at=call.at,
    )
    if (run.method, run.is_snapshot) != (method, head.is_snapshot):
        raise RequestIDReusedError("this request_id was used for another import")
    return run


def _expect(uow: UnitOfWork, run: ImportRun, head: BatchHead) -> None:
    if run.completed_at is not None:
        raise ImportSequenceError("this import is complete: its last batch was stored")
    if not head.is_last:
        return
    if uow.import_runs.has_batch_after(run.caller, run.request_id, head.batch_index):
        raise ImportSequenceError("a later batch is stored already: this one is not the last")


def _summary(uow: UnitOfWork, call: Call, request_id: UUID, *, before: int) -> ImportSummary:
    summary = ImportSummary()
    for batch in uow.import_runs.stored(
        str(call.caller), request_id, before=before, errors_max=ROW_ERRORS_MAX
    ):
        summary.add_stored(batch)
    return summary
