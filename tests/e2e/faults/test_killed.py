"""`kill -9` in the middle of writing, of the server and of its database."""

import signal
from pathlib import Path

from tests.e2e.faults.scenery import SERVING, database_processes, until_health, writing
from tests.e2e.server_process import ServerProcess


def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server, writing(server, seed=1) as writers:
        server.kill()
        writers.are_refused()
        # Whoever runs the service starts it again: systemd, a container's engine.
        with ServerProcess(state, listen=server.address) as second:
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
            until_health(second, SERVING)
            assert second.stop() == 0
    assert writers.in_doubt or writers.refusals["UNAVAILABLE"]


def test_a_killed_database_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        with writing(server, seed=2) as writers:
            for each in database_processes(state):
                each.send_signal(signal.SIGKILL)
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
        until_health(server, SERVING)
        assert server.stop() == 0
    assert '"event": "failed"' not in server.errors


def test_a_killed_backend_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    """PostgreSQL ends all connections when one process dies badly, and recovers by itself."""
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        with writing(server, seed=3) as writers:
            backend = database_processes(state)[-1]
            backend.send_signal(signal.SIGKILL)
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
        assert server.stop() == 0
    assert '"event": "failed"' not in server.errors
