"""Files that are whole or absent, and one maker at a time."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from identity.state_directory import locked, write_whole


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_whole(tmp_path / "file", b"content", mode=0o640, may_replace=False)
    finally:
        os.umask(before)
    assert (tmp_path / "file").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_older_file_gives_way_only_if_it_may(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"first", mode=0o600, may_replace=False)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"second", mode=0o600, may_replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    write_whole(tmp_path / "file", b"third", mode=0o600, may_replace=True)
    assert (tmp_path / "file").read_bytes() == b"third"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nobody_ever_reads_half_a_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", [bytes([byte]) * 200_000 for byte in b"ab"]
    write_whole(path, contents[0], mode=0o600, may_replace=True)

    def write() -> None:
        for turn in range(20):
            write_whole(path, contents[turn % 2], mode=0o600, may_replace=True)

    with ThreadPoolExecutor(1) as writer:
        done = writer.submit(write)
        while not done.done():
            assert path.read_bytes() in contents
    done.result()


def test_a_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(25):
            with locked(tmp_path):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(count) for _ in range(4)]:
            each.result()
    assert counter.read_text() == "100"


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    directory = tmp_path / "made"
    program = f"""
import os, signal
from pathlib import Path
from identity.state_directory import locked
with locked(Path({str(directory)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert killed.returncode < 0
    with locked(directory):
        assert list(directory.iterdir()) == []
