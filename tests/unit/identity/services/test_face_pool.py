"""Faces are compared in other processes, and a process that dies or hangs costs one photograph.

Workers are stopped and killed for real. A stopped worker holds what it was given, so a test knows
that it dies in the middle of a comparison.
"""

import asyncio
import hashlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from identity.domain.errors import OverloadedError
from identity.domain.verification import FaceEvidence, FaceScore
from identity.services.face_pool import (
    WAITING_BYTES_MAX,
    WAITING_PER_WORKER_MAX,
    FaceFindings,
    FacePool,
    not_compared,
)
from identity.services.face_setup import FaceSetupError, make_face_setup
from tests.unit.identity.services.faces import blank_jpeg, face_jpeg

ACCEPTED_MAX = 1 + WAITING_PER_WORKER_MAX
SETUP = make_face_setup(models_directory=Path("no-models"))


@pytest.fixture(scope="module")
def face() -> bytes:
    return face_jpeg()


@pytest.fixture(scope="module")
def blank() -> bytes:
    return blank_jpeg()


@pytest.fixture(scope="module")
def pool() -> Iterator[FacePool]:
    """A pool that nobody harms."""
    pool = FacePool(SETUP, worker_count=1)
    yield pool
    pool.close()


def workers() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children()
        if any("spawn_main" in word for word in child.cmdline())
    }


class Victim:
    """A pool with one running worker that a test may harm."""

    def __init__(self, pool: FacePool, pid: int, watchers: set[threading.Thread]) -> None:
        self.pool = pool
        self.pid = pid
        self._watchers = watchers

    def stop(self) -> None:
        """Hold whatever it is given, and never answer."""
        os.kill(self.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.pid, signal.SIGKILL)

    def wait_until_noticed(self) -> None:
        """Until whoever watches the worker has seen it dead."""
        for watcher in self._watchers:
            watcher.join(10)
            assert not watcher.is_alive()


@pytest.fixture
async def victim() -> AsyncIterator[Victim]:
    pids, threads = workers(), set(threading.enumerate())
    pool = FacePool(SETUP, worker_count=1, timeout_s=20)
    await pool.warm_up()
    (pid,) = workers() - pids
    started = set(threading.enumerate()) - threads
    watchers = {each for each in started if "Executor" in type(each).__name__}
    assert watchers
    yield Victim(pool, pid, watchers)
    pool.close()


async def test_a_face_matches_itself(pool: FacePool, face: bytes) -> None:
    findings = await pool.compare(face, (face,))
    found = findings.evidence
    assert found.failure is None
    assert found.dissimilarity is not None
    assert found.dissimilarity < 0.01
    assert found.model_digest is not None
    assert len(bytes.fromhex(found.model_digest)) == 32
    assert found.probe_digests == (hashlib.sha256(face).digest(),)
    assert findings.template is not None
    assert found.score == FaceScore(
        score_type="distance",
        value=found.dissimilarity,
        is_dissimilarity=True,
        match_threshold=0.40,
    )


async def test_photographs_without_a_face_are_told_from_portraits_without_one(
    pool: FacePool, face: bytes, blank: bytes
) -> None:
    probe = (await pool.compare(face, (blank,))).evidence
    portrait = (await pool.compare(blank, (face,))).evidence
    assert (probe.failure, probe.dissimilarity) == ("NO_FACE", None)
    assert (portrait.failure, portrait.dissimilarity) == ("REFERENCE_NO_FACE", None)
    assert portrait.probe_digests == (hashlib.sha256(face).digest(),)


async def test_bytes_that_are_no_photograph_are_a_failure_to_acquire(
    pool: FacePool, face: bytes
) -> None:
    found = await pool.compare(face, (b"not a photograph",))
    assert found.evidence.failure
    assert found.evidence.dissimilarity is None
    assert found.template is None


def test_nothing_to_compare_with_is_a_finding() -> None:
    found = not_compared("REFERENCE_NOT_AVAILABLE", [b"probe"])
    assert found.template is None
    assert found.evidence == FaceEvidence(
        dissimilarity=None,
        failure="REFERENCE_NOT_AVAILABLE",
        model_digest=None,
        probe_digests=(hashlib.sha256(b"probe").digest(),),
    )


async def begin(pool: FacePool, face: bytes, count: int) -> list[asyncio.Task[FaceFindings]]:
    """Comparisons that the pool has accepted."""
    tasks = [asyncio.create_task(pool.compare(face, (face,))) for _ in range(count)]
    await asyncio.wait(tasks, timeout=0)
    return tasks


def processing_failed(face: bytes) -> FaceFindings:
    return not_compared("PROCESSING_FAILED", [face])


async def test_a_worker_killed_in_a_comparison_fails_it_and_the_pool_works_again(
    victim: Victim, face: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, 4)
    victim.kill()
    assert await asyncio.gather(*waiting) == [processing_failed(face)] * 4
    again = await victim.pool.compare(face, (face,))
    assert again.evidence.failure is None


async def test_a_worker_that_died_idle_does_not_end_the_pool(victim: Victim, face: bytes) -> None:
    victim.kill()
    victim.wait_until_noticed()
    assert await victim.pool.compare(face, (face,)) == processing_failed(face)
    again = await victim.pool.compare(face, (face,))
    assert again.evidence.failure is None


async def test_a_worker_that_hangs_is_ended_and_everybody_is_answered(face: bytes) -> None:
    pids = workers()
    pool = FacePool(SETUP, worker_count=1, timeout_s=0.5)
    try:
        (first,) = await begin(pool, face, 1)
        (pid,) = workers() - pids
        os.kill(pid, signal.SIGSTOP)
        # The others come later, so that they still wait when the first one's time is over.
        await asyncio.wait([first], timeout=0.3)
        others = await begin(pool, face, 5)
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        assert answers == [processing_failed(face)] * 6
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
    finally:
        pool.close()


async def test_more_than_can_wait_is_refused_and_told_to_come_back(
    victim: Victim, face: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, ACCEPTED_MAX)
    with pytest.raises(OverloadedError) as caught:
        await victim.pool.compare(face, (face,))
    assert caught.value.retry_after_s
    victim.kill()
    assert await asyncio.gather(*waiting) == [processing_failed(face)] * ACCEPTED_MAX
    assert (await victim.pool.compare(face, (face,))).evidence.failure is None


async def test_a_caller_that_goes_away_costs_nobody_else_an_answer(
    victim: Victim, face: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, ACCEPTED_MAX)
    gone = waiting.pop()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    # What it asked for is still in the queue, so its place is not free.
    with pytest.raises(OverloadedError):
        await victim.pool.compare(face, (face,))
    victim.kill()
    assert await asyncio.gather(*waiting) == [processing_failed(face)] * len(waiting)
    assert (await victim.pool.compare(face, (face,))).evidence.failure is None


async def test_who_would_wait_too_long_is_refused_however_few_are_waiting(face: bytes) -> None:
    pool = FacePool(SETUP, worker_count=1, wait_max_s=0.001)
    try:
        assert pool.expected_wait_s == 0
        first = asyncio.create_task(pool.compare(face, (face,)))
        await asyncio.wait([first], timeout=0)
        assert pool.expected_wait_s > 0.001
        with pytest.raises(OverloadedError):
            await pool.compare(face, (face,))
        assert (await first).evidence.failure is None
        assert pool.expected_wait_s == 0
        assert (await pool.compare(face, (face,))).evidence.failure is None
    finally:
        pool.close()


async def test_the_expected_wait_follows_the_time_that_comparisons_take(
    victim: Victim, face: bytes
) -> None:
    measured = [(await victim.pool.compare(face, (face,))).time_s for _ in range(30)]
    victim.stop()
    waiting = await begin(victim.pool, face, 5)
    mean_s = victim.pool.expected_wait_s / 5
    assert min(measured[5:]) * 0.5 < mean_s < max(measured) * 1.5
    victim.kill()
    await asyncio.gather(*waiting)


async def test_photographs_that_wait_hold_no_more_than_their_share_of_memory(
    victim: Victim,
) -> None:
    victim.stop()
    huge = bytes(WAITING_BYTES_MAX // 4)
    waiting = await begin(victim.pool, huge, 2)
    with pytest.raises(OverloadedError):
        await victim.pool.compare(huge, (b"one byte too many",))
    victim.kill()
    assert await asyncio.gather(*waiting) == [processing_failed(huge)] * 2
    found = await victim.pool.compare(b"portrait", (b"probe",))
    assert found.evidence.failure == "REFERENCE_UNSUPPORTED_FORMAT"


async def test_a_network_that_cannot_be_loaded_is_said_before_anything_is_served(
    tmp_path: Path,
) -> None:
    setup = replace(SETUP, model="absent", models_directory=tmp_path)
    pool = FacePool(setup, worker_count=1)
    with pytest.raises(FaceSetupError, match="could not start"):
        await pool.warm_up()
    pool.close()
