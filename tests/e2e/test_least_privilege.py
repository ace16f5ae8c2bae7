"""The service as a container runs it: no root, no rights, nothing to write to but its state."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.patience import asked_until_there

IDENTITY = ("-m", "identity.cli")
SOURCES = Path(__file__).resolve().parents[2] / "identity"
NOBODY = 65_534
TIMEOUT_S = 120.0


def python_for_nobody() -> Path:
    """Our Python, or one of the same version, that somebody else may run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for each in (Path(sys.executable), Path("/usr/bin", name), Path("/usr/local/bin", name)):
        can_run = subprocess.run(as_nobody("test", "-x", each.resolve()), check=False)
        if can_run.returncode == 0:
            return each
    pytest.skip("Python is installed where nobody else may run it")


def as_nobody(*command: str | Path) -> list[str]:
    """A command without root and without any way back to it."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    drop += ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    return [*drop, *map(str, command)]


@pytest.fixture
def room() -> Iterator[Path]:
    """A directory that nobody can reach: pytest's own are closed, and it closes them again."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody to whom the sources are read-only")
    with tempfile.TemporaryDirectory(prefix="subid-") as made:
        directory = Path(made)
        directory.chmod(0o755)
        if subprocess.run(as_nobody("test", "-x", directory), check=False).returncode != 0:
            pytest.skip("temporary files lie where nobody else may go")
        yield directory


@pytest.fixture
def environment(room: Path) -> dict[str, str]:
    """What the service has to itself: a state directory and one for what is forgotten."""
    own = {}
    for name in ("home", "tmp"):
        (room / name).mkdir(mode=0o700)
        os.chown(room / name, NOBODY, NOBODY)
        own[name] = str(room / name)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    # Another Python of the same version finds what ours has installed.
    path = os.pathsep.join(each for each in sys.path if each)
    return {
        **kept,
        "HOME": own["home"],
        "TMPDIR": own["tmp"],
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SUBID_FACE_WORKERS": "1",
    }


def test_it_serves_without_root_on_sources_that_it_cannot_change(
    room: Path, environment: dict[str, str]
) -> None:
    writing = as_nobody("find", SOURCES, room, "-writable", "-path", f"{SOURCES}*")
    assert subprocess.run(writing, check=True, capture_output=True, cwd="/").stdout == b""
    state, python = room / "home" / "state", python_for_nobody()
    command = as_nobody(python, *IDENTITY, "serve", "--state", state, "--listen", "127.0.0.1:0")
    line, errors, code = served_and_stopped(command, room, environment)
    assert line.startswith("subid is listening on "), errors
    assert code == 0, errors
    assert {path.stat().st_uid for path in (state, *state.rglob("*"))} == {NOBODY}
    assert state.stat().st_mode & 0o077 == 0
    created = as_nobody(python, *IDENTITY, "status", "--state", state)
    subprocess.run(created, env=environment, cwd="/", check=True, capture_output=True)


def served_and_stopped(
    command: Sequence[str], room: Path, environment: Mapping[str, str]
) -> tuple[str, str, int]:
    """What it says when it listens, what it has written until it was stopped then, and its code."""
    # Into files: whoever outlives it would keep a pipe open, and no reading from it would end.
    said, written = room / "stdout.txt", room / "stderr.txt"
    with said.open("wb") as output, written.open("wb") as errors:
        serving = subprocess.Popen(
            command,
            env=environment,
            cwd="/",
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    try:
        asked_until_there(
            lambda: b"\n" in said.read_bytes() or serving.poll() is not None or None,
            "it neither listens nor ends",
        )
        serving.send_signal(signal.SIGTERM)
        code = serving.wait(TIMEOUT_S)
    finally:
        if serving.poll() is None:
            os.killpg(serving.pid, signal.SIGKILL)
            serving.wait(TIMEOUT_S)
    return said.read_text(), written.read_text(), code
