"""The service as a container runs it: no root, no rights, nothing to write to but its state."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
def environment(tmp_path: Path) -> dict[str, str]:
    """What the service has to itself: a state directory and one for what is forgotten."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody to whom the sources are read-only")
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    own = {}
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
        os.chown(tmp_path / name, NOBODY, NOBODY)
        own[name] = str(tmp_path / name)
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
    tmp_path: Path, environment: dict[str, str]
) -> None:
    writing = as_nobody("find", SOURCES, tmp_path, "-writable", "-path", f"{SOURCES}*")
    assert subprocess.run(writing, check=True, capture_output=True, cwd="/").stdout == b""
    state, python = tmp_path / "home" / "state", python_for_nobody()
    serving = subprocess.Popen(
        as_nobody(python, *IDENTITY, "serve", "--state", state, "--listen", "127.0.0.1:0"),
        env=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    line = serving.stdout.readline()
    serving.send_signal(signal.SIGTERM)
    _, errors = serving.communicate(timeout=TIMEOUT_S)
    assert line.startswith("subid is listening on "), errors
    assert serving.returncode == 0, errors
    assert {path.stat().st_uid for path in (state, *state.rglob("*"))} == {NOBODY}
    assert state.stat().st_mode & 0o077 == 0
    created = as_nobody(python, *IDENTITY, "status", "--state", state)
    subprocess.run(created, env=environment, cwd="/", check=True, capture_output=True)
