"""Files as operators and the population authority write them, and some that nobody should."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from identity.import_files.columns import FileColumn, Selection, Target, select
from identity.import_files.faults import FileFault, ImportFileError
from identity.import_files.reader import Row, open_import_file

BOOK = "msisdn,personal_id,full_name,birth_date"
ROW = "0912345678,001090000001,Nguyễn Văn An,1990-02-28"


def write(folder: Path, content: str | bytes, *, name: str = "book.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_parquet(folder: Path, query: str) -> Path:
    path = folder / "book.parquet"
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def selected(columns: Sequence[FileColumn], **options: object) -> Selection:
    given = {"renamed": {}, "ignored": set(), **options}
    return select(columns, Target.SUBSCRIPTIONS, **given)  # type: ignore[arg-type] # by name


def read(path: Path, *, first_row: int = 0, batch_rows: int = 100) -> list[list[Row]]:
    """Check a file and read its batches."""
    with open_import_file(path) as file:
        selection = selected(file.columns)
        count = file.check(selection).row_count
        found = list(file.batches(selection, first_row=first_row, batch_rows=batch_rows))
    assert first_row + sum(len(batch) for batch in found) == count
    return found


@contextmanager
def refused(fault: FileFault) -> Iterator[list[str]]:
    """The block must be refused for one fault; the message is there afterwards."""
    messages: list[str] = []
    with pytest.raises(ImportFileError) as caught:
        yield messages
    assert caught.value.fault is fault, str(caught.value)
    assert "\n" not in str(caught.value)
    messages.append(str(caught.value))
