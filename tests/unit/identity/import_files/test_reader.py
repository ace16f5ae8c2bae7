"""Files are read as they are, in their order, or refused with a code before anything is sent."""

import gzip
import hashlib
import os
import random
from pathlib import Path

import pytest

from identity.import_files.faults import FileFault
from identity.import_files.reader import (
    BUFFER_BYTES,
    COLUMNS_MAX,
    LINE_BYTES_MAX,
    ROW_BYTES_MAX,
    open_import_file,
)
from tests.unit.identity.import_files.files import (
    BOOK,
    ROW,
    read,
    refused,
    selected,
    write,
    write_parquet,
)

FIRST = ("0912345678", "001090000001", "Nguyễn Văn An", "1990-02-28", None, None, None)
PARQUET_ROW = "'0912345678' msisdn, '001090000001' personal_id, 'Nguyễn Văn An' full_name"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_csv_file_is_read_as_text_with_its_leading_zeros(
    tmp_path: Path, line_end: str, mark: bytes
) -> None:
    path = write(tmp_path, mark + f"{BOOK}{line_end}{ROW}{line_end}".encode())
    assert read(path) == [[FIRST]]


def test_nothing_of_a_csv_file_is_guessed_away(tmp_path: Path) -> None:
    lines = [BOOK, "#1,a,b,1990-01-01", "null,NULL,NaN,true", '"1\n2","a,""b""",,', ROW, ROW]
    (batch,) = read(write(tmp_path, "\n".join(lines)))
    assert [row[:4] for row in batch] == [
        ("#1", "a", "b", "1990-01-01"),
        ("null", "NULL", "NaN", "true"),
        ("1\n2", 'a,"b"', None, None),
        FIRST[:4],
        FIRST[:4],
    ]


def test_a_parquet_file_is_read_with_dates_as_days(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, f"SELECT DATE '1990-02-28' birth_date, {PARQUET_ROW}")
    assert read(path) == [[FIRST]]


def test_a_parquet_file_is_told_by_what_it_holds_and_not_by_its_name(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, f"SELECT '1990-02-28' birth_date, {PARQUET_ROW}")
    assert read(path.rename(tmp_path / "book.csv")) == [[FIRST]]


def test_batches_are_full_but_the_last_and_may_begin_anywhere(tmp_path: Path) -> None:
    lines = [f"{number},1,a,2000-01-01" for number in range(10_007)]
    path = write(tmp_path, "\n".join([BOOK, *lines]))
    found = read(path, batch_rows=2_500)
    assert [len(batch) for batch in found] == [2_500, 2_500, 2_500, 2_500, 7]
    assert [row[0] for batch in found for row in batch] == [str(n) for n in range(10_007)]
    rest = read(path, first_row=5_000, batch_rows=2_500)
    assert rest == found[2:]


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path) -> None:
    write(tmp_path, f"{BOOK}\n{ROW}", name="book-1.csv")
    path = write(tmp_path, f"{BOOK}\n{ROW}\n{ROW}", name="book-[1]*.csv")
    assert read(path) == [[FIRST, FIRST]]


def test_the_original_columns_come_with_those_that_are_not_sent(tmp_path: Path) -> None:
    path = write(tmp_path, f"notes,{BOOK}\nold,{ROW}")
    with open_import_file(path) as file:
        assert list(file.originals(batch_rows=10)) == [[("old", *FIRST[:4])]]


def test_the_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}")
    with open_import_file(path) as file:
        checked = file.check(selected(file.columns))
        assert checked.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_follows_a_quote_without_an_end_is_never_dropped(tmp_path: Path) -> None:
    lines = f"{ROW}\n" * (BUFFER_BYTES // len(ROW) + 1_000)
    for content in (f'"{lines}', f'{lines}"{ROW}', f'{lines}"{lines}'):
        path = write(tmp_path, f"{BOOK}\n{content}")
        with refused(FileFault.FILE_MALFORMED) as messages:
            read(path)
        assert "quote that does not end" in messages[0]


def test_a_quote_that_is_open_for_too_long_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f'{BOOK}\n"' + f"{ROW}\n" * 2_000 + '",1,a,2000-01-01\n')
    with refused(FileFault.LINE_TOO_LONG):
        read(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", FileFault.FILE_EMPTY),
        (f"{BOOK}\n", FileFault.FILE_EMPTY),
        (gzip.compress(f"{BOOK}\n{ROW}".encode()), FileFault.FILE_COMPRESSED),
        (f"{BOOK}\n{ROW}".encode("utf-16"), FileFault.FILE_NOT_UTF8),
        (f"{BOOK}\n{ROW}\n".encode() + b"\xff\xfe,1,a,2000-01-01", FileFault.FILE_NOT_UTF8),
        (b"\xff" + f"{BOOK}\n{ROW}\n".encode(), FileFault.FILE_NOT_UTF8),
        (f"{BOOK}\n{ROW}\n1,2", FileFault.FILE_MALFORMED),
        (f"{BOOK}\n{ROW},5", FileFault.FILE_MALFORMED),
        (f'{BOOK}\n{ROW}\n"{ROW}', FileFault.FILE_MALFORMED),
        (f'{BOOK}\n{ROW}\n1,2,"a,\n{ROW}\n{ROW}\n', FileFault.FILE_MALFORMED),
        (f"{BOOK}\r\n{ROW}\n{ROW}\r{ROW}\r\n", FileFault.FILE_MALFORMED),
        (f'"{BOOK}\n{ROW}', FileFault.FILE_MALFORMED),
        ("," * (COLUMNS_MAX + 1) + "\n", FileFault.FILE_MALFORMED),
        (f"{BOOK}\n{'x' * (LINE_BYTES_MAX + 1)},1,a,2000-01-01", FileFault.LINE_TOO_LONG),
        ("x" * (LINE_BYTES_MAX + 1), FileFault.LINE_TOO_LONG),
        (f"{BOOK}\n{ROW}\n{'x' * (ROW_BYTES_MAX + 1)},1,a,", FileFault.ROW_TOO_LARGE),
        (f"{BOOK}\n1,1,a,28/02/1990\n1,1,a,", FileFault.COLUMN_ILL_TYPED),
        (f"{BOOK.replace(',', ';')}\n{ROW}", FileFault.COLUMN_MISSING),
        (b"PAR1" + bytes(100), FileFault.FILE_MALFORMED),
        (random.Random(1).randbytes(100_000), FileFault.FILE_NOT_UTF8),
    ],
)
def test_a_broken_file_is_refused_with_a_code(
    tmp_path: Path, content: str | bytes, fault: FileFault
) -> None:
    path = write(tmp_path, content)
    with refused(fault):
        read(path)


def test_a_fault_names_its_line_and_not_what_stands_there(tmp_path: Path) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}\n{ROW}\nLý Bí Mật,1\n")
    with refused(FileFault.FILE_MALFORMED) as messages:
        read(path)
    assert "line 4 has more or fewer columns" in messages[0]
    assert "Mật" not in messages[0]


def test_a_row_that_is_too_large_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}\n{'x' * (ROW_BYTES_MAX + 1)},1,a,\n{ROW}")
    with refused(FileFault.ROW_TOO_LARGE) as messages:
        read(path)
    assert "row 2 " in messages[0]


def test_a_fault_in_a_column_that_is_not_wanted_is_found_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, f"{BOOK},notes\n".encode() + ROW.encode() + b",\xff\n")
    with open_import_file(path) as file, refused(FileFault.FILE_NOT_UTF8):
        file.check(selected(file.columns, ignored={"notes"}))


def test_a_nul_byte_is_read_as_it_is_and_left_to_the_service(tmp_path: Path) -> None:
    row = ROW.replace("Văn", "V\0n")
    (batch,) = read(write(tmp_path, f"{BOOK}\n{row}"))
    assert batch[0][2] == "Nguyễn V\0n An"


@pytest.mark.parametrize("end", ["", "\n", ",1,a,2000-01-01\n1,1,a,2000-01-01\n"])
def test_a_line_without_an_end_is_refused(tmp_path: Path, end: str) -> None:
    path = tmp_path / "book.csv"
    with path.open("wb") as file:
        file.write(f"{BOOK}\n{ROW}\n".encode())
        for _ in range(3):
            file.write(b"x" * BUFFER_BYTES)
        file.write(end.encode())
    with refused(FileFault.LINE_TOO_LONG):
        read(path)


def test_a_parquet_value_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path,
        "SELECT '1990-02-28' birth_date, '1' msisdn, '1' personal_id, "
        "repeat('x', 40000000) full_name",
    )
    with refused(FileFault.ROW_TOO_LARGE):
        read(path)


def test_a_parquet_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, f"SELECT '1990-02-28' birth_date, {PARQUET_ROW}")
    path.write_bytes(path.read_bytes()[:-20])
    with refused(FileFault.FILE_MALFORMED):
        read(path)


def test_a_csv_file_called_parquet_is_refused(tmp_path: Path) -> None:
    with refused(FileFault.FILE_MALFORMED):
        read(write(tmp_path, f"{BOOK}\n{ROW}", name="book.parquet"))


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "absent", Path("/dev/zero")):
        with refused(FileFault.FILE_UNREADABLE), open_import_file(path):
            pass
    with refused(FileFault.FILE_UNREADABLE), open_import_file(tmp_path / "a\0b"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}")
    path.chmod(0)
    with refused(FileFault.FILE_UNREADABLE), open_import_file(path):
        pass


@pytest.mark.parametrize("content", [f"{BOOK}\n", f"{BOOK}\n{ROW}\n{ROW}\n{ROW}\n"])
def test_a_file_that_is_written_to_while_it_is_read_has_no_end(
    tmp_path: Path, content: str
) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}\n{ROW}\n")
    with open_import_file(path) as file:
        selection = selected(file.columns)
        file.check(selection)
        path.write_text(content)
        with refused(FileFault.FILE_CHANGED):
            list(file.batches(selection, first_row=0, batch_rows=1))


def test_a_file_that_is_replaced_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, f"{BOOK}\n{ROW}\n{ROW}\n")
    with open_import_file(path) as file:
        selection = selected(file.columns)
        write(tmp_path, "another", name="new.csv").replace(path)
        assert file.check(selection).row_count == 2
