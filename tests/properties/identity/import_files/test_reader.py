"""Whatever a CSV file holds comes out as another reader finds it, or the file is refused."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.import_files.faults import ImportFileError
from identity.import_files.reader import open_import_file
from tests.unit.identity.import_files.files import BOOK, ROW, selected

FIELDS = st.text(st.sampled_from("a0ế\",#\n'\\; \t-"), max_size=12)
ROWS = st.lists(st.lists(FIELDS, min_size=4, max_size=4), min_size=1, max_size=20)


def originals(content: bytes) -> list[tuple[str | None, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.csv"
        path.write_bytes(content)
        with open_import_file(path) as file:
            file.check(selected(file.columns))
            return [row for batch in file.originals(batch_rows=7) for row in batch]


def csv_bytes(rows: list[list[str]], line_end: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(BOOK.split(","))
    # A date, so that the column of dates is one, and a name that makes no line empty.
    writer.writerows([["x", *row[1:3], "1990-02-28"] for row in rows])
    return out.getvalue().encode()


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_every_field_comes_out_as_it_went_in(rows: list[list[str]], line_end: str) -> None:
    expected = [("x", row[1] or None, row[2] or None, "1990-02-28") for row in rows]
    assert originals(csv_bytes(rows, line_end)) == expected


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, place=st.integers(min_value=0), byte=st.binary(min_size=1, max_size=2))
def test_a_file_with_a_byte_more_is_refused_or_read_as_another_reader_does(
    rows: list[list[str]], place: int, byte: bytes
) -> None:
    content = csv_bytes(rows, "\n")
    place = len(BOOK) + 1 + place % (len(content) - len(BOOK))
    spoilt = content[:place] + byte + content[place:]
    try:
        found = originals(spoilt)
    except ImportFileError:
        return
    text = io.StringIO(spoilt.decode(), newline="")
    lines = [line for line in csv.reader(text) if line][1:]
    assert found == [tuple(value or None for value in line) for line in lines]


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for head in (b"", f"{BOOK}\n".encode(), f"{BOOK}\n{ROW}\n".encode(), b"PAR1"):
        try:
            rows = originals(head + content)
        except ImportFileError as error:
            assert len(str(error)) < 3_000  # noqa: PT017 - there need not be one
        else:
            assert rows
