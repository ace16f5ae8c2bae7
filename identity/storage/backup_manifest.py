"""What a base backup says of itself: its manifest, a file of JSON beside the data.

Owns its form and what it takes for one to be read: it may come from anybody. The seal at its end is
a keyed digest of all the rest, which whoever has the key ring can check; how it is made is the
caller's. Knows no files but their names.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from identity.state_directory import StateError
from identity.storage.wal_archive import ArchiveError, parse_mark, segment_of

FORMAT = "subid.backup"
VERSION = 1

MANIFEST_BYTES_MAX = 256 * 2**20
"""A file takes some 150 octets: this is enough for more than a million of them, 1 GB each."""

_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SEAL = re.compile(r"[0-9a-f]{32}")
_SCHEMA = re.compile(r"[0-9a-z_]{1,64}")
_PATH_LENGTH_MAX = 1024


class BackupError(StateError):
    """A backup that cannot be made or used; one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """One file of a backup.

    Attributes:
        path: Below the data directory, with `/` between.
        size_bytes: Its length.
        sha256: Its digest, 64 hexadecimal digits.
    """

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """What a backup holds, and what it takes to use it.

    Attributes:
        backup_id: Its name: when it was begun, and some chance.
        began_at: When it was begun.
        ended_at: When it was whole, by the database's clock: the first instant to restore to.
        start_lsn: Where the log that it needs begins.
        stop_lsn: Up to where the log must be replayed.
        timeline: Of the log.
        archive_mark: Which archive of the log goes with it.
        schema_version: Of the registry.
        key_ids: Numbers of the sealing keys that it needs; never a key.
        directories: Every directory, below the data directory.
        files: Every file.
    """

    backup_id: str
    began_at: datetime
    ended_at: datetime
    start_lsn: str
    stop_lsn: str
    timeline: int
    archive_mark: str
    schema_version: str
    key_ids: Sequence[int]
    directories: Sequence[str]
    files: Sequence[BackupFile]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(each.size_bytes for each in self.files)

    @property
    def first_segment(self) -> int:
        """The number of the oldest segment of the log that it needs."""
        return segment_of(self.start_lsn)


def format_manifest(manifest: BackupManifest) -> str:
    """The text form of all but the seal, always the same for the same manifest."""
    document = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    document["began_at"] = manifest.began_at.isoformat()
    document["ended_at"] = manifest.ended_at.isoformat()
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def format_sealed(manifest: BackupManifest, seal: bytes) -> bytes:
    """The file: the manifest, and its seal (16 octets)."""
    document = {"manifest": json.loads(format_manifest(manifest)), "seal": seal.hex()}
    return json.dumps(document, separators=(",", ":")).encode()


def parse_sealed(content: bytes, *, origin: str) -> tuple[BackupManifest, bytes]:
    """Read what `format_sealed` made; the seal is not looked at.

    Args:
        content: The file.
        origin: Where it came from, for the message.

    Returns:
        The manifest, and the seal.

    Raises:
        BackupError: It is no manifest, or names a path that leads out of the data directory.
    """
    try:
        document = json.loads(content)
        if document.keys() != {"manifest", "seal"}:
            raise ValueError("other fields than a manifest and its seal")
        manifest = _manifest(document["manifest"])
        return manifest, bytes.fromhex(_matching(_SEAL, document["seal"]))
    except (
        *(ValueError, KeyError, TypeError, AttributeError, RecursionError),
        ArchiveError,
    ) as error:
        raise BackupError(f"{origin} is not the manifest of a backup") from error


def _manifest(document: Mapping[str, Any]) -> BackupManifest:
    said = dict(document)
    if (said.pop("format"), said.pop("version")) != (FORMAT, VERSION):
        raise ValueError("another format")
    paths = [_path(each["path"]) for each in said["files"]]
    directories = [_path(each) for each in said["directories"]]
    if len(set(paths) | set(directories)) != len(paths) + len(directories):
        raise ValueError("a name twice")
    said["files"] = [BackupFile(**each) for each in said["files"]]
    manifest = BackupManifest(**{**said, **_instants(said)})
    _refuse_values(manifest)
    return manifest


def _instants(said: Mapping[str, Any]) -> Mapping[str, datetime]:
    return {name: _aware(datetime.fromisoformat(said[name])) for name in ("began_at", "ended_at")}


def _refuse_values(manifest: BackupManifest) -> None:
    _matching(_ID, manifest.backup_id)
    _matching(_SCHEMA, manifest.schema_version)
    parse_mark(manifest.archive_mark.encode())
    segment_of(manifest.start_lsn)
    segment_of(manifest.stop_lsn)
    for each in manifest.files:
        _matching(_DIGEST, each.sha256)
    numbers = [manifest.timeline, *manifest.key_ids, *(each.size_bytes for each in manifest.files)]
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("no number")


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    return instant


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("not of the form that it should have")
    return text


def _path(text: str) -> str:
    """A path that stays below where it begins, in its one spelling."""
    path = PurePosixPath(text)
    is_inside = not path.is_absolute() and ".." not in path.parts and path.parts
    if not is_inside or str(path) != text or "\0" in text or len(text) > _PATH_LENGTH_MAX:
        raise ValueError("a path that leads out of the backup")
    return text
