"""The watch over the key ring: takes up changes, marks the active key, and outlives failures."""

import queue
import threading
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from identity.key_watch import KeyWatch, watching_keys

AT_ONCE_S = 0.001


@dataclass
class Keys:
    """A ring that can be changed and broken, and what was done with it."""

    is_changed: bool = False
    error: Exception | None = None
    looks: "queue.Queue[bool]" = field(default_factory=queue.Queue)
    marks: "queue.Queue[bool]" = field(default_factory=queue.Queue)

    def take_up(self) -> bool:
        """Take up a change, or trip over it once."""
        error, self.error = self.error, None
        if error is not None:
            raise error
        was_changed, self.is_changed = self.is_changed, False
        self.looks.put(was_changed)
        return was_changed

    def mark_active(self) -> None:
        """Say which key seals."""
        self.marks.put(True)

    def watch(self, *, mark_interval_s: float = 1.0, is_logged: bool = True) -> KeyWatch:
        """What the watch is given."""
        return KeyWatch(
            take_up=self.take_up,
            mark_active=self.mark_active,
            look_interval_s=AT_ONCE_S,
            mark_interval_s=mark_interval_s,
            is_logged=is_logged,
        )


def test_a_change_is_taken_up_and_logged_once() -> None:
    keys = Keys(is_changed=True)
    with capture_logs() as logged, watching_keys(keys.watch(mark_interval_s=60)):
        assert [keys.looks.get(timeout=10) for _ in range(3)] == [True, False, False]
    assert [line["event"] for line in logged] == ["key ring exchanged"]
    assert keys.marks.empty()


def test_the_active_key_is_marked_now_and_then() -> None:
    keys = Keys()
    with watching_keys(keys.watch(mark_interval_s=3 * AT_ONCE_S)):
        for _ in range(2):
            assert keys.marks.get(timeout=10)
    assert keys.looks.qsize() >= 6


def test_a_ring_that_cannot_be_read_does_not_end_the_watch_and_its_text_is_not_logged() -> None:
    keys = Keys(error=OSError("/secret/place"), is_changed=True)
    with capture_logs() as logged, watching_keys(keys.watch()):
        assert keys.looks.get(timeout=10)
    failures = [line for line in logged if line["log_level"] == "error"]
    assert [(line["event"], line["type"]) for line in failures] == [
        ("key ring not looked at", "OSError")
    ]
    assert "secret" not in str(logged)


def test_a_command_hears_nothing_of_it() -> None:
    keys = Keys(error=OSError(), is_changed=True)
    with capture_logs() as logged, watching_keys(keys.watch(is_logged=False)):
        assert keys.looks.get(timeout=10)
    assert logged == []


def test_a_watch_ends_with_its_block() -> None:
    keys = Keys()
    before = set(threading.enumerate())  # a server of another test may have a watch of its own
    with watching_keys(keys.watch()):
        keys.looks.get(timeout=10)
        assert "subid-keys" in {thread.name for thread in set(threading.enumerate()) - before}
    assert "subid-keys" not in {thread.name for thread in set(threading.enumerate()) - before}
