"""Writes how an agency's records compare, row by row, so that an interrupted file goes on.

Owns the form of the result file: the row's place in the agency's own file and what came of it,
nothing of the row itself. Until it is whole it lies beside its place as `.NAME.ID.partial`, where a
line that a crash has torn is found by its form and cut off.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path

import duckdb

from identity.import_files.faults import FileFault, ImportFileError

RESULT_COLUMNS = (
    *("row", "personal_id", "full_name", "full_name_score"),
    *("birth_date", "reason"),
)
_HEADER = (",".join(RESULT_COLUMNS) + "\n").encode()
_COMMAS = len(RESULT_COLUMNS) - 1
_PARQUET_TYPES = {
    "row": "BIGINT",
    "personal_id": "VARCHAR",
    "full_name": "VARCHAR",
    "full_name_score": "SMALLINT",
    "birth_date": "VARCHAR",
    "reason": "VARCHAR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """How one row compares; each a word in small letters, empty where there is none.

    Attributes:
        personal_id: Whether anybody has it.
        full_name: The name.
        full_name_score: 0 to 99, or None.
        birth_date: The birth date.
        reason: Why the row was refused.
    """

    personal_id: str = ""
    full_name: str = ""
    full_name_score: int | None = None
    birth_date: str = ""
    reason: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """As they stand in a line, after the row's place."""
        score = "" if self.full_name_score is None else str(self.full_name_score)
        return (self.personal_id, self.full_name, score, self.birth_date, self.reason)


@dataclass(slots=True)
class MatchResults:
    """The result file of one matching.

    Attributes:
        output: Where it will be.
        import_id: Of the matching.
        batch_rows: Rows of a batch.
        row_count: Rows that are in it.
        counts: Of the words in it, by column and word; of refused rows under `reason` alone.
    """

    output: Path
    import_id: str
    batch_rows: int
    row_count: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _file: BufferedRandom | None = None

    def open(self) -> int:
        """Go on with what is whole of an earlier run; returns its batches.

        Raises:
            ImportFileError: It cannot be written.
        """
        try:
            for path in self.output.parent.glob(f".{self.output.name}.*.partial"):
                if path != self._partial:
                    path.unlink()
            descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        self._file = os.fdopen(descriptor, "r+b")
        self._keep_whole_batches(self._file)
        return self.row_count // self.batch_rows

    def append(self, results: Iterable[RowResult]) -> None:
        """Add a batch, in the order of the rows."""
        lines = []
        for result in results:
            self.row_count += 1
            self._count(result.values)
            lines.append(",".join((str(self.row_count), *result.values)) + "\n")
        assert self._file is not None, "it was opened"
        try:
            self._file.write("".join(lines).encode())
            # Killed from here on, the operating system has it.
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        """Put the file in its place, as Parquet where its name says so; an older one gives way.

        Raises:
            ImportFileError: It cannot be written.
        """
        assert self._file is not None, "it was opened"
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            if self.output.suffix.lower() == ".parquet":
                self._convert()
                self._partial.unlink()
            else:
                self._partial.replace(self.output)
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Leave what is there for the next run."""
        if self._file is not None:
            self._file.close()

    @property
    def _partial(self) -> Path:
        return self.output.with_name(f".{self.output.name}.{self.import_id}.partial")

    def _keep_whole_batches(self, file: BufferedRandom) -> None:
        if file.readline() != _HEADER:
            file.seek(0)
            file.truncate()
            file.write(_HEADER)
            return
        end = position = len(_HEADER)
        batch: list[tuple[str, ...]] = []
        for number, line in enumerate(file, start=1):
            values = _values(line, number=number)
            if values is None:
                break
            batch.append(values)
            position += len(line)
            if len(batch) == self.batch_rows:
                end, self.row_count = position, number
                for each in batch:
                    self._count(each)
                batch.clear()
        file.seek(end)
        file.truncate()

    def _count(self, values: tuple[str, ...]) -> None:
        personal_id, full_name, _, birth_date, reason = values
        if reason:
            self.counts["reason", "refused"] += 1
            return
        named = (("personal_id", personal_id), ("full_name", full_name), ("birth_date", birth_date))
        self.counts.update(named)

    def _convert(self) -> None:
        scratch = self._partial.with_suffix(".parquet")
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            rows = connection.read_csv(
                str(self._partial), dtype=_PARQUET_TYPES, header=True, na_values=""
            )
            rows.write_parquet(str(scratch))
        scratch.replace(self.output)

    def _unwritable(self, error: OSError) -> ImportFileError:
        return ImportFileError(
            FileFault.FILE_UNREADABLE, f"{self.output} cannot be written: {error.strerror}"
        )


def _values(line: bytes, *, number: int) -> tuple[str, ...] | None:
    """What stands in a line after the row's place; None of a torn one."""
    is_whole = line.endswith(b"\n") and line.count(b",") == _COMMAS
    if not is_whole or not line.startswith(b"%d," % number):
        return None
    return tuple(line.decode("ascii", "replace").rstrip("\n").split(",")[1:])
