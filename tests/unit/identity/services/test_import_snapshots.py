"""An import as a whole: where it may go on, what ends it, and what a snapshot says is gone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.domain.caller import Role
from identity.domain.errors import ImportSequenceError, RequestIDReusedError
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_progress import (
    Progress,
    begin_stream,
    get_progress,
    list_errors,
    store_batch_once,
)
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchHead, BatchResult, ImportSummary, RowError
from identity.services.transactions import Transactions
from identity.storage.book import BookRow, index_row
from identity.storage.bulk_tables import import_row
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from identity.storage.requests import RequestKey
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    make_record,
)

METHOD = "subid.v1.ImportSubscriptionsRequest"
BROKEN = RowError(row_index=0, field="msisdn", reason="MSISDN_MALFORMED")


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


@dataclass
class Import:
    """One import of an operator, batch by batch."""

    transactions: Transactions
    call: Call
    is_snapshot: bool = False
    name: UUID = field(default_factory=uuid4)

    def store(
        self,
        place: int,
        *rows: BookRow | RowError,
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
            self.transactions, call, key, head, partial(_store, call, rows, head)
        )

    def begin(self, place: int) -> ImportSummary:
        """Begin a stream with a batch."""
        head = BatchHead(request_id=self.name, batch_index=place, is_snapshot=self.is_snapshot)
        return self.transactions.run(lambda uow: begin_stream(uow, self.call, head))

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
    call: Call,
    rows: Sequence[BookRow | RowError],
    head: BatchHead,
    uow: UnitOfWork,
    run: ImportRun,
) -> BatchResult:
    indexed = [row if isinstance(row, RowError) else index_row(uow.sealer, row) for row in rows]
    return import_subscriptions(uow, call, indexed, run=run, is_last=head.is_last)


@pytest.fixture
def operator() -> Call:
    return make_call(make_operator())


Begin = Callable[..., Import]


@pytest.fixture
def begin(transactions: Transactions, operator: Call) -> Begin:
    """Begin an import of one operator."""
    return partial(Import, transactions, operator)


def row(**given: object) -> BookRow:
    return replace(BookRow(msisdn=make_msisdn(), claim=make_claim()), **given)  # type: ignore[arg-type] # whatever the row takes


def absent_since(transactions: Transactions, each: BookRow) -> datetime | None:
    with transactions.database.transaction() as uow:
        key = msisdn_key(uow.sealer, each.msisdn)
        found = uow.connection.exec_driver_sql(
            "SELECT absent_since FROM subscription WHERE msisdn_key = %s", (key,)
        )
        instant: datetime | None = found.scalar_one()
        return instant


def test_a_stream_begins_anywhere_up_to_the_first_batch_that_is_missing(begin: Begin) -> None:
    book = begin()
    for place in range(3):
        book.store(place, row(), replace(BROKEN, row_index=1))
    for place in range(4):
        before = book.begin(place)
        assert (before.received_count, before.created_count) == (2 * place, place)
        assert [error.row_index for error in before.row_errors] == [1, 3, 5][:place]
    with pytest.raises(ImportSequenceError, match="expected batch 3, got 4"):
        book.begin(4)
    assert book.progress().next_batch_index == 3


def test_a_batch_that_is_missing_before_others_is_where_a_stream_goes_on(begin: Begin) -> None:
    book = begin()
    for place in (0, 1, 3, 4):
        book.store(place, row())
    assert book.progress().next_batch_index == 2
    assert book.progress().summary.received_count == 2
    with pytest.raises(ImportSequenceError, match="expected batch 2, got 3"):
        book.begin(3)
    book.store(2, row())
    assert book.progress().next_batch_index == 5


def test_an_import_of_which_only_a_later_batch_is_stored_begins_at_its_beginning(
    begin: Begin,
) -> None:
    book = begin()
    book.store(1, row())
    assert (book.progress().next_batch_index, book.begin(0)) == (0, ImportSummary())


def test_nobody_knows_of_an_import_but_its_sender_and_its_method(begin: Begin) -> None:
    book = begin()
    book.store(0, row(), is_last=True)
    nothing = Progress(next_batch_index=0, is_complete=False, summary=ImportSummary())
    stranger = make_call(make_operator())
    assert book.progress(call=stranger) == nothing
    assert book.progress(method="subid.v1.ImportPopulationRequest") == nothing
    assert begin().progress() == nothing
    assert book.progress().is_complete


def test_a_batch_is_stored_once_and_answered_alike(begin: Begin) -> None:
    book, good = begin(), row()
    first = book.store(0, good, BROKEN)
    assert book.store(0, good, BROKEN, at=hours(5)) == first
    assert (first.created_count, first.unchanged_count) == (1, 0)
    with pytest.raises(RequestIDReusedError):
        book.store(0, good, BROKEN, body=b"\x07" * 32)


def test_an_import_stays_of_its_kind_and_method(begin: Begin) -> None:
    book = begin(is_snapshot=True)
    book.store(0, row())
    with pytest.raises(RequestIDReusedError, match="another import"):
        book.store(1, row(), is_snapshot=False)
    with pytest.raises(RequestIDReusedError, match="another import"):
        book.store(1, row(), method="subid.v1.ImportPopulationRequest")
    assert book.progress().next_batch_index == 1


def test_nothing_follows_the_last_batch_in_any_stream(begin: Begin) -> None:
    book = begin()
    book.store(0, row())
    last = row()
    answered = book.store(1, last, is_last=True)
    late = row()
    with pytest.raises(ImportSequenceError, match="complete"):
        book.store(2, late)
    assert book.store(1, last, is_last=True) == answered
    assert book.progress().next_batch_index == 2
    assert book.progress().summary.received_count == 2


def test_a_batch_is_not_the_last_while_a_later_one_is_stored(begin: Begin) -> None:
    book = begin(is_snapshot=True)
    book.store(0, row())
    book.store(2, row())
    with pytest.raises(ImportSequenceError, match="later batch"):
        book.store(1, row(), is_last=True)
    assert not book.progress().is_complete
    book.store(1, row())
    assert book.store(3, is_last=True).gone_count == 0


def test_refused_rows_are_listed_batch_by_batch(begin: Begin, transactions: Transactions) -> None:
    book = begin()
    book.store(0, row(), replace(BROKEN, row_index=1))
    book.store(1, row())
    book.store(2, BROKEN, row())
    pages = []
    after: int | None = -1
    while after is not None:
        page = transactions.run(
            partial(list_errors, call=book.call, request_id=book.name, method=METHOD, after=after)
        )
        pages.append([error.row_index for error in page.row_errors])
        after = page.next_after
    assert pages == [[1], [3]]


def test_a_whole_book_tells_what_is_gone_and_the_next_one_what_is_back(
    begin: Begin, transactions: Transactions
) -> None:
    rows = [row() for _ in range(4)]
    begin().store(0, *rows)
    first = begin(is_snapshot=True)
    assert first.store(0, rows[0], at=hours(1)).gone_count == 0
    assert [absent_since(transactions, each) for each in rows] == [None] * 4
    assert len(first.named()) == 1
    last = partial(first.store, 1, rows[1], is_last=True)
    answered = last(at=hours(2))
    assert (answered.gone_count, answered.unchanged_count) == (2, 1)
    assert [absent_since(transactions, each) for each in rows] == [None, None, hours(2), hours(2)]
    assert first.named() == set()
    # What is gone stays gone since then, and what is named again is back; nothing else changes.
    second = begin(is_snapshot=True)
    again = second.store(0, *rows[1:3], is_last=True, at=hours(4))
    assert (again.gone_count, again.unchanged_count) == (2, 2)
    assert [absent_since(transactions, each) for each in rows] == [
        hours(4),
        None,
        None,
        hours(2),
    ]
    # The first book's answer stays what it was.
    assert last(at=hours(5)) == answered
    assert first.progress().summary.gone_count == 2
    assert absent_since(transactions, rows[2]) is None


def test_a_book_that_does_not_come_to_its_end_says_of_nothing_that_it_is_gone(
    begin: Begin, transactions: Transactions
) -> None:
    rows = [row() for _ in range(3)]
    begin().store(0, *rows)
    cut = begin(is_snapshot=True)
    cut.store(0, rows[0], at=hours(1))
    cut.store(1, rows[1], at=hours(1))
    assert cut.progress().summary.gone_count == 0
    assert [absent_since(transactions, each) for each in rows] == [None] * 3
    # What it has named so far means nothing to another one.
    other = begin(is_snapshot=True)
    assert other.store(0, rows[2], is_last=True, at=hours(2)).gone_count == 2
    assert cut.store(2, rows[2], is_last=True, at=hours(3)).gone_count == 0
    assert [absent_since(transactions, each) for each in rows] == [hours(2), hours(2), None]


def test_rows_apply_as_they_come_and_a_book_of_before_does_not_miss_them(
    begin: Begin, transactions: Transactions
) -> None:
    """A delta that arrives while the snapshot it is newer than is still being sent."""
    old, new, early = row(), row(), row()
    begin().store(0, old, early)
    whole = begin(is_snapshot=True)
    whole.store(0, old, at=hours(1))
    assert begin().store(0, new, at=hours(2)).created_count == 1
    renamed = replace(old, claim=replace(old.claim, full_name=PersonName(OTHER_NAME)))
    assert begin().store(0, renamed, at=hours(2)).changed_count == 1
    assert whole.store(1, is_last=True, at=hours(3)).gone_count == 1
    assert absent_since(transactions, new) is None
    assert absent_since(transactions, early) == hours(3)
    # The next whole book begins after the row came: now it counts.
    assert begin(is_snapshot=True).store(0, old, is_last=True, at=hours(4)).gone_count == 2


def test_a_delta_brings_back_what_a_book_did_not_name(
    begin: Begin, transactions: Transactions
) -> None:
    same, other = row(), row()
    begin().store(0, same, other)
    begin(is_snapshot=True).store(0, is_last=True, at=hours(1))
    changed = replace(other, province_code="01")
    result = begin().store(0, same, changed, at=hours(2))
    assert (result.unchanged_count, result.changed_count) == (1, 1)
    assert [absent_since(transactions, each) for each in (same, other)] == [None, None]


def test_another_operators_book_says_nothing_of_these_numbers(
    begin: Begin, transactions: Transactions
) -> None:
    mine = row()
    begin().store(0, mine)
    theirs = Import(transactions, make_call(make_operator()), is_snapshot=True)
    refused = theirs.store(0, mine, is_last=True, at=hours(1))
    assert (refused.gone_count, len(refused.row_errors)) == (0, 1)
    assert absent_since(transactions, mine) is None


def test_a_whole_register_tells_whom_it_does_not_name_any_more(uow: UnitOfWork) -> None:
    authority = make_call(make_operator(), role=Role.POPULATION)
    people = [make_record() for _ in range(3)]
    begun = partial(
        uow.import_runs.begin, str(authority.caller), method="register", is_snapshot=True
    )

    def send(run: ImportRun, *records: PopulationRecord, at: datetime) -> int:
        call = replace(authority, at=at)
        return import_population(uow, call, records, run=run, is_last=True).gone_count

    # After whoever other tests have left: those are named by no book of this one.
    everybody = send(begun(uuid4(), at=hours(1)), *people, at=hours(1))
    whole = begun(uuid4(), at=hours(2))
    newborn = make_record()
    import_population(uow, replace(authority, at=hours(3)), [newborn])
    assert send(whole, people[0], at=hours(4)) == everybody + 2
    again = begun(uuid4(), at=hours(5))
    assert send(again, *people, at=hours(5)) == everybody + 1  # the newborn
