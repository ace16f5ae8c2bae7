"""Base backups of the embedded server: taken while it runs, whole or not there, checked, removed.

Owns the directory of backups: `base/ID/manifest.json` and `base/ID/data/`, and beside them the
archive of the log, `wal/`. What is sealed and with which keys is the caller's business, and how one
is restored that of `restoring.py`.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from identity.state_directory import locked, read_whole, sync_directory, write_whole
from identity.storage.backup_manifest import (
    MANIFEST_BYTES_MAX,
    BackupError,
    BackupFile,
    BackupManifest,
    format_manifest,
    format_sealed,
    parse_sealed,
)
from identity.storage.embedded_programs import remove_tree, run_program
from identity.storage.wal_archive import MARK_FILE, WALArchive, archive_mark, parse_mark

MANIFEST_FILE = "manifest.json"
DATA = "data"

_CHUNK_BYTES = 2**20
_THEIR_MANIFEST = "backup_manifest"
_UNFINISHED = ".unfinished-"

Seal = Callable[[str], bytes]
"""A keyed digest of a text, 16 octets."""


@dataclass(frozen=True, slots=True)
class BackupStore:
    """A directory of backups.

    Attributes:
        directory: Where; made when something is put there.
    """

    directory: Path

    @property
    def bases(self) -> Path:
        """The base backups."""
        return self.directory / "base"

    @property
    def archive(self) -> WALArchive:
        """The archive of the log."""
        return WALArchive(self.directory / "wal")

    def list(self, *, seal: Seal | None) -> Mapping[Path, BackupManifest | BackupError]:
        """Every backup, oldest first: its manifest, or why it is none to rely on.

        Its files must be there with their lengths; what is in them is `verify_files`' to read.

        Args:
            seal: Of the keys at hand, which must have vouched for it; None where there are none.
        """
        names = self.bases.iterdir() if self.bases.is_dir() else ()
        return {
            path: _whole(path, seal)
            for path in sorted(names)
            if not path.name.startswith(_UNFINISHED)
        }

    def prune(self, *, keep: int, seal: Seal) -> Sequence[Path]:
        """Remove all but the newest backups, and the log that only those removed needed.

        What `list` finds something wrong with is neither counted nor removed: somebody must look at
        it. Were it counted, whoever can write here could have every good one removed.

        Args:
            keep: How many stay, 1 or more.
            seal: As for `list`.

        Returns:
            What was removed.
        """
        with locked(self.bases):
            found = self.list(seal=seal)
            whole = {path: said for path, said in found.items() if isinstance(said, BackupManifest)}
            by_age = sorted(whole, key=lambda path: whole[path].ended_at)
            gone, kept = by_age[:-keep], by_age[-keep:]
            for path in gone:
                scratch = path.with_name(f"{_UNFINISHED}{path.name}")
                path.replace(scratch)  # at once: half a backup is never under its own name
                sync_directory(self.bases)
                remove_tree(scratch)
            if kept and self.archive.directory.is_dir():
                oldest = min((whole[path] for path in kept), key=lambda each: each.first_segment)
                self.archive.forget_before(oldest.timeline, oldest.first_segment)
        return gone


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSource:
    """What is backed up.

    Attributes:
        url: The running server.
        data: Its data directory.
        schema_version: Of the registry in it.
        key_ids: The sealing keys that its values need.
    """

    url: str
    data: Path
    schema_version: str
    key_ids: Collection[int]


def create_backup(
    source: BackupSource, store: BackupStore, *, seal: Seal, kb_per_s_max: int | None = None
) -> Path:
    """Take a base backup of a running embedded server, with the log that makes it whole.

    Args:
        source: The server.
        store: Where to.
        seal: Vouches for the manifest.
        kb_per_s_max: Reads no faster, kB a second; PostgreSQL takes 32 to 1,048,576.

    Returns:
        Where it is; it is there as a whole, also after a loss of power.

    Raises:
        BackupError: It cannot be made.
        ProgramError: PostgreSQL cannot make it.
    """
    archive_mark(source.data)  # the backup has a copy
    began_at = _now(source.url)
    backup_id = f"{began_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    with locked(store.bases):
        for leftover in store.bases.glob(f"{_UNFINISHED}*"):
            remove_tree(leftover)
        scratch = store.bases / f"{_UNFINISHED}{backup_id}"
        scratch.mkdir(mode=0o700)
        try:
            _receive(source.url, scratch / DATA, label=backup_id, kb_per_s_max=kb_per_s_max)
            manifest = _describe(
                scratch / DATA,
                backup_id=backup_id,
                began_at=began_at,
                ended_at=_now(source.url),
                schema_version=source.schema_version,
                key_ids=sorted(source.key_ids),
            )
            sealed = format_sealed(manifest, seal(format_manifest(manifest)))
            write_whole(scratch / MANIFEST_FILE, sealed, mode=0o600, may_replace=False)
            scratch.replace(store.bases / backup_id)
            sync_directory(store.bases)
        finally:
            remove_tree(scratch)
    return store.bases / backup_id


def read_manifest(backup: Path) -> tuple[BackupManifest, bytes]:
    """What a backup says of itself, and the seal on it, which is not looked at.

    Raises:
        BackupError: There is none, or none that can be used.
    """
    if not backup.is_dir():
        raise BackupError(f"{backup} is no backup: a backup is a directory")
    path = backup / MANIFEST_FILE
    try:
        content = read_whole(path, bytes_max=MANIFEST_BYTES_MAX)
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be read: {error}") from error
    return parse_sealed(content, origin=str(path))


def refuse_foreign(manifest: BackupManifest, found: bytes, *, seal: Seal) -> None:
    """Find out whether a manifest was made with the keys at hand, and not changed since.

    Raises:
        BackupError: It was made with others, or changed.
    """
    if seal(format_manifest(manifest)) != found:
        raise BackupError(
            f"backup {manifest.backup_id} was made with other keys, or its manifest was changed"
        )


def verify_files(backup: Path, manifest: BackupManifest) -> None:
    """Read all of a backup and compare it with its manifest.

    Raises:
        BackupError: Something is missing, changed, or too much.
    """
    refuse_strange(backup, manifest)
    for each in manifest.files:
        with (backup / DATA / each.path).open("rb") as file:
            refuse_changed(each, hashlib.file_digest(file, "sha256").hexdigest())


def refuse_strange(backup: Path, manifest: BackupManifest) -> None:
    """Find out whether just the files of a manifest are there, and nothing but files.

    Raises:
        BackupError: They are not, or one has another length.
    """
    directories, files = _tree(backup / DATA)
    expected = {each.path: each.size_bytes for each in manifest.files}
    for name in sorted(expected.keys() ^ files.keys()):
        raise BackupError(f"{name} is {'missing' if name in expected else 'not of this backup'}")
    for name in sorted(set(manifest.directories) ^ directories):
        raise BackupError(f"{name}/ is missing, or not of this backup")
    for name, size_bytes in expected.items():
        if files[name] != size_bytes:
            raise BackupError(f"{name} is damaged: {files[name]:,} of {size_bytes:,} octets")


def refuse_changed(file: BackupFile, digest: str) -> None:
    """Find out whether a file has the digest that it should have.

    Raises:
        BackupError: It has not.
    """
    if digest != file.sha256:
        raise BackupError(f"{file.path} is damaged: its digest is another")


def _receive(url: str, target: Path, *, label: str, kb_per_s_max: int | None) -> None:
    run_program(
        "pg_basebackup",
        f"--dbname={url}",
        f"--pgdata={target}",
        f"--label={label}",
        "--no-password",
        "--checkpoint=fast",
        "--wal-method=stream",  # whole by itself, also where nothing is archived
        "--manifest-checksums=SHA256",
        # Not for the eye: whoever reads it being killed ends the program too (`run_program`).
        "--progress",
        *(() if kb_per_s_max is None else (f"--max-rate={kb_per_s_max}",)),
    )


def _describe(data: Path, **facts: Any) -> BackupManifest:  # noqa: ANN401 - fields of the manifest
    """The manifest of what PostgreSQL has sent, with the digests that it sent along.

    Not the log: of that, and of its own manifest, it tells none.
    """
    theirs = json.loads((data / _THEIR_MANIFEST).read_bytes())
    told = {each["Path"]: each["Checksum"] for each in theirs["Files"]}
    directories, files = _tree(data)
    if not told.keys() <= files.keys():
        raise BackupError("PostgreSQL names files that it did not send")
    log = theirs["WAL-Ranges"][-1]
    return BackupManifest(
        start_lsn=log["Start-LSN"],
        stop_lsn=log["End-LSN"],
        timeline=log["Timeline"],
        archive_mark=parse_mark((data / MARK_FILE).read_bytes()),
        directories=sorted(directories),
        files=[
            BackupFile(path=name, size_bytes=size, sha256=told.get(name) or _digest(data / name))
            for name, size in sorted(files.items())
        ],
        **facts,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tree(root: Path) -> tuple[set[str], dict[str, int]]:
    """Directories, and files with their lengths, below a directory; nothing else may be there.

    Raises:
        BackupError: A link, a device, a pipe: what it leads to is not of the backup.
    """
    directories: set[str] = set()
    files: dict[str, int] = {}
    if root.is_symlink() or not root.is_dir():
        raise BackupError(f"{root} is not a directory")
    for entry in _entries(root):
        name = Path(entry.path).relative_to(root).as_posix()
        if entry.is_dir(follow_symlinks=False):
            directories.add(name)
        elif entry.is_file(follow_symlinks=False):
            files[name] = entry.stat(follow_symlinks=False).st_size
        else:
            raise BackupError(f"{name} is neither file nor directory")
    return directories, files


def _entries(directory: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(directory) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))


def _whole(backup: Path, seal: Seal | None) -> BackupManifest | BackupError:
    try:
        manifest, found = read_manifest(backup)
        if manifest.backup_id != backup.name:
            return BackupError(f"it is backup {manifest.backup_id} under another name")
        if seal is not None:
            refuse_foreign(manifest, found, seal=seal)
        refuse_strange(backup, manifest)
    except BackupError as error:
        return error
    except OSError as error:
        return BackupError(f"it cannot be read: {error.strerror}")
    return manifest


def _now(url: str) -> datetime:
    """By the database's clock, the one that its log has."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant.astimezone(UTC)
