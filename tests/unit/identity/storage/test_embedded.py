"""The embedded PostgreSQL keeps its data between starts and listens on no network."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from identity.storage.database import connect
from identity.storage.embedded import EmbeddedServerError, embedded_postgres, revive_postgres


def run(url: str, *statements: str) -> list[object]:
    engine = connect(url)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        answers = [result.scalar() if result.returns_rows else None for result in results]
    engine.dispose()
    return answers


def test_data_outlives_the_server_and_no_port_is_open(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "postgres"
    with embedded_postgres(directory) as url:
        assert str(make_url(url).query["host"]).startswith("/")
        (addresses, *_) = run(
            url,
            "SELECT current_setting('listen_addresses')",
            "CREATE TABLE kept (value int)",
            "INSERT INTO kept VALUES (7)",
        )
        assert addresses == ""
    with embedded_postgres(directory) as url:
        assert run(url, "SELECT value FROM kept") == [7]


def test_a_killed_server_is_revived_at_its_url_with_its_data(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory) as url:
        run(url, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (7)")
        kill(directory)
        with pytest.raises(OperationalError):
            run(url, "SELECT 1")
        revive(directory)
        assert run(url, "SELECT value FROM kept") == [7]
        revive_postgres(directory)
        assert run(url, "SELECT value FROM kept") == [7]
    assert not (directory / "postmaster.pid").exists()


def test_a_server_process_that_nobody_reaches_is_not_called_revived(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory) as url:
        Path(str(make_url(url).query["host"]), ".s.PGSQL.5432").unlink()
        with pytest.raises(EmbeddedServerError):
            revive_postgres(directory)


def kill(directory: Path) -> None:
    os.kill(int((directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def revive(directory: Path) -> None:
    """As the service does it: again until the backends of the killed server are gone."""
    while True:
        try:
            return revive_postgres(directory)
        except EmbeddedServerError:
            continue


def test_the_number_of_a_killed_server_may_name_another_process(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory) as url:
        run(url, "CREATE TABLE kept (value int)")
        lines = (directory / "postmaster.pid").read_text().splitlines()
    (directory / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    with embedded_postgres(directory) as url:
        assert run(url, "SELECT count(*) FROM kept") == [0]


def cut_off_early(directory: Path) -> None:
    """As kill -9 in the middle of initdb leaves it: a version, and no control file."""
    (directory / "global").mkdir(parents=True)
    (directory / "base" / "1").mkdir(parents=True)
    (directory / "PG_VERSION").write_text("18\n")


def cut_off_elsewhere(directory: Path) -> None:
    """As it is left now: nothing under the directory's own name."""
    cut_off_early(directory.with_name("postgres.unfinished"))


@pytest.mark.parametrize("cut_off", [cut_off_early, cut_off_elsewhere])
def test_a_directory_that_initdb_did_not_finish_is_made_anew(
    tmp_path: Path, cut_off: Callable[[Path], None]
) -> None:
    cut_off(tmp_path / "postgres")
    with embedded_postgres(tmp_path / "postgres") as url:
        assert run(url, "SELECT 1") == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"]


def test_something_else_in_the_directorys_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "notes.txt").write_text("mine")
    with pytest.raises(EmbeddedServerError, match="something else"):
        embedded_postgres(tmp_path / "postgres").__enter__()
    assert (tmp_path / "postgres" / "notes.txt").read_text() == "mine"


def test_data_that_lost_its_control_file_is_told_and_left(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory):
        pass
    (directory / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedServerError, match="does not start"):
        embedded_postgres(directory).__enter__()
    assert (directory / "base" / "5").is_dir()
