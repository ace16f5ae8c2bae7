"""Faces are compared in other processes, and a process that dies or hangs costs one photograph.

Workers are stopped and killed for real. A stopped worker holds what it was given, so a test knows
that it dies in the middle of a comparison.
"""

import asyncio
import gc
import hashlib
import io
import multiprocessing
import os
import select
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image, ImageEnhance

from biometrics.face.acquisition import Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import content_digest
from biometrics.face.plugins.install import install
from biometrics.face.plugins.manifest import parse_manifest
from biometrics.face.plugins.registry import embedder_manifest
from biometrics.face.score import ModelMismatchError, ScoreType
from identity.domain.errors import OverloadedError
from identity.domain.face_score import FaceScore, FaceZone
from identity.domain.verification import FaceEvidence
from identity.services.face_pool import (
    WAITING_PER_WORKER_MAX,
    FaceFindings,
    FacePool,
    compare_faces,
    not_compared,
)
from identity.services.face_setup import FaceSetupError, make_face_setup
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network
from tests.unit.identity.services.faces import blank_jpeg, encoded, face_jpeg

ACCEPTED_MAX = 1 + WAITING_PER_WORKER_MAX
SETUP = make_face_setup(models_directory=Path("no-models"))


@pytest.fixture(scope="module")
def face() -> bytes:
    return face_jpeg()


@pytest.fixture(scope="module")
def probe() -> bytes:
    """The same person in another file."""
    return face_jpeg(quality=80)


@pytest.fixture(scope="module")
def stranger(shared_data: Path) -> bytes:
    return next(shared_data.glob("faces/london/*/neutral_front.jpg")).read_bytes()


@pytest.fixture(scope="module")
def blank() -> bytes:
    return blank_jpeg()


@pytest.fixture(scope="module")
def pool() -> Iterator[FacePool]:
    """A pool that nobody harms, and that may take as long to load its models as it needs."""
    pool = FacePool(SETUP, worker_count=1, timeout_s=300)
    yield pool
    pool.close()


def workers() -> set[int]:
    # Not by what the system says of this process's children: the command line of a child is empty
    # for a moment after it was started.
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


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


async def test_a_face_matches_itself(pool: FacePool, face: bytes, probe: bytes) -> None:
    findings = await pool.compare(face, (probe,))
    found = findings.evidence
    assert found.failure is None
    assert found.dissimilarity is not None
    assert found.dissimilarity < 0.1
    assert found.model_digest == SETUP.model_digest
    assert found.operating_point_digest == content_digest(SETUP.operating_point)
    assert found.probe_digests == (hashlib.sha256(probe).digest(),)
    assert findings.template is not None
    assert found.score == FaceScore(
        score_type="distance",
        value=found.dissimilarity,
        is_dissimilarity=True,
        match_threshold=DEFAULT.decision_threshold,
        review_threshold=DEFAULT.review_threshold,
    )
    assert found.score.zone is FaceZone.MATCH


async def test_the_portrait_itself_is_no_live_photograph(
    pool: FacePool, face: bytes, probe: bytes
) -> None:
    found = await pool.compare(face, (probe, face))
    assert found.template is None
    assert (found.evidence.failure, found.evidence.dissimilarity) == ("PROBE_IS_REFERENCE", None)


def as_png(image: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(image)).save(file, "PNG")
    return file.getvalue()


def byte_appended(image: bytes) -> bytes:
    return image + b"x"


@pytest.mark.parametrize("disguise", [byte_appended, as_png])
async def test_the_portrait_in_another_file_is_no_live_photograph(
    pool: FacePool, face: bytes, probe: bytes, disguise: Callable[[bytes], bytes]
) -> None:
    for photographs in ((disguise(face),), (probe, disguise(face))):
        found = await pool.compare(face, photographs)
        assert found.template is None
        assert found.evidence.failure == "PROBE_IS_REFERENCE"
        assert found.evidence.score is None
        assert len(found.evidence.probe_digests) == len(photographs)


async def test_a_stranger_does_not_match(pool: FacePool, face: bytes, stranger: bytes) -> None:
    found = (await pool.compare(face, (stranger,))).evidence
    assert found.score is not None
    assert found.score.zone is FaceZone.NON_MATCH
    assert found.dissimilarity is not None
    assert found.dissimilarity > 0.4


async def test_a_stranger_among_the_photographs_decides_nothing_for_anybody(
    pool: FacePool, face: bytes, probe: bytes, blank: bytes, stranger: bytes
) -> None:
    for photographs in ((probe, stranger), (stranger, probe), (probe, blank, stranger)):
        found = await pool.compare(face, photographs)
        assert found.evidence.failure == "SEVERAL_PEOPLE"
        assert (found.evidence.dissimilarity, found.evidence.score) == (None, None)
        assert found.template is None
        assert len(found.evidence.probe_digests) == len(photographs)


async def test_unusable_photographs_beside_a_good_one_do_no_harm(
    pool: FacePool, face: bytes, probe: bytes, blank: bytes
) -> None:
    alone = await pool.compare(face, (probe,))
    beside = await pool.compare(face, (blank, probe, b"not a photograph"))
    assert alone.evidence.dissimilarity is not None
    assert beside.evidence.dissimilarity == pytest.approx(alone.evidence.dissimilarity, abs=1e-5)
    assert beside.evidence.failure is None


async def test_photographs_without_a_face_are_told_from_portraits_without_one(
    pool: FacePool, face: bytes, blank: bytes
) -> None:
    unusable = (await pool.compare(face, (blank, b"not a photograph"))).evidence
    portrait = (await pool.compare(blank, (face,))).evidence
    assert (unusable.failure, unusable.dissimilarity) == ("NO_FACE", None)
    assert (portrait.failure, portrait.dissimilarity) == ("REFERENCE_NO_FACE", None)
    assert portrait.probe_digests == (hashlib.sha256(face).digest(),)


async def test_bytes_that_are_no_photograph_are_a_failure_to_acquire(
    pool: FacePool, face: bytes
) -> None:
    found = await pool.compare(face, (b"not a photograph",))
    assert found.evidence.failure == "UNSUPPORTED_FORMAT"
    assert found.evidence.dissimilarity is None
    assert found.template is None


def test_a_cohort_in_force_centres_the_score_and_without_it_the_fallback_decides(
    face: bytes, probe: bytes
) -> None:
    vectors = np.random.default_rng(11).normal(size=(COHORT_IDENTITIES_MIN, 128))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cohort = Cohort(vectors=unit, model_digest=DEFAULT.model_digest)
    fallback = replace(DEFAULT, decision_threshold=0.3, review_threshold=None)
    point = OperatingPoint(
        score_type=ScoreType.COHORT_CENTRED,
        decision_threshold=0.5,
        review_threshold=0.4,
        source="made in a test",
        cohort_digest=cohort.digest,
        fallback=fallback,
    )
    setup = replace(SETUP, operating_point=point)
    centred = compare_faces(replace(setup, cohort=cohort).make_engine(), face, (probe,)).evidence
    alone = compare_faces(setup.make_engine(), face, (probe,)).evidence
    assert centred.score is not None
    assert alone.score is not None
    assert centred.score.cohort_digest == cohort.digest
    assert (centred.score.score_type, centred.score.is_dissimilarity) == ("cohort_centred", False)
    assert (centred.score.match_threshold, centred.score.review_threshold) == (0.5, 0.4)
    assert (alone.score.score_type, alone.score.cohort_digest) == ("distance", None)
    assert (alone.score.match_threshold, alone.score.review_threshold) == (0.3, None)
    assert alone.dissimilarity == pytest.approx(centred.dissimilarity, abs=1e-6)


def test_an_installed_network_is_compared_with_at_an_operating_point_of_its_own(
    face: bytes, tmp_path: Path
) -> None:
    # Paler, because the network knows mean colours and nothing else.
    probe = encoded(ImageEnhance.Color(Image.open(io.BytesIO(face))).enhance(0.9))
    weights = network()
    (tmp_path / "weights.onnx").write_bytes(weights)
    text = manifest_text(weights)
    manifest = parse_manifest(text)
    install(manifest, text=text, source=str(tmp_path / "weights.onnx"), directory=tmp_path / "own")
    point = OperatingPoint(
        score_type=ScoreType.COSINE,
        decision_threshold=0.99,
        source="made in a test",
        model_digest=embedder_manifest(manifest).template_digest(),
    )
    setup = make_face_setup(
        models_directory=tmp_path / "own", model=manifest.name, operating_point=point
    )
    findings = compare_faces(setup.make_engine(), face, (probe,))
    found = findings.evidence
    assert found.model_digest == point.model_digest != SETUP.model_digest
    assert found.score is not None
    assert (found.score.score_type, found.score.zone) == ("cosine", FaceZone.MATCH)
    assert findings.template is not None
    # Templates of the two networks are never compared.
    own = Template.from_bytes(findings.template)
    other = compare_faces(SETUP.make_engine(), face, (probe,)).template
    assert other is not None
    with pytest.raises(ModelMismatchError):
        setup.make_engine().compare(own, Template.from_bytes(other))
    (tmp_path / "own" / manifest.name / manifest.file).write_bytes(weights + b"changed")
    with pytest.raises(FaceSetupError, match=r"has SHA-256 .*, expected"):
        make_face_setup(
            models_directory=tmp_path / "own", model=manifest.name, operating_point=point
        )


def test_nothing_to_compare_with_is_a_finding() -> None:
    found = not_compared("REFERENCE_NOT_AVAILABLE", [b"probe"])
    assert found.template is None
    assert found.evidence == FaceEvidence(
        dissimilarity=None,
        failure="REFERENCE_NOT_AVAILABLE",
        model_digest=None,
        probe_digests=(hashlib.sha256(b"probe").digest(),),
    )


async def begin(
    pool: FacePool, face: bytes, probe: bytes, count: int
) -> list[asyncio.Task[FaceFindings]]:
    """Comparisons that the pool has accepted."""
    tasks = [asyncio.create_task(pool.compare(face, (probe,))) for _ in range(count)]
    await asyncio.wait(tasks, timeout=0)
    return tasks


async def assert_all_are_told_to_come_again(waiting: list[asyncio.Task[FaceFindings]]) -> None:
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
    assert again.evidence.failure is None


async def test_a_worker_that_died_idle_costs_nobody_anything(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    victim.kill()
    victim.wait_until_noticed()
    assert (await victim.pool.compare(face, (probe,))).evidence.failure is None


async def test_who_only_waited_for_a_photograph_that_stalls_is_told_to_come_again(
    face: bytes, probe: bytes
) -> None:
    pids = workers()
    pool = FacePool(SETUP, worker_count=1, timeout_s=3)
    try:
        # At one moment, so that the time of all is over at one moment too.
        first, *others = await begin(pool, face, probe, ACCEPTED_MAX)
        (pid,) = workers() - pids
        os.kill(pid, signal.SIGSTOP)
        assert await first == not_compared("PROCESSING_FAILED", [probe])
        await assert_all_are_told_to_come_again(others)
    finally:
        pool.close()


async def test_a_worker_that_hangs_is_ended_and_everybody_is_answered(
    face: bytes, probe: bytes
) -> None:
    unheard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: unheard.append(fault))
    pids = workers()
    pool = FacePool(SETUP, worker_count=1, timeout_s=3)
    try:
        (first,) = await begin(pool, face, probe, 1)
        (pid,) = workers() - pids
        worker = os.pidfd_open(pid)
        os.kill(pid, signal.SIGSTOP)
        # The others come later, so that they still wait when the first one's time is over.
        await asyncio.wait([first], timeout=0.3)
        others = await begin(pool, face, probe, WAITING_PER_WORKER_MAX)
        assert await first == not_compared("PROCESSING_FAILED", [probe])
        await assert_all_are_told_to_come_again(others)
        ended, _, _ = select.select([worker], [], [], 10)
        assert ended
        os.close(worker)
        # What became of a comparison that nobody waits for any more is not complained of.
        del first
        gc.collect()
        assert unheard == []
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
    assert (await victim.pool.compare(face, (probe,))).evidence.failure is None


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
    assert (await victim.pool.compare(face, (probe,))).evidence.failure is None


async def test_a_signal_to_the_whole_group_does_not_end_a_worker(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        os.kill(victim.pid, name)
    assert (await victim.pool.compare(face, (probe,))).evidence.failure is None
    assert psutil.pid_exists(victim.pid)


async def test_a_network_that_cannot_be_loaded_is_said_before_anything_is_served(
    tmp_path: Path,
) -> None:
    setup = replace(SETUP, model="absent", models_directory=tmp_path)
    pool = FacePool(setup, worker_count=1)
    try:
        with pytest.raises(FaceSetupError, match="absent cannot be run: absent is not installed"):
            await pool.warm_up()
    finally:
        pool.close()


async def test_a_flood_is_refused_at_once_and_what_was_accepted_is_answered_in_good_time(
    face: bytes, probe: bytes
) -> None:
    loop = asyncio.get_running_loop()
    pool = FacePool(SETUP, worker_count=1)
    try:
        await pool.warm_up()

        async def timed() -> tuple[float, FaceFindings | OverloadedError]:
            start = loop.time()
            try:
                answer: FaceFindings | OverloadedError = await pool.compare(face, (probe,))
            except OverloadedError as refusal:
                answer = refusal
            return loop.time() - start, answer

        quiet_s = max([(await timed())[0] for _ in range(5)])
        answers = await asyncio.gather(*(timed() for _ in range(40 * ACCEPTED_MAX)))
        accepted_s = [s for s, answer in answers if isinstance(answer, FaceFindings)]
        refused = [(s, answer) for s, answer in answers if isinstance(answer, OverloadedError)]
        assert len(accepted_s) == ACCEPTED_MAX
        # Everybody waits for those before him and no others, however many knock. Twice that for
        # what else the machine does.
        assert max(accepted_s) < 2 * ACCEPTED_MAX * quiet_s
        assert all(answer.retry_after_s for _, answer in refused)
        assert max(s for s, _ in refused) < quiet_s
        # The flood over, the pool is as it was.
        assert isinstance((await timed())[1], FaceFindings)
    finally:
        pool.close()


async def test_a_pool_whose_process_died_while_idle_is_revived(
    victim: Victim, face: bytes, probe: bytes
) -> None:
    told = [victim.pool.is_broken]
    victim.kill()
    victim.wait_until_noticed()
    told.append(victim.pool.is_broken)
    await victim.pool.revive()
    told.append(victim.pool.is_broken)
    assert told == [False, True, False]
    assert (victim.pool.under_way, victim.pool.under_way_max) == (0, ACCEPTED_MAX)
    assert (await victim.pool.compare(face, (probe,))).evidence.failure is None
