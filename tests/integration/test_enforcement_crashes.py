"""Whoever is killed and whenever: no order is lost, and none has an effect twice.

A server on a real database over real TLS and two operators with files of their own are killed by
SIGKILL at points drawn by a seed, over the whole story: while the clock runs, while orders are
pulled, executed and acknowledged, while events and reports come in, while a wave is executed and
put back. Whoever dies is started again, and whoever was not answered sends the same again. What
there is in the end is what there is when nobody dies.

`TEST_CRASH_STORIES` says how often the story is told with deaths, in each some 20: of a server two
in each of six stages, of each operator three while it obeys and one while it reports. In every
other telling an operator that dies has lost what it pulled too, and gets it when the lease ends.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any, Self
from uuid import uuid4

import grpc
import pytest

from identity.bootstrap import open_database, prepare
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.security.certificates import CertificateAuthority, load_or_create_authority
from identity.storage.database import Database
from tests.conftest import PROJECT_ROOT
from tests.databases import own_database
from tests.integration.durable_operator import CHANNEL_OPTIONS, Network
from tests.integration.enforcement_story import (
    OPERATORS,
    STAGES,
    Cast,
    Outcome,
    Story,
    executed_ids,
    outcome,
)
from tests.integration.registry_contents import empty
from tests.integration.wire import Stubs

STORIES = int(os.environ.get("TEST_CRASH_STORIES", "2"))
SERVER = "server"
DEATHS_OF_A_SERVER = 2
"""In each stage."""

DEATHS_OF_AN_OPERATOR = 3
"""While it obeys; while it reports, one."""

KILLED = -9
ENDS_TIMEOUT_S = 150.0
"""Far longer than any life takes, on any machine: one that hangs fails its test, not the run."""

Points = Mapping[str, Mapping[str, int]]
"""How many points each process has passed in each stage."""


@dataclass(kw_only=True)
class Deaths:
    """Who dies where: drawn from the points that were passed when nobody died.

    Attributes:
        points: Those.
        seed: Draws.
    """

    points: Points
    seed: int
    died: Counter[tuple[str, str]] = field(default_factory=Counter)
    _passed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def ends_of(self, name: str) -> dict[str, int]:
        """The ends of the next life of a process, by stage: as many points are still to pass."""
        ends = {}
        for stage, count in self.points.get(name, {}).items():
            wanted = self._wanted(name, stage)
            generator = Random(f"{self.seed} {name} {stage}")
            places = sorted(generator.randint(1, count) for _ in range(wanted))
            for place in places[self.died[name, stage] :][:1]:
                ends[stage] = max(1, place - self._passed[name][stage])
        return ends

    def note(self, name: str, stage: str) -> None:
        """Somebody has died."""
        self.died[name, stage] += 1

    def live(self, name: str, passed: Mapping[str, int]) -> None:
        """Somebody has passed points in one life."""
        self._passed[name].update(passed)

    @staticmethod
    def _wanted(name: str, stage: str) -> int:
        if name == SERVER:
            return DEATHS_OF_A_SERVER if stage in STAGES else 0
        return DEATHS_OF_AN_OPERATOR if stage == "orders" else 1


@dataclass(kw_only=True)
class Processes:
    """The process that servers and operators are forked from; use it as a context."""

    deaths: Deaths = field(default_factory=lambda: Deaths(points={}, seed=0))
    passed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _serving: Mapping[str, Any] = field(default_factory=dict)
    _ended: dict[str, Queue[int]] = field(default_factory=lambda: defaultdict(Queue))
    _process: subprocess.Popen[str] = field(init=False)
    _reader: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.mortal_service"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT_ROOT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(ENDS_TIMEOUT_S)
        self._reader.join(ENDS_TIMEOUT_S)
        self._process.stdout.close()

    def serve(self, **job: str) -> None:
        """Have a server, and another whenever one is killed."""
        self._serving = job
        self._start(SERVER, do="serve", **job)

    def stop_serving(self) -> None:
        """Have the server end as it should."""
        self._write({"stop": SERVER})
        assert self._ended[SERVER].get(timeout=ENDS_TIMEOUT_S) == 0

    def operate(self, name: str, **job: str) -> Iterator[int]:
        """Have an operator do its work; yields how each of its lives has ended, the last one 0."""
        code = KILLED
        while code == KILLED:
            self._start(name, do="operate", **job)
            code = self._ended[name].get(timeout=ENDS_TIMEOUT_S)
            yield code
        assert code == 0, "the operator failed"

    def _start(self, name: str, **job: str) -> None:
        self._write({"name": name, "ends_at": self.deaths.ends_of(name), **job})

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        print(json.dumps(line), file=self._process.stdin, flush=True)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in map(json.loads, self._process.stdout):
            name = line["name"]
            if "passed" in line:
                self.passed[name].update(line["passed"])
                self.deaths.live(name, line["passed"])
                if "died_in" in line:
                    self.deaths.note(name, line["died_in"])
            elif name == SERVER and line["ended"] == KILLED:
                self._start(SERVER, do="serve", **self._serving)
            else:
                self._ended[name].put(line["ended"])


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A registry in which the story is told again and again."""

    database: Database
    settings: Settings
    authority: CertificateAuthority
    processes: Processes
    directory: Path

    def tell(self, deaths: Deaths | None = None, *, forgets: bool = False) -> "Told":
        """Tell the story.

        Args:
            deaths: Who dies where; nobody unless given.
            forgets: An operator that dies has lost what it pulled and did not acknowledge.
        """
        self.processes.deaths = deaths or Deaths(points={}, seed=0)
        self.processes.passed.clear()
        cast, networks = Cast(), {}
        with self.database.transaction() as uow:
            empty(uow)
            cast.enter(uow)
        for name, numbers in cast.numbers.items():
            networks[name] = Network(self.directory / f"{name}-{uuid4().hex}.sqlite")
            networks[name].build(numbers)
        stage_file = self.directory / "stage"
        _write_whole(stage_file, "start")
        self.processes.serve(
            state=str(self.settings.state),
            database=str(self.settings.database),
            listen=self.settings.listen,
            stage_file=str(stage_file),
        )
        with ExitStack() as stack:
            story = Story(
                database=self.database,
                cast=cast,
                networks=networks,
                stubs=self._stubs(stack),
                enter=lambda stage: _write_whole(stage_file, stage),
                work=lambda names, report: self._work(networks, names, report, forgets=forgets),
            )
            story.tell()
        _write_whole(stage_file, "end")
        self.processes.stop_serving()
        return Told(
            outcome=outcome(self.database, networks, unit=timedelta(microseconds=1)),
            outcome_in_hours=outcome(self.database, networks, unit=timedelta(hours=1)),
            executed=executed_ids(self.database),
            effects=[each.directive_id for of in networks.values() for each in of.effects()],
            points={name: dict(passed) for name, passed in self.processes.passed.items()},
        )

    def _work(
        self, networks: Mapping[str, Network], names: Sequence[str], report: str, *, forgets: bool
    ) -> None:
        def work(name: str) -> None:
            for code in self.processes.operate(
                name,
                stage="reports" if report else "orders",
                report=report,
                address=self.settings.listen,
                network=str(networks[name].path),
                **self._files(name),
            ):
                if code == KILLED and forgets:
                    networks[name].forget_pulls()

        with ThreadPoolExecutor(len(names)) as threads:
            list(threads.map(work, names))

    def _files(self, name: str) -> dict[str, str]:
        """What an operator is known by, in files of its own."""
        issued = self._issue(Role.OPERATOR, name)
        contents = {
            "key": issued.private_key,
            "certificate": issued.certificate,
            "authority": self.authority.certificate_pem,
        }
        files = {part: self.directory / f"{name}.{part}" for part in contents}
        for part, path in files.items():
            path.write_bytes(contents[part])
        return {part: str(path) for part, path in files.items()}

    def _issue(self, role: Role, name: str) -> Any:  # noqa: ANN401 - a key and its certificate
        return self.authority.issue_caller(Caller(role, name), at=datetime.now(UTC))

    def _stubs(self, stack: ExitStack) -> Mapping[str, Stubs]:
        roles = dict.fromkeys(OPERATORS, Role.OPERATOR)
        roles |= dict.fromkeys(("regulator", "deputy"), Role.REGULATOR)
        stubs = {}
        for name, role in roles.items():
            issued = self._issue(role, name)
            credentials = grpc.ssl_channel_credentials(
                self.authority.certificate_pem, issued.private_key, issued.certificate
            )
            channel = grpc.secure_channel(
                self.settings.listen, credentials, options=CHANNEL_OPTIONS
            )
            stubs[name] = Stubs(stack.enter_context(channel), issued.private_key)
        return stubs


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of a telling.

    Attributes:
        outcome: What there is.
        outcome_in_hours: The same, its instants cut to whole hours: while the end of a lease is
            waited for, time passes.
        executed: The orders that the registry takes for executed.
        effects: The orders that had an effect in a network, as often as they had one.
        points: How many points each process passed, where it was not killed.
    """

    outcome: Outcome
    outcome_in_hours: Outcome
    executed: set[str]
    effects: Sequence[str]
    points: Points


def _write_whole(path: Path, content: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(content, encoding="utf-8")
    scratch.replace(path)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def stage(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("crashes")
    with own_database(postgres_url, f"enforced_{uuid4().hex}") as url:
        settings = Settings(
            state=directory / "state",
            database=url,
            listen=f"127.0.0.1:{free_port()}",
            simulated_clock=True,
        )
        with Processes() as processes, open_database(settings) as database:
            prepare(database)
            now = datetime.now(UTC)
            yield Stage(
                database=database,
                settings=settings,
                authority=load_or_create_authority(settings.state / "certificates", at=now),
                processes=processes,
                directory=directory,
            )


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> Told:
    return stage.tell()


def test_the_story_has_everything_that_enforcement_does(undisturbed: Told) -> None:
    found = undisturbed.outcome
    assert set(STAGES) <= set(undisturbed.points[SERVER])
    kinds = Counter(kind for done in found.effects.values() for kind in done)
    assert len(kinds) == 5  # notices, two kinds of blocks, withdrawals and restorations
    (first, slices), (second, _) = found.waves
    assert (first[0], second[0]) == ("reverted", "completed")
    assert len(slices) > 3
    states = Counter(order[9] for orders in found.orders.values() for order in orders)
    assert states.keys() == {"executed", "superseded"}
    assert sum(report[4] for report in found.reports) == 1  # the lie


@pytest.mark.parametrize("seed", range(STORIES))
def test_whoever_is_killed_no_order_is_lost_and_none_has_an_effect_twice(
    stage: Stage, undisturbed: Told, seed: int
) -> None:
    deaths = Deaths(points=undisturbed.points, seed=seed)
    forgets = seed % 2 == 1
    told = stage.tell(deaths, forgets=forgets)
    assert sorted(told.effects) == sorted(told.executed)
    assert told.outcome_in_hours == undisturbed.outcome_in_hours
    assert forgets or told.outcome == undisturbed.outcome
    died = Counter(name for name, _ in deaths.died.elements())
    assert died[SERVER] >= len(STAGES) * DEATHS_OF_A_SERVER - 2  # the last draw may come too late
    assert all(died[name] >= DEATHS_OF_AN_OPERATOR for name in OPERATORS)
