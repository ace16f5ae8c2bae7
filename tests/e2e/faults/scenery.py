"""A server under writers, what it says of its health, and the processes of its database.

Owns finding and waiting; the faults are the tests' own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from identity.domain.caller import Role
from tests.e2e.faults.writers import PATIENCE_S, PAUSE_S, Writers
from tests.e2e.server_process import ServerProcess

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@contextmanager
def writing(server: ServerProcess, *, seed: int) -> Iterator[Writers]:
    """Writers of an operator of their own, of whom some writes are acknowledged already."""
    with Writers(_connector(server, f"operator-{seed}"), seed=seed) as writers:
        writers.go_on()
        yield writers


def _connector(server: ServerProcess, operator: str) -> Callable[[], grpc.Channel]:
    """What connects to a server, or the next of its address, without a look at its disk."""
    address, issued = server.address, server.issue(Role.OPERATOR, operator)
    authority = (server.state / "certificates" / "ca.crt.pem").read_bytes()
    credentials = grpc.ssl_channel_credentials(authority, issued.private_key, issued.certificate)
    options = [("grpc.use_local_subchannel_pool", 1)]
    return lambda: grpc.secure_channel(address, credentials, options=options)


def until_health(server: ServerProcess, status: int) -> None:
    """Wait until the server says so of itself.

    Raises:
        AssertionError: It does not, in any time that could be expected.
    """
    pause = Event()
    with server.channel(Role.OPERATOR, "watch") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for _ in range(int(PATIENCE_S / PAUSE_S)):
            found = health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S).status
            if found == status:
                return
            pause.wait(PAUSE_S)
    raise AssertionError(f"health does not say {status}")


def database_processes(state: Path) -> list[psutil.Process]:
    """The embedded PostgreSQL and its children, itself in front; none when it has ended."""
    pid = int((state / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    try:
        postmaster = psutil.Process(pid)
        return [postmaster, *postmaster.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
