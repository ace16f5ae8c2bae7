"""`identity serve` as a process of its own, with its own embedded PostgreSQL.

Owns starting, killing and stopping it, and what it wrote. Knows no method.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import grpc
import psutil

from identity.domain.caller import Caller, Role
from identity.security.certificates import Identity, load_or_create_authority
from tests.integration.assertions import asserting
from tests.integration.wire import Stubs

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 90.0
_ANNOUNCED = re.compile(r"subid is listening on (\S+)")


class ServerProcess:
    """One running server; use it as a context, so that it never outlives its test.

    Attributes:
        program: What its command line begins with.
    """

    program: Sequence[str] = (str(Path(sys.executable).with_name("identity")),)

    def __init__(
        self,
        state: Path,
        *,
        listen: str = "127.0.0.1:0",
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        is_simulated: bool = True,
    ) -> None:
        """Start it; returns before it listens.

        Args:
            state: Its state directory, made when absent.
            listen: `host:port`.
            log: Where its standard error goes, beside what is there; in the state directory unless
                told otherwise.
            environment: More of it.
            is_simulated: Whether its clock is.
        """
        state.mkdir(parents=True, exist_ok=True)
        self.state = state
        self._log = log or state / "stderr.txt"
        self._errors = self._log.open("ab")
        self.process = subprocess.Popen(
            serve_command(state, listen=listen, is_simulated=is_simulated, program=self.program),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "SUBID_FACE_WORKERS": "1", **(environment or {})},
        )
        self._announcement = ""
        self._is_announced = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._channels: list[grpc.Channel] = []

    def _read(self) -> None:
        # One line and no more: PostgreSQL outlives a killed server and keeps the pipe open.
        assert self.process.stdout is not None
        self._announcement = self.process.stdout.readline()
        self._is_announced.set()

    @property
    def address(self) -> str:
        """Where it listens, once it does."""
        assert self._is_announced.wait(START_TIMEOUT_S), "the server did not start"
        found = _ANNOUNCED.search(self._announcement)
        assert found is not None, self.errors
        return found[1]

    @property
    def errors(self) -> str:
        """Everything that was written to standard error, by this process and earlier ones."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def private_kb(self) -> float:
        """The memory of its own process that it shares with nobody."""
        return float(psutil.Process(self.process.pid).memory_full_info().uss) / 1024

    def act_as(self, role: Role, name: str) -> Stubs:
        """Stubs with a certificate of a role and name."""
        issued = self.issue(role, name)
        self._channels.append(self.channel(role, name, identity=issued))
        return Stubs(self._channels[-1], issued.private_key)

    def issue(self, role: Role, name: str) -> Identity:
        """A new certificate of its authority, and the key."""
        now = datetime.now(UTC)
        authority = load_or_create_authority(self.state / "certificates", at=now)
        return authority.issue_caller(Caller(role, name), at=now)

    def channel(self, role: Role, name: str, *, identity: Identity | None = None) -> grpc.Channel:
        """A new connection; the caller closes it."""
        issued = identity or self.issue(role, name)
        now = datetime.now(UTC)
        authority = load_or_create_authority(self.state / "certificates", at=now)
        credentials = grpc.ssl_channel_credentials(
            authority.certificate_pem, issued.private_key, issued.certificate
        )
        # Without a pool of its own a channel would share the connection of one that is dying.
        channel = grpc.secure_channel(
            self.address, credentials, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        if role is Role.CITIZEN_APP:
            return asserting(channel, self.state, issued.certificate)
        return channel

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self.ask_to_stop()
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends; returns its exit code."""
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """Kill -9: nothing is finished, nothing is cleaned up."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for channel in self._channels:
            channel.close()
        if self.process.poll() is None:
            self.ask_to_stop()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()


def serve_command(
    state: Path,
    *,
    listen: str,
    is_simulated: bool = True,
    program: Sequence[str] = ServerProcess.program,
) -> Sequence[str]:
    """The command line of a server, on a simulated clock or the machine's."""
    clock = ["--simulated-clock"] if is_simulated else []
    return [*program, "serve", "--state", str(state), "--listen", listen, *clock]
