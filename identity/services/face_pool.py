"""Faces are compared in processes of their own.

Owns the pool: how many processes, how much may wait, what happens when one dies. In threads the
stages that hold Python's lock would make every look-up wait; and a photograph that crashes a
decoder must not take the service with it. Knows no citizen and no subscription.
"""

import asyncio
import ctypes
import hashlib
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from biometrics.face.acquisition import Template
from biometrics.face.compare import Comparison
from biometrics.face.engine import FaceEngine
from biometrics.face.operating_point_file import content_digest
from biometrics.face.score import Scorer, ScoreType
from identity.domain.errors import OverloadedError
from identity.domain.face_score import FaceScore
from identity.domain.verification import FaceEvidence
from identity.services.acquisition_advice import REFERENCE_PREFIX
from identity.services.face_setup import FaceSetup, FaceSetupError
from identity.telemetry.steps import Step, step

WAITING_PER_WORKER_MAX = 4
"""Comparisons that may wait for each process; more are refused. Even if each is as costly as a
photograph within the limits can be (some 5 s for five of them), the last is done in time."""

COMPARISON_TIMEOUT_S = 30.0
"""A comparison takes well under a second; one that takes this long is hostile or stuck."""


ADDRESS_SPACE_MAX_BYTES = 4 * 1024**3
"""Address space of a worker. Warm it has 1.3 GB, most of it libraries that are mapped; five
photographs of eight megapixels take 0.5 GB more."""

COPY_COSINE_MIN = 0.9999
"""From here on a live photograph is a copy of the chip's portrait. A cosine, because it means the
same for networks of any length of vector.

Measured with dlib's network: the same pixels in another file (a byte appended, or as PNG) give 1
within rounding (1e-6, n = 100); two captures of one person at most 0.9979 (866 pairs of London and
LFW), which is a distance of 0.095. A portrait compressed anew lies between (JPEG at quality 95:
0.9979 to 1, n = 50) and cannot be told from a capture: this finds copies, not presentation attacks.
"""

_worker_engine: ContextVar[FaceEngine | FaceSetupError] = ContextVar("subid_worker_engine")
"""The engine of a worker process, made before it is given anything to do; or why it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFindings:
    """What came of one comparison.

    Attributes:
        evidence: What a verdict depends on.
        template: The reference as the network made it, when faces were compared; to be enrolled.
    """

    evidence: FaceEvidence
    template: bytes | None = field(default=None, repr=False)


def compare_faces(engine: FaceEngine, portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
    """Compare a chip portrait with live photographs."""
    digests = tuple(hashlib.sha256(probe).digest() for probe in probes)
    if portrait in probes:
        return _failed("PROBE_IS_REFERENCE", digests)
    reference, probe = engine.reference_and_probe(portrait, probes)
    if reference.template is None:
        return _failed(f"{REFERENCE_PREFIX}{str(reference.failure).upper()}", digests)
    if probe.template is None:
        return _failed(str(probe.failure).upper(), digests)
    if any(_is_copy(reference.template, photograph) for photograph in probe.photographs):
        return _failed("PROBE_IS_REFERENCE", digests)
    comparison = engine.compare(reference.template, probe.template, photographs=probe.photographs)
    evidence = _evidence(comparison, digests, content_digest(engine.operating_point))
    return FaceFindings(
        evidence=replace(evidence, probe_looks=_looks(probes)),
        template=reference.template.to_bytes(),
    )


def _looks(probes: Sequence[bytes]) -> tuple[bytes, ...]:
    # Imported in a worker, as OpenCV is.
    from biometrics.face.look import look_of  # noqa: PLC0415 - see above

    return tuple(look_of(probe) for probe in probes)


def _is_copy(reference: Template, photograph: Template) -> bool:
    """Whether a photograph shows the portrait's very pixels, whatever file they were put into."""
    cosine = Scorer(score_type=ScoreType.COSINE).score(reference, photograph)
    return cosine >= COPY_COSINE_MIN


def not_compared(failure: str, probes: Sequence[bytes]) -> FaceFindings:
    """The finding when there was nothing to compare with."""
    return _failed(failure, tuple(hashlib.sha256(probe).digest() for probe in probes))


def _failed(failure: str, digests: tuple[bytes, ...]) -> FaceFindings:
    evidence = FaceEvidence(
        dissimilarity=None, failure=failure, model_digest=None, probe_digests=digests
    )
    return FaceFindings(evidence=evidence)


def _evidence(
    comparison: Comparison, digests: tuple[bytes, ...], operating_point_digest: str
) -> FaceEvidence:
    return FaceEvidence(
        dissimilarity=comparison.dissimilarity,
        failure=None,
        model_digest=comparison.model_digest,
        probe_digests=digests,
        operating_point_digest=operating_point_digest,
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

    _end_with_the_server()
    # What a photograph may still make a decoder take is refused to it, not to the machine.
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_MAX_BYTES, ADDRESS_SPACE_MAX_BYTES))
    # A process for each core: threads inside one would take the cores from the others.
    cv2.setNumThreads(1)
    engine = setup.make_engine()
    try:
        engine.warm_up()
    except FaceSetupError as error:
        # Raised here, it would only break the pool and leave a trace: whoever asks is told.
        _worker_engine.set(error)
    else:
        _worker_engine.set(engine)
    _give_back_memory()


def _give_back_memory() -> None:
    """What loading left behind, 60 MB, goes back to the system where the C library can do that."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _engine() -> FaceEngine:
    """The engine of this worker: one that answers has loaded its models."""
    engine = _worker_engine.get()
    if isinstance(engine, FaceSetupError):
        raise engine
    return engine


def _be_there() -> None:
    _engine()


def _work(portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
    return compare_faces(_engine(), portrait, probes)


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


class FacePool:
    """Processes that compare faces."""

    def __init__(
        self, setup: FaceSetup, *, worker_count: int, timeout_s: float = COMPARISON_TIMEOUT_S
    ) -> None:
        """Start nothing yet.

        Args:
            setup: What each process makes its engine from.
            worker_count: Processes, at least 1.
            timeout_s: How long one comparison may take, its wait for a process included.
        """
        self._setup = setup
        self._worker_count = worker_count
        self._timeout_s = timeout_s
        self._under_way: dict[asyncio.Future[FaceFindings], None] = {}
        """In the order of their coming, which is that of their turn."""
        self._executor = self._new_executor()

    async def warm_up(self) -> None:
        """Start the processes and load their models.

        Raises:
            FaceSetupError: A process could not load them.
        """
        loop = asyncio.get_running_loop()
        starts = [
            loop.run_in_executor(self._executor, _be_there) for _ in range(self._worker_count)
        ]
        try:
            await asyncio.gather(*starts)
        except BrokenProcessPool as error:
            raise FaceSetupError("a process that compares faces died while it started") from error

    @property
    def under_way(self) -> int:
        """Comparisons that run or wait."""
        return len(self._under_way)

    @property
    def under_way_max(self) -> int:
        """How many may; more are refused."""
        return self._worker_count * (1 + WAITING_PER_WORKER_MAX)

    @property
    def is_broken(self) -> bool:
        """Whether a process has died since they were started; none of them works then."""
        # The only way to ask without giving it work to do.
        return bool(self._executor._broken)  # noqa: SLF001 - see above

    async def revive(self) -> None:
        """Start the processes anew if one has died, and load their models.

        Raises:
            FaceSetupError: They do not start.
        """
        self._replace_if_broken()
        await self.warm_up()

    def _replace_if_broken(self) -> None:
        if self.is_broken:
            self._replace(self._executor)

    def refuse_when_full(self) -> None:
        """Refuse before work is done for a comparison that would be refused.

        Raises:
            OverloadedError: Too many comparisons are waiting.
        """
        if self.under_way >= self.under_way_max:
            raise OverloadedError("too many face comparisons are waiting")

    async def compare(self, portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
        """Compare in a worker.

        Raises:
            OverloadedError: Too many comparisons are waiting, or this one was interrupted.
        """
        self.refuse_when_full()
        with step(Step.FACES):
            return await self._compare(portrait, probes)

    async def _compare(self, portrait: bytes, probes: tuple[bytes, ...]) -> FaceFindings:
        executor, work = self._submit(portrait, probes)
        self._under_way[work] = None
        work.add_done_callback(self._leave)
        try:
            # Shielded: a caller that goes away leaves its comparison behind, and its place is taken
            # until that is over. Python 3.11 stops watching its workers when one dies while a
            # cancelled comparison is queued, and nobody else would be answered.
            return await asyncio.wait_for(asyncio.shield(work), self._timeout_s)
        except TimeoutError as error:
            had_its_turn = work in list(self._under_way)[: self._worker_count]
            self._replace(executor)
            if not had_its_turn:
                # Somebody else's photograph took the time.
                raise OverloadedError("the comparison waited too long: send it again") from error
            # A photograph that stalls a worker is a photograph without a face.
            return not_compared("PROCESSING_FAILED", probes)
        except BrokenProcessPool as error:
            # Nobody can tell whose photograph it was: nothing is decided, the same request may
            # come again.
            self._replace(executor)
            raise OverloadedError("the comparison was interrupted: send it again") from error

    def _submit(
        self, portrait: bytes, probes: tuple[bytes, ...]
    ) -> tuple[ProcessPoolExecutor, asyncio.Future[FaceFindings]]:
        loop = asyncio.get_running_loop()
        try:
            work = loop.run_in_executor(self._executor, _work, portrait, probes)
        except BrokenProcessPool:
            # A worker died while the pool was idle: nothing is lost.
            self._replace(self._executor)
            work = loop.run_in_executor(self._executor, _work, portrait, probes)
        return self._executor, work

    def _leave(self, work: asyncio.Future[FaceFindings]) -> None:
        self._under_way.pop(work, None)
        if not work.cancelled():
            # Looked at here, because nobody may be left who waits for it: a log line about it
            # would be no administrator's business.
            work.exception()

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
