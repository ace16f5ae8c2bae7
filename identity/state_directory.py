"""What the state directory needs of the file system: one maker at a time, and whole files.

Owns the lock on a directory, the writing of files that are there as a whole or not at all, the
reading of small ones that may be anything, and what a file must be like that holds a secret or that
something is decided by. Knows nothing of what is in them.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET_BYTES_MAX = 2**20
"""Of a file with a secret: a key takes some 200 octets, a ring with a thousand keys 100 kB."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class StateError(Exception):
    """State that cannot be used; one line that says what is wrong and never shows a secret."""


class SecretFileError(StateError):
    """A file with a secret that somebody else could have read or put there."""


class DirectoryBusyError(StateError):
    """A directory that somebody else holds, where nobody waits."""


class ForeignFileError(StateError):
    """A file without a secret that somebody else could have written or put there."""


@contextmanager
def locked(directory: Path, *, may_wait: bool = True) -> Iterator[None]:
    """Hold a directory alone; whoever else asks, process or thread, waits for the end of the block.

    The lock ends with its process, so a killed one leaves none behind. It is not re-entrant.

    Args:
        directory: Made when absent.
        may_wait: Whether to wait for who holds it now.

    Raises:
        DirectoryBusyError: Somebody holds it, and may not be waited for.
    """
    # Whatever the umask: secrets are read from no directory that others can write in.
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _hold(descriptor, directory, may_wait=may_wait)
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int, directory: Path, *, may_wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if may_wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DirectoryBusyError(f"{directory} is held by another run of this command") from error


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


def read_secret(path: Path) -> bytes:
    """Read a file that holds a secret, if nobody else can have read it or put it there.

    It must be a regular file of ours or of root's, with no permission for anybody else, in a
    directory that nobody else can write in. A link is followed, as secret stores mount their files
    so, when that holds for its directory too.

    Args:
        path: Where.

    Raises:
        FileNotFoundError: It is not there.
        SecretFileError: It is not as it must be, or larger than `SECRET_BYTES_MAX`.
        OSError: It may not be read.
    """
    real = path.resolve()
    for directory in dict.fromkeys((path.absolute().parent, real.parent)):
        _refuse_open_directory(directory, SecretFileError)
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretFileError(f"{path} is no regular file")
        _refuse_owner(path, found, SecretFileError)
        if found.st_mode & _OTHERS:
            raise SecretFileError(f"{path} can be read by others: chmod 600")
        if found.st_size > SECRET_BYTES_MAX:
            raise SecretFileError(f"{path} is larger than it can be")
        return os.read(descriptor, SECRET_BYTES_MAX)
    finally:
        os.close(descriptor)


def refuse_foreign_file(path: Path) -> None:
    """Find out whether nobody else can have written a file or put it there; others may read it.

    The rule of `read_secret` for what holds no secret: a file or directory of ours or of root's, in
    a directory of ours or of root's, and neither can be written by anybody else.

    Args:
        path: Where.

    Raises:
        FileNotFoundError: It is not there.
        ForeignFileError: It is not as it must be.
        OSError: It may not be looked at.
    """
    real = path.resolve()
    for directory in dict.fromkeys((path.absolute().parent, real.parent)):
        _refuse_open_directory(directory, ForeignFileError)
    found = real.stat()
    _refuse_owner(path, found, ForeignFileError)
    if found.st_mode & _OTHERS_WRITE:
        raise ForeignFileError(f"{path} can be written by others: chmod go-w")


def _refuse_open_directory(directory: Path, refusal: type[StateError]) -> None:
    found = directory.stat()
    _refuse_owner(directory, found, refusal)
    # In a directory such as /tmp (its sticky bit) only the owner of a file can replace it.
    if found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
        raise refusal(f"{directory} can be written by others: chmod go-w")


def _refuse_owner(path: Path, found: os.stat_result, refusal: type[StateError]) -> None:
    if found.st_uid not in {os.geteuid(), 0}:
        raise refusal(f"{path} belongs to somebody else: chown it")


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
