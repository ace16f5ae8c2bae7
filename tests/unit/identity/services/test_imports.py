"""The reconciliation of an import: nothing is lost between batches, and an answer is bounded."""

from uuid import UUID, uuid4

import pytest

from identity.domain.errors import ImportSequenceError
from identity.services.imports import (
    ROW_ERRORS_MAX,
    BatchHead,
    BatchOrder,
    BatchResult,
    ImportSummary,
    RowError,
)
from identity.storage.import_runs import StoredBatch

IMPORT = uuid4()


def batch(*rejected: int, received: int = 10, linked: int = 0) -> BatchResult:
    return BatchResult(
        received_count=received,
        created_count=received - len(rejected) - 2,
        changed_count=1,
        unchanged_count=1,
        row_errors=tuple(
            RowError(row_index=index, field="msisdn", reason="MSISDN_MALFORMED")
            for index in rejected
        ),
        link_counts={"linked": linked},
    )


def head(batch_index: int, *, of: UUID = IMPORT, is_last: bool = False) -> BatchHead:
    return BatchHead(request_id=of, batch_index=batch_index, is_last=is_last)


def test_counts_add_up_over_batches_and_rows_are_placed_in_the_stream() -> None:
    summary = ImportSummary()
    for result in [batch(0, 9, linked=4), batch(received=5), batch(3, linked=2)]:
        summary.add(result)
    assert summary.received_count == 25
    assert summary.received_count == (
        summary.created_count
        + summary.changed_count
        + summary.unchanged_count
        + summary.rejected_count
    )
    assert [error.row_index for error in summary.row_errors] == [0, 9, 18]
    assert summary.link_counts == {"linked": 6}


def test_batches_stored_before_count_as_those_of_this_stream() -> None:
    results = [batch(0, 9, linked=4), batch(received=5), batch(3, linked=2)]
    taken, resumed = ImportSummary(), ImportSummary()
    for place, result in enumerate(results):
        taken.add(result)
        fields = result.to_fields()
        errors = fields.pop("row_errors")
        if place < 2:
            resumed.add_stored(StoredBatch(counts=fields, errors=errors, refused_count=len(errors)))
        else:
            resumed.add(result)
    assert resumed == taken


def test_a_stored_batch_whose_refused_rows_are_not_named_any_more_still_counts_them() -> None:
    fields = batch(0, 1, 2).to_fields()
    del fields["row_errors"]
    summary = ImportSummary()
    summary.add_stored(StoredBatch(counts=fields, errors=[], refused_count=3))
    assert (summary.rejected_count, summary.row_errors) == (3, [])


@pytest.mark.parametrize("batch_index", [3, 5, -1])
def test_a_batch_out_of_order_is_refused(batch_index: int) -> None:
    order = BatchOrder(head(3))
    order.expect(head(3))
    with pytest.raises(ImportSequenceError):
        order.expect(head(batch_index))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(BatchHead(request_id=uuid4(), batch_index=1), id="another import"),
        pytest.param(
            BatchHead(request_id=IMPORT, batch_index=1, is_snapshot=True), id="another kind"
        ),
    ],
)
def test_a_batch_of_something_else_is_refused(other: BatchHead) -> None:
    order = BatchOrder(head(0))
    order.expect(head(0))
    with pytest.raises(ImportSequenceError):
        order.expect(other)


def test_nothing_follows_the_last_batch() -> None:
    order = BatchOrder(head(0))
    order.expect(head(0, is_last=True))
    with pytest.raises(ImportSequenceError):
        order.expect(head(1))


def test_refused_rows_beyond_the_bound_are_counted_and_not_named() -> None:
    summary = ImportSummary()
    size = ROW_ERRORS_MAX // 2 + 1
    for _ in range(3):
        summary.add(batch(*range(size), received=size + 2))
    assert summary.rejected_count == 3 * size
    assert len(summary.row_errors) == ROW_ERRORS_MAX


def test_a_result_comes_back_from_its_stored_fields() -> None:
    result = batch(1, 2, linked=7)
    assert BatchResult.from_fields(result.to_fields()) == result
