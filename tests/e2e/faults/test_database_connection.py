"""The way to the database: cut, held up, and a database that stands still."""

import signal
from pathlib import Path

import psycopg

from identity.storage.embedded import embedded_postgres
from tests.e2e.faults.proxy import Proxy
from tests.e2e.faults.scenery import (
    NOT_SERVING,
    SERVING,
    database_processes,
    until_health,
    writing,
)
from tests.e2e.server_process import ServerProcess

END_ALL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
TIMES = 5


def test_connections_that_the_database_ends_cost_nothing(tmp_path: Path) -> None:
    with (
        embedded_postgres(tmp_path / "given" / "postgres") as url,
        ServerProcess(tmp_path / "state", environment={"SUBID_DATABASE": url}) as server,
    ):
        with writing(server, seed=4) as writers, psycopg.connect(url, autocommit=True) as own:
            for _ in range(TIMES):
                own.execute(END_ALL)
                writers.go_on()
            writers.stop()
            writers.refuse_losses()
        until_health(server, SERVING)
        assert server.stop() == 0
        assert '"event": "failed"' not in server.errors


def test_a_way_that_is_cut_or_held_is_told_by_health_and_found_again(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "given" / "postgres") as url:
        with psycopg.connect(url) as found:
            place = Path(found.info.host) / f".s.PGSQL.{found.info.port}"
            user = found.info.user
        with Proxy(place) as way:
            through = f"postgresql://{user}@127.0.0.1:{way.port}/postgres"
            environment = {"SUBID_DATABASE": through}
            with ServerProcess(tmp_path / "state", environment=environment) as server:
                with writing(server, seed=5) as writers:
                    way.cut()
                    until_health(server, NOT_SERVING)
                    way.mend()
                    until_health(server, SERVING)
                    writers.go_on()
                    way.hold()
                    writers.are_refused()
                    way.mend()
                    writers.go_on()
                    writers.stop()
                    writers.refuse_losses()
                assert server.stop() == 0
                assert '"event": "failed"' not in server.errors
                assert set(writers.refusals) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


def test_a_database_that_stands_still_is_waited_for(tmp_path: Path) -> None:
    """SIGSTOP stands for a machine without processor time, or a hypervisor that moves it."""
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        with writing(server, seed=6) as writers:
            stopped = database_processes(state)
            for each in stopped:
                each.send_signal(signal.SIGSTOP)
            try:
                writers.are_refused()
            finally:
                for each in stopped:
                    each.send_signal(signal.SIGCONT)
            writers.go_on()
            writers.stop()
            writers.refuse_losses()
        until_health(server, SERVING)
        assert server.stop() == 0
    assert '"event": "failed"' not in server.errors
