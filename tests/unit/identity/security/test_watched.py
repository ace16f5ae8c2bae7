"""What a directory says is taken up when it changes, and kept when it cannot be read."""

import os
from pathlib import Path

import structlog

from identity.security.watched import LOOK_INTERVAL_S, Watched, files_in
from identity.state_directory import write_whole


class Ticks:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """What is counted."""
        return self.now


def read(directory: Path) -> str:
    text = (directory / "a").read_text() if (directory / "a").exists() else ""
    if text == "broken":
        raise ValueError(text)
    return text


def replace(directory: Path, text: str) -> None:
    write_whole(directory / "a", text.encode(), mode=0o644, may_replace=True)


def test_a_file_that_is_replaced_is_taken_up_at_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path, read, tick=Ticks())
    assert watched.current() == ""
    for text in ("one", "two", "three", "four"):
        replace(tmp_path, text)
        assert watched.current() == text
    (tmp_path / "a").unlink()
    assert watched.current() == ""


def test_a_file_that_is_edited_where_it_lies_is_taken_up_within_seconds(tmp_path: Path) -> None:
    ticks = Ticks()
    replace(tmp_path, "one")
    watched = Watched(tmp_path, read, tick=ticks)
    (tmp_path / "a").write_text("another")
    ticks.now += LOOK_INTERVAL_S
    assert watched.current() == "another"


def test_a_broken_file_leaves_what_was_said_before_and_is_logged_once(tmp_path: Path) -> None:
    replace(tmp_path, "good")
    watched = Watched(tmp_path, read, tick=Ticks())
    replace(tmp_path, "broken")
    with structlog.testing.capture_logs() as logs:
        assert [watched.current() for _ in range(3)] == ["good"] * 3
    assert [(each["log_level"], each["type"]) for each in logs] == [("error", "ValueError")]
    replace(tmp_path, "better")
    assert watched.current() == "better"


def test_what_could_not_be_read_is_read_again_though_no_file_changes(tmp_path: Path) -> None:
    ticks, faults = Ticks(), [OSError(24, "too many open files")]

    def read_now(directory: Path) -> str:
        if faults and (directory / "a").read_text() == "revoked":
            raise faults.pop()
        return read(directory)

    replace(tmp_path, "good")
    watched = Watched(tmp_path, read_now, tick=ticks)
    replace(tmp_path, "revoked")
    assert watched.current() == "good"
    ticks.now += LOOK_INTERVAL_S
    assert watched.current() == "revoked"


def test_a_mode_that_was_put_right_is_seen(tmp_path: Path) -> None:
    ticks = Ticks()
    replace(tmp_path, "one")
    watched = Watched(
        tmp_path, lambda directory: (directory / "a").stat().st_mode & 0o777, tick=ticks
    )
    assert watched.current() == 0o644
    (tmp_path / "a").chmod(0o600)
    ticks.now += LOOK_INTERVAL_S
    assert watched.current() == 0o600


def test_a_directory_that_lies_still_is_not_read_again(tmp_path: Path) -> None:
    replace(tmp_path, "one")
    long_ago = 1_700_000_000
    os.utime(tmp_path, (long_ago, long_ago))
    reads = []

    def counted(directory: Path) -> str:
        reads.append(directory)
        return read(directory)

    watched = Watched(tmp_path, counted, tick=Ticks())
    assert [watched.current() for _ in range(5)] == ["one"] * 5
    assert len(reads) == 1


def test_a_file_in_a_directory_of_the_directory_is_seen_and_a_hidden_one_is_not(
    tmp_path: Path,
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    watched = Watched(
        tmp_path, lambda directory: [path.name for path in files_in(directory)], interval_s=0.0
    )
    assert watched.current() == []
    for name in ("one", ".hidden", "two"):
        (inner / name).write_text(name)
    assert watched.current() == ["one", "two"]


def test_a_directory_may_come_later(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "later", read, tick=Ticks())
    assert watched.current() == ""
    (tmp_path / "later").mkdir()
    replace(tmp_path / "later", "here")
    assert watched.current() == "here"
