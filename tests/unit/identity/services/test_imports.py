"""The reconciliation of an import: nothing is lost between batches, and an answer is bounded."""

import pytest

from identity.domain.errors import ImportSequenceError
from identity.services.imports import ROW_ERRORS_MAX, BatchResult, ImportSummary, RowError


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


def test_counts_add_up_over_batches_and_rows_are_placed_in_the_stream() -> None:
    summary = ImportSummary()
    for index, result in enumerate([batch(0, 9, linked=4), batch(received=5), batch(3, linked=2)]):
        summary.expect(index, "one")
        summary.add(result)
    assert summary.received_count == 25
    assert summary.received_count == (
        summary.created_count
        + summary.changed_count
        + summary.unchanged_count
        + summary.rejected_count
    )
    assert [error.row_index for error in summary.row_errors] == [0, 9, 18]
    assert (summary.link_counts, summary.batch_count) == ({"linked": 6}, 3)


@pytest.mark.parametrize("batch_index", [0, 2, -1])
def test_a_batch_out_of_order_is_refused(batch_index: int) -> None:
    summary = ImportSummary()
    summary.expect(0, "one")
    summary.add(batch())
    with pytest.raises(ImportSequenceError):
        summary.expect(batch_index, "one")


def test_a_batch_of_another_import_is_refused() -> None:
    summary = ImportSummary()
    summary.expect(0, "one")
    summary.add(batch())
    with pytest.raises(ImportSequenceError):
        summary.expect(1, "two")


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
