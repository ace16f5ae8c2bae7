"""Disks that are full, slow, and read-only. Skipped where no disk can be mounted."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.faults.disks import Disk, own_disk
from tests.e2e.faults.scenery import SERVING, database_processes, until_health, writing
from tests.e2e.server_process import ServerProcess


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with own_disk(tmp_path) as found:
        yield found


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(disk: Disk, tmp_path: Path) -> None:
    with ServerProcess(disk.place / "state", log=tmp_path / "log") as server:
        with writing(server, seed=7) as writers:
            disk.fill()
            writers.are_refused()
            disk.make_room()
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
        until_health(server, SERVING)
        assert server.stop() == 0
    assert '"event": "failed"' not in server.errors
    assert set(writers.refusals) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


def test_a_slow_disk_is_waited_for(disk: Disk, tmp_path: Path) -> None:
    """A frozen file system stands for a slow disk: every write waits, then all are done."""
    with ServerProcess(disk.place / "state", log=tmp_path / "log") as server:
        with writing(server, seed=8) as writers:
            with disk.frozen():
                writers.are_refused()
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
        until_health(server, SERVING)
        assert server.stop() == 0
    assert '"event": "failed"' not in server.errors


def test_a_disk_that_became_read_only_has_lost_nothing_when_it_is_mended(
    disk: Disk, tmp_path: Path
) -> None:
    state = disk.place / "state"
    with (
        ServerProcess(state, log=tmp_path / "log") as server,
        writing(server, seed=9) as writers,
    ):
        disk.abort()
        writers.are_refused()
        # The disk needs a machine that starts again, and everything on it ends with that.
        left = database_processes(state)
        server.kill()
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        disk.unmount()
        disk.repair()
        disk.mount()
        with ServerProcess(state, listen=server.address, log=tmp_path / "log") as second:
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
            assert second.stop() == 0
    assert '"event": "failed"' not in server.errors
