"""A base backup made into data again, as it was at an instant.

Owns the copy, which is compared with the manifest as it is made, and PostgreSQL's recovery. Knows
neither keys nor what is in the data. Nothing of it is under the name that was asked for before all
of it is there: that is the caller's.
"""

import hashlib
import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path

import psycopg

from identity.storage.backup_manifest import BackupError, BackupFile, BackupManifest
from identity.storage.base_backups import DATA, refuse_changed, refuse_strange
from identity.storage.embedded_programs import (
    give_to_server,
    let_server_reach,
    run_program,
)
from identity.storage.embedded_settings import write_settings
from identity.storage.wal_archive import (
    MARK_FILE,
    SETTINGS_FILE,
    WALArchive,
    write_included,
)

_OF_ANOTHER_LIFE = (MARK_FILE, SETTINGS_FILE, ".handle_pids.json", "log", ".s.PGSQL.*")
"""What the backup has of the server that it was taken from, and its data do not need."""

_CHUNK_BYTES = 2**20
_LOOK_AGAIN_S = 0.1
_LOOKS_FOR_A_BEGIN = 300
_PID_FILE = "postmaster.pid"
_TOO_SHORT = "recovery ended before configured recovery target was reached"
_TOO_EARLY = "the database system is"
_LOG_TAIL_BYTES = 65_536


def restore_data(
    backup: Path,
    manifest: BackupManifest,
    data: Path,
    *,
    archive: WALArchive | None,
    to: datetime | None,
) -> None:
    """Make a data directory of a backup, with the log replayed.

    Args:
        backup: The backup.
        manifest: What it says of itself, believed already.
        data: Made; its parent exists.
        archive: What was archived since; None for the backup alone.
        to: The instant: every commit until then counts and no later one. None is for all there is.

    Raises:
        BackupError: The backup is damaged, the archive is another's, or the instant is not in it.
        ArchiveError: The archive has a gap.
    """
    refuse_strange(backup, manifest)
    _refuse_instant(manifest, archive, to)
    if archive is not None and not archive.belongs_to(manifest.archive_mark):
        raise BackupError(f"{archive.directory} is not the archive of this backup's database")
    if archive is not None and to is None:
        archive.refuse_gaps(manifest.timeline, first=manifest.first_segment)
    _copy(backup / DATA, manifest, data)
    for name in _OF_ANOTHER_LIFE:
        for path in data.glob(name):
            path.unlink()
    if archive is not None:
        write_included(data, _recovery(archive, to))
        (data / "recovery.signal").touch(mode=0o600)
    write_settings(data)
    give_to_server(data)
    let_server_reach(data)
    _recover(data, to)
    (data / SETTINGS_FILE).unlink(missing_ok=True)
    write_settings(data)
    run_program("initdb", "--sync-only", f"--pgdata={data}", is_the_servers=True)


def _refuse_instant(
    manifest: BackupManifest, archive: WALArchive | None, to: datetime | None
) -> None:
    if to is None:
        return
    if archive is None:
        raise BackupError("without an archive of the log only the backup itself can be restored")
    if to < manifest.ended_at:
        raise BackupError(
            f"this backup was whole at {manifest.ended_at.isoformat()}: take an older one"
        )


def _copy(source: Path, manifest: BackupManifest, target: Path) -> None:
    target.mkdir(mode=0o700)
    for name in sorted(manifest.directories):  # a directory comes before what is in it
        (target / name).mkdir(mode=0o700)
    for each in manifest.files:
        _copy_file(source / each.path, each, target / each.path)


def _copy_file(source: Path, file: BackupFile, target: Path) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("xb") as writing:
        while chunk := reading.read(_CHUNK_BYTES):
            digest.update(chunk)
            writing.write(chunk)
    target.chmod(0o600)
    refuse_changed(file, digest.hexdigest())


def _recovery(archive: WALArchive, to: datetime | None) -> dict[str, str]:
    settings = {
        "restore_command": archive.reading_command(),
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
        # Nobody asks it anything before all is replayed.
        "hot_standby": "off",
    }
    return settings if to is None else {**settings, "recovery_target_time": to.isoformat()}


def _recover(data: Path, to: datetime | None) -> None:
    """Have PostgreSQL replay the log, and stop it in good order."""
    sockets = Path(tempfile.mkdtemp(prefix="subid-restore-"))
    try:
        give_to_server(sockets)
        # Nobody connects but by this directory; nothing is archived of what is tried here.
        options = f"-h '' -k {sockets} -c archive_mode=off"
        log = f"--log={data / 'log'}"
        _pg_ctl(data, "-W", "-o", options, log, "start")
        try:
            _wait_until_replayed(data, sockets, to)
        finally:
            _pg_ctl(data, "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _pg_ctl(data: Path, *arguments: str) -> None:
    if "start" in arguments or (data / _PID_FILE).exists():
        run_program("pg_ctl", f"--pgdata={data}", *arguments, is_the_servers=True)


def _wait_until_replayed(data: Path, sockets: Path, to: datetime | None) -> None:
    """Until the server lets somebody in: it lets nobody in before all is replayed.

    Raises:
        BackupError: It ended instead.
    """
    looks_left = _LOOKS_FOR_A_BEGIN
    while True:
        is_there = (data / _PID_FILE).exists()
        said = _fatal_line(data / "log")
        looks_left = _LOOKS_FOR_A_BEGIN if is_there else looks_left - 1
        if not is_there and (said or not looks_left):
            if _TOO_SHORT in said:
                raise BackupError(f"the archive ends before {to}: nothing can be said of it")
            raise BackupError(f"PostgreSQL does not recover: {said or 'it did not begin'}")
        try:
            psycopg.connect(host=str(sockets), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _fatal_line(log: Path) -> str:
    """Why the server ended; not what it said to us, who came too early."""
    if not log.exists():
        return ""
    lines = log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").splitlines()
    fatal = [line for line in lines if "FATAL:" in line and _TOO_EARLY not in line]
    return fatal[-1] if fatal else ""
