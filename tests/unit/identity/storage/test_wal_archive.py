"""The archive of the log: wherever it is, complete, and one database's own."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.storage.embedded import embedded_postgres
from identity.storage.wal_archive import (
    ArchiveError,
    WALArchive,
    archive_mark,
    is_archiving,
    segment_name,
    segment_of,
    stop_archiving,
)

ODD = 'it\'s 100% "odd" \\ $(touch x) ; %p'


def write(url: str) -> None:
    """Something that fills a part of a segment."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def test_a_server_that_stopped_has_archived_all_of_its_log_whatever_the_path(
    tmp_path: Path,
) -> None:
    data, archive = tmp_path / "state" / "postgres", tmp_path / ODD / "wal"
    for _ in range(2):
        with embedded_postgres(data, archive=archive) as url:
            write(url)
    own = WALArchive(archive)
    numbers = own.segments(1)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    own.refuse_gaps(1, first=numbers[0])
    assert archive.stat().st_mode & 0o077 == 0
    assert not list(archive.glob(".*.unfinished"))
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"state", ODD}] == []


def test_nothing_is_written_where_the_archives_disk_is_away_and_all_when_it_is_back(
    tmp_path: Path,
) -> None:
    data, archive = tmp_path / "state" / "postgres", tmp_path / "wal"
    with embedded_postgres(data, archive=archive) as url:
        write(url)
    before = WALArchive(archive).segments(1)
    with embedded_postgres(data) as url:
        archive.rename(tmp_path / "away")
        archive.mkdir()
        write(url)
    with pytest.raises(ArchiveError, match="has lost its archive"):
        embedded_postgres(data, archive=archive).__enter__()
    assert not list(archive.iterdir())
    archive.rmdir()
    (tmp_path / "away").rename(archive)
    with embedded_postgres(data):
        pass
    after = WALArchive(archive).segments(1)
    assert len(after) > len(before)
    WALArchive(archive).refuse_gaps(1, first=after[0])


def test_archiving_goes_on_without_being_told_again_until_it_is_turned_off(
    tmp_path: Path,
) -> None:
    data = tmp_path / "state" / "postgres"
    with embedded_postgres(data, archive=tmp_path / "wal"):
        assert is_archiving(data)
    for expected in ("on", "off"):
        with embedded_postgres(data) as url, psycopg.connect(url) as connection:
            row = connection.execute("SHOW archive_mode").fetchone()
            assert row == (expected,)
        stop_archiving(data)


def test_the_archive_of_another_database_is_refused_and_left(tmp_path: Path) -> None:
    archive = tmp_path / "wal"
    with embedded_postgres(tmp_path / "one" / "postgres", archive=archive):
        pass
    before = sorted(archive.iterdir())
    with pytest.raises(ArchiveError, match="of another database"):
        embedded_postgres(tmp_path / "two" / "postgres", archive=archive).__enter__()
    assert sorted(archive.iterdir()) == before
    assert not is_archiving(tmp_path / "two" / "postgres")


def test_a_damaged_mark_is_told(tmp_path: Path) -> None:
    archive_mark(tmp_path)
    (tmp_path / "subid-archive.id").write_bytes(b"../../..")
    with pytest.raises(ArchiveError, match="damaged"):
        archive_mark(tmp_path)


@given(st.integers(min_value=0, max_value=2**64 - 1), st.integers(min_value=1, max_value=2**32 - 1))
def test_the_name_of_a_segment_is_postgresqls(position: int, timeline: int) -> None:
    number = segment_of(f"{position >> 32:X}/{position & 0xFFFFFFFF:X}")
    assert number == position >> 24
    name = segment_name(timeline, number)
    assert (len(name), int(name[:8], 16)) == (24, timeline)
    assert (int(name[8:16], 16), int(name[16:], 16)) == (position >> 32, (position >> 24) & 0xFF)
