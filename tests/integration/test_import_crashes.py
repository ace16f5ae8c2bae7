"""Imports and links that are killed at chosen points, and repeated, end as ones left alone.

Sixty points over the whole work: importing a register, importing a book, comparing all claims; at
each, before or after a statement or a commit, or between two values of a COPY. The process that
dies is client and server at once.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from identity.security.keys import KeyRing, format_key_ring, generate_key_ring
from identity.security.vault import Vault
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.import_progress import Progress, get_progress
from identity.storage.database import Database, connect
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from tests.conftest import PROJECT_ROOT
from tests.databases import own_database
from tests.integration.import_story import AUTHORITY, BOOK, OPERATOR, REGISTER, Story
from tests.integration.mortal_importer import KINDS, Life, Work, import_edge, watched
from tests.integration.registry_contents import Contents, contents, empty, last_audited

STAGES = ("register", "book", "link")
DEATHS_EACH = 4
KILLED = -9
ENDS_TIMEOUT_S = 60.0

Point = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended, and what it said before.

    Attributes:
        code: Its exit code; negative for a signal.
        answers: What it was answered, by stage.
        passed: How many points it passed, by stage and kind.
    """

    code: int
    answers: Mapping[str, str]
    passed: Mapping[tuple[str, str], int]


@dataclass(kw_only=True)
class Importers:
    """The process that others are forked from; use it as a context."""

    url: str
    ring: KeyRing
    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.mortal_importer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT_ROOT,
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.communicate(timeout=ENDS_TIMEOUT_S)

    def run(self, *, ends_at: Point | None, resumes: bool = False) -> Ended:
        """Have one process do everything, or die on the way."""
        assert self._process.stdin is not None
        job = {
            "url": self.url,
            "ring": format_key_ring(self.ring),
            "ends_at": ends_at,
            "resumes": resumes,
        }
        print(json.dumps(job), file=self._process.stdin, flush=True)
        answers: dict[str, str] = {}
        passed: dict[tuple[str, str], int] = {}
        for said in self._said():
            if "answered" in said:
                answers[said["answered"]] = said["answer"]
            elif "passed" in said:
                passed = {(stage, kind): count for stage, kind, count in said["passed"]}
            else:
                return Ended(code=said["ended"], answers=answers, passed=passed)
        raise AssertionError("the process that others are forked from has ended")

    def _said(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        yield from map(json.loads, self._process.stdout)


@dataclass(kw_only=True)
class Cut:
    """Ends every connection to a database from the server's side.

    Attributes:
        engine: Connections of the database that are in nobody's pool.
        cut_off: What was under way on those that were ended.
    """

    engine: Engine
    cut_off: list[str] = field(default_factory=list)

    def __call__(self) -> None:
        """Do it."""
        query = text(
            "SELECT state || ' ' || query, pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        with self.engine.connect() as connection:
            self.cut_off += [row[0] for row in connection.execute(query)]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A registry on which the story is played again and again."""

    importers: Importers
    database: Database
    story: Story
    faces: FacePool

    def set(self) -> int:
        """Begin anew; returns the last entry of the audit log before."""
        with self.database.transaction() as uow:
            empty(uow)
            self.story.begin(uow)
            return last_audited(uow)

    def play_here(self, *, ends_at: Point, resumes: bool) -> tuple[dict[str, str], list[str]]:
        """Do everything in this process, and once lose all connections on the way.

        Returns:
            What it was answered, by stage, and what was cut off.
        """
        self.database.engine.dispose()  # its connections are none of those that are lost
        cut = Cut(engine=create_engine(self.database.engine.url, poolclass=NullPool))
        answers: dict[str, str] = {}
        vault = Vault(self.importers.ring)
        life = Life(ends_at=ends_at, end=cut)
        with (
            watched(self.importers.url, vault, life) as database,
            import_edge(database, self.faces) as edge,
        ):
            Work(
                self.story,
                edge,
                life,
                resumes=resumes,
                say=lambda said: answers.update({said["answered"]: said["answer"]}),
            ).do()
        return answers, cut.cut_off

    def contents(self, *, audited_after: int) -> Contents:
        """What there is."""
        with self.database.transaction() as uow:
            return contents(uow, audited_after=audited_after)

    def progress(self) -> dict[str, Progress]:
        """What an operator and the authority are told of their imports."""
        register = population_pb.ImportPopulationRequest.DESCRIPTOR.full_name
        book = pb.ImportSubscriptionsRequest.DESCRIPTOR.full_name
        with self.database.transaction() as uow:
            return {
                "register": get_progress(uow, AUTHORITY, REGISTER, method=register),
                "book": get_progress(uow, OPERATOR, BOOK, method=book),
            }


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What came of the story that nothing disturbed."""

    ended: Ended
    contents: Contents
    progress: Mapping[str, Progress]


@pytest.fixture(scope="module")
def engine_of_its_own(postgres_url: str) -> Iterator[Engine]:
    with own_database(postgres_url, f"crashes_{uuid4().hex}") as url:
        engine = connect(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def stage(engine_of_its_own: Engine) -> Iterator[Stage]:
    ring = generate_key_ring()
    url = engine_of_its_own.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with Importers(url=url, ring=ring) as importers:
        yield Stage(
            importers=importers,
            database=Database(engine_of_its_own, Vault(ring)),
            story=Story.told(),
            faces=FacePool(make_face_setup(models_directory=Path()), worker_count=1),
        )


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> Undisturbed:
    return play(stage)


def play(stage: Stage) -> Undisturbed:
    before = stage.set()
    ended = stage.importers.run(ends_at=None)
    assert ended.code == 0
    return Undisturbed(
        ended=ended,
        contents=stage.contents(audited_after=before),
        progress=stage.progress(),
    )


def draw(undisturbed: Undisturbed, stage: str, kind: str, seed: int) -> Point:
    """A point of those that the undisturbed story passed."""
    last = undisturbed.ended.passed[stage, kind]
    return (stage, kind, Random(f"{stage} {kind} {seed}").randint(1, last))


def test_the_story_has_everything_that_a_row_can_come_to(undisturbed: Undisturbed) -> None:
    register, book = (undisturbed.progress[name] for name in ("register", "book"))
    assert register.is_complete
    assert book.is_complete
    for summary in (register.summary, book.summary):
        counts = (summary.created_count, summary.changed_count, summary.unchanged_count)
        assert all((*counts, summary.rejected_count, summary.gone_count))
    assert set(book.summary.link_counts) == {"linked", "mismatched", "not_found", "deceased"}
    assert undisturbed.contents["link_change"]
    assert not undisturbed.contents["import_row"]
    (changed,) = undisturbed.contents["links changed by comparisons"]
    assert int(changed) > 5
    for point in ((stage, kind) for stage in STAGES for kind in KINDS):
        assert undisturbed.ended.passed[point] >= DEATHS_EACH


def test_two_stories_that_nothing_disturbs_end_alike(
    stage: Stage, undisturbed: Undisturbed
) -> None:
    again = play(stage)
    assert again.contents == undisturbed.contents
    assert again.ended.answers == undisturbed.ended.answers


@pytest.mark.parametrize("seed", range(DEATHS_EACH))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage_name", STAGES)
def test_a_process_that_is_killed_costs_nothing_but_to_begin_again(
    stage: Stage, undisturbed: Undisturbed, stage_name: str, kind: str, seed: int
) -> None:
    before = stage.set()
    resumes = seed % 2 == 1
    killed = stage.importers.run(ends_at=draw(undisturbed, stage_name, kind, seed))
    assert killed.code == KILLED
    # What was answered is what is answered for ever.
    for name, answer in killed.answers.items():
        assert answer == undisturbed.ended.answers[name]
    told = stage.progress()
    for name in killed.answers.keys() & told.keys():
        assert told[name] == undisturbed.progress[name]
    if seed == DEATHS_EACH - 1:
        # Killed once more, on the way back.
        second = stage.importers.run(
            ends_at=draw(undisturbed, stage_name, "statement", seed), resumes=resumes
        )
        assert second.code in {KILLED, 0}
    repeated = stage.importers.run(ends_at=None, resumes=resumes)
    assert repeated.code == 0
    assert repeated.answers == undisturbed.ended.answers
    assert stage.contents(audited_after=before) == undisturbed.contents
    for name, progress in told.items():
        now = stage.progress()[name]
        assert now == undisturbed.progress[name]
        assert now.next_batch_index >= progress.next_batch_index


@pytest.mark.parametrize("kind", ["statement", "answer", "commit", "value"])
@pytest.mark.parametrize("stage_name", STAGES)
def test_connections_that_are_lost_cost_nothing_at_all(
    stage: Stage, undisturbed: Undisturbed, stage_name: str, kind: str
) -> None:
    before = stage.set()
    ends_at = draw(undisturbed, stage_name, kind, seed=7)
    answers, cut_off = stage.play_here(ends_at=ends_at, resumes=False)
    assert cut_off
    assert answers == undisturbed.ended.answers
    assert stage.contents(audited_after=before) == undisturbed.contents


def test_a_connection_that_is_lost_in_the_midst_of_a_copy_costs_nothing_at_all(
    stage: Stage, undisturbed: Undisturbed
) -> None:
    copied: set[str] = set()
    last = undisturbed.ended.passed["book", "value"]
    for place in range(5, last, last // 5):
        before = stage.set()
        answers, cut_off = stage.play_here(ends_at=("book", "value", place), resumes=False)
        copied |= {each for each in cut_off if each.startswith('active COPY "subscription"')}
        assert answers == undisturbed.ended.answers
        assert stage.contents(audited_after=before) == undisturbed.contents
    assert copied, "no connection was cut while it copied"
