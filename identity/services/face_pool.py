"""Faces are compared in processes of their own.

Owns the pool: how many processes, how much may wait, what happens when one dies. The network holds
Python's lock while it computes, so in a thread it would make every look-up wait; and a photograph
that crashes a decoder must not take the service with it. Knows no citizen and no subscription.
"""

import asyncio
import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.engine import FaceEngine
from identity.domain.errors import OverloadedError
from identity.domain.verification import FaceEvidence

WAITING_PER_WORKER_MAX = 4
"""Comparisons that may wait for each process; more are refused. Even if each is as costly as a
photograph within the limits can be (some 5 s for five of them), the last is done in time."""

COMPARISON_TIMEOUT_S = 30.0
"""A comparison takes well under a second; one that takes this long is hostile or stuck."""


def compare_faces(portrait: bytes, probes: tuple[bytes, ...]) -> FaceEvidence:
    """Compare a chip portrait with live photographs; runs inside a worker."""
    engine = _engine()
    digests = tuple(hashlib.sha256(probe).digest() for probe in probes)
    reference = engine.reference(portrait)
    if reference.template is None:
        return _failed(f"REFERENCE_{str(reference.failure).upper()}", digests)
    if portrait in probes:
        return _failed("PROBE_IS_REFERENCE", digests)
    taken = [engine.probe([probe]) for probe in probes]
    templates = [one.template for one in taken if one.template is not None]
    if not templates:
        return _failed(_furthest([one.failure for one in taken]), digests)
    # Each usable photograph must match by itself. Averaged, photographs of several strangers,
    # chosen to fit a portrait that can be read from the chip, match more than half of all people.
    comparisons = [engine.compare(reference.template, template) for template in templates]
    return FaceEvidence(
        dissimilarity=max(comparison.dissimilarity for comparison in comparisons),
        failure=None,
        model_digest=comparisons[0].model_digest,
        probe_digests=digests,
    )


def _furthest(failures: Sequence[AcquisitionFailure | None]) -> str:
    """The failure of the photograph that got furthest: the one that is nearest to a usable one."""
    stages = list(AcquisitionFailure)
    known = [failure for failure in failures if failure is not None]
    return str(max(known, key=stages.index)).upper()


def not_compared(failure: str, probes: Sequence[bytes]) -> FaceEvidence:
    """The finding when there was nothing to compare with."""
    return _failed(failure, tuple(hashlib.sha256(probe).digest() for probe in probes))


def _failed(failure: str, digests: tuple[bytes, ...]) -> FaceEvidence:
    return FaceEvidence(
        dissimilarity=None, failure=failure, model_digest=None, probe_digests=digests
    )


@cache
def _engine() -> FaceEngine:
    return FaceEngine()


def _end_with_the_server() -> None:
    """End with the server, neither later nor earlier.

    A worker whose server was killed would wait for work for ever. A signal that is sent to the
    whole group (a terminal, a service manager) must not end it before the calls are finished.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = multiprocessing.parent_process()

    def wait_for_its_end() -> None:
        if server is not None:
            server.join()
        os._exit(1)

    threading.Thread(target=wait_for_its_end, daemon=True).start()


def _warm_up() -> None:
    _engine().warm_up()


class FacePool:
    """Processes that compare faces."""

    def __init__(self, *, worker_count: int, timeout_s: float = COMPARISON_TIMEOUT_S) -> None:
        """Start nothing yet.

        Args:
            worker_count: Processes, at least 1.
            timeout_s: How long one comparison may take, its wait for a process included.
        """
        self._worker_count = worker_count
        self._timeout_s = timeout_s
        self._waiting = 0
        self._executor = self._new_executor()

    async def warm_up(self) -> None:
        """Start the processes and load their models."""
        loop = asyncio.get_running_loop()
        starts = [loop.run_in_executor(self._executor, _warm_up) for _ in range(self._worker_count)]
        await asyncio.gather(*starts)

    async def compare(self, portrait: bytes, probes: tuple[bytes, ...]) -> FaceEvidence:
        """Compare in a worker.

        Raises:
            OverloadedError: Too many comparisons are waiting, or this one was interrupted.
        """
        if self._waiting >= self._worker_count * (1 + WAITING_PER_WORKER_MAX):
            raise OverloadedError("too many face comparisons are waiting")
        executor, work = self._submit(portrait, probes)
        self._waiting += 1
        work.add_done_callback(self._leave)
        try:
            # Shielded: a caller that goes away leaves its comparison behind, and its place is taken
            # until that is over. Python 3.11 stops watching its workers when one dies while a
            # cancelled comparison is queued, and nobody else would be answered.
            return await asyncio.wait_for(asyncio.shield(work), self._timeout_s)
        except TimeoutError:
            # A photograph that stalls a worker is a photograph without a face.
            self._replace(executor)
            return not_compared("PROCESSING_FAILED", probes)
        except BrokenProcessPool as error:
            # Nobody can tell whose photograph it was: nothing is decided, the same request may
            # come again.
            self._replace(executor)
            raise OverloadedError("the comparison was interrupted: send it again") from error

    def _submit(
        self, portrait: bytes, probes: tuple[bytes, ...]
    ) -> tuple[ProcessPoolExecutor, asyncio.Future[FaceEvidence]]:
        loop = asyncio.get_running_loop()
        try:
            work = loop.run_in_executor(self._executor, compare_faces, portrait, probes)
        except BrokenProcessPool:
            # A worker died while the pool was idle: nothing is lost.
            self._replace(self._executor)
            work = loop.run_in_executor(self._executor, compare_faces, portrait, probes)
        return self._executor, work

    def _leave(self, _work: asyncio.Future[FaceEvidence]) -> None:
        self._waiting -= 1

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self._executor is broken:
            self._executor = self._new_executor()
            self._stop(broken)

    def _new_executor(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork of a process that serves gRPC does not work.
        return ProcessPoolExecutor(
            self._worker_count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_end_with_the_server,
        )

    @staticmethod
    def _stop(executor: ProcessPoolExecutor) -> None:
        workers = list((executor._processes or {}).values())  # noqa: SLF001 - Python 3.11 offers no other way to end a stuck worker
        # Nothing is cancelled: whoever waits for a cancelled comparison is cancelled with it and
        # gets no answer. The death of the workers fails them all alike.
        executor.shutdown(wait=False)
        for worker in workers:
            worker.kill()

    def close(self) -> None:
        """Finish what runs and stop the processes."""
        self._executor.shutdown(wait=True, cancel_futures=True)
