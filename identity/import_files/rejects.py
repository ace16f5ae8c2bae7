"""Writes the rows that were refused, as the file had them, to be corrected and sent again.

Owns the form of that file. It is personal data, and readable by its owner only.
"""

import csv
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from identity.import_files.columns import REJECT_PREFIX, FileColumn
from identity.import_files.faults import FileFault, ImportFileError
from identity.import_files.reader import Row

REJECT_COLUMNS = (f"{REJECT_PREFIX}row", f"{REJECT_PREFIX}field", f"{REJECT_PREFIX}reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Why one row was refused.

    Attributes:
        row_index: Its place in the file, from 0.
        field: The field at fault; empty for the row as a whole.
        reason: Stable reason.
    """

    row_index: int
    field: str
    reason: str


def write_rejects(
    file: Path,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    rejects: Iterator[Reject],
) -> Path:
    """Write the refused rows of a file beside it; an older file of rejects is left as it is.

    Args:
        file: The file that was imported.
        columns: Its columns.
        batches: All its rows, with all columns.
        rejects: Which were refused, in the order of the file.

    Returns:
        Where they are.

    Raises:
        ImportFileError: It cannot be written, or a reject is of no row of the file.
    """
    kept = [i for i, each in enumerate(columns) if not each.name.startswith(REJECT_PREFIX)]
    header = [*(columns[place].name for place in kept), *REJECT_COLUMNS]
    scratch = file.with_name(f".{file.name}.rejects.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            # All text in quotes: a value may hold a carriage return. The writer's own choice leaves
            # it bare, and a bare one is a line end to who reads the file again.
            writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
            writer.writerow(header)
            writer.writerows(_refused(batches, rejects, kept))
            out.flush()
            os.fsync(out.fileno())
        return _name_it(scratch, file)
    except OSError as error:
        raise ImportFileError(
            FileFault.FILE_UNREADABLE, f"the rejects of {file} cannot be written: {error.strerror}"
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def _refused(
    batches: Iterable[Sequence[Row]], rejects: Iterator[Reject], kept: Sequence[int]
) -> Iterator[list[str | int | None]]:
    """Rows and rejects side by side, both in the order of the file: neither is held as a whole."""
    begins_at = 0
    reject = next(rejects, None)
    for batch in batches:
        while reject is not None and reject.row_index < begins_at + len(batch):
            row = batch[reject.row_index - begins_at]
            values = [row[place] for place in kept]
            yield [*values, reject.row_index + 1, reject.field, reject.reason]
            reject = next(rejects, None)
        if reject is None:
            return
        begins_at += len(batch)
    if reject is not None:
        raise ImportFileError(FileFault.FILE_CHANGED, "a row was refused that the file has not")


def _name_it(scratch: Path, file: Path) -> Path:
    """Give it the first free name: somebody may be at work on an older one."""
    for ending in chain((".rejects.csv",), (f".rejects-{number}.csv" for number in count(2))):
        path = file.with_name(file.name + ending)
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            continue
        return scratch.replace(path)
    raise AssertionError("unreachable: names do not run out")
