"""The archive of the embedded server's write-ahead log: what a restore to an instant reads.

Owns the archive's directory, the command that PostgreSQL fills it with, the one that a restore
reads it with, and which segments are there. Knows nothing of base backups.

An archive belongs to one life of one database: a mark in the data directory names it, and a restore
leaves the mark out. So two databases never write into one, and what is restored begins its own.
"""

import gzip
import re
import secrets
import shlex
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from identity.state_directory import StateError, sync_directory, write_whole
from identity.storage.embedded_programs import (
    give_to_server,
    let_server_reach,
    run_program,
)

SETTINGS_FILE = "subid-archive.conf"
"""In the data directory; `subid.conf` includes it."""

MARK_FILE = "subid-archive.id"
"""In the data directory: which archive is its own."""

SEGMENT_BYTES = 16 * 2**20
"""PostgreSQL's own default, which initdb of the wheel keeps (`wal_segment_size`)."""

SWITCH_AFTER_S = 60
"""Seconds after which a segment that something was written to is archived although it is not full:
how much is lost at most with the disk of the database. An empty rest of one packs into some kB."""

_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})\.gz")
_SEGMENTS_OF_A_FILE = 2**32 // SEGMENT_BYTES
_MARK = re.compile(r"[0-9a-f]{16}")
_MARK_BYTES_MAX = 64
_CHUNK_BYTES = 2**20


class ArchiveError(StateError):
    """An archive that cannot be used, or does not hold what it should."""


@dataclass(frozen=True, slots=True)
class WALArchive:
    """One archive.

    Attributes:
        directory: Where it is.
    """

    directory: Path

    def belongs_to(self, mark: str) -> bool:
        """Whether it is the archive of the database with a mark."""
        return (self.directory / _marked(mark)).is_file()

    def segments(self, timeline: int) -> list[int]:
        """The numbers of the segments of one timeline that are there, ascending."""
        found = []
        for path in self.directory.iterdir():
            name = _SEGMENT.fullmatch(path.name)
            if name is not None and int(name[1], 16) == timeline:
                found.append(int(name[2], 16) * _SEGMENTS_OF_A_FILE + int(name[3], 16))
        return sorted(found)

    def refuse_gaps(self, timeline: int, *, first: int) -> None:
        """Find out whether all that was archived since a segment can be read.

        PostgreSQL takes the first segment that it cannot read for the end of everything.

        Raises:
            ArchiveError: A segment is missing or damaged.
        """
        there = [number for number in self.segments(timeline) if number >= first]
        present = set(there)
        expected = range(first, there[-1] + 1) if there else [first]
        for number in expected:
            path = self.directory / f"{segment_name(timeline, number)}.gz"
            if number not in present:
                raise ArchiveError(f"{path} is missing: what came after it cannot be restored")
            if _unpacked_bytes(path) != SEGMENT_BYTES:
                raise ArchiveError(f"{path} is damaged: what came after it cannot be restored")

    def forget_before(self, timeline: int, first: int) -> None:
        """Remove every segment before one.

        Raises:
            ProgramError: The directory cannot be changed.
        """
        oldest = segment_name(timeline, first)
        run_program("pg_archivecleanup", "-x", ".gz", str(self.directory), oldest)

    def reading_command(self) -> str:
        """For `restore_command`: put a segment, `%f`, where PostgreSQL wants it, `%p`."""
        return f"gzip -dc {_quoted(self.directory)}/%f.gz > %p"

    def writing_command(self, mark: str) -> str:
        """For `archive_command`: put a segment, `%p`, into the archive for good, or fail.

        PostgreSQL tries again until it succeeds, and keeps the segment so long. One that is there
        already is the same, or the command fails (PostgreSQL documentation, 25.3.1). Where the mark
        is not, such as under a mount point without its disk, nothing is written.
        """
        there = _quoted(self.directory)
        name, scratch = f"{there}/%f.gz", f"{there}/.%f.unfinished"
        return (
            f"test -f {there}/{_marked(mark)} && if test -e {name};"
            f" then gzip -dc {name} | cmp -s - %p;"
            f" else gzip -1nc %p > {scratch} && sync {scratch} && mv {scratch} {name}"
            f" && sync {there}; fi"
        )


def start_archiving(data: Path, archive: Path) -> None:
    """Have a data directory's next server fill an archive, until `stop_archiving`.

    Args:
        data: A whole data directory; no server needs to be stopped.
        archive: Where; made when absent.

    Raises:
        ArchiveError: The archive is another database's, or gone from where it was.
    """
    if any(ord(letter) < ord(" ") for letter in str(archive)):
        raise ArchiveError("a path with control characters cannot be archived to")
    mark = archive_mark(data)
    own = WALArchive(archive.absolute())
    archive.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {
        "archive_mode": "on",
        "archive_command": own.writing_command(mark),
        "archive_timeout": f"{SWITCH_AFTER_S}s",
    }
    if not own.belongs_to(mark):
        if any(archive.iterdir()):
            raise ArchiveError(
                f"{archive} is the archive of another database: take a new directory"
            )
        if _included(data) == _format_settings(settings):
            # To begin again here would hide what is missing until somebody restores.
            raise ArchiveError(f"{archive} has lost its archive: bring it back, or take another")
        write_whole(archive / _marked(mark), b"", mode=0o600, may_replace=True)
        give_to_server(archive)
        let_server_reach(archive)
    write_included(data, settings)


def stop_archiving(data: Path) -> None:
    """Have a data directory's next server archive nothing; what is archived stays."""
    (data / SETTINGS_FILE).unlink(missing_ok=True)
    sync_directory(data)


def is_archiving(data: Path) -> bool:
    """Whether a data directory's servers fill an archive."""
    return (data / SETTINGS_FILE).exists()


def write_included(data: Path, settings: Mapping[str, str]) -> None:
    """Write settings of PostgreSQL's into the file that `subid.conf` includes."""
    content = _format_settings(settings)
    if _included(data) != content:
        write_whole(data / SETTINGS_FILE, content, mode=0o600, may_replace=True)
        give_to_server(data / SETTINGS_FILE)


def archive_mark(data: Path) -> str:
    """The mark of a data directory, made when it has none."""
    path = data / MARK_FILE
    if not path.exists():
        write_whole(path, secrets.token_hex(8).encode(), mode=0o600, may_replace=False)
        give_to_server(path)
    return parse_mark(path.read_bytes()[:_MARK_BYTES_MAX])


def parse_mark(content: bytes) -> str:
    """Read what `archive_mark` made.

    Raises:
        ArchiveError: It is none.
    """
    mark = content.decode("ascii", errors="replace")
    if not _MARK.fullmatch(mark):
        raise ArchiveError(f"{MARK_FILE} in the data directory is damaged")
    return mark


def segment_name(timeline: int, number: int) -> str:
    """What PostgreSQL calls a segment (xlog_internal.h: XLogFileName)."""
    high, low = divmod(number, _SEGMENTS_OF_A_FILE)
    return f"{timeline:08X}{high:08X}{low:08X}"


def segment_of(lsn: str) -> int:
    """The number of the segment that a position lies in, such as `0/2000028`.

    Raises:
        ValueError: It is no position.
    """
    high, low = lsn.split("/")
    return (int(high, 16) << 32 | int(low, 16)) // SEGMENT_BYTES


def _format_settings(settings: Mapping[str, str]) -> bytes:
    lines = [f"{name} = '{_escaped(value)}'\n" for name, value in settings.items()]
    return "".join(["# Written by subid; ALTER SYSTEM goes before it.\n", *lines]).encode()


def _included(data: Path) -> bytes | None:
    path = data / SETTINGS_FILE
    return path.read_bytes() if path.exists() else None


def _marked(mark: str) -> str:
    return f"archive-of-{mark}"


def _quoted(path: Path) -> str:
    """For the shell that PostgreSQL gives its commands to, after it has looked for `%`."""
    return shlex.quote(str(path)).replace("%", "%%")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _unpacked_bytes(path: Path) -> int:
    """How many octets a packed file holds; -1 for one that is no whole one."""
    count = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                count += len(chunk)
    except (OSError, EOFError, zlib.error):
        return -1
    return count
