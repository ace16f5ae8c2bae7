"""An operator's import as the tests of its services send it: batch by batch, at any instant.

Owns how a batch is made and what is read back of it. Knows nothing of streams.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import select

from identity.domain.msisdn import MSISDN
from identity.services.call import Call
from identity.services.import_progress import (
    Progress,
    begin_stream,
    get_progress,
    store_batch_once,
)
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchHead, BatchResult, ImportSummary, RefusedRow, RowError
from identity.services.transactions import Transactions
from identity.storage.book import BookRow, IndexedRow, index_row
from identity.storage.bulk_tables import import_row
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from identity.storage.requests import RequestKey
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import NOW, make_claim, make_msisdn

METHOD = "subid.v1.ImportSubscriptionsRequest"

Sent = BookRow | RefusedRow[MSISDN]


def hours(count: float) -> datetime:
    """Some hours later."""
    return NOW + timedelta(hours=count)


@dataclass
class Import:
    """One import of an operator, batch by batch.

    Attributes:
        transactions: The registry.
        call: The circumstances; the caller is the operator.
        is_snapshot: It is the whole book.
        name: Its request_id.
        meanwhile: Done when a batch is written and not committed.
    """

    transactions: Transactions
    call: Call
    is_snapshot: bool = False
    name: UUID = field(default_factory=uuid4)
    meanwhile: Callable[[UnitOfWork], object] = lambda _uow: None

    def store(
        self,
        place: int,
        *rows: Sent,
        is_last: bool = False,
        at: datetime = NOW,
        is_snapshot: bool | None = None,
        method: str = METHOD,
        body: bytes = b"",
    ) -> BatchResult:
        """Send a batch."""
        head = BatchHead(
            request_id=self.name,
            batch_index=place,
            is_snapshot=self.is_snapshot if is_snapshot is None else is_snapshot,
            is_last=is_last,
        )
        call = replace(self.call, at=at)
        key = RequestKey(
            caller=str(call.caller),
            request_id=self.name,
            method=method,
            body_digest=body or place.to_bytes(32, "big"),
        )
        return store_batch_once(
            self.transactions, call, key, head, partial(self._store, call, rows, head)
        )

    def begin(self, place: int = 0, *, at: datetime = NOW) -> ImportSummary:
        """Begin a stream with a batch."""
        head = BatchHead(request_id=self.name, batch_index=place, is_snapshot=self.is_snapshot)
        call = replace(self.call, at=at)
        return self.transactions.run(lambda uow: begin_stream(uow, call, head, method=METHOD))

    def progress(self, *, method: str = METHOD, call: Call | None = None) -> Progress:
        """How far it has come."""
        return self.transactions.run(
            lambda uow: get_progress(uow, call or self.call, self.name, method=method)
        )

    def named(self) -> set[bytes]:
        """What it has named so far, where that is still needed."""

        def read(uow: UnitOfWork) -> set[bytes]:
            run = uow.import_runs.find(str(self.call.caller), self.name)
            assert run is not None
            query = select(import_row.c.row_key).where(import_row.c.import_id == run.import_id)
            return set(uow.connection.execute(query).scalars())

        return self.transactions.run(read)

    def _store(
        self, call: Call, rows: Sequence[Sent], head: BatchHead, uow: UnitOfWork, run: ImportRun
    ) -> BatchResult:
        indexed = [_indexed(uow.sealer, row) for row in rows]
        result = import_subscriptions(uow, call, indexed, run=run, is_last=head.is_last)
        self.meanwhile(uow)
        return result


def _indexed(sealer: Sealer, row: Sent) -> IndexedRow | RefusedRow[bytes]:
    if isinstance(row, BookRow):
        return index_row(sealer, row)
    key = None if row.key is None else msisdn_key(sealer, row.key)
    return RefusedRow(error=row.error, key=key)


def refused(place: int = 0, msisdn: MSISDN | None = None) -> RefusedRow[MSISDN]:
    """A row that cannot be read, but for its number if that is given."""
    error = RowError(row_index=place, field="msisdn", reason="MSISDN_MALFORMED")
    return RefusedRow(error=error, key=msisdn)


def row(**given: object) -> BookRow:
    """A row of a number and a person that nobody knows."""
    return replace(BookRow(msisdn=make_msisdn(), claim=make_claim()), **given)  # type: ignore[arg-type] # whatever the row takes


def absent_since(transactions: Transactions, each: BookRow) -> datetime | None:
    """Since when a number is marked as gone."""
    with transactions.database.transaction() as uow:
        key = msisdn_key(uow.sealer, each.msisdn)
        found = uow.connection.exec_driver_sql(
            "SELECT absent_since FROM subscription WHERE msisdn_key = %s", (key,)
        )
        instant: datetime | None = found.scalar_one()
        return instant
