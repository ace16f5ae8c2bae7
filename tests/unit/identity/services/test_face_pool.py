"""Faces are compared in other processes, and a process that dies or hangs costs one photograph.

Workers are stopped and killed for real. A stopped worker holds what it was given, so a test knows
that it dies in the middle of a comparison.
"""

import asyncio
import hashlib
import io
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import skimage.data
from PIL import Image

from identity.domain.errors import OverloadedError
from identity.domain.verification import FaceEvidence
from identity.services.face_pool import WAITING_PER_WORKER_MAX, FacePool, not_compared

ACCEPTED_MAX = 1 + WAITING_PER_WORKER_MAX


def encoded(image: Image.Image, *, quality: int = 95) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def collins() -> Image.Image:
    """Eileen Collins (NASA, public domain)."""
    astronaut = skimage.data.astronaut()  # type: ignore[no-untyped-call] # scikit-image ships no types
    return Image.fromarray(astronaut).crop((130, 0, 330, 220))


@pytest.fixture(scope="module")
def face() -> bytes:
    return encoded(collins())


@pytest.fixture(scope="module")
def probe() -> bytes:
    """The same person in another file."""
    return encoded(collins(), quality=80)


@pytest.fixture(scope="module")
def stranger(shared_data: Path) -> bytes:
    return next(shared_data.glob("faces/london/*/neutral_front.jpg")).read_bytes()


@pytest.fixture(scope="module")
def blank() -> bytes:
    return encoded(Image.new("RGB", (480, 640), (120, 90, 80)))


@pytest.fixture(scope="module")
def pool() -> Iterator[FacePool]:
    """A pool that nobody harms."""
    pool = FacePool(worker_count=1)
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
    pool = FacePool(worker_count=1, timeout_s=20)
    await pool.warm_up()
    (pid,) = workers() - pids
    started = set(threading.enumerate()) - threads
    watchers = {each for each in started if "Executor" in type(each).__name__}
    assert watchers
    yield Victim(pool, pid, watchers)
    pool.close()


async def test_a_face_matches_itself(pool: FacePool, face: bytes, probe: bytes) -> None:
    found = await pool.compare(face, (probe,))
    assert found.failure is None
    assert found.dissimilarity is not None
    assert found.dissimilarity < 0.1
    assert found.model_digest is not None
    assert len(bytes.fromhex(found.model_digest)) == 32
    assert found.probe_digests == (hashlib.sha256(probe).digest(),)


async def test_the_portrait_itself_is_no_live_photograph(
    pool: FacePool, face: bytes, probe: bytes
) -> None:
    found = await pool.compare(face, (probe, face))
    assert (found.failure, found.dissimilarity) == ("PROBE_IS_REFERENCE", None)


async def test_every_usable_photograph_must_match_by_itself(
    pool: FacePool, face: bytes, probe: bytes, blank: bytes, stranger: bytes
) -> None:
    alone = await pool.compare(face, (stranger,))
    beside = await pool.compare(face, (probe, stranger, blank))
    assert alone.dissimilarity is not None
    assert beside.dissimilarity == alone.dissimilarity > 0.4


async def test_photographs_without_a_face_are_told_from_portraits_without_one(
    pool: FacePool, face: bytes, blank: bytes
) -> None:
    unusable = await pool.compare(face, (blank, b"not a photograph"))
    portrait = await pool.compare(blank, (face,))
    assert (unusable.failure, unusable.dissimilarity) == ("NO_FACE", None)
    assert (portrait.failure, portrait.dissimilarity) == ("REFERENCE_NO_FACE", None)
    assert portrait.probe_digests == (hashlib.sha256(face).digest(),)


async def test_bytes_that_are_no_photograph_are_a_failure_to_acquire(
    pool: FacePool, face: bytes
) -> None:
    found = await pool.compare(face, (b"not a photograph",))
    assert found.failure
    assert found.dissimilarity is None


def test_nothing_to_compare_with_is_a_finding() -> None:
    found = not_compared("REFERENCE_NOT_AVAILABLE", [b"probe"])
    assert found == FaceEvidence(
        dissimilarity=None,
        failure="REFERENCE_NOT_AVAILABLE",
        model_digest=None,
        probe_digests=(hashlib.sha256(b"probe").digest(),),
    )


async def begin(
    pool: FacePool, face: bytes, probe: bytes, count: int
) -> list[asyncio.Task[FaceEvidence]]:
    """Comparisons that the pool has accepted."""
    tasks = [asyncio.create_task(pool.compare(face, (probe,))) for _ in range(count)]
    await asyncio.wait(tasks, timeout=0)
    return tasks


async def assert_all_are_told_to_come_again(waiting: list[asyncio.Task[FaceEvidence]]) -> None:
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [OverloadedError] * len(waiting)


async def test_a_worker_killed_in_a_comparison_decides_nothing_and_the_pool_works_again(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, probe, 4)
    victim.kill()
    await assert_all_are_told_to_come_again(waiting)
    again = await victim.pool.compare(face, (probe,))
    assert again.failure is None


async def test_a_worker_that_died_idle_costs_nobody_anything(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    victim.kill()
    victim.wait_until_noticed()
    assert (await victim.pool.compare(face, (probe,))).failure is None


async def test_a_worker_that_hangs_is_ended_and_everybody_is_answered(
    face: bytes, probe: bytes
) -> None:
    pids = workers()
    pool = FacePool(worker_count=1, timeout_s=0.5)
    try:
        (first,) = await begin(pool, face, probe, 1)
        (pid,) = workers() - pids
        os.kill(pid, signal.SIGSTOP)
        # The others come later, so that they still wait when the first one's time is over.
        await asyncio.wait([first], timeout=0.3)
        others = await begin(pool, face, probe, WAITING_PER_WORKER_MAX)
        assert await first == not_compared("PROCESSING_FAILED", [probe])
        await assert_all_are_told_to_come_again(others)
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
    finally:
        pool.close()


async def test_more_than_can_wait_is_refused_and_told_to_come_back(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, probe, ACCEPTED_MAX)
    with pytest.raises(OverloadedError) as caught:
        await victim.pool.compare(face, (probe,))
    assert caught.value.retry_after_s
    victim.kill()
    await assert_all_are_told_to_come_again(waiting)
    assert (await victim.pool.compare(face, (probe,))).failure is None


async def test_a_caller_that_goes_away_costs_nobody_else_an_answer(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    victim.stop()
    waiting = await begin(victim.pool, face, probe, ACCEPTED_MAX)
    gone = waiting.pop()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    # What it asked for is still in the queue, so its place is not free.
    with pytest.raises(OverloadedError):
        await victim.pool.compare(face, (probe,))
    victim.kill()
    await assert_all_are_told_to_come_again(waiting)
    assert (await victim.pool.compare(face, (probe,))).failure is None


async def test_a_signal_to_the_whole_group_does_not_end_a_worker(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        os.kill(victim.pid, name)
    assert (await victim.pool.compare(face, (probe,))).failure is None
    assert psutil.pid_exists(victim.pid)
