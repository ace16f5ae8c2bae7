"""A backup of a running server, restored to an instant: just what was acknowledged by then."""

import gzip
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from identity.storage.backup_manifest import BackupError
from identity.storage.base_backups import (
    BackupSource,
    BackupStore,
    create_backup,
    read_manifest,
)
from identity.storage.embedded import embedded_postgres
from identity.storage.restoring import restore_data
from identity.storage.wal_archive import ArchiveError


def seal(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


@dataclass(frozen=True)
class Written:
    """What a server was told while a backup was taken, and when."""

    store: BackupStore
    backup: Path
    at: datetime
    by_then: list[int]
    in_all: list[int]

    def restore(self, data: Path, *, to: datetime | None) -> list[int]:
        """Restore it, and read what is there."""
        data.parent.mkdir()
        manifest, _ = read_manifest(self.backup)
        restore_data(self.backup, manifest, data, archive=self.store.archive, to=to)
        return values(data)


def values(data: Path) -> list[int]:
    with embedded_postgres(data) as url, psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def now(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A server that writes before, while and after it is backed up, stopped in good order."""
    root = tmp_path_factory.mktemp("written")
    store, data = BackupStore(root / "backups"), root / "state" / "postgres"
    with (
        embedded_postgres(data, archive=store.archive.directory) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE kept (value int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        source = BackupSource(url=url, data=data, schema_version="0001", key_ids=[1])
        backup = create_backup(source, store, seal=seal)
        for value in range(2, 12):
            connection.execute("INSERT INTO kept VALUES (%s)", [value])
        at = now(connection)
        for value in range(12, 22):
            connection.execute("INSERT INTO kept VALUES (%s)", [value])
    return Written(store, backup, at, list(range(1, 12)), list(range(1, 22)))


def test_the_instant_has_just_what_was_acknowledged_before_it_and_so_the_next_time(
    written: Written, tmp_path: Path
) -> None:
    for turn in ("first", "second"):
        assert written.restore(tmp_path / turn / "postgres", to=written.at) == written.by_then


def test_without_an_instant_everything_that_was_archived_is_there(
    written: Written, tmp_path: Path
) -> None:
    assert written.restore(tmp_path / "state" / "postgres", to=None) == written.in_all


def test_what_was_restored_does_not_write_into_the_archive_that_it_came_from(
    written: Written, tmp_path: Path
) -> None:
    data = tmp_path / "state" / "postgres"
    written.restore(data, to=None)
    with pytest.raises(ArchiveError, match="of another database"):
        embedded_postgres(data, archive=written.store.archive.directory).__enter__()


@pytest.mark.parametrize(
    ("moved", "says"),
    [(timedelta(days=1), "the archive ends before"), (-timedelta(days=1), "take an older one")],
)
def test_an_instant_that_is_not_in_the_archive_is_refused(
    written: Written, tmp_path: Path, moved: timedelta, says: str
) -> None:
    with pytest.raises(BackupError, match=says):
        written.restore(tmp_path / "state" / "postgres", to=written.at + moved)


def test_the_backup_alone_is_as_it_was_when_it_was_whole(written: Written, tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    manifest, _ = read_manifest(written.backup)
    restore_data(written.backup, manifest, data, archive=None, to=None)
    assert values(data) == [1]
    with pytest.raises(BackupError, match="without an archive"):
        restore_data(written.backup, manifest, data, archive=None, to=written.at)


def test_a_gap_in_the_archive_is_not_taken_for_its_end(written: Written, tmp_path: Path) -> None:
    archive = written.store.archive.directory
    first, *_, last = sorted(archive.glob("0*[0-9A-F].gz"))[-2:]
    whole = last.read_bytes()
    for damage in (whole[:-20], gzip.compress(b"too short"), b"no gzip"):
        last.write_bytes(damage)
        with pytest.raises(ArchiveError, match="damaged"):
            written.restore(tmp_path / damage[:2].hex() / "postgres", to=None)
        (tmp_path / damage[:2].hex()).rmdir()
    last.write_bytes(whole)
    hidden = first.rename(first.with_suffix(".hidden"))
    try:
        with pytest.raises(ArchiveError, match="missing"):
            written.restore(tmp_path / "gap" / "postgres", to=None)
    finally:
        hidden.rename(first)
