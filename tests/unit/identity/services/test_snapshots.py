"""What a snapshot may say is gone: never what it, or a newer one, may have named."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import pytest

from identity.domain.msisdn import MSISDN
from identity.services.call import Call
from identity.services.imports import BatchResult, RefusedRow
from identity.services.transactions import Transactions
from identity.storage.book import BookRow
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import make_call, make_operator, wait_until_somebody_waits_for
from tests.unit.identity.services.sent_book import Import, absent_since, hours, refused, row

ENDS_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Operator:
    """An operator with four numbers."""

    transactions: Transactions
    call: Call
    rows: Sequence[BookRow]

    @classmethod
    def with_book(cls, transactions: Transactions) -> "Operator":
        """Its book is stored."""
        operator = cls(transactions, make_call(make_operator()), [row() for _ in range(4)])
        operator.delta().store(0, *operator.rows)
        return operator

    def delta(self) -> Import:
        """A delta, not begun."""
        return Import(self.transactions, self.call)

    def snapshot(self, at: datetime) -> Import:
        """A snapshot that begins."""
        book = Import(self.transactions, self.call, is_snapshot=True)
        book.begin(at=at)
        return book

    def gone(self) -> list[datetime | None]:
        """Since when each number is marked as gone."""
        return [absent_since(self.transactions, each) for each in self.rows]


@pytest.fixture
def operator(transactions: Transactions) -> Operator:
    return Operator.with_book(transactions)


def test_a_row_that_is_refused_names_its_number(operator: Operator) -> None:
    rows = operator.rows
    whole = operator.snapshot(hours(1))
    whole.store(0, rows[0], refused(1, rows[1].msisdn), at=hours(1))
    told = whole.store(1, refused(0, rows[2].msisdn), is_last=True, at=hours(2))
    assert (told.gone_count, told.unidentified_count, len(told.row_errors)) == (1, 0, 1)
    assert operator.gone() == [None, None, None, hours(2)]


def test_a_row_that_is_refused_brings_its_number_back(operator: Operator) -> None:
    rows = operator.rows
    operator.snapshot(hours(1)).store(0, rows[0], is_last=True, at=hours(1))
    assert operator.gone() == [None, *[hours(1)] * 3]
    operator.delta().store(0, refused(0, rows[1].msisdn), at=hours(2))
    assert operator.gone() == [None, None, hours(1), hours(1)]
    whole = operator.snapshot(hours(3))
    told = whole.store(0, rows[0], refused(1, rows[2].msisdn), is_last=True, at=hours(3))
    assert told.gone_count == 2
    assert operator.gone() == [None, hours(3), None, hours(1)]


def test_a_refused_row_says_nothing_of_another_operators_number(
    operator: Operator, transactions: Transactions
) -> None:
    operator.snapshot(hours(1)).store(0, operator.rows[0], is_last=True, at=hours(1))
    other = Operator.with_book(transactions)
    other.delta().store(0, refused(0, operator.rows[1].msisdn), at=hours(2))
    whole = other.snapshot(hours(2))
    told = whole.store(0, refused(0, operator.rows[2].msisdn), is_last=True, at=hours(3))
    assert told.gone_count == 4
    assert operator.gone() == [None, *[hours(1)] * 3]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_book_with_a_row_of_no_number_marks_nothing_and_says_so(
    operator: Operator, place: int
) -> None:
    operator.snapshot(hours(1)).store(0, *operator.rows[1:], is_last=True, at=hours(1))
    whole = operator.snapshot(hours(2))
    batches: list[list[BookRow | RefusedRow[MSISDN]]] = [[each] for each in operator.rows[1:]]
    batches[place] = [refused()]
    for index, batch in enumerate(batches):
        whole.store(index, *batch, is_last=index == 2, at=hours(2))
    summary = whole.progress().summary
    assert (summary.gone_count, summary.unidentified_count, summary.rejected_count) == (0, 1, 1)
    assert whole.progress().is_complete
    assert whole.named() == set()
    # What was gone before is so still, and the next book that can be read tells the rest.
    assert operator.gone() == [hours(1), None, None, None]
    told = operator.snapshot(hours(3)).store(0, operator.rows[1], is_last=True, at=hours(3))
    assert told.gone_count == 3


def test_rows_of_no_number_in_another_import_do_not_count(operator: Operator) -> None:
    operator.delta().store(0, refused())
    whole = operator.snapshot(hours(1))
    assert whole.store(0, operator.rows[0], is_last=True, at=hours(1)).gone_count == 3


def test_a_book_that_ends_after_a_newer_one_marks_nothing(operator: Operator) -> None:
    rows = operator.rows
    older, newer = operator.snapshot(hours(1)), operator.snapshot(hours(2))
    older.store(0, rows[0], at=hours(3))
    assert newer.store(0, *rows[1:3], is_last=True, at=hours(4)).gone_count == 2
    told = older.store(1, rows[3], is_last=True, at=hours(5))
    assert (told.gone_count, told.unchanged_count) == (0, 1)
    # A row that comes later names its number, whichever book it is in.
    assert operator.gone() == [hours(4), None, None, None]
    assert older.named() == newer.named() == set()


def test_a_book_that_ends_before_a_newer_one_leaves_out_what_that_has_named(
    operator: Operator,
) -> None:
    rows = operator.rows
    older, newer = operator.snapshot(hours(1)), operator.snapshot(hours(2))
    newer.store(0, rows[1], refused(1, rows[2].msisdn), at=hours(3))
    assert older.store(0, rows[0], is_last=True, at=hours(4)).gone_count == 1
    assert operator.gone() == [None, None, None, hours(4)]
    assert len(newer.named()) == 2
    assert newer.store(1, rows[3], is_last=True, at=hours(5)).gone_count == 1
    assert operator.gone() == [hours(5), None, None, None]


def test_an_older_book_under_way_and_another_operators_newer_one_do_not_matter(
    operator: Operator, transactions: Transactions
) -> None:
    older, book = operator.snapshot(hours(1)), operator.snapshot(hours(2))
    older.store(0, operator.rows[1], at=hours(3))
    other = Operator.with_book(transactions).snapshot(hours(3))
    other.store(0, is_last=True, at=hours(3))
    assert book.store(0, operator.rows[0], is_last=True, at=hours(4)).gone_count == 3


@pytest.mark.parametrize(
    ("is_end_first", "is_delta"), [(False, False), (True, False), (True, True)]
)
def test_what_is_named_at_the_moment_when_an_older_book_ends_is_not_gone(
    operator: Operator, *, is_end_first: bool, is_delta: bool
) -> None:
    named = operator.rows[1]
    older, newer = operator.snapshot(hours(1)), operator.snapshot(hours(2))
    batch = operator.delta() if is_delta else newer
    ends: list[Callable[[], BatchResult]] = [
        partial(older.store, 0, operator.rows[0], is_last=True, at=hours(3)),
        partial(batch.store, 0, named, at=hours(3)),
    ]
    first, second = ends if is_end_first else reversed(ends)
    late: list[Future[BatchResult]] = []
    with ThreadPoolExecutor(1) as thread:

        def meanwhile(uow: UnitOfWork) -> None:
            late.append(thread.submit(second))
            wait_until_somebody_waits_for(uow)

        (older if is_end_first else batch).meanwhile = meanwhile
        first()
        late[0].result(ENDS_TIMEOUT_S)
    assert operator.gone() == [None, None, hours(3), hours(3)]


def test_marking_the_end_again_is_answered_alike(operator: Operator) -> None:
    whole = operator.snapshot(hours(1))
    end = partial(whole.store, 0, replace(operator.rows[0]), refused(1), is_last=True)
    first = end(at=hours(1))
    assert end(at=hours(2)) == first
    assert first.unidentified_count == 1
