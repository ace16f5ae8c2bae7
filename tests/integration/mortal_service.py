"""Servers and operators in processes that kill themselves at a point that they are told.

Owns the points and the processes. Run with `python -m tests.integration.mortal_service`: it loads
everything once, and for each line that it reads it forks a process: a server on its port with a
real database, real TLS and every servicer, or an operator with its own network. A server's points
are before and after each statement and each commit; an operator's are its own. They die by SIGKILL.
No faces are compared here, so no process for that is started. Everything else is the service's own.
"""

import asyncio
import json
import os
import select
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from sqlalchemy import Engine, event

from biometrics.chip.report import ChipReport
from identity.bootstrap import make_clock, open_current_database
from identity.config import Settings
from identity.policy_files import load_policies
from identity.rpc.edge import Edge
from identity.rpc.server import listen
from identity.security.admission import Admission
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.transactions import Transactions
from tests.integration.durable_operator import CHANNEL_OPTIONS, DurableOperator, Network
from tests.integration.mortal_importer import die, say
from tests.integration.wire import Stubs

KINDS = ("before_cursor_execute", "after_cursor_execute", "commit", "checkin")


@dataclass(slots=True)
class Fuse:
    """How many points a process passes in each stage, and at which of them it ends.

    Attributes:
        name: Whose points they are.
        ends_at: The number of the point at which it ends, by stage.
        stage: Says what is being done.
        passed: How many points it has passed in each stage.
    """

    name: str
    ends_at: Mapping[str, int]
    stage: Callable[[], str]
    passed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_point(self, *_details: object) -> None:
        """Come to a point, and end if it is the one."""
        with self._lock:
            stage = self.stage()
            self.passed[stage] += 1
            if self.ends_at.get(stage) == self.passed[stage]:
                self.tell(died_in=stage)
                die()

    def watch(self, engine: Engine) -> None:
        """Have every statement and every transaction be a point."""
        for name in KINDS:
            event.listen(engine, name, self.pass_point)

    def tell(self, **more: str) -> None:
        """Say what was passed."""
        say({"name": self.name, "passed": dict(self.passed), **more})


def serve(job: Mapping[str, Any], faces: FacePool) -> None:
    """Be a server until SIGTERM, or until the end."""
    stage_file = Path(job["stage_file"])
    fuse = Fuse(job["name"], job["ends_at"], lambda: stage_file.read_text("utf-8"))
    settings = Settings(
        state=Path(job["state"]),
        database=job["database"],
        listen=job["listen"],
        simulated_clock=True,
    )
    asyncio.run(_serve(settings, fuse, faces))
    fuse.tell()


async def _serve(settings: Settings, fuse: Fuse, faces: FacePool) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    policies = load_policies(settings)
    with (
        open_current_database(settings) as database,
        ThreadPoolExecutor(settings.request_threads) as threads,
    ):
        clock = make_clock(settings, database)
        fuse.watch(database.engine)
        edge = Edge(
            transactions=Transactions(database),
            clock=clock,
            examine_chip=_examine_nothing,  # type: ignore[arg-type] # it is never called
            faces=faces,
            threads=threads,
        )
        listening = await listen(
            edge,
            policies,
            address=settings.listen,
            admission=Admission(settings.state),
        )
        await stopping.wait()
        await listening.stop()


def _examine_nothing(*_arguments: object, **_options: object) -> ChipReport:
    raise AssertionError("enforcement examines no chip")


def operate(job: Mapping[str, Any]) -> None:
    """Be an operator until its work is done, or until the end."""
    fuse = Fuse(job["name"], job["ends_at"], lambda: job["stage"])
    credentials = grpc.ssl_channel_credentials(
        Path(job["authority"]).read_bytes(),
        Path(job["key"]).read_bytes(),
        Path(job["certificate"]).read_bytes(),
    )
    with grpc.secure_channel(job["address"], credentials, options=CHANNEL_OPTIONS) as channel:
        operator = DurableOperator(
            network=Network(Path(job["network"])),
            stubs=Stubs(channel, Path(job["key"]).read_bytes()),
            pass_point=fuse.pass_point,
        )
        if job["report"]:
            operator.report(job["report"])
        else:
            operator.obey()
    fuse.tell()


def fork(job: Mapping[str, Any], faces: FacePool) -> int:
    """A process that does one job; returns its identifier."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if job["do"] == "serve":
            serve(job, faces)
        else:
            operate(job)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here, and says why
        traceback.print_exc()
    os._exit(code)


class Parent:
    """Forks for each line, tells how each ended, and ends when nothing more is to be read."""

    def __init__(self, faces: FacePool) -> None:
        self._faces = faces
        self._names: dict[int, str] = {}
        self._awake, wake = os.pipe()
        for end in (self._awake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Until standard input ends; whoever is left then is killed."""
        lines = sys.stdin.fileno()
        unread = b""
        while True:
            ready, _, _ = select.select([lines, self._awake], [], [])
            if self._awake in ready:
                os.read(self._awake, 512)
                self._reap()
            if lines in ready:
                read = os.read(lines, 65_536)
                if not read:
                    break
                *whole, unread = (unread + read).split(b"\n")
                for line in whole:
                    self._begin(json.loads(line))
        for child in self._names:
            os.kill(child, signal.SIGKILL)

    def _begin(self, job: Mapping[str, Any]) -> None:
        if "stop" in job:
            for child, name in self._names.items():
                if name == job["stop"]:
                    os.kill(child, signal.SIGTERM)
            return
        self._names[fork(job, self._faces)] = job["name"]

    def _reap(self) -> None:
        while self._names:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            say({"name": self._names.pop(child), "ended": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    # Made here, and not in processes that leave it behind when they are killed.
    Parent(FacePool(make_face_setup(models_directory=Path()), worker_count=1)).run()
