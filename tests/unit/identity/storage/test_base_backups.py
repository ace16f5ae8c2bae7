"""Base backups are whole or not there, and what is damaged is found."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from identity.storage.backup_manifest import BackupError, format_manifest, format_sealed
from identity.storage.base_backups import (
    MANIFEST_FILE,
    BackupSource,
    BackupStore,
    create_backup,
    read_manifest,
    refuse_foreign,
    verify_files,
)
from identity.storage.embedded import embedded_postgres
from identity.storage.embedded_programs import ProgramError
from identity.storage.wal_archive import segment_name


def seal(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One backup, never changed."""
    root = tmp_path_factory.mktemp("backed-up")
    data = root / "state" / "postgres"
    with embedded_postgres(data) as url:
        of = BackupSource(url=url, data=data, schema_version="0001", key_ids=[2, 1])
        return create_backup(of, BackupStore(root / "backups"), seal=seal)


@pytest.fixture
def backup(source: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(source, tmp_path / source.name, copy_function=os.link))


def verify(backup: Path) -> None:
    manifest, found = read_manifest(backup)
    refuse_foreign(manifest, found, seal=seal)
    verify_files(backup, manifest)


def test_a_backup_is_whole_private_and_says_what_it_needs(source: Path) -> None:
    verify(source)
    manifest, _ = read_manifest(source)
    assert (manifest.key_ids, manifest.schema_version) == ([1, 2], "0001")
    assert manifest.began_at < manifest.ended_at
    assert manifest.backup_id == source.name
    assert source.stat().st_mode & 0o077 == 0
    assert [path.name for path in source.parent.iterdir()] == [source.name]


def flip(path: Path) -> None:
    """Change one octet in the middle, in a file of its own."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [flip, cut, link, pipe, Path.unlink])
@pytest.mark.parametrize("name", ["data/global/pg_control", "data/PG_VERSION", "manifest.json"])
def test_whatever_is_changed_is_found(
    backup: Path, name: str, change: Callable[[Path], None]
) -> None:
    change(backup / name)
    with pytest.raises(BackupError):
        verify(backup)


def test_a_changed_octet_of_the_log_is_found(backup: Path) -> None:
    flip(next((backup / "data" / "pg_wal").glob("0*")))
    with pytest.raises(BackupError, match=r"pg_wal/.* is damaged"):
        verify(backup)


def test_what_is_too_much_is_found(backup: Path) -> None:
    (backup / "data" / "recovery.signal").touch()
    with pytest.raises(BackupError, match="not of this backup"):
        verify(backup)
    (backup / "data" / "recovery.signal").unlink()
    (backup / "data" / "more").mkdir()
    with pytest.raises(BackupError, match="not of this backup"):
        verify(backup)


def test_a_directory_that_became_a_link_is_found(backup: Path, tmp_path: Path) -> None:
    (backup / "data").rename(tmp_path / "elsewhere")
    (backup / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupError, match="not a directory"):
        verify(backup)


def test_a_manifest_of_other_keys_or_changed_under_its_seal_is_refused(backup: Path) -> None:
    manifest, found = read_manifest(backup)
    with pytest.raises(BackupError, match="other keys"):
        refuse_foreign(manifest, found, seal=lambda text: seal(f"{text} "))
    changed = replace(manifest, schema_version="0000")
    (backup / MANIFEST_FILE).unlink()
    (backup / MANIFEST_FILE).write_bytes(format_sealed(changed, found))
    with pytest.raises(BackupError, match="other keys"):
        verify(backup)


def test_a_manifest_without_end_is_refused(backup: Path) -> None:
    (backup / MANIFEST_FILE).unlink()
    with (backup / MANIFEST_FILE).open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: it takes no disk
    with pytest.raises(BackupError, match="larger than it can be"):
        read_manifest(backup)


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "state" / "postgres"
    with embedded_postgres(data) as url:
        of = BackupSource(url=url, data=data, schema_version="0001", key_ids=[1])
        with pytest.raises(ProgramError, match="transfer rate"):
            create_backup(of, BackupStore(tmp_path / "backups"), seal=seal, kb_per_s_max=1)
    assert not list((tmp_path / "backups" / "base").iterdir())


def in_store(store: BackupStore, backup: Path, days: int) -> Path:
    """The backup again, as it would have been made days later, with more of the log behind it."""
    manifest, _ = read_manifest(backup)
    later = replace(
        manifest,
        backup_id=f"202605{days:02}T120000Z-0a1b2c3d",
        ended_at=manifest.ended_at + timedelta(days=days),
        start_lsn=f"0/{days:02X}000028",
    )
    made = store.bases / later.backup_id
    shutil.copytree(backup, made, copy_function=os.link)
    (made / MANIFEST_FILE).unlink()
    (made / MANIFEST_FILE).write_bytes(format_sealed(later, seal(format_manifest(later))))
    return made


def test_pruning_keeps_the_newest_and_the_log_that_they_need(source: Path, tmp_path: Path) -> None:
    store = BackupStore(tmp_path)
    made = [in_store(store, source, days) for days in (2, 5, 9)]
    damaged = store.bases / "damaged"
    damaged.mkdir()
    store.archive.directory.mkdir()
    segments = [store.archive.directory / f"{segment_name(1, n)}.gz" for n in range(1, 12)]
    for path in segments:
        path.touch()
    assert store.prune(keep=2, seal=seal) == made[:1]
    assert list(store.list(seal=seal)) == [*made[1:], damaged]
    assert sorted(store.archive.directory.iterdir()) == segments[4:]
    assert store.prune(keep=2, seal=seal) == []
    assert isinstance(store.list(seal=seal)[damaged], BackupError)


def forge(backup: Path) -> None:
    """Sealed with other keys, as whoever can write there could."""
    manifest, _ = read_manifest(backup)
    (backup / MANIFEST_FILE).unlink()
    other = seal(f"{format_manifest(manifest)} ")
    (backup / MANIFEST_FILE).write_bytes(format_sealed(manifest, other))


def rename(backup: Path) -> None:
    backup.rename(backup.with_name("20260531T120000Z-0a1b2c3d"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda backup: cut(backup / "data" / "PG_VERSION"), "PG_VERSION is damaged"),
        (lambda backup: (backup / "data" / "PG_VERSION").unlink(), "PG_VERSION is missing"),
        (lambda backup: shutil.rmtree(backup / "data"), "is not a directory"),
        (lambda backup: (backup / MANIFEST_FILE).unlink(), "cannot be read"),
        (forge, "other keys"),
        (rename, "under another name"),
    ],
    ids=["cut", "missing", "no data", "no manifest", "forged", "copied"],
)
def test_pruning_neither_counts_nor_removes_what_cannot_be_relied_on(
    source: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    store = BackupStore(tmp_path)
    old, whole, newest = (in_store(store, source, days) for days in (2, 5, 9))
    damage(newest)
    assert store.prune(keep=1, seal=seal) == [old]
    found = store.list(seal=seal)
    (said,) = (each for path, each in found.items() if path != whole)
    assert isinstance(said, BackupError)
    assert says in str(said)
    assert store.prune(keep=1, seal=seal) == []
