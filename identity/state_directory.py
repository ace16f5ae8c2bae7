"""What the state directory needs of the file system: one maker at a time, and whole files.

Owns the lock on a directory and the writing of files that are there as a whole or not at all.
Knows nothing of what is in them.
"""

import fcntl
import os
import secrets
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


def sync_directory(directory: Path) -> None:
    """Have the names in a directory outlive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
