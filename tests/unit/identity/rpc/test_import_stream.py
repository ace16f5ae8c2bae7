"""One import stream: batches in order, two of them at a time, and what is counted is stored."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID, uuid4

import pytest

from identity.domain.errors import ImportSequenceError, PageTokenInvalidError
from identity.rpc.edge import Edge
from identity.rpc.import_stream import RowKind, page_after, page_token, take_stream
from identity.services.call import Call
from identity.services.clock import SimulatedClock
from identity.services.face_pool import FacePool
from identity.services.face_setup import FaceSetup
from identity.services.import_progress import Progress, get_progress
from identity.services.imports import BatchHead, BatchResult, ImportSummary, RefusedRow, RowError
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from identity.storage.import_runs import ImportRun
from subid.v1 import subscription_service_pb2 as pb
from tests.unit.identity.makers import NOW, make_call, make_operator

TIMEOUT_S = 20
A_MOMENT_S = 0.2
"""How long it is watched that something does not happen."""

METHOD = "subid.v1.ImportSubscriptionsRequest"


def _nobody_calls(*_arguments: object, **_options: object) -> NoReturn:
    raise AssertionError("an import compares no faces and no chips")


@pytest.fixture
def edge(database: Database) -> Iterator[Edge]:
    """The service of this worker's database."""
    setup = FaceSetup  # only its processes would read it, and none is started
    with ThreadPoolExecutor(4) as threads:
        faces = FacePool(setup, worker_count=1)  # type: ignore[arg-type] # never warmed up
        yield Edge(
            transactions=Transactions(database),
            clock=SimulatedClock(NOW),
            examine_chip=_nobody_calls,
            faces=faces,
            threads=threads,
        )
        faces.close()


def _read(index: int, text: str) -> str | RefusedRow[str]:
    if text and not text.endswith("-"):
        return text
    error = RowError(row_index=index, field="msisdn", reason="MSISDN_MALFORMED")
    return RefusedRow(error=error, key=text.removesuffix("-") or None)


@dataclass
class Rows:
    """A kind of import whose rows are texts: what happened to them, and who waits for what."""

    act: Callable[[int], None] = lambda _batch_index: None
    log: list[str] = field(default_factory=list)

    def read(self, request: pb.ImportSubscriptionsRequest) -> Sequence[str | RefusedRow[str]]:
        """Texts; an empty one is refused, and one that ends in `-`, which has its key before."""
        self.log.append(f"read {request.batch_index}")
        return [_read(index, row.msisdn) for index, row in enumerate(request.rows)]

    def store(
        self,
        _uow: UnitOfWork,
        _call: Call,
        rows: Sequence[str | RefusedRow[str]],
        _run: ImportRun,
        head: BatchHead,
    ) -> BatchResult:
        """Act, and count."""
        self.log.append(f"begin {head.batch_index}")
        self.act(head.batch_index)
        self.log.append(f"end {head.batch_index}")
        refused = tuple(row.error for row in rows if isinstance(row, RefusedRow))
        return BatchResult(
            received_count=len(rows),
            created_count=len(rows) - len(refused),
            changed_count=0,
            unchanged_count=0,
            row_errors=refused,
            link_counts={"linked": len(rows) - len(refused)},
        )

    @property
    def kind(self) -> RowKind[str, str]:
        """As a stream takes it."""
        return RowKind(read=self.read, store=self.store, key=lambda row: row)

    def place(self, what: str) -> int:
        """When it happened."""
        return self.log.index(what)


def book(*batches: str, is_last: bool = False) -> list[pb.ImportSubscriptionsRequest]:
    """Batches of an import; a word is a row, `-` a broken one, `a-` a broken one about `a`."""
    request_id = str(uuid4())
    return [
        pb.ImportSubscriptionsRequest(
            request_id=request_id,
            batch_index=index,
            is_last=is_last and index == len(batches) - 1,
            rows=[pb.SubscriptionRow(msisdn="" if word == "-" else word) for word in words.split()],
        )
        for index, words in enumerate(batches)
    ]


@dataclass(frozen=True)
class Stream:
    """Somebody who imports."""

    edge: Edge
    call: Call

    def take(self, requests: Sequence[pb.ImportSubscriptionsRequest], rows: Rows) -> ImportSummary:
        """Send batches to their end."""

        async def sent() -> AsyncIterator[pb.ImportSubscriptionsRequest]:
            for request in requests:
                yield request

        return asyncio.run(take_stream(self.edge, self.call, sent(), rows.kind))

    def progress(self, request: pb.ImportSubscriptionsRequest) -> Progress:
        """How far the import has come."""
        identity = UUID(request.request_id)
        return self.edge.transactions.run(
            lambda uow: get_progress(uow, self.call, identity, method=METHOD)
        )


@pytest.fixture
def stream(edge: Edge) -> Stream:
    """Somebody new."""
    return Stream(edge, make_call(make_operator()))


def test_a_stream_of_nothing_comes_to_nothing(stream: Stream) -> None:
    assert stream.take([], Rows()) == ImportSummary()


def test_a_summary_is_the_sum_of_its_batches_in_their_order(stream: Stream) -> None:
    requests = book("a - b", "c", "- d -", "e f g h", "i", is_last=True)
    summary = stream.take(requests, Rows())
    assert (summary.received_count, summary.created_count, summary.rejected_count) == (12, 9, 3)
    assert [error.row_index for error in summary.row_errors] == [1, 4, 6]
    assert summary.link_counts == {"linked": 9}
    progress = stream.progress(requests[0])
    assert (progress.summary, progress.is_complete) == (summary, True)


def test_two_batches_are_stored_at_a_time_and_no_third(stream: Stream) -> None:
    together = threading.Barrier(2)
    under_way, most = set[int](), [0]
    lock = threading.Lock()

    def act(batch_index: int) -> None:
        with lock:
            under_way.add(batch_index)
            most.append(len(under_way))
        together.wait(TIMEOUT_S)  # of each pair, neither goes on without the other
        with lock:
            under_way.discard(batch_index)

    summary = stream.take(book("a", "b", "c", "d", "e", "f"), Rows(act))
    assert summary.received_count == 6
    assert max(most) == 2


@pytest.mark.parametrize(
    ("batches", "is_last"),
    [
        pytest.param(("a b", "c b"), False, id="a row of the same key waits"),
        pytest.param(("a b-", "c b"), False, id="a row waits for a broken one of the same key"),
        pytest.param(("a b", "c b-"), False, id="a broken row of the same key waits"),
        pytest.param(("a b", "c d"), True, id="the last batch is alone"),
    ],
)
def test_a_batch_waits_for_the_one_before(
    stream: Stream, batches: tuple[str, str], *, is_last: bool
) -> None:
    second_began = threading.Event()
    overlapped: list[bool] = []

    def act(batch_index: int) -> None:
        if batch_index == 1:
            second_began.set()
        else:
            overlapped.append(second_began.wait(A_MOMENT_S))

    rows = Rows(act)
    stream.take(book(*batches, is_last=is_last), rows)
    assert overlapped == [False]
    assert rows.place("end 0") < rows.place("begin 1")


def test_rows_that_do_not_say_what_they_are_about_wait_for_nothing(stream: Stream) -> None:
    together = threading.Barrier(2)

    def act(_batch_index: int) -> None:
        together.wait(TIMEOUT_S)

    assert stream.take(book("b -", "- c"), Rows(act)).rejected_count == 2


def test_the_next_batch_is_read_while_others_are_stored(stream: Stream) -> None:
    rows = Rows()
    third_read = threading.Event()

    def act(batch_index: int) -> None:
        if batch_index < 2:
            assert third_read.wait(TIMEOUT_S)

    def read(request: pb.ImportSubscriptionsRequest) -> Sequence[str | RefusedRow[str]]:
        if request.batch_index == 2:
            third_read.set()
        return rows.read(request)

    rows.act = act
    kind = RowKind(read=read, store=rows.store, key=lambda row: row)

    async def sent() -> AsyncIterator[pb.ImportSubscriptionsRequest]:
        for request in book("a", "b", "c"):
            yield request

    summary = asyncio.run(take_stream(stream.edge, stream.call, sent(), kind))
    assert summary.received_count == 3


class BrokenError(Exception):
    """Storing failed."""


def test_when_one_fails_the_other_is_let_end_and_the_import_goes_on_with_the_first(
    stream: Stream,
) -> None:
    together, failed = threading.Barrier(2), threading.Event()

    def act(batch_index: int) -> None:
        together.wait(TIMEOUT_S)
        if batch_index == 0:
            failed.set()
            raise BrokenError
        assert failed.wait(TIMEOUT_S)

    requests = book("a -", "b", "c")
    rows = Rows(act)
    with pytest.raises(BrokenError):
        stream.take(requests, rows)
    assert "end 1" in rows.log  # before the stream was told of the failure
    assert "begin 2" not in rows.log
    assert stream.progress(requests[0]).next_batch_index == 0
    again = Rows()
    summary = stream.take(requests, again)
    # The one that was stored is answered as it was then, and not stored again.
    assert [line for line in again.log if line.startswith("begin")] == ["begin 0", "begin 2"]
    assert (summary.received_count, summary.rejected_count) == (4, 1)
    assert stream.progress(requests[0]).summary == summary


@pytest.mark.parametrize("order", [(0, 2), (0, 0), (0, 1, 1), (1,), (0, 1, 0)], ids=str)
def test_a_batch_out_of_order_ends_the_stream_and_what_came_before_is_stored(
    stream: Stream, order: tuple[int, ...]
) -> None:
    requests = book("a", "b", "c")
    with pytest.raises(ImportSequenceError):
        stream.take([requests[place] for place in order], Rows())
    in_order = [place for place, index in enumerate(order) if place == index]
    assert stream.progress(requests[0]).next_batch_index == len(in_order)


def test_a_stream_goes_on_from_what_is_stored(stream: Stream) -> None:
    requests = book("a -", "b", "c", is_last=True)
    stream.take(requests[:2], Rows())
    rows = Rows()
    summary = stream.take(requests[2:], rows)
    assert (summary.received_count, summary.rejected_count) == (4, 1)
    assert [line for line in rows.log if line.startswith("begin")] == ["begin 2"]
    with pytest.raises(ImportSequenceError):
        stream.take(book("a")[:1] + requests[1:2], Rows())


@pytest.mark.parametrize("after", [0, 1, 17, 10**6])
def test_a_page_token_comes_back_as_it_was_given(after: int) -> None:
    assert page_after(page_token(after)) == after


def test_no_token_is_the_first_page_and_none_follows_the_last() -> None:
    assert page_after("") == -1
    assert page_token(None) == ""


@pytest.mark.parametrize("token", ["-1", "+1", " 1", "1 ", "x", "1.0", "\u0661", "²", "1\n", "0x1"])
def test_a_token_that_nobody_issued_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalidError):
        page_after(token)
