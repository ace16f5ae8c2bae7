"""Imports and links in processes that kill themselves at a point that they are told.

Owns the points: before and after each statement, before and after each commit, between two rows of
a COPY. Run with `python -m tests.integration.mortal_importer`: it loads the service once, and for
each line that it reads it forks a process that does the work on the database of that line. That
process is client and server in one, and dies by SIGKILL. Everything else is the service's own.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import Engine, event

from biometrics.chip.report import ChipReport
from identity.rpc.edge import Edge
from identity.rpc.population_servicer import PopulationServicer
from identity.rpc.subscription_servicer import SubscriptionServicer
from identity.security.keys import parse_key_ring
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.clock import SimulatedClock
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.import_progress import get_progress
from identity.services.link_registry import link_registry
from identity.services.transactions import Transactions
from identity.storage.database import Database, connect
from identity.storage.sealing import Sealer
from tests.integration.import_story import AUTHORITY, BOOK, NOW, OPERATOR, REGISTER, Story

STAGES = ("register", "book", "restore", "link")
KINDS = ("statement", "answer", "commit", "committed", "value")

_Request = TypeVar("_Request", bound=Message)


def die() -> None:
    """Kill -9: nothing is finished, nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Life:
    """What a process has been through, and where it ends.

    Attributes:
        ends_at: Stage, kind and number of the point at which it ends; None lets it go on.
        end: What its end is.
        stage: What it is doing.
        passed: How many points of each kind it has passed in each stage.
    """

    ends_at: tuple[str, str, int] | None
    end: Callable[[], None] = die
    stage: str = "start"
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_point(self, kind: str, *_details: object) -> None:
        """Come to a point, and end if it is the one."""
        with self._lock:
            self.passed[self.stage, kind] += 1
            is_the_end = self.ends_at == (self.stage, kind, self.passed[self.stage, kind])
        if is_the_end:
            self.end()

    def watch(self, engine: Engine) -> None:
        """Have every statement and every transaction be a point."""
        for name, kind in (
            ("before_cursor_execute", "statement"),
            ("after_cursor_execute", "answer"),
            ("commit", "commit"),
            ("checkin", "committed"),
        ):
            event.listen(engine, name, partial(self.pass_point, kind))


@dataclass(frozen=True, slots=True)
class CountedSealer:
    """The vault, each sealed or opened value a point: rows are sealed while they are copied."""

    vault: Vault
    life: Life

    @property
    def active_id(self) -> int:
        """As the vault's."""
        return self.vault.active_id

    @property
    def key_ids(self) -> Collection[int]:
        """As the vault's."""
        return self.vault.key_ids

    def seal(
        self,
        plaintext: bytes,
        *,
        context: bytes,
        key_id: int | None = None,
        secret: bytes | None = None,
    ) -> bytes:
        """As the vault."""
        self.life.pass_point("value")
        return self.vault.seal(plaintext, context=context, key_id=key_id, secret=secret)

    def open(self, sealed: bytes, *, context: bytes, secret: bytes | None = None) -> bytes:
        """As the vault."""
        self.life.pass_point("value")
        return self.vault.open(sealed, context=context, secret=secret)

    def blind_index(self, kind: str, value: str) -> bytes:
        """As the vault."""
        return self.vault.blind_index(kind, value)


@contextmanager
def import_edge(database: Database, faces: FacePool) -> Iterator[Edge]:
    """What the servicers of imports stand on, at the instant of the story."""

    def examine_nothing(*_arguments: object, **_options: object) -> ChipReport:
        raise AssertionError("an import examines no chip")

    with ThreadPoolExecutor(4) as threads:
        yield Edge(
            transactions=Transactions(database),
            clock=SimulatedClock(NOW),
            examine_chip=examine_nothing,  # type: ignore[arg-type] # it is never called
            faces=faces,
            threads=threads,
        )


@dataclass(frozen=True, slots=True)
class Work:
    """All that is to be done, each part with its answer said aloud when it is there."""

    story: Story
    edge: Edge
    life: Life
    resumes: bool
    say: Callable[[dict[str, Any]], None]

    def do(self) -> None:
        """From the beginning, or from where the imports stand."""
        self.life.stage = "register"
        register = PopulationServicer(self.edge).ImportPopulation(
            self._stream(self.story.register(), AUTHORITY, REGISTER), AUTHORITY
        )
        self._answered(asyncio.run(register).SerializeToString().hex())
        self.life.stage = "book"
        book = SubscriptionServicer(self.edge).ImportSubscriptions(
            self._stream(self.story.book(), OPERATOR, BOOK), OPERATOR
        )
        self._answered(asyncio.run(book).SerializeToString().hex())
        self.life.stage = "restore"
        self.edge.transactions.run(self.story.restore)
        self.life.stage = "link"
        link_registry(self.edge.transactions, OPERATOR)
        self._answered("compared")

    def _answered(self, answer: str) -> None:
        self.say({"answered": self.life.stage, "answer": answer})

    async def _stream(
        self, batches: Sequence[_Request], call: Call, name: UUID
    ) -> AsyncIterator[_Request]:
        begins_at = 0
        if self.resumes:
            method = batches[0].DESCRIPTOR.full_name
            progress = self.edge.transactions.run(
                lambda uow: get_progress(uow, call, name, method=method)
            )
            # At least the last batch: its answer is the answer to the import.
            begins_at = min(progress.next_batch_index, len(batches) - 1)
        for batch in batches[begins_at:]:
            yield batch


def say(line: dict[str, Any]) -> None:
    """Write a line in one piece."""
    os.write(sys.stdout.fileno(), f"{json.dumps(line)}\n".encode())


@contextmanager
def watched(url: str, vault: Vault, life: Life) -> Iterator[Database]:
    """A database whose every use is a point of a life."""
    engine = connect(url)
    life.watch(engine)
    sealer: Sealer = CountedSealer(vault, life)
    yield Database(engine, sealer)
    engine.dispose()


def live(job: dict[str, Any], story: Story, faces: FacePool) -> None:
    """Do the work of one line; comes back only if no end was set, or it lay too far off."""
    life = Life(ends_at=tuple(job["ends_at"]) if job["ends_at"] else None)
    vault = Vault(parse_key_ring(job["ring"], origin="the test"))
    with watched(job["url"], vault, life) as database, import_edge(database, faces) as edge:
        Work(story, edge, life, resumes=job["resumes"], say=say).do()
    say({"passed": [[*point, count] for point, count in life.passed.items()]})


def main() -> None:
    """Read lines, fork for each, tell how each ended."""
    story = Story.told()
    faces = FacePool(make_face_setup(models_directory=Path()), worker_count=1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                live(json.loads(line), story, faces)
                code = 0
            except Exception:  # noqa: BLE001 - the process ends here, and says why
                traceback.print_exc()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        say({"ended": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
