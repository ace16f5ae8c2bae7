"""Refused rows come back as the file had them, and can be sent again."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.import_files.faults import FileFault
from identity.import_files.reader import open_import_file
from identity.import_files.rejects import Reject, write_rejects
from tests.unit.identity.import_files.files import BOOK, read, refused, write


def reject(row_index: int) -> Reject:
    return Reject(row_index=row_index, field="msisdn", reason="MSISDN_MALFORMED")


def rejects_of(path: Path, *row_indexes: int) -> Path:
    with open_import_file(path) as file:
        return write_rejects(
            path,
            file.columns,
            file.originals(batch_rows=3),
            iter([reject(index) for index in row_indexes]),
        )


def book(folder: Path, count: int = 10) -> Path:
    rows = [f'{number},0{number},"a ""b"",\n{number}",2000-01-01' for number in range(count)]
    return write(folder, "\n".join([BOOK, *rows]))


def test_rejects_are_the_rows_of_the_file_with_number_field_and_reason(tmp_path: Path) -> None:
    path = rejects_of(write(tmp_path, f"notes,{BOOK}\nx,,01,\0,\ny,2,02,b,\n"), 0)
    assert path.name == "book.csv.rejects.csv"
    assert path.read_text() == (
        '"notes","msisdn","personal_id","full_name","birth_date",'
        '"reject_row","reject_field","reject_reason"\n'
        '"x","","01","\0","",1,"msisdn","MSISDN_MALFORMED"\n'
    )


def test_rejects_anywhere_in_the_file_are_found_and_can_be_read_back(tmp_path: Path) -> None:
    source = book(tmp_path)
    (everything,) = read(source)
    found = rejects_of(source, 0, 2, 3, 8, 9)
    assert read(found) == [[everything[index] for index in (0, 2, 3, 8, 9)]]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_value_with_a_line_end_in_it_can_be_read_back(tmp_path: Path, end: str) -> None:
    source = write(tmp_path, f'{BOOK}\n1,01,"Nguyễn{end}An",2000-01-01\n')
    found = rejects_of(source, 0)
    assert read(found) == read(source)


def test_rejects_of_rejects_have_their_reasons_once(tmp_path: Path) -> None:
    again = rejects_of(rejects_of(book(tmp_path), 3, 5), 1)
    assert again.name == "book.csv.rejects.csv.rejects.csv"
    assert again.read_text().splitlines()[0].count("reject_row") == 1
    assert again.read_text().endswith(',2,"msisdn","MSISDN_MALFORMED"\n')


def test_rejects_that_somebody_may_be_correcting_are_left_alone(tmp_path: Path) -> None:
    source = book(tmp_path)
    first = rejects_of(source, 1)
    first.write_text("corrected")
    assert [rejects_of(source, 1).name, rejects_of(source, 1).name] == [
        "book.csv.rejects-2.csv",
        "book.csv.rejects-3.csv",
    ]
    assert first.read_text() == "corrected"


def test_rejects_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    assert stat.S_IMODE(rejects_of(book(tmp_path), 1).stat().st_mode) == 0o600


def test_a_reject_of_no_row_leaves_nothing_behind(tmp_path: Path) -> None:
    source = book(tmp_path)
    with refused(FileFault.FILE_CHANGED):
        rejects_of(source, 10)
    assert list(tmp_path.iterdir()) == [source]


def test_rejects_are_written_as_they_come(tmp_path: Path) -> None:
    """The next is asked for when the one before is written: none are gathered."""
    source = book(tmp_path, count=9)
    batches: list[int] = []
    seen: list[tuple[int, int]] = []

    def rejects() -> Iterator[Reject]:
        for index in range(9):
            seen.append((index, len(batches)))
            yield reject(index)

    with open_import_file(source) as file:

        def counted() -> Iterator[list[tuple[str | None, ...]]]:
            for batch in file.originals(batch_rows=3):
                batches.append(len(batch))
                yield batch

        write_rejects(source, file.columns, counted(), rejects())
    assert seen == [(0, 0), *((index, (index - 1) // 3 + 1) for index in range(1, 9))]
