"""What is looked at of backups: the base backups, and whether the log is archived.

Owns the bounds of what is well. Which backup is one to rely on is `BackupStore`'s to say, and what
a PostgreSQL does with its log that of `server_facts.py`.
"""

from datetime import datetime, timedelta
from pathlib import Path

from identity.backup_run import seal_at_hand
from identity.config import Settings
from identity.finding import Finding, failed, ok, warning
from identity.state_directory import StateError
from identity.storage.backup_manifest import BackupManifest
from identity.storage.base_backups import BackupStore, Seal
from identity.storage.server_facts import ArchiveFacts

BACKUP_HOURS_MAX = 36
"""A nightly backup that is older was missed."""

BACKUP_DAYS_MAX = 7
"""One that is older than a week is none to rely on."""

ARCHIVE_WAIT_MAX = timedelta(minutes=10)
"""A segment is 16 MiB: what has not been archived within ten minutes is stuck, not slow."""


def look_at_backups(settings: Settings, at: datetime) -> Finding:
    """How old the newest backup is that can be relied on, and whether others cannot be."""
    name, directory = "backups", settings.backups
    if directory is None:
        return warning(name, "not configured", "set `backups`, and see docs/operating/backup.md")
    seal = _seal(settings)
    found = BackupStore(directory).list(seal=seal)
    whole = [each for each in found.values() if isinstance(each, BackupManifest)]
    broken = {path: why for path, why in found.items() if isinstance(why, Exception)}
    if not whole:
        why = f": {next(iter(broken.values()))}" if broken else ""
        return failed(name, f"{directory} holds no whole backup{why}", "take one now")
    newest = max(each.began_at for each in whole)
    said = f"the newest of {directory} was begun {newest:%Y-%m-%d %H:%M} UTC"
    if at - newest > timedelta(days=BACKUP_DAYS_MAX):
        return failed(name, said, "take one now, and see why none was taken")
    if at - newest > timedelta(hours=BACKUP_HOURS_MAX):
        return warning(name, said, "see why none was taken since")
    if broken:
        path, reason = next(iter(broken.items()))
        told = f"{said}; {len(broken)} are none to rely on, such as {path.name}: {reason}"
        return warning(name, told, "see `identity backup list`, and move them away")
    return ok(name, said if seal else f"{said}; without keys nobody can say who made it")


def grade_archive(facts: ArchiveFacts, *, archive: Path | None, is_embedded: bool) -> Finding:
    """How the log is kept for a restore to an instant.

    Args:
        facts: What PostgreSQL says of it.
        archive: Where the embedded server's log should go; None where nobody has said.
        is_embedded: Whether it is the embedded server.
    """
    if not facts.is_on:
        return _not_archived(facts, archive=archive, is_embedded=is_embedded)
    todo = "see PostgreSQL's log, and whether the archive is there and has room"
    last = f"the last {facts.last_at:%Y-%m-%d %H:%M} UTC" if facts.last_at else "none yet"
    if facts.is_failing:
        said = f"segments of the log cannot be archived ({facts.failed_count} failures); {last}"
        return failed("archive", said, todo)
    if facts.waiting_since is not None and facts.now - facts.waiting_since > ARCHIVE_WAIT_MAX:
        since = f"{facts.waiting_since:%Y-%m-%d %H:%M} UTC"
        return failed("archive", f"a segment of the log waits since {since}; {last}", todo)
    if (
        archive is not None
        and facts.last_name is not None
        and not (archive / f"{facts.last_name}.gz").exists()
    ):
        return failed(
            "archive",
            f"{archive} does not hold {facts.last_name}, which was archived",
            "bring the archive back; if this is a new one, take a backup",
        )
    return ok("archive", f"the log is archived: {last}")


def _not_archived(facts: ArchiveFacts, *, archive: Path | None, is_embedded: bool) -> Finding:
    said = "the log is not archived: a restore reaches the last backup and no later instant"
    if not is_embedded:
        if facts.receiver_count:
            return ok("archive", f"{facts.receiver_count} servers or receivers take the log")
        return warning("archive", said, "set archive_mode of your PostgreSQL, or pg_receivewal")
    if archive is None:
        return warning("archive", said, "set `backups`, and start the server again")
    return failed("archive", said, "start the server again: `backups` was set since")


def _seal(settings: Settings) -> Seal | None:
    try:
        return seal_at_hand(settings)
    except (OSError, StateError):
        return None  # told of already, as `keys`
