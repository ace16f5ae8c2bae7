"""The service's processes, and what may befall them.

Owns starting it again on its port, and the faults. Knows the service as processes and a port: the
database is whatever processes of PostgreSQL work in the state directory.
"""

import asyncio
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from telco_sim.load.plan import Fault, LoadPlan
from telco_sim.server import Service, running_service

_MB = 1 << 20


class ServiceProcesses:
    """A service that is started again whenever it was killed.

    Args:
        state: Its state directory; it listens once `start` has returned.
        trust_anchors: Folder of its trust anchors; may be empty.
        plan: How long a pause is.
    """

    def __init__(self, state: Path, *, trust_anchors: Path, plan: LoadPlan) -> None:
        self._state = state
        self._trust_anchors = trust_anchors
        self._pause_s = plan.pause_s
        self._running = ExitStack()
        self._service: Service | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        assert self._service is not None
        return self._service.address

    def start(self) -> None:
        """Start it, on the port it had."""
        listen = "127.0.0.1:0" if self._service is None else self._service.address
        self._service = self._running.enter_context(
            running_service(state=self._state, trust_anchors=self._trust_anchors, listen=listen)
        )

    def stop(self) -> None:
        """Stop it."""
        self._running.close()

    def memory_mb(self) -> float:
        """Private memory of the service's own process; 0 while there is none."""
        assert self._service is not None
        with suppress(psutil.NoSuchProcess):
            return float(psutil.Process(self._service.process.pid).memory_full_info().uss) / _MB
        return 0.0

    async def suffer(self, fault: Fault) -> None:
        """Do it, and what whoever runs the service would do: start again what was killed."""
        assert self._service is not None
        match fault:
            case Fault.SERVER_KILLED:
                self._service.process.kill()
                await asyncio.to_thread(self._service.process.wait)
                await asyncio.to_thread(self.start)
            case Fault.DATABASE_KILLED:
                _tell(self._database(), signal.SIGKILL)
            case Fault.DATABASE_PAUSED:
                await self._pause(self._database())
            case Fault.CONNECTIONS_CUT:
                # What pg_terminate_backend sends.
                _tell(self._backends(), signal.SIGTERM)
            case Fault.SERVER_PAUSED:
                await self._pause([psutil.Process(self._service.process.pid)])
            case Fault.NONE:
                pass

    async def _pause(self, processes: list[psutil.Process]) -> None:
        _tell(processes, signal.SIGSTOP)
        try:
            await asyncio.sleep(self._pause_s)
        finally:
            _tell(processes, signal.SIGCONT)

    def _database(self) -> list[psutil.Process]:
        pid = (self._state / "postgres" / "postmaster.pid").read_text().splitlines()[0]
        postmaster = psutil.Process(int(pid))
        return [postmaster, *postmaster.children(recursive=True)]

    def _backends(self) -> list[psutil.Process]:
        """Those that serve a connection: PostgreSQL names where it comes from."""
        return [each for each in self._database()[1:] if "[local]" in " ".join(each.cmdline())]


def _tell(processes: list[psutil.Process], number: signal.Signals) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
