"""Reads CSV and Parquet files larger than memory, row by row and in their order.

Owns DuckDB and its bounds: how long a line may be, how large a row, how much memory it takes. All
columns are read as text. Knows nothing of what becomes of the rows.
"""

import csv
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import duckdb

from identity.import_files.columns import FileColumn, Selection
from identity.import_files.faults import FileFault, ImportFileError

LINE_BYTES_MAX = 64 * 1024
"""The longest line of a CSV file, all its columns together; from half of it on one is refused where
it fills a block. Rows of the contract take about 100."""

_BLOCK_BYTES = LINE_BYTES_MAX // 2

ROW_BYTES_MAX = 4_000
"""The largest row that is sent: 5,000 of them, and what surrounds them, fit a message of 20 MiB."""

COLUMNS_MAX = 1_000
"""More columns than any register's export has; a line of commas could make 65,000."""

MEMORY_MAX = "128MiB"
"""DuckDB's share. A value that does not fit, such as a line without an end, is refused by it."""

BUFFER_BYTES = 8 * 1024 * 1024
"""Of the CSV reader. Values with line ends in them that lie across two buffers are now and then
refused by it: of 10 files full of them 2 with 128 KiB, 1 with 1 MiB, none with this."""

_PARQUET_MAGIC = b"PAR1"
_COMPRESSED_MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")
_MAGIC_BYTES = 8
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ERROR_LINE = re.compile(r"CSV Error on Line: (\d+)")
_TYPE_CHARACTERS_SHOWN = 40

Row = tuple[str | None, ...]
"""One row; None for an empty value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that can be read to its end.

    Attributes:
        row_count: Its rows, at least one.
        sha256: The digest of all of it, hexadecimal.
    """

    row_count: int
    sha256: str


class ImportFile:
    """An open file. It stays the same file when another is put in its place under its name.

    Args:
        path: For messages.
        file: The file, opened.
        connection: DuckDB.
    """

    def __init__(
        self, path: Path, file: BufferedReader, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._path = path
        self._file = file
        self._connection = connection
        self._opened_as = _fingerprint(file)
        # By its descriptor: a path would be taken for a pattern when it has a `*` or a `[`.
        self._name = f"/dev/fd/{file.fileno()}"
        head = file.read(_MAGIC_BYTES)
        if not head:
            raise ImportFileError(FileFault.FILE_EMPTY, f"{path} is empty")
        if head.startswith(_COMPRESSED_MAGIC):
            raise ImportFileError(
                FileFault.FILE_COMPRESSED, f"{path} must be unpacked first, or saved as CSV"
            )
        self.is_parquet = head.startswith(_PARQUET_MAGIC)
        if path.suffix.lower() == ".parquet" and not self.is_parquet:
            raise ImportFileError(FileFault.FILE_MALFORMED, f"{path} is no Parquet file")
        self.columns = self._parquet_columns() if self.is_parquet else self._csv_columns(head)

    def check(self, selection: Selection) -> Checked:
        """Read all of the file, and refuse it if any of it cannot be read.

        Raises:
            ImportFileError: It has no rows, or a row, or a column as a whole, is no such thing.
        """
        sha256 = self._scan()
        wanted = [place for place in selection.places if place is not None]
        dates = selection.date_places()
        counts = "".join(
            f", count({_text(place)}), "
            f"count(*) FILTER (regexp_full_match({_text(place)}, '{_DAY}'))"
            for _, place in dates
        )
        # All columns are looked at: those that are not sent are needed for the rejects.
        size, whole_size = _size(wanted), _size(range(len(self.columns)))
        row_count, largest_bytes, _, *date_counts = self._fetch(
            f"SELECT count(*), max({size}), max({whole_size}) {counts} FROM {self._source()}"  # noqa: S608 - numbered columns only
        )[0]
        if not row_count:
            raise ImportFileError(FileFault.FILE_EMPTY, f"{self._path} has no rows")
        if largest_bytes > ROW_BYTES_MAX:
            raise self._too_large(size)
        _refuse_other_dates([name for name, _ in dates], date_counts)
        self.refuse_changes()
        return Checked(row_count=row_count, sha256=sha256)

    def batches(
        self, selection: Selection, *, first_row: int, batch_rows: int
    ) -> Iterator[list[Row]]:
        """The wanted columns, in the import's order, in batches that are all full but the last.

        Args:
            selection: Which columns.
            first_row: The row to begin with, from 0.
            batch_rows: Rows of a batch.

        Raises:
            ImportFileError: The file changed since it was opened, or cannot be read any more.
        """
        columns = ", ".join("NULL" if p is None else _text(p) for p in selection.places)
        yield from self._stream(f"SELECT {columns}", first_row=first_row, batch_rows=batch_rows)

    def originals(self, *, batch_rows: int) -> Iterator[list[Row]]:
        """All columns as the file has them, in batches.

        Raises:
            ImportFileError: As for `batches`.
        """
        columns = ", ".join(_text(place) for place in range(len(self.columns)))
        yield from self._stream(f"SELECT {columns}", first_row=0, batch_rows=batch_rows)

    def refuse_changes(self) -> None:
        """Raise if the file was written to since it was opened.

        Raises:
            ImportFileError: It was.
        """
        if _fingerprint(self._file) != self._opened_as:
            raise ImportFileError(FileFault.FILE_CHANGED, f"{self._path} changed while it was read")

    def _scan(self) -> str:
        """The digest of the file, which has a line end in each of its blocks if it is CSV.

        So no line is too long for the reader, which does not tell of one that ends the file.
        """
        digest = hashlib.sha256()
        self._file.seek(0)
        line = 1
        while block := self._file.read(_BLOCK_BYTES):
            digest.update(block)
            line_ends = block.count(b"\n")
            if not (line_ends or self.is_parquet or len(block) < _BLOCK_BYTES):
                raise self._line_too_long(f"line {line}")
            line += line_ends
        return digest.hexdigest()

    def _stream(self, what: str, *, first_row: int, batch_rows: int) -> Iterator[list[Row]]:
        with self._faults(), self._connection.cursor() as cursor:
            cursor.execute(f"{what} FROM {self._source()} OFFSET {first_row}")
            while batch := cursor.fetchmany(batch_rows):
                # A file that shrinks is no shorter file: its end must not pass for the end.
                self.refuse_changes()
                yield batch
            self.refuse_changes()

    def _fetch(self, query: str) -> list[tuple[int, ...]]:
        with self._faults(), self._connection.cursor() as cursor:
            return cursor.execute(query).fetchall()

    def _source(self) -> str:
        """The file as a table with columns c0, c1, …: its own names never come near SQL."""
        if self.is_parquet:
            names = ", ".join(_column(place) for place in range(len(self.columns)))
            return f"read_parquet('{self._name}') AS file ({names})"
        return _csv_source(self._name, len(self.columns))

    def _csv_columns(self, head: bytes) -> tuple[FileColumn, ...]:
        if head.startswith(_UTF16_MARKS):
            raise ImportFileError(FileFault.FILE_NOT_UTF8, f"{self._path} is UTF-16; write UTF-8")
        self._file.seek(0)
        line = self._file.readline(LINE_BYTES_MAX + 1)
        if len(line) > LINE_BYTES_MAX:
            raise self._line_too_long("line 1")
        try:
            names = next(csv.reader([line.decode("utf-8-sig")], strict=True), [])
        except UnicodeDecodeError as error:
            raise ImportFileError(
                FileFault.FILE_NOT_UTF8, f"{self._path}: line 1 is not UTF-8"
            ) from error
        except csv.Error as error:
            raise ImportFileError(
                FileFault.FILE_MALFORMED, f"{self._path}: line 1 is no line of column names"
            ) from error
        return self._named([(name, "VARCHAR") for name in names])

    def _parquet_columns(self) -> tuple[FileColumn, ...]:
        with self._faults(), self._connection.cursor() as cursor:
            described = cursor.execute(
                f"DESCRIBE SELECT * FROM read_parquet('{self._name}')"  # noqa: S608 - a descriptor's number
            ).fetchall()
        return self._named([(row[0], row[1]) for row in described])

    def _named(self, columns: Sequence[tuple[str, str]]) -> tuple[FileColumn, ...]:
        if len(columns) > COLUMNS_MAX:
            raise ImportFileError(
                FileFault.FILE_MALFORMED, f"{self._path} has more than {COLUMNS_MAX} columns"
            )
        return tuple(
            FileColumn(name=name, type=type_[:_TYPE_CHARACTERS_SHOWN]) for name, type_ in columns
        )

    def _too_large(self, size: str) -> ImportFileError:
        numbered = f"(SELECT row_number() OVER () AS number, {size} AS size FROM {self._source()})"  # noqa: S608 - as above
        found = self._fetch(f"SELECT min(number) FROM {numbered} WHERE size > {ROW_BYTES_MAX}")  # noqa: S608 - as above
        return ImportFileError(
            FileFault.ROW_TOO_LARGE,
            f"{self._path}: row {found[0][0]} has more than {ROW_BYTES_MAX} bytes",
        )

    def _line_too_long(self, where: str) -> ImportFileError:
        return ImportFileError(
            FileFault.LINE_TOO_LONG,
            f"{self._path}: {where} is longer than {LINE_BYTES_MAX} bytes, or has a quote "
            "that does not end",
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """DuckDB's errors as ours. Their texts hold lines of the file, and are not passed on."""
        try:
            yield
        except duckdb.Error as error:
            raise self._fault(error) from None

    def _fault(self, error: duckdb.Error) -> ImportFileError:
        text = str(error)
        found = _ERROR_LINE.search(text)
        where = f"line {found[1]}" if found else "a line"
        if isinstance(error, duckdb.OutOfMemoryException) and self.is_parquet:
            return ImportFileError(
                FileFault.ROW_TOO_LARGE,
                f"{self._path} needs more than {MEMORY_MAX} to be read: write smaller row groups",
            )
        if isinstance(error, duckdb.OutOfMemoryException) or "Maximum line size" in text:
            return self._line_too_long(where)
        if "does not support a full read" in text:
            return ImportFileError(
                FileFault.FILE_MALFORMED,
                f"{self._path}: a value with line ends in it cannot be read; write it without",
            )
        if "not utf-8" in text or "Invalid unicode" in text:
            return ImportFileError(FileFault.FILE_NOT_UTF8, f"{self._path}: {where} is not UTF-8")
        if found:
            return ImportFileError(FileFault.FILE_MALFORMED, f"{self._path}: {_what(text, where)}")
        kind = "Parquet" if self.is_parquet else "CSV with commas and one kind of line end"
        return ImportFileError(FileFault.FILE_MALFORMED, f"{self._path} is no {kind}")


@contextmanager
def open_import_file(path: Path) -> Iterator[ImportFile]:
    """Open a file for as long as the block lasts.

    Args:
        path: A CSV file (comma, quotes as in RFC 4180, UTF-8, column names in its first line), or a
            Parquet file, which is told by its first bytes.

    Raises:
        ImportFileError: It cannot be opened, or is neither.
    """
    with _opened(path) as file, _connect() as connection:
        yield ImportFile(path, file, connection)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - Path.open has no opener; closed below
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such name"
        raise ImportFileError(FileFault.FILE_UNREADABLE, f"{path}: {reason}") from error
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ImportFileError(FileFault.FILE_UNREADABLE, f"{path} is no regular file")
        yield file


def _open_at_once(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody to write into it.
    return os.open(path, flags | os.O_NONBLOCK)


def _connect() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 1,  # rows in their order, and memory that does not grow with the machine
            "memory_limit": MEMORY_MAX,
            "temp_directory": "",  # personal data are not spilt onto disk
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )


def _fingerprint(file: BufferedReader) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _csv_source(name: str, column_count: int) -> str:
    # Nothing is guessed: a guess takes lines that begin with `#` for comments and drops them.
    # `parallel` even with one thread: the other reader drops what follows a quote without an end.
    columns = ", ".join(f"'{_column(place)}': 'VARCHAR'" for place in range(column_count))
    return (
        f"read_csv('{name}', auto_detect = false, columns = {{{columns}}}, header = true, "
        "delim = ',', quote = '\"', escape = '\"', comment = '', skip = 0, nullstr = '', "
        "compression = 'none', encoding = 'utf-8', strict_mode = true, parallel = true, "
        f"max_line_size = {LINE_BYTES_MAX}, buffer_size = {BUFFER_BYTES})"
    )


def _column(place: int) -> str:
    return f"c{place}"


def _text(place: int) -> str:
    return f"CAST({_column(place)} AS VARCHAR)"


def _size(places: Sequence[int]) -> str:
    """The bytes of some columns of a row together."""
    return " + ".join(f"coalesce(strlen({_text(place)}), 0)" for place in places)


def _refuse_other_dates(names: Sequence[str], counts: Sequence[int]) -> None:
    """Refuse a column of dates that has values, and no date (`counts`: both, column by column)."""
    for name, filled, well_formed in zip(names, counts[::2], counts[1::2], strict=True):
        if filled and not well_formed:
            raise ImportFileError(
                FileFault.COLUMN_ILL_TYPED, f"no value of {name} is a date YYYY-MM-DD"
            )


def _what(text: str, where: str) -> str:
    if "unterminated quote" in text:
        return f"{where} has a quote that does not end"
    if "Number of Columns" in text:
        return f"{where} has more or fewer columns than the first"
    return f"{where} is no CSV"
