"""The canary run searches files, tables and what was refused, and fails on what it finds."""

import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry, Counter

from identity.storage.base_backups import BackupSource, BackupStore, create_backup
from identity.storage.embedded import embedded_postgres
from identity.storage.wal_archive import segment_name
from identity.telemetry.exposition import exposed
from identity.telemetry.otlp import to_endpoint
from identity.telemetry.tracing import Tracing
from telco_sim.recording import REFUSED_FILE, TOLD_FILE, PersonalKind, Told
from tests.canary.__main__ import main
from tests.canary.canary import CanaryRun, run_canary
from tests.canary.scanner import Find
from tests.canary.sources import Sources, collecting

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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backups of a database that tells of nobody."""
    return make_backup(tmp_path_factory.mktemp("whole"), "nothing of anybody")


def make_backup(folder: Path, text: str) -> Path:
    """A directory of backups with a base backup of a database with a text, and a log beside it."""
    store, data = BackupStore(folder / "backups"), folder / "state" / "postgres"
    folder.mkdir(exist_ok=True)
    make_state(folder / "state", text)
    with embedded_postgres(data) as url:
        of = BackupSource(url=url, data=data, schema_version="0001", key_ids=[1])
        create_backup(of, store, seal=lambda text: sha256(text.encode()).digest()[:16])
    store.archive.directory.mkdir()
    (store.archive.directory / f"{segment_name(1, 1)}.gz").write_bytes(gzip.compress(bytes(100)))
    return store.directory


@contextmanager
def telling(folder: Path, *, metric: str = "none", span: str = "none") -> Iterator[Sources]:
    """A server's metrics and traces, taken as those of a simulation are."""
    registry = CollectorRegistry()
    Counter("calls", "Calls.", ["whose"], registry=registry).labels(metric).inc()
    with collecting(folder) as sources, exposed(registry, sources.metrics_address):
        tracing = Tracing(to_endpoint(sources.traces_url))
        with tracing.call(f"Service/{span}", None):
            pass
        tracing.close()
        sources.fetch_metrics()
    yield sources


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


def test_metrics_traces_and_backups_that_are_clean_are_told_to_be(
    state: Path, whole: Path, recording: Path, tmp_path: Path
) -> None:
    with telling(tmp_path / "left") as sources:
        assert sources.missing() == ["backup", "archived log"]
        shutil.copytree(whole, sources.backups)
        run = run_canary(state=state, recording=recording, sources=sources)
    assert (run.scanned.finds, run.scanned.unread) == ((), ())


def test_a_leak_into_metrics_is_found(state: Path, recording: Path, tmp_path: Path) -> None:
    with telling(tmp_path / "left", metric=PERSONAL_ID) as sources:
        run = run_canary(state=state, recording=recording, sources=sources)
    assert {each.place.partition("/")[0] for each in run.scanned.finds} == {"metrics"}


def test_a_leak_into_a_trace_is_found(state: Path, recording: Path, tmp_path: Path) -> None:
    with telling(tmp_path / "left", span=PERSONAL_ID) as sources:
        run = run_canary(state=state, recording=recording, sources=sources)
    assert {each.place.partition("/")[0] for each in run.scanned.finds} == {"traces"}


def test_a_leak_into_a_backup_is_found(state: Path, recording: Path, tmp_path: Path) -> None:
    with telling(tmp_path / "left") as sources:
        make_backup(tmp_path / "leaking", NAME).rename(sources.backups)
        run = run_canary(state=state, recording=recording, sources=sources)
    assert {each.place.partition("/data/")[0] for each in run.scanned.finds} == {
        str(path.relative_to(sources.folder)) for path in sources.backups.glob("base/*")
    }


def test_a_leak_into_the_archived_log_is_found(
    state: Path, whole: Path, recording: Path, tmp_path: Path
) -> None:
    with telling(tmp_path / "left") as sources:
        shutil.copytree(whole, sources.backups)
        (segment,) = sources.backups.glob("wal/*.gz")
        segment.write_bytes(gzip.compress(bytes(100) + NAME.encode()))
        run = run_canary(state=state, recording=recording, sources=sources)
    assert {each.place.partition(" ")[0] for each in run.scanned.finds} == {
        str(segment.relative_to(sources.folder))
    }


def test_what_there_is_none_of_was_not_searched(
    state: Path, recording: Path, tmp_path: Path
) -> None:
    with collecting(tmp_path / "left") as sources:
        pass
    run = run_canary(state=state, recording=recording, sources=sources)
    assert not run.scanned.is_clean
    assert [each.partition(":")[0] for each in run.scanned.unread] == [
        *("metrics", "traces", "backup", "archived log"),
    ]


def test_what_was_refused_is_searched(state: Path, recording: Path) -> None:
    (recording / REFUSED_FILE).write_bytes(f"{NAME} has no such number".encode())
    assert kinds(search(state, recording).scanned.finds) == {PersonalKind.NAME}


def test_what_postgresql_compresses_is_found_in_its_table(recording: Path, tmp_path: Path) -> None:
    state = make_state(tmp_path / "state", f"{NAME} {'and so on and on ' * 1_000}")
    run = search(state, recording)
    assert kinds(run.scanned.finds) == {PersonalKind.NAME}
    assert {each.place for each in run.scanned.finds} >= {"table postgres.public.note"}
    assert run.compressed_counts["postgres.public.note"] == 1
