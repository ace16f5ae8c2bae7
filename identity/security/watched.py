"""What a directory says, as it is now: read again when a file in it changes.

The one way in which the service watches files. Owns when to look and what happens when the files
cannot be used: what was read before stays in force, and the log says so. Knows nothing of what the
files hold.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from identity.state_directory import StateError

LOOK_INTERVAL_S = 2.0
"""Between two looks at every file. A file that is replaced as a whole, as our own commands do it,
is seen at once, by the directory's own time; one that is edited where it lies, within this."""

SETTLED_NS = 100_000_000
"""A directory younger than this is looked at again: two changes within one tick of the file
system's clock (4 ms to 10 ms on Linux) leave the same time."""

_Said = TypeVar("_Said")
_Look = tuple[tuple[str, int, int, int, int], ...]
_log = structlog.get_logger("subid")


class Watched(Generic[_Said]):
    """One directory and what it says. May be asked from any thread.

    Args:
        directory: Where the files lie; need not be there.
        read: Reads them; raises ValueError, OSError or a StateError when they cannot be used.
        interval_s: Seconds between two looks at every file; 0 where somebody else sets the pace.
        tick: Counts seconds, never backwards.

    Raises:
        Exception: What `read` raises: whoever begins with nothing has nothing to keep.
    """

    def __init__(
        self,
        directory: Path,
        read: Callable[[Path], _Said],
        *,
        interval_s: float = LOOK_INTERVAL_S,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._read = read
        self._interval_s = interval_s
        self._tick = tick
        self._lock = threading.Lock()
        self._stamp: int | None = None
        self._seen = _look_at(directory)
        self._refused: tuple[_Look, type[Exception]] | None = None
        self._look_again_at = tick() + interval_s
        self._said = read(directory)

    def current(self) -> _Said:
        """What the directory says, or said when it could be read last."""
        stamp = _stamp_of(self._directory)
        if stamp != self._stamp or self._tick() >= self._look_again_at:
            with self._lock:
                self._look(stamp)
        return self._said

    def _look(self, stamp: int) -> None:
        seen = _look_at(self._directory)
        self._look_again_at = self._tick() + self._interval_s
        self._stamp = stamp if time.time_ns() - stamp > SETTLED_NS else None
        if seen == self._seen:
            return
        try:
            self._said = self._read(self._directory)
        except Exception as error:  # noqa: BLE001 - whatever it is, what was read before stays
            self._complain(seen, error)
        else:
            # Only now: what could not be read is read again, though no file changes.
            self._seen, self._refused = seen, None
            _log.info("directory taken up", directory=self._directory.name)

    def _complain(self, seen: _Look, error: Exception) -> None:
        """Write a line about files that cannot be used: one, as long as they stay so."""
        refused = (seen, type(error))
        if refused != self._refused:
            self._refused = refused
            _log.error(
                "directory not taken up: what it said before stays in force",
                directory=self._directory.name,
                type=type(error).__name__,
                # Of others nobody can say what their message shows.
                why=str(error) if isinstance(error, StateError) else "",
            )


def files_in(directory: Path) -> list[Path]:
    """What is watched: the files of a directory and of its own directories, none that is hidden."""
    found = (*directory.glob("[!.]*"), *directory.glob("[!.]*/[!.]*"))
    return sorted(path for path in found if path.is_file())


def _stamp_of(directory: Path) -> int:
    try:
        return directory.stat().st_mtime_ns
    except OSError:
        return 0


def _look_at(directory: Path) -> _Look:
    """Names, sizes and times of the files; a file that is being written aside is none yet."""
    try:
        looked = [(str(path), path.stat()) for path in files_in(directory)]
    except OSError:
        return ()
    # The time of change too: a mode or an owner that was put right leaves the others alone.
    return tuple((name, s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino) for name, s in looked)
