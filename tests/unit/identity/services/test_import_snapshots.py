"""An import as a whole: where it may go on, what ends it, and what a snapshot says is gone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from identity.domain.caller import Role
from identity.domain.errors import ImportSequenceError, RequestIDReusedError
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_progress import Progress, list_errors
from identity.services.imports import BatchResult, ImportSummary, RefusedRow, RowError
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_call,
    make_operator,
    make_record,
)
from tests.unit.identity.services.sent_book import METHOD, Import, absent_since, hours, refused, row

Begin = Callable[..., Import]


@pytest.fixture
def begin(transactions: Transactions) -> Begin:
    """Begin an import of one operator."""
    return partial(Import, transactions, make_call(make_operator()))


@pytest.fixture
def quiet_uow(quiet_engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    """A transaction on a register that nobody else enters citizens into; rolled back."""
    with quiet_engine.connect() as connection:
        transaction = connection.begin()
        yield UnitOfWork(connection, vault)
        transaction.rollback()


def test_a_stream_begins_anywhere_up_to_the_first_batch_that_is_missing(begin: Begin) -> None:
    book = begin()
    for place in range(3):
        book.store(place, row(), refused(1))
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
    first = book.store(0, good, refused())
    assert book.store(0, good, refused(), at=hours(5)) == first
    assert (first.created_count, first.unchanged_count) == (1, 0)
    with pytest.raises(RequestIDReusedError):
        book.store(0, good, refused(), body=b"\x07" * 32)


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
    book.store(0, row(), refused(1))
    book.store(1, row())
    book.store(2, refused(), row())
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


@dataclass(frozen=True)
class Register:
    """The authority's snapshots, in one transaction."""

    uow: UnitOfWork
    call: Call

    def begin(self, at: datetime) -> ImportRun:
        """A new one."""
        return self.uow.import_runs.begin(
            str(self.call.caller), uuid4(), method="register", is_snapshot=True, at=at
        )

    def end(
        self, run: ImportRun, *rows: PopulationRecord | RefusedRow[PersonalID], at: datetime
    ) -> BatchResult:
        """Its only batch."""
        call = replace(self.call, at=at)
        return import_population(self.uow, call, rows, run=run, is_last=True)


@pytest.fixture
def register(quiet_uow: UnitOfWork) -> Register:
    """A register of nobody else's."""
    return Register(quiet_uow, make_call(make_operator(), role=Role.POPULATION))


def test_a_whole_register_tells_whom_it_does_not_name_any_more(register: Register) -> None:
    people = [make_record() for _ in range(3)]
    assert register.end(register.begin(NOW), *people, at=NOW).gone_count == 0
    whole = register.begin(hours(1))
    newborn = make_record()
    import_population(register.uow, replace(register.call, at=hours(2)), [newborn])
    assert register.end(whole, people[0], at=hours(3)).gone_count == 2
    again = register.begin(hours(4))
    assert register.end(again, *people, at=hours(4)).gone_count == 1  # the newborn


def test_a_record_that_is_refused_names_whom_it_is_about(register: Register) -> None:
    people = [make_record() for _ in range(3)]
    register.end(register.begin(NOW), *people, at=NOW)
    register.end(register.begin(hours(1)), *people[:2], at=hours(1))
    error = RowError(row_index=0, field="full_name", reason="FULL_NAME_MALFORMED")
    broken = [RefusedRow(error=error, key=each.personal_id) for each in people[1:]]
    told = register.end(register.begin(hours(2)), *broken, at=hours(2))
    assert (told.gone_count, told.unidentified_count, len(told.row_errors)) == (1, 0, 2)
    # A delta with them would say the same: who was gone is back.
    told = register.end(register.begin(hours(3)), *people, at=hours(3))
    assert (told.gone_count, told.unchanged_count) == (0, 3)


def test_a_register_with_a_record_of_nobody_tells_nobody_gone(register: Register) -> None:
    people = [make_record() for _ in range(3)]
    register.end(register.begin(NOW), *people, at=NOW)
    error = RowError(row_index=0, field="personal_id", reason="PERSONAL_ID_MALFORMED")
    broken: RefusedRow[PersonalID] = RefusedRow(error=error, key=None)
    told = register.end(register.begin(hours(1)), broken, people[0], at=hours(1))
    assert (told.gone_count, told.unidentified_count) == (0, 1)
    told = register.end(register.begin(hours(2)), people[0], at=hours(2))
    assert (told.gone_count, told.unidentified_count) == (2, 0)
