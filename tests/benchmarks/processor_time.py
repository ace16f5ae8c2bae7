"""Processor time of a server and of its database: what says something on a machine that is shared.

Owns which processes those are. Knows nothing of what they do.
"""

from dataclasses import dataclass

import psutil

from tests.benchmarks.running import Target


@dataclass(frozen=True, kw_only=True)
class ProcessorTime:
    """Seconds of one core, user and system together, since the processes began.

    Attributes:
        server_s: Of the service.
        database_s: Of PostgreSQL with all its own processes.
    """

    server_s: float
    database_s: float

    def __sub__(self, before: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(
            server_s=self.server_s - before.server_s,
            database_s=self.database_s - before.database_s,
        )

    @property
    def total_s(self) -> float:
        """Of both."""
        return self.server_s + self.database_s


def processor_time(target: Target) -> ProcessorTime:
    """What a target has taken so far."""
    main = target.state / "postgres" / "postmaster.pid"
    postmaster = psutil.Process(int(main.read_text(encoding="ascii").split("\n", 1)[0]))
    return ProcessorTime(
        server_s=_of(server_of(target)),
        database_s=sum(_of(each) for each in [postmaster, *postmaster.children(recursive=True)]),
    )


def server_of(target: Target) -> psutil.Process:
    """The process of the service.

    Raises:
        LookupError: It is not there.
    """
    for process in psutil.process_iter(["cmdline"]):
        if str(target.state) in (process.info["cmdline"] or ()):
            return process
    raise LookupError("the server is not there")


def _of(process: psutil.Process) -> float:
    """With its children that have ended, whose time would otherwise be lost."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
