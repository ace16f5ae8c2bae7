"""How far an import has come: summed up to the first gap, and each batch stored once."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from identity.domain.errors import ImportSequenceError, RequestIDReusedError
from identity.services.call import Call
from identity.services.import_progress import (
    ErrorPage,
    Progress,
    begin_stream,
    get_progress,
    list_errors,
    store_batch_once,
)
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
from tests.unit.identity.makers import (
    make_call,
    make_key,
    make_operator,
    wait_until_somebody_waits_for,
)

METHOD = "subid.v1.ImportSubscriptionsRequest"
ENDS_TIMEOUT_S = 30.0


def result(received: int, refused: Sequence[int] = (), *, gone: int = 0) -> BatchResult:
    return BatchResult(
        received_count=received,
        created_count=received - len(refused),
        changed_count=0,
        unchanged_count=0,
        row_errors=tuple(
            RowError(row_index=index, field="msisdn", reason="MSISDN_MALFORMED")
            for index in refused
        ),
        link_counts={"linked": received - len(refused)},
        gone_count=gone,
    )


@dataclass
class Sender:
    """Somebody who imports, and what was stored of it."""

    transactions: Transactions
    call: Call
    key: RequestKey
    is_snapshot: bool = False
    stored: list[int] = field(default_factory=list)

    def head(self, batch_index: int, *, is_last: bool = False) -> BatchHead:
        """What a batch of the import says of itself."""
        return BatchHead(
            request_id=self.key.request_id,
            batch_index=batch_index,
            is_snapshot=self.is_snapshot,
            is_last=is_last,
        )

    def send(self, batch_index: int, what: BatchResult, *, is_last: bool = False) -> BatchResult:
        """Store a batch, as if its rows came to something."""

        def store(_uow: UnitOfWork, _run: ImportRun) -> BatchResult:
            self.stored.append(batch_index)
            return what

        head = self.head(batch_index, is_last=is_last)
        key = replace(self.key, body_digest=bytes([batch_index]) * 32)
        return store_batch_once(self.transactions, self.call, key, head, store)

    def begin(self, batch_index: int) -> ImportSummary:
        """Begin a stream with a batch."""
        return self.transactions.run(
            lambda uow: begin_stream(uow, self.call, self.head(batch_index), method=self.key.method)
        )

    def progress(self, method: str = METHOD) -> Progress:
        """How far it has come."""
        return self.transactions.run(
            lambda uow: get_progress(uow, self.call, self.key.request_id, method=method)
        )

    def errors(self, after: int = -1, method: str = METHOD) -> ErrorPage:
        """A page of refused rows."""
        return self.transactions.run(
            lambda uow: list_errors(uow, self.call, self.key.request_id, method=method, after=after)
        )


@pytest.fixture
def sender(transactions: Transactions) -> Sender:
    """Somebody who has sent nothing."""
    call = make_call(make_operator())
    return Sender(transactions, call, make_key(caller=str(call.caller), method=METHOD))


def test_an_import_that_nobody_began_is_nowhere(sender: Sender) -> None:
    nowhere = Progress(next_batch_index=0, is_complete=False, summary=ImportSummary())
    assert sender.progress() == nowhere
    assert sender.errors() == ErrorPage(row_errors=(), next_after=None)
    assert sender.begin(0) == ImportSummary()


def test_a_stream_begins_where_nothing_before_it_is_missing(sender: Sender) -> None:
    sender.send(0, result(5, [1]))
    sender.send(2, result(7))
    assert sender.begin(0) == ImportSummary()
    assert sender.begin(1).received_count == 5
    for too_far in (2, 3, 9):
        with pytest.raises(ImportSequenceError, match="expected batch 1, got"):
            sender.begin(too_far)
    sender.send(1, result(6))
    assert sender.begin(2).received_count == 11
    assert sender.begin(3).received_count == 18


def test_progress_sums_what_is_stored_before_the_first_gap(sender: Sender) -> None:
    sender.send(0, result(5, [1, 3]))
    sender.send(1, result(4, [0]))
    sender.send(3, result(100))
    progress = sender.progress()
    assert (progress.next_batch_index, progress.is_complete) == (2, False)
    summary = progress.summary
    assert (summary.received_count, summary.created_count, summary.rejected_count) == (9, 6, 3)
    assert [error.row_index for error in summary.row_errors] == [1, 3, 5]
    assert summary.link_counts == {"linked": 6}


def test_an_import_of_another_method_or_caller_is_nobodys(sender: Sender) -> None:
    sender.send(0, result(5, [1]))
    other = replace(sender, call=make_call(make_operator()))
    for progress in (sender.progress(method="subid.v1.Other"), other.progress()):
        assert (progress.next_batch_index, progress.summary) == (0, ImportSummary())
    nothing = ErrorPage(row_errors=(), next_after=None)
    assert sender.errors(method="subid.v1.Other") == other.errors() == nothing


def test_refused_rows_are_listed_by_their_places_in_the_stream(sender: Sender) -> None:
    for place, what in enumerate([result(4, [2]), result(3), result(5, [0, 4])]):
        sender.send(place, what)
    first = sender.errors()
    assert ([error.row_index for error in first.row_errors], first.next_after) == ([2], 0)
    second = sender.errors(after=0)
    assert ([error.row_index for error in second.row_errors], second.next_after) == ([7, 11], None)
    assert sender.errors(after=2) == ErrorPage(row_errors=(), next_after=None)


def test_every_refused_row_can_be_listed_though_a_summary_names_only_some(sender: Sender) -> None:
    size = ROW_ERRORS_MAX // 2 + 1
    for place in range(3):
        sender.send(place, result(size, range(size)))
    summary = sender.progress().summary
    assert summary.rejected_count == 3 * size
    assert ROW_ERRORS_MAX <= len(summary.row_errors) < 3 * size
    listed, after = 0, -1
    while True:
        page = sender.errors(after)
        assert [error.row_index for error in page.row_errors] == [*range(listed, listed + size)]
        listed += size
        if page.next_after is None:
            break
        after = page.next_after
    assert listed == 3 * size


def test_a_batch_is_stored_the_first_time_and_answered_ever_after(sender: Sender) -> None:
    first = sender.send(0, result(5, [1]))
    assert sender.send(0, result(99)) == first == result(5, [1])
    assert sender.stored == [0]


def test_a_batch_with_another_body_is_refused(sender: Sender) -> None:
    sender.send(1, result(5))
    other = replace(sender.key, body_digest=bytes(32))
    with pytest.raises(RequestIDReusedError):
        store_batch_once(
            sender.transactions, sender.call, other, sender.head(1), lambda _uow, _run: result(1)
        )


@pytest.mark.parametrize("change", [{"is_snapshot": True}, {"method": "subid.v1.Other"}])
def test_a_batch_of_another_kind_or_method_is_refused(
    sender: Sender, change: dict[str, object]
) -> None:
    sender.send(0, result(5))
    is_snapshot = bool(change.get("is_snapshot"))
    key = sender.key if is_snapshot else replace(sender.key, method="subid.v1.Other")
    other = replace(sender, is_snapshot=is_snapshot, key=key)
    with pytest.raises(RequestIDReusedError, match="another import"):
        other.send(1, result(1))
    assert sender.progress().next_batch_index == 1


def test_nothing_is_added_to_a_complete_import_and_what_is_there_is_answered(
    sender: Sender,
) -> None:
    sender.is_snapshot = True
    sender.send(0, result(5))
    assert not sender.progress().is_complete
    last = sender.send(1, result(3, gone=8), is_last=True)
    progress = sender.progress()
    assert (progress.is_complete, progress.next_batch_index) == (True, 2)
    assert progress.summary.gone_count == 8
    with pytest.raises(ImportSequenceError, match="complete"):
        sender.send(2, result(1))
    assert sender.send(1, result(99), is_last=True) == last
    assert sender.stored == [0, 1]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        pytest.param((1, True), (2, False), "complete", id="the last one is stored first"),
        pytest.param((2, False), (1, True), "not the last", id="the other is stored first"),
    ],
)
def test_of_two_streams_that_differ_in_which_batch_is_the_last_the_first_one_holds(
    sender: Sender, first: tuple[int, bool], second: tuple[int, bool], says: str
) -> None:
    sender.send(0, result(5))
    late: list[Future[BatchResult]] = []
    with ThreadPoolExecutor(1) as thread:

        def store(uow: UnitOfWork, _run: ImportRun) -> BatchResult:
            place, is_last = second
            late.append(thread.submit(sender.send, place, result(3), is_last=is_last))
            wait_until_somebody_waits_for(uow)
            return result(4)

        place, is_last = first
        key = replace(sender.key, body_digest=bytes([place]) * 32)
        head = sender.head(place, is_last=is_last)
        store_batch_once(sender.transactions, sender.call, key, head, store)
        with pytest.raises(ImportSequenceError, match=says):
            late[0].result(ENDS_TIMEOUT_S)
    assert sender.stored == [0]
    assert sender.progress().is_complete == is_last


def test_two_batches_that_begin_an_import_do_not_wait_for_each_other(sender: Sender) -> None:
    sender.begin(0)
    together = threading.Barrier(2)

    def store(_uow: UnitOfWork, _run: ImportRun) -> BatchResult:
        together.wait(ENDS_TIMEOUT_S)
        return result(1)

    def send(place: int) -> BatchResult:
        key = replace(sender.key, body_digest=bytes([place]) * 32)
        return store_batch_once(sender.transactions, sender.call, key, sender.head(place), store)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(send, range(2))) == [result(1)] * 2
    assert sender.progress().next_batch_index == 2


def test_a_stream_that_has_begun_and_stored_nothing_is_nowhere(sender: Sender) -> None:
    assert sender.begin(0) == ImportSummary()
    nowhere = Progress(next_batch_index=0, is_complete=False, summary=ImportSummary())
    assert sender.progress() == nowhere
    other = replace(sender, is_snapshot=True)
    with pytest.raises(RequestIDReusedError, match="another import"):
        other.begin(0)


def test_a_batch_that_fails_leaves_nothing_behind(sender: Sender) -> None:
    def fail(_uow: UnitOfWork, _run: ImportRun) -> BatchResult:
        raise LookupError

    with pytest.raises(LookupError):
        store_batch_once(sender.transactions, sender.call, sender.key, sender.head(0), fail)
    find = sender.transactions.run(
        lambda uow: uow.import_runs.find(sender.key.caller, sender.key.request_id)
    )
    assert find is None
    sender.send(0, result(5))
    assert sender.progress().next_batch_index == 1
