"""How the embedded PostgreSQL is set up: what differs from its own defaults, and why.

Owns one file in the data directory and the line that includes it. Nothing in it trades durability
for speed: `fsync`, `synchronous_commit` and `full_page_writes` stay as PostgreSQL has them. What an
administrator sets with ALTER SYSTEM is read after this file, and wins.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from identity.state_directory import write_whole
from identity.storage import wal_archive

SETTINGS_FILE = "subid.conf"
"""In the data directory, written anew by each start that finds it otherwise."""

SHARED_BUFFERS_MIN_MB = 128
"""PostgreSQL's own default."""

SHARED_BUFFERS_MAX_MB = 512
"""The kernel caches files too, and the service has other uses for memory: half a gigabyte keeps the
upper levels of every index of 100 million rows at hand."""

_MEMORY_SHARE = 16
_MB = 1 << 20
_INCLUDE = f"include_if_exists = '{SETTINGS_FILE}'"

FIXED_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # An import writes more than 1 GB of log in a minute: checkpoints that follow one another
        # write each page many times, and into the log as a whole after each of them.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        # A read at random costs a solid disk little more than the next one. With the 4 that was
        # measured on spinning disks, batches of keys are looked for by reading whole partitions.
        "random_page_cost": "1.1",
        # Its log says what failed, and never with what: no statement, no parameter, no row.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_statement": "none",
    }
)
"""What every machine gets. Not `wal_compression`: the wheel has only pglz for it, with which an
update of 16,000 subscriptions wrote 0.6 times as much log and took 2.8 times as long."""


def shared_buffers_mb(memory_bytes: int) -> int:
    """A sixteenth of the machine's memory, within bounds."""
    share = memory_bytes // _MEMORY_SHARE // _MB
    return max(SHARED_BUFFERS_MIN_MB, min(SHARED_BUFFERS_MAX_MB, share))


def memory_bytes() -> int:
    """How much memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def write_settings(directory: Path) -> None:
    """Have a data directory's next server start with our settings. Again, it changes nothing.

    Args:
        directory: A whole data directory; no server needs to be stopped.
    """
    content = _content(is_archiving=wal_archive.is_archiving(directory)).encode()
    path = directory / SETTINGS_FILE
    if not path.exists() or path.read_bytes() != content:
        write_whole(path, content, mode=0o600, may_replace=True)
    main = directory / "postgresql.conf"
    if not main.exists():
        return  # no whole data directory: the server says so itself
    lines = main.read_bytes()
    if _INCLUDE.encode() not in lines.splitlines():
        # At its end: of two lines for one setting the last one counts, and initdb wrote some.
        included = lines.rstrip(b"\n") + f"\n\n{_INCLUDE}\n".encode()
        write_whole(main, included, mode=0o600, may_replace=True)
    # Started by root, the server runs as another user (the wheel's), whose directory this is.
    owner = directory.stat()
    for written in (path, main):
        if written.stat().st_uid != owner.st_uid:
            os.chown(written, owner.st_uid, owner.st_gid)


def _content(*, is_archiving: bool) -> str:
    settings = {"shared_buffers": f"{shared_buffers_mb(memory_bytes())}MB", **FIXED_SETTINGS}
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    if is_archiving:
        lines.append(f"include_if_exists = '{wal_archive.SETTINGS_FILE}'\n")
    return "".join(["# Written by subid; ALTER SYSTEM goes before it.\n", *lines])
