"""One import from a file to the service, and the refused rows back beside the file.

Owns the order of the steps, which makes an import resumable: nothing is sent before the whole file
was read once and the import's name is on disk, and the name is forgotten only when the rejects are.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from identity.import_files.columns import REJECT_PREFIX, Selection, Target, select
from identity.import_files.faults import FileFault, ImportFileError
from identity.import_files.progress_file import (
    BATCH_ROWS_MAX,
    Begun,
    Import,
    begin_or_go_on,
    forget,
)
from identity.import_files.reader import ImportFile, open_import_file
from identity.import_files.rejects import write_rejects
from identity.rpc.import_client import ImportClient, Reconciliation


class Stage(StrEnum):
    """What is being done."""

    CHECK = "checking"
    SEND = "sending"
    REJECTS = "writing rejects"


Report = Callable[[Stage, int, int | None], None]
"""Told a stage, how many rows are done, and of how many where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be imported.

    Attributes:
        file: The file.
        target: What it holds.
        is_snapshot: Whether it is all that its sender holds.
        renamed: Names of columns of the file, and what the import calls them.
        ignored: Names of columns of the file that are not wanted.
        is_restart: Forget an import of the file that was begun.
        batch_rows: Rows of a batch of a new import, at most 5,000.
    """

    file: Path
    target: Target
    is_snapshot: bool = False
    renamed: Mapping[str, str]
    ignored: AbstractSet[str]
    is_restart: bool = False
    batch_rows: int = BATCH_ROWS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it.

    Attributes:
        reconciliation: The counts.
        rejects: Where the refused rows are; None where there are none.
        stored_before: Rows that an earlier run had stored.
    """

    reconciliation: Reconciliation
    rejects: Path | None
    stored_before: int


def run_import(
    order: Order, connect: Callable[[], AbstractContextManager[ImportClient]], report: Report
) -> Outcome:
    """Import a file, or go on with it.

    Args:
        order: What is to be imported.
        connect: Opens the way to the service; called when the file was found good.
        report: Told how far it is.

    Raises:
        ImportFileError: The file, or what lies beside it, cannot be used.
        ImportRefusedError: The service, or the way to it, said no.
    """
    with open_import_file(order.file) as file:
        selection = select(file.columns, order.target, renamed=order.renamed, ignored=order.ignored)
        if order.is_snapshot and any(c.name.startswith(REJECT_PREFIX) for c in file.columns):
            raise ImportFileError(
                FileFault.SNAPSHOT_OF_REJECTS, "a file of rejects is sent without --snapshot"
            )
        report(Stage.CHECK, 0, None)
        checked = file.check(selection)
        begun = Begun(
            target=order.target,
            is_snapshot=order.is_snapshot,
            sha256=checked.sha256,
            columns=selection.places,
        )
        run = begin_or_go_on(
            order.file, begun, batch_rows=order.batch_rows, is_restart=order.is_restart
        )
        with connect() as client:
            outcome = _Run(order.file, run, client, report).finish(
                file, selection, checked.row_count
            )
        forget(order.file)
        return outcome


class _Run:
    """An import that is on disk, and a client to bring it to its end."""

    def __init__(self, path: Path, run: Import, client: ImportClient, report: Report) -> None:
        self._path = path
        self._import = run
        self._client = client
        self._report = report

    def finish(self, file: ImportFile, selection: Selection, row_count: int) -> Outcome:
        position = self._client.position(self._import.import_id)
        stored = min(position.next_batch_index * self._import.batch_rows, row_count)
        reconciliation = position.reconciliation
        if not position.is_complete:
            reconciliation = self._send(file, selection, position.next_batch_index, row_count)
        if reconciliation.received_count != row_count:
            raise ImportFileError(
                FileFault.IMPORT_DIFFERS,
                f"the service counts {reconciliation.received_count} rows, the file {row_count}; "
                "--restart sends all of them again",
            )
        rejects = self._write_rejects(file, selection) if reconciliation.rejected_count else None
        return Outcome(reconciliation=reconciliation, rejects=rejects, stored_before=stored)

    def _send(
        self, file: ImportFile, selection: Selection, first_index: int, row_count: int
    ) -> Reconciliation:
        sent = first_index * self._import.batch_rows
        if sent >= row_count:
            raise ImportFileError(
                FileFault.IMPORT_DIFFERS,
                "the service waits for rows after the last of the file; --restart begins anew",
            )

        def count(rows: int) -> None:
            nonlocal sent
            sent += rows
            self._report(Stage.SEND, sent, row_count)

        self._report(Stage.SEND, sent, row_count)
        return self._client.send(
            self._import.import_id,
            file.batches(selection, first_row=sent, batch_rows=self._import.batch_rows),
            first_index=first_index,
            is_snapshot=self._import.begun.is_snapshot,
            on_sent=count,
        )

    def _write_rejects(self, file: ImportFile, selection: Selection) -> Path:
        self._report(Stage.REJECTS, 0, None)
        names = selection.names_in(file.columns)
        return write_rejects(
            self._path,
            file.columns,
            file.originals(batch_rows=self._import.batch_rows),
            (
                replace(each, field=names.get(each.field, each.field))
                for each in self._client.rejects(self._import.import_id)
            ),
        )
