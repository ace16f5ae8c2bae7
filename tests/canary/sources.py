"""What a service tells elsewhere than in its state: metrics, traces and backups, kept as files.

Owns taking each of them while a service runs and afterwards. What is in them the search says.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.telemetry import fetched, receiving

INTERVAL_S = 1.0
"""Between two scrapes. No series is taken back while a server runs: the last has all but what came
in the last second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The folder that they are kept in, and where they come from.

    Attributes:
        folder: Made by `collecting`.
        metrics_address: `host:port` where the service serves its metrics.
        traces_url: Where it sends its traces.
    """

    folder: Path
    metrics_address: str
    traces_url: str

    @property
    def metrics(self) -> Path:
        """The text of each scrape."""
        return self.folder / "metrics"

    @property
    def traces(self) -> Path:
        """Each body that was sent, as it came and as text."""
        return self.folder / "traces"

    @property
    def backups(self) -> Path:
        """Base backups, and the archived log."""
        return self.folder / "backups"

    @property
    def environment(self) -> Mapping[str, str]:
        """This process's, with what has a service tell all this."""
        return {
            **os.environ,
            "SUBID_METRICS_LISTEN": self.metrics_address,
            "SUBID_TRACES_ENDPOINT": self.traces_url,
            "SUBID_BACKUPS": str(self.backups),
        }

    def fetch_metrics(self) -> None:
        """Keep what the metrics say now.

        Raises:
            OSError: Nobody serves them.
        """
        told = fetched(self.metrics_address)
        path = self.metrics / f"{len(list(self.metrics.iterdir())):06}.txt"
        path.write_text(told, encoding="utf-8")

    def back_up(self, state: Path) -> None:
        """Have a backup made of a state directory, as an administrator would."""
        subprocess.run(
            [sys.executable, "-m", "identity.cli", "backup", "create", "--state", str(state)],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def missing(self) -> Sequence[str]:
        """Of what there is nothing, so that nobody can say it was searched."""
        wanted = {
            "metrics": self.metrics.glob("*.txt"),
            "traces": self.traces.glob("*.otlp"),
            "backup": self.backups.glob("base/*/manifest.json"),
            "archived log": self.backups.glob("wal/*.gz"),
        }
        return [name for name, found in wanted.items() if next(found, None) is None]


@contextmanager
def collecting(folder: Path) -> Iterator[Sources]:
    """Take metrics and traces during the block; both are files when it has ended.

    Args:
        folder: Made here.
    """
    with receiving() as receiver:
        sources = Sources(
            folder=folder,
            metrics_address=f"127.0.0.1:{_free_port()}",
            traces_url=receiver.url,
        )
        for made in (sources.metrics, sources.traces):
            made.mkdir(parents=True)
        stopping = threading.Event()
        scraping = threading.Thread(target=_scrape, args=(sources, stopping))
        scraping.start()
        try:
            yield sources
        finally:
            stopping.set()
            scraping.join()
            for number, body in enumerate(receiver.bodies):
                (sources.traces / f"{number:06}.otlp").write_bytes(body)
                # The tags of some fields are digits in ASCII: beside them no number would count.
                spans = str(ExportTraceServiceRequest.FromString(body))
                (sources.traces / f"{number:06}.txt").write_text(spans, encoding="utf-8")


def _scrape(sources: Sources, stopping: threading.Event) -> None:
    while not stopping.wait(INTERVAL_S):
        with suppress(OSError):  # no server yet, or no more
            sources.fetch_metrics()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
