"""The canary run searches files, tables and what was refused, and fails on what it finds."""

from pathlib import Path

import psycopg
import pytest

from identity.storage.embedded import embedded_postgres
from telco_sim.recording import REFUSED_FILE, TOLD_FILE, PersonalKind, Told
from tests.canary.__main__ import main
from tests.canary.canary import CanaryRun, run_canary
from tests.canary.scanner import Find

NAME = "Nguyễn Thị Bích Đào"
PERSONAL_ID = "079190012345"
TOLD = (
    Told(kind=PersonalKind.NAME, value=NAME),
    Told(kind=PersonalKind.PERSONAL_ID, value=PERSONAL_ID),
)


def make_state(folder: Path, text: str) -> Path:
    """A state directory with a database that nobody serves, and a text in it."""
    folder.mkdir()
    with embedded_postgres(folder / "postgres") as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE note (content text)")
        connection.execute("INSERT INTO note VALUES (%s)", (text,))
    return folder


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that tells of nobody."""
    return make_state(tmp_path_factory.mktemp("canary") / "state", "nothing of anybody")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """What a simulation told and heard."""
    lines = "".join(f"{each.to_line()}\n" for each in TOLD)
    (tmp_path / TOLD_FILE).write_text(lines, encoding="utf-8")
    (tmp_path / REFUSED_FILE).write_bytes(b"the number is not yours")
    return tmp_path


def search(state: Path, recording: Path) -> CanaryRun:
    return run_canary(state=state, recording=recording)


def kinds(finds: tuple[Find, ...]) -> set[PersonalKind]:
    return {each.kind for each in finds}


def test_what_is_clean_is_told_to_be(
    state: Path, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(state), "--record", str(recording)]) == 0
    assert "Nothing of anybody was found." in capsys.readouterr().out


def test_a_leak_is_told_by_its_place_and_not_by_its_value(
    state: Path, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = tmp_path / "metrics.txt"
    metrics.write_text(f'calls{{citizen="{PERSONAL_ID}"}} 1\n')
    options = ("--state", str(state), "--record", str(recording), "--also", str(metrics))
    assert main(options) == 1
    told = capsys.readouterr().out
    assert "FOUND 1 x personal ID, plain:" in told
    assert "metrics.txt" in told
    assert PERSONAL_ID not in told


def test_what_was_refused_is_searched(state: Path, recording: Path) -> None:
    (recording / REFUSED_FILE).write_bytes(f"{NAME} has no such number".encode())
    assert kinds(search(state, recording).scanned.finds) == {PersonalKind.NAME}


def test_what_postgresql_compresses_is_found_in_its_table(recording: Path, tmp_path: Path) -> None:
    state = make_state(tmp_path / "state", f"{NAME} {'and so on and on ' * 1_000}")
    run = search(state, recording)
    assert kinds(run.scanned.finds) == {PersonalKind.NAME}
    assert {each.place for each in run.scanned.finds} >= {"table postgres.public.note"}
    assert run.compressed_counts["postgres.public.note"] == 1
