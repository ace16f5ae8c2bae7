"""What the state directory needs of the file system: one maker at a time, and whole files.

Owns the lock on a directory, the writing of files that are there as a whole or not at all, and the
reading of small ones that may be anything.
Knows nothing of what is in them.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StateError(Exception):
    """State that cannot be used; one line that says what is wrong and never shows a secret."""


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a directory alone; whoever else asks, process or thread, waits for the end of the block.

    The lock ends with its process, so a killed one leaves none behind. It is not re-entrant.

    Args:
        directory: Made when absent.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, *, mode: int, may_replace: bool) -> None:
    """Write a file that is there as a whole or not at all, also after a crash.

    Args:
        path: Where. A link there is replaced, not followed.
        content: All of it.
        mode: Permission bits, less those that the umask takes away.
        may_replace: Whether an older file gives way.

    Raises:
        FileExistsError: There is one, and it may not be replaced.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if may_replace:
            scratch.replace(path)
        else:
            path.hardlink_to(scratch)  # unlike a rename, this refuses a name that is taken
    finally:
        scratch.unlink(missing_ok=True)
    sync_directory(path.parent)


def read_whole(path: Path, *, bytes_max: int) -> bytes:
    """Read a small file that somebody else may have put there.

    Args:
        path: Where.
        bytes_max: The largest content.

    Raises:
        OSError: It is not there, or may not be read.
        ValueError: It is larger, or no file: a pipe would be waited for, a device has no end.
    """
    # Opening a pipe would wait for somebody to write into it.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ValueError("larger than it can be")
    return content


def sync_directory(directory: Path) -> None:
    """Have the names in a directory outlive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(directory: Path) -> int:
    """How much may still be written where a directory lies, by whoever is not root.

    Raises:
        OSError: The directory, or its disk, cannot be asked.
    """
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
