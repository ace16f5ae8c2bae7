"""Take up a changed key ring while a process runs, and say which key it seals with.

Owns when this is done. Knows no key: it is handed what to do. It runs in a thread of its own,
because commands have no event loop and seal as well.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

LOOK_INTERVAL_S = 5.0
"""Between two looks at the ring: a rotation is taken up within seconds, and ten servers ask a KMS
twice a second."""

MARK_INTERVAL_S = 30.0
"""Between two marks; a key is retired only after several were missed
(`identity.services.retire_key`)."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWatch:
    """What to do.

    Attributes:
        take_up: Goes on with the ring as it is now; says whether it is another.
        mark_active: Says that new values are sealed with the active key.
        look_interval_s: Seconds between two looks.
        mark_interval_s: Seconds between two marks, at least.
        is_logged: Whether the log says what happened. A command has none: what it prints is its
            answer.
    """

    take_up: Callable[[], bool]
    mark_active: Callable[[], None]
    look_interval_s: float = LOOK_INTERVAL_S
    mark_interval_s: float = MARK_INTERVAL_S
    is_logged: bool = True


@contextmanager
def watching_keys(watch: KeyWatch) -> Iterator[None]:
    """Watch during the block; a look that is under way at its end is waited for."""
    stopping = threading.Event()
    thread = threading.Thread(target=_watch, args=(watch, stopping), name="subid-keys", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _watch(watch: KeyWatch, stopping: threading.Event) -> None:
    unmarked_s = 0.0
    while not stopping.wait(watch.look_interval_s):
        if _done(watch, "key ring not looked at", watch.take_up) and watch.is_logged:
            _log.info("key ring exchanged")
        unmarked_s += watch.look_interval_s
        if unmarked_s >= watch.mark_interval_s:
            unmarked_s = 0.0
            _done(watch, "active key not marked", watch.mark_active)


def _done(watch: KeyWatch, failure: str, act: Callable[[], bool | None]) -> bool:
    try:
        return bool(act())
    except Exception as error:  # noqa: BLE001 - whatever it is, the ring in force stays, and the watch goes on
        if watch.is_logged:
            _log.error(failure, type=type(error).__name__)
        return False
