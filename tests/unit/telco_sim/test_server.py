"""Starting and stopping a service by its command line, with stand-ins that are real processes."""

import sys
from pathlib import Path

import pytest

from telco_sim.server import CallerIdentity, ServiceStartError, enrol_callers, running_service

OBEDIENT = """
import signal, sys, threading
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("subid is listening on 127.0.0.1:4711", flush=True)
print(" ".join(sys.argv[1:]), file=sys.stderr, flush=True)
stop.wait()
"""

CLERK = """
import pathlib, sys
given = dict(zip(sys.argv[3::2], sys.argv[4::2]))
if given["--role"] == "pope":
    sys.exit("no such role: pope")
(pathlib.Path(given["--out"]) / (given["--name"] + ".crt.pem")).write_text(given["--role"])
"""


def command(source: str) -> tuple[str, ...]:
    return (sys.executable, "-c", source)


def test_the_address_is_read_and_the_service_is_stopped(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors"
    with running_service(
        state=tmp_path, trust_anchors=anchors, command=command(OBEDIENT)
    ) as service:
        assert service.address == "127.0.0.1:4711"
        assert service.process.poll() is None
    assert service.process.returncode == 0
    told = service.log_path.read_text(encoding="utf-8")
    assert f"--trust-anchors {anchors}" in told
    assert "--simulated-clock" in told


def test_stopping_says_with_which_exit_code_it_ended(tmp_path: Path) -> None:
    stubborn = OBEDIENT + "sys.exit(3)"
    with running_service(
        state=tmp_path, trust_anchors=tmp_path, command=command(stubborn)
    ) as service:
        assert service.stop() == 3


def test_a_service_that_dies_is_quoted(tmp_path: Path) -> None:
    dying = "import sys; sys.exit('the disk is full')"
    with (
        pytest.raises(ServiceStartError, match="the disk is full"),
        running_service(state=tmp_path, trust_anchors=tmp_path, command=command(dying)),
    ):
        pytest.fail("it never came up")


def test_a_service_that_says_something_else_is_not_up(tmp_path: Path) -> None:
    chatty = "import signal; print('hello', flush=True); signal.pause()"
    with (
        pytest.raises(ServiceStartError, match="hello"),
        running_service(state=tmp_path, trust_anchors=tmp_path, command=command(chatty)),
    ):
        pytest.fail("it never came up")


def test_a_silent_service_is_given_up(tmp_path: Path) -> None:
    silent = "import signal; signal.pause()"
    with (
        pytest.raises(ServiceStartError, match="did not come up"),
        running_service(
            state=tmp_path, trust_anchors=tmp_path, command=command(silent), start_timeout_s=0.2
        ),
    ):
        pytest.fail("it never came up")


def test_every_caller_gets_a_certificate(tmp_path: Path) -> None:
    callers = [CallerIdentity(role="agency", name=f"agency-{index}") for index in range(3)]
    enrol_callers(callers, state=tmp_path, folder=tmp_path, command=command(CLERK))
    written = {path.name: path.read_text() for path in tmp_path.glob("*.pem")}
    assert written == {f"agency-{index}.crt.pem": "agency" for index in range(3)}


def test_a_refused_caller_is_named_with_the_reason(tmp_path: Path) -> None:
    callers = [CallerIdentity(role="agency", name="a"), CallerIdentity(role="pope", name="francis")]
    with pytest.raises(ServiceStartError, match="no certificate for francis: no such role"):
        enrol_callers(callers, state=tmp_path, folder=tmp_path, command=command(CLERK))
