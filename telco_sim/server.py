"""The service as a process of its own.

Owns starting `identity serve`, giving certificates to callers, reading the one line that says
where it listens, and stopping it. It refuses to know anything else of the service: a command
line and a port is all there is.
"""

import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 120.0
"""A first start creates a database; on a busy machine with two cores that took 20 s at most."""

STOP_TIMEOUT_S = 30.0

_ENROLMENTS_AT_ONCE = 2

_READY_PREFIX = "subid is listening on "
_LOG_TAIL_CHARACTERS = 2_000

SERVICE_COMMAND = (sys.executable, "-m", "identity.cli")


class ServiceStartError(Exception):
    """The service did not come up, or a certificate could not be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdentity:
    """Who gets a certificate.

    Attributes:
        role: One of the service's roles, such as `operator`.
        name: Name of the caller, unique in the country.
    """

    role: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that runs.

    Attributes:
        address: Host and port it listens on.
        process: Its process.
        log_path: Where its log goes, one JSON object in a line.
    """

    address: str
    process: subprocess.Popen[str]
    log_path: Path

    def stop(self) -> int:
        """Ask the service to finish what it accepted and to end; return its exit code.

        A service that does not end in time is killed, and its exit code is negative.
        """
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def enrol_callers(
    callers: Sequence[CallerIdentity],
    *,
    state: Path,
    folder: Path,
    command: Sequence[str] = SERVICE_COMMAND,
) -> None:
    """Have certificates made for callers, at least one, into a folder.

    Raises:
        ServiceStartError: The command refused one.
    """

    def enrol(caller: CallerIdentity) -> None:
        arguments = ("--role", caller.role, "--name", caller.name, "--out", str(folder))
        finished = subprocess.run(  # noqa: S603 - our own command, no shell
            [*command, "callers", "issue", "--state", str(state), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            message = finished.stderr.strip()
            raise ServiceStartError(f"no certificate for {caller.name}: {message}")

    first, *others = callers
    enrol(first)  # makes the certificate authority, which the others then find
    with ThreadPoolExecutor(_ENROLMENTS_AT_ONCE) as clerks:
        list(clerks.map(enrol, others))


def enrol_issuer(
    issuer: str, *, keys: Path, state: Path, command: Sequence[str] = SERVICE_COMMAND
) -> None:
    """Have the service believe what an issuer says of citizens.

    Args:
        issuer: What it writes as `iss`.
        keys: Its public keys, a JWK set.
        state: The service's state.
        command: How the service is told.

    Raises:
        ServiceStartError: The command refused it.
    """
    arguments = ("--issuer", issuer, "--state", str(state))
    finished = subprocess.run(  # noqa: S603 - our own command, no shell
        [*command, "issuers", "add", "simulated", str(keys), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise ServiceStartError(f"the issuer is not believed: {finished.stderr.strip()}")


@contextmanager
def running_service(
    *,
    state: Path,
    trust_anchors: Path,
    command: Sequence[str] = SERVICE_COMMAND,
    start_timeout_s: float = START_TIMEOUT_S,
    listen: str = "127.0.0.1:0",
) -> Iterator[Service]:
    """Run the service with a simulated clock, and stop it at the end.

    Args:
        state: The service's state directory; its log goes there as well.
        trust_anchors: Folder with the certificates that sign ID cards.
        command: How to call the service's command line.
        start_timeout_s: How long to wait for the line that says where it listens.
        listen: Where it listens; a free port by default.

    Raises:
        ServiceStartError: It ended, stayed silent or said something else.
    """
    log_path = state / "service.log.jsonl"
    arguments = ["--state", str(state), "--listen", listen, "--simulated-clock"]
    with (
        log_path.open("a", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*command, "serve", *arguments, "--trust-anchors", str(trust_anchors)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            address = _read_address(process, log_path=log_path, timeout_s=start_timeout_s)
        except ServiceStartError:
            process.kill()
            raise
        service = Service(address=address, process=process, log_path=log_path)
        try:
            yield service
        finally:
            if process.poll() is None:
                service.stop()


def _read_address(process: subprocess.Popen[str], *, log_path: Path, timeout_s: float) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        is_answered = bool(selector.select(timeout_s))
    line = process.stdout.readline().strip() if is_answered else ""
    if not line.startswith(_READY_PREFIX):
        tail = log_path.read_text(encoding="utf-8")[-_LOG_TAIL_CHARACTERS:]
        raise ServiceStartError(
            f"the service did not come up; it said {line!r} and logged:\n{tail}"
        )
    return line.removeprefix(_READY_PREFIX)
