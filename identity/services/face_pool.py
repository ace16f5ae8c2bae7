"""Faces are compared in processes of their own.

Owns the pool: how many processes, how much may wait, what happens when one dies. The network holds
Python's lock while it computes, so in a thread it would make every look-up wait; and a photograph
that crashes a decoder must not take the service with it. Knows no citizen and no subscription.
"""

import asyncio
import hashlib
import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from biometrics.face.engine import FaceEngine
from identity.domain.errors import OverloadedError
from identity.domain.verification import FaceEvidence

WAITING_PER_WORKER_MAX = 8
"""Comparisons that may wait for each process: about two seconds' worth; more are refused."""

COMPARISON_TIMEOUT_S = 30.0
"""A comparison takes well under a second; one that takes this long is hostile or stuck."""


def compare_faces(portrait: bytes, probes: tuple[bytes, ...]) -> FaceEvidence:
    """Compare a chip portrait with live photographs; runs inside a worker."""
    engine = _engine()
    digests = tuple(hashlib.sha256(probe).digest() for probe in probes)
    reference = engine.reference(portrait)
    if reference.template is None:
        return _failed(f"REFERENCE_{str(reference.failure).upper()}", digests)
    probe = engine.probe(probes)
    if probe.template is None:
        return _failed(str(probe.failure).upper(), digests)
    comparison = engine.compare(reference.template, probe.template)
    return FaceEvidence(
        dissimilarity=comparison.dissimilarity,
        failure=None,
        model_digest=comparison.model_digest,
        probe_digests=digests,
    )


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
    """A worker whose server was killed would wait for work for ever."""
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
            OverloadedError: Too many comparisons are waiting.
        """
        if self._waiting >= self._worker_count * (1 + WAITING_PER_WORKER_MAX):
            raise OverloadedError("too many face comparisons are waiting")
        executor = self._executor
        loop = asyncio.get_running_loop()
        try:
            # Inside the `try`: a pool whose worker died while it was idle refuses work at once.
            work = loop.run_in_executor(executor, compare_faces, portrait, probes)
            self._waiting += 1
            work.add_done_callback(self._leave)
            # Shielded: a caller that goes away leaves its comparison behind, and its place is taken
            # until that is over. Python 3.11 stops watching its workers when one dies while a
            # cancelled comparison is queued, and nobody else would be answered.
            return await asyncio.wait_for(asyncio.shield(work), self._timeout_s)
        except (BrokenProcessPool, TimeoutError):
            # A photograph that kills or stalls a worker is a photograph without a face; the
            # others that were waiting are told the same and come back with a new session.
            self._replace(executor)
            return not_compared("PROCESSING_FAILED", probes)

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
