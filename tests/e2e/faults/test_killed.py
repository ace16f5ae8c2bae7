"""`kill -9` in the middle of writing, of the server and of its database."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.faults.scenery import SERVING, database_processes, until_health, writing
from tests.e2e.server_process import ServerProcess

IDENTITY = str(Path(sys.executable).with_name("identity"))


def refuse_damage(state: Path) -> None:
    """The audit log must be what was signed: what is stored, and what the sealer remembers."""
    command = [IDENTITY, "audit", "check", "--state", str(state)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server, writing(server, seed=1) as writers:
        server.kill()
        writers.are_refused()
        refuse_damage(state)
        # Whoever runs the service starts it again: systemd, a container's engine.
        with ServerProcess(state, listen=server.address) as second:
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
            until_health(second, SERVING)
            assert second.stop() == 0
    assert "audit log is not sealed" not in second.errors
    refuse_damage(state)
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
    refuse_damage(state)


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
