"""Faces are compared in processes of their own.

Owns the pool: how many processes, how much may wait, what happens when one dies. In threads the
stages that hold Python's lock would make every look-up wait; and a photograph that crashes a
decoder must not take the service with it. Knows no citizen and no subscription.
"""

import asyncio
import hashlib
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from dataclasses import dataclass, field

from biometrics.face.compare import Comparison
from biometrics.face.engine import FaceEngine
from identity.domain.errors import OverloadedError
from identity.domain.verification import FaceEvidence, FaceScore
from identity.services.acquisition_advice import REFERENCE_PREFIX
from identity.services.face_setup import FaceSetup, FaceSetupError

WAITING_PER_WORKER_MAX = 32
"""Comparisons that may wait for each process, however quick they are: what a slow one or a burst
may hold up."""

WAIT_MAX_S = 1.0
"""Nobody is let in who would have to wait longer than this, at the time that comparisons take now.
Whoever is refused is told to come back in a second and is served then; in a queue without this
bound everybody would wait until their callers gave up, and the work would be done for nobody."""

WAITING_BYTES_MAX = 256 * 1024 * 1024
"""Photographs that wait are held in memory: twelve of the largest requests, hundreds of usual
ones."""

COMPARISON_TIMEOUT_S = 30.0
"""A comparison takes well under a second; one that takes this long is hostile or stuck."""

_FIRST_TIME_S = 0.03
"""What a comparison is taken to need until some were measured."""

_SMOOTHING = 0.1
"""Weight of the latest comparison in the mean time: some twenty are remembered, so that one large
photograph shuts nobody out and a slower machine is noticed within a second."""

_worker_engine: ContextVar[FaceEngine] = ContextVar("subid_worker_engine")
"""The engine of a worker process, made before it is given anything to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFindings:
    """What came of one comparison.

    Attributes:
        evidence: What a verdict depends on.
        template: The reference as the network made it, when faces were compared; to be enrolled.
        time_s: How long a worker was busy with it.
    """

    evidence: FaceEvidence
    template: bytes | None = field(default=None, repr=False)
    time_s: float = field(default=0.0, compare=False)


def compare_faces(engine: FaceEngine, portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
    """Compare a chip portrait with live photographs."""
    began_at = time.perf_counter()
    digests = tuple(hashlib.sha256(probe).digest() for probe in probes)
    reference = engine.reference(portrait)
    if reference.template is None:
        failure = f"{REFERENCE_PREFIX}{str(reference.failure).upper()}"
        return _failed(failure, digests, time_s=time.perf_counter() - began_at)
    probe = engine.probe(probes)
    if probe.template is None:
        failure = str(probe.failure).upper()
        return _failed(failure, digests, time_s=time.perf_counter() - began_at)
    comparison = engine.compare(reference.template, probe.template)
    return FaceFindings(
        evidence=_evidence(comparison, digests),
        template=reference.template.to_bytes(),
        time_s=time.perf_counter() - began_at,
    )


def not_compared(failure: str, probes: Sequence[bytes]) -> FaceFindings:
    """The finding when there was nothing to compare with."""
    return _failed(failure, tuple(hashlib.sha256(probe).digest() for probe in probes), time_s=0.0)


def _failed(failure: str, digests: tuple[bytes, ...], *, time_s: float) -> FaceFindings:
    evidence = FaceEvidence(
        dissimilarity=None, failure=failure, model_digest=None, probe_digests=digests
    )
    return FaceFindings(evidence=evidence, time_s=time_s)


def _evidence(comparison: Comparison, digests: tuple[bytes, ...]) -> FaceEvidence:
    return FaceEvidence(
        dissimilarity=comparison.dissimilarity,
        failure=None,
        model_digest=comparison.model_digest,
        probe_digests=digests,
        score=FaceScore(
            score_type=comparison.score_type.value,
            value=comparison.comparison_score,
            is_dissimilarity=comparison.score_type.is_dissimilarity,
            match_threshold=comparison.decision_threshold,
            review_threshold=comparison.review_threshold,
            cohort_digest=comparison.cohort_digest,
        ),
    )


def _start_worker(setup: FaceSetup) -> None:
    # Imported here, in a worker: the server's own process needs no OpenCV.
    import cv2  # noqa: PLC0415 - see above

    # A process for each core: threads inside one would take the cores from the others.
    cv2.setNumThreads(1)
    engine = setup.make_engine()
    engine.warm_up()
    _worker_engine.set(engine)


def _be_there() -> None:
    """Nothing: a worker that answers has loaded its models."""
    _worker_engine.get()


def _work(portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
    return compare_faces(_worker_engine.get(), portrait, probes)


class FacePool:
    """Processes that compare faces."""

    def __init__(
        self,
        setup: FaceSetup,
        *,
        worker_count: int,
        timeout_s: float = COMPARISON_TIMEOUT_S,
        wait_max_s: float = WAIT_MAX_S,
    ) -> None:
        """Start nothing yet.

        Args:
            setup: What each process makes its engine from.
            worker_count: Processes, at least 1.
            timeout_s: How long one comparison may take, its wait for a process included.
            wait_max_s: Whoever would have to wait longer for a process is refused.
        """
        self._setup = setup
        self._worker_count = worker_count
        self._timeout_s = timeout_s
        self._wait_max_s = wait_max_s
        self._waiting = 0
        self._waiting_bytes = 0
        self._time_s = _FIRST_TIME_S
        self._executor = self._new_executor()

    @property
    def expected_wait_s(self) -> float:
        """How long somebody who comes now has to wait for a process."""
        ahead = max(0, self._waiting - self._worker_count + 1)
        return ahead * self._time_s / self._worker_count

    async def warm_up(self) -> None:
        """Start the processes and load their models.

        Raises:
            FaceSetupError: A process could not load them; why stands in the log.
        """
        loop = asyncio.get_running_loop()
        starts = [
            loop.run_in_executor(self._executor, _be_there) for _ in range(self._worker_count)
        ]
        try:
            await asyncio.gather(*starts)
        except BrokenProcessPool as error:
            raise FaceSetupError("a process that compares faces could not start") from error

    async def compare(self, portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
        """Compare in a worker.

        Raises:
            OverloadedError: Too many comparisons are waiting.
        """
        size_bytes = len(portrait) + sum(len(probe) for probe in probes)
        self._refuse_when_full(size_bytes)
        executor = self._executor
        loop = asyncio.get_running_loop()
        try:
            # Inside the `try`: a pool whose worker died while it was idle refuses work at once.
            work = loop.run_in_executor(executor, _work, portrait, probes)
            self._enter(work, size_bytes)
            # Shielded: a caller that goes away leaves its comparison behind, and its place is taken
            # until that is over. Python 3.11 stops watching its workers when one dies while a
            # cancelled comparison is queued, and nobody else would be answered.
            return await asyncio.wait_for(asyncio.shield(work), self._timeout_s)
        except (BrokenProcessPool, TimeoutError):
            # A photograph that kills or stalls a worker is a photograph without a face; the
            # others that were waiting are told the same and come back with a new session.
            self._replace(executor)
            return not_compared("PROCESSING_FAILED", probes)

    def _refuse_when_full(self, size_bytes: int) -> None:
        is_full = (
            self._waiting >= self._worker_count * (1 + WAITING_PER_WORKER_MAX)
            or self._waiting_bytes + size_bytes > WAITING_BYTES_MAX
            or self.expected_wait_s > self._wait_max_s
        )
        if is_full:
            raise OverloadedError("too many face comparisons are waiting")

    def _enter(self, work: asyncio.Future[FaceFindings], size_bytes: int) -> None:
        self._waiting += 1
        self._waiting_bytes += size_bytes

        def leave(done: asyncio.Future[FaceFindings]) -> None:
            self._waiting -= 1
            self._waiting_bytes -= size_bytes
            if not done.cancelled() and done.exception() is None:
                self._time_s += _SMOOTHING * (done.result().time_s - self._time_s)

        work.add_done_callback(leave)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self._executor is broken:
            self._executor = self._new_executor()
            self._stop(broken)

    def _new_executor(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork of a process that serves gRPC does not work.
        return ProcessPoolExecutor(
            self._worker_count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(self._setup,),
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
