"""The result file of a matching: whole batches stay, whatever tore the rest."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from identity.import_files.faults import FileFault, ImportFileError
from identity.import_files.match_results import RESULT_COLUMNS, MatchResults, RowResult

EXACT = RowResult(personal_id="known", full_name="exact", birth_date="exact")
OTHER = RowResult(
    personal_id="known", full_name="different", full_name_score=71, birth_date="not_given"
)
REFUSED = RowResult(reason="PERSONAL_ID_MALFORMED")
HEADER = ",".join(RESULT_COLUMNS) + "\n"
LINES = "1,known,exact,,exact,\n2,known,different,71,not_given,\n3,,,,,PERSONAL_ID_MALFORMED\n"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "book.csv.matches.csv"


def results(output: Path, *, name: str = "a") -> MatchResults:
    return MatchResults(output, name, 2)


def partial(output: Path, *, name: str = "a") -> Path:
    return output.with_name(f".{output.name}.{name}.partial")


def test_what_is_finished_is_a_line_for_each_row(output: Path) -> None:
    output.write_text("an older result")
    with closing(results(output)) as file:
        assert file.open() == 0
        file.append([EXACT, OTHER])
        file.append([REFUSED])
        file.finish()
    assert output.read_text() == HEADER + LINES
    assert list(output.parent.iterdir()) == [output]
    assert file.counts == {
        ("personal_id", "known"): 2,
        ("full_name", "exact"): 1,
        ("full_name", "different"): 1,
        ("birth_date", "exact"): 1,
        ("birth_date", "not_given"): 1,
        ("reason", "refused"): 1,
    }


def test_a_name_that_ends_in_parquet_gets_parquet(tmp_path: Path) -> None:
    output = tmp_path / "book.PARQUET"
    with closing(results(output)) as file:
        file.open()
        file.append([EXACT, OTHER])
        file.append([REFUSED])
        file.finish()
    found = duckdb.read_parquet(str(output))
    assert found.columns == list(RESULT_COLUMNS)
    assert found.fetchall() == [
        (1, "known", "exact", None, "exact", None),
        (2, "known", "different", 71, "not_given", None),
        (3, None, None, None, None, "PERSONAL_ID_MALFORMED"),
    ]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("cut", range(len(HEADER + LINES) + 1))
def test_cut_off_anywhere_it_goes_on_after_its_last_whole_batch(output: Path, cut: int) -> None:
    whole = (HEADER + LINES).encode()
    partial(output).write_bytes(whole[:cut])
    has_batch = cut >= len(HEADER) + LINES.index("3,")
    with closing(results(output)) as file:
        assert file.open() == (1 if has_batch else 0)
        assert file.row_count == (2 if has_batch else 0)
        if not has_batch:
            file.append([EXACT, OTHER])
        file.append([REFUSED])
        file.finish()
    assert output.read_bytes() == whole
    assert file.counts["full_name", "exact"] == 1


@pytest.mark.parametrize("torn", ["7,known,exact,,exact,\n", "2,known,exact\n", "\x00" * 30 + "\n"])
def test_a_line_that_is_none_ends_what_is_kept(output: Path, torn: str) -> None:
    first = "1,known,exact,,exact,\n"
    partial(output).write_text(HEADER + first + torn + "3,known,exact,,exact,\n")
    with closing(results(output)) as file:
        assert file.open() == 0
    assert partial(output).read_text() == HEADER


def test_what_another_matching_left_is_removed(output: Path) -> None:
    partial(output, name="old").write_text(HEADER + LINES)
    with closing(results(output)) as file:
        assert file.open() == 0
    assert not partial(output, name="old").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError) as refusal:
        results(tmp_path / "missing" / "book.csv").open()
    assert refusal.value.fault is FileFault.FILE_UNREADABLE
