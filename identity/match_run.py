"""One matching of a file with the population records, and its results beside the file.

Owns the order of the steps, which makes it resumable: a batch that was answered and whose results
were lost is sent again under the same name, gets its first answer, and is not counted twice.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from identity.import_files.columns import Selection, Target, select
from identity.import_files.faults import FileFault, ImportFileError
from identity.import_files.match_results import MatchResults
from identity.import_files.progress_file import (
    BATCH_ROWS_MAX,
    Begun,
    Import,
    begin_or_go_on,
    forget,
)
from identity.import_files.reader import Checked, ImportFile, open_import_file
from identity.import_run import Report, Stage
from identity.rpc.match_client import MatchClient, MatchGrounds


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOrder:
    """What is to be matched.

    Attributes:
        file: The agency's records.
        output: Where the results go; by its name CSV or Parquet.
        grounds: Why.
        renamed: Names of columns of the file, and what the matching calls them.
        ignored: Names of columns of the file that are not wanted.
        is_restart: Forget a matching of the file that was begun.
        batch_rows: Rows of a batch of a new one, at most 5,000.
    """

    file: Path
    output: Path
    grounds: MatchGrounds
    renamed: Mapping[str, str]
    ignored: AbstractSet[str]
    is_restart: bool = False
    batch_rows: int = BATCH_ROWS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOutcome:
    """What became of it.

    Attributes:
        row_count: Rows of the file.
        counts: How many rows have which word, by column and word.
        answered_before: Rows that an earlier run had the answers of.
    """

    row_count: int
    counts: Mapping[tuple[str, str], int]
    answered_before: int


def run_match(
    order: MatchOrder, connect: Callable[[], AbstractContextManager[MatchClient]], report: Report
) -> MatchOutcome:
    """Match a file, or go on with it.

    Args:
        order: What is to be matched.
        connect: Opens the way to the service; called when the file was found good.
        report: Told how far it is.

    Raises:
        ImportFileError: The file, or what lies beside it, cannot be used.
        ImportRefusedError: The service, or the way to it, said no.
    """
    with open_import_file(order.file) as file:
        selection = _selection(order, file)
        report(Stage.CHECK, 0, None)
        checked = file.check(selection)
        run = _begin(order, selection, checked)
        results = MatchResults(order.output, run.import_id, run.batch_rows)
        with closing(results):
            first_index = results.open()
            answered_before = results.row_count
            if answered_before < checked.row_count:
                batches = file.batches(
                    selection, first_row=answered_before, batch_rows=run.batch_rows
                )
                with connect() as client:
                    for batch in client.match(
                        run.import_id, batches, first_index=first_index, grounds=order.grounds
                    ):
                        results.append(batch)
                        report(Stage.SEND, results.row_count, checked.row_count)
            _refuse_gap(results, checked)
            results.finish()
        forget(order.file)
    return MatchOutcome(
        row_count=results.row_count, counts=results.counts, answered_before=answered_before
    )


def _selection(order: MatchOrder, file: ImportFile) -> Selection:
    selection = select(file.columns, Target.MATCH, renamed=order.renamed, ignored=order.ignored)
    if selection.places[1:] == (None, None):
        raise ImportFileError(
            FileFault.COLUMN_MISSING, "the file has neither full_name nor birth_date"
        )
    return selection


def _begin(order: MatchOrder, selection: Selection, checked: Checked) -> Import:
    grounds = order.grounds
    begun = Begun(
        target=Target.MATCH,
        is_snapshot=False,
        sha256=checked.sha256,
        columns=selection.places,
        said=(grounds.purpose.value, grounds.legal_basis, grounds.case_id),
    )
    return begin_or_go_on(
        order.file, begun, batch_rows=order.batch_rows, is_restart=order.is_restart
    )


def _refuse_gap(results: MatchResults, checked: Checked) -> None:
    if results.row_count != checked.row_count:
        raise ImportFileError(
            FileFault.IMPORT_DIFFERS,
            f"{results.row_count} rows were answered of {checked.row_count}; "
            "--restart sends all of them again",
        )
