"""Agencies' own records against the register, over the wire: one, thousands, and a file."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.domain.caller import Role
from identity.import_files.progress_file import path_for
from identity.storage.database import connect
from subid.v1 import match_service_pb2 as pb
from subid.v1.date_pb2 import Date
from telco_sim.population import Citizen
from tests.integration.conftest import ActAs, World
from tests.integration.matching import (
    GROUNDS,
    MATCHER,
    batch_of,
    claim_of,
    register_matcher,
)
from tests.integration.scene import LEGAL_BASIS, Scene
from tests.integration.wire import TIMEOUT_S, Stubs, new_id, refused

EXACT = pb.RecordMatch(
    personal_id=pb.PERSON_MATCH_KNOWN,
    full_name=pb.FIELD_MATCH_EXACT,
    birth_date=pb.FIELD_MATCH_EXACT,
)
COLUMNS = ("personal_id", "full_name", "birth_date")

NewMatcher = Callable[..., str]


@pytest.fixture
def matcher(scene: Scene) -> Stubs:
    return scene.act_as(MATCHER.role, MATCHER.name)


@pytest.fixture
def new_matcher(scene: Scene) -> NewMatcher:
    """Registers an agency of its own name; returns that."""

    def register(**given: int) -> str:
        name = f"agency-{new_id()[:13]}"
        register_matcher(scene, name, **given)
        return name

    return register


def citizens(scene: Scene, count: int) -> list[Citizen]:
    found = [scene.people.citizen() for _ in range(count)]
    scene.record(*found)
    return found


def one(matcher: Stubs, record: pb.RecordClaim) -> pb.RecordMatch:
    request = pb.MatchRecordRequest(request_id=new_id(), grounds=GROUNDS, record=record)
    return matcher.matching.MatchRecord(request).match  # type: ignore[no-any-return] # an untyped stub


def many(matcher: Stubs, *requests: pb.MatchRecordsRequest) -> list[list[pb.RecordMatch]]:
    answers = list(matcher.matching.MatchRecords(iter(requests)))
    assert [each.batch_index for each in answers] == [each.batch_index for each in requests]
    return [list(each.matches) for each in answers]


def asking(matcher: Stubs) -> Callable[..., list[pb.MatchRecordsResponse]]:
    """The stream as a method of one list of batches."""

    def ask(
        requests: Sequence[pb.MatchRecordsRequest], *, timeout: float = TIMEOUT_S
    ) -> list[pb.MatchRecordsResponse]:
        return list(matcher.matching.MatchRecords(iter(requests), timeout=timeout))

    return ask


def use_of(world: World, name: str) -> int:
    """How many people the agency has used of its days."""
    assert world.settings.database is not None
    engine = connect(world.settings.database)
    with engine.connect() as connection:
        query = text("SELECT coalesce(sum(people_count), 0) FROM agency_use WHERE name = :name")
        found = int(connection.execute(query, {"name": name}).scalar_one())
    engine.dispose()
    return found


def test_one_record_is_compared_field_by_field(scene: Scene, matcher: Stubs) -> None:
    (citizen,) = citizens(scene, 1)
    assert one(matcher, claim_of(citizen)) == EXACT
    wrong = claim_of(citizen)
    wrong.full_name = "Trần Quốc Bảo Long"
    found = one(matcher, wrong)
    assert found.full_name == pb.FIELD_MATCH_DIFFERENT
    assert found.HasField("full_name_score")
    assert found.birth_date == pb.FIELD_MATCH_EXACT
    nobody = one(matcher, claim_of(scene.people.citizen()))
    assert nobody == pb.RecordMatch(
        personal_id=pb.PERSON_MATCH_UNKNOWN,
        full_name=pb.FIELD_MATCH_NOT_AVAILABLE,
        birth_date=pb.FIELD_MATCH_NOT_AVAILABLE,
    )


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        (
            pb.RecordClaim(personal_id="12", full_name="Lê An"),
            "personal_id",
            "PERSONAL_ID_MALFORMED",
        ),
        (
            pb.RecordClaim(personal_id="001090123456", full_name="L3"),
            "full_name",
            "FULL_NAME_MALFORMED",
        ),
        (pb.RecordClaim(personal_id="001090123456"), "full_name", "VALUE_MISSING"),
        (
            pb.RecordClaim(personal_id="001090123456", birth_date=Date(year=1990, month=2, day=30)),
            "birth_date",
            "DATE_IMPOSSIBLE",
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_alone(
    scene: Scene, matcher: Stubs, record: pb.RecordClaim, field: str, reason: str
) -> None:
    request = pb.MatchRecordRequest(request_id=new_id(), grounds=GROUNDS, record=record)
    refusal = refused(matcher.matching.MatchRecord, request)
    assert refusal.status == "INVALID_ARGUMENT"
    assert (f"record.{field}", reason) in refusal.violations
    (citizen,) = citizens(scene, 1)
    (matches,) = many(matcher, batch_of(claim_of(citizen), record))
    assert matches == [EXACT, pb.RecordMatch(reason=reason)]


def test_a_personal_id_stands_once_in_a_batch(scene: Scene, matcher: Stubs) -> None:
    (citizen,) = citizens(scene, 1)
    (matches,) = many(matcher, batch_of(claim_of(citizen), claim_of(citizen)))
    assert matches == [EXACT, pb.RecordMatch(reason="REPEATED_UNIQUE")]


def test_batches_are_answered_in_order_and_counted_once(
    world: World, scene: Scene, act_as: ActAs, new_matcher: NewMatcher
) -> None:
    name = new_matcher(people_per_day_max=30)
    matcher = act_as(Role.AGENCY, name)
    people = [claim_of(each) for each in citizens(scene, 30)]
    request_id = new_id()
    batches = [
        batch_of(*people[at : at + 10], request_id=request_id, index=at // 10) for at in (0, 10, 20)
    ]
    assert many(matcher, *batches[:2]) == [[EXACT] * 10] * 2
    # Begun anew: what was answered is answered again and costs nothing.
    assert many(matcher, *batches) == [[EXACT] * 10] * 3
    assert use_of(world, name) == 30
    refusal = refused(asking(matcher), [batch_of(people[0])])
    assert (refusal.status, refusal.reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
    assert refusal.retry_after_s is not None


def test_batches_out_of_order_are_refused(scene: Scene, matcher: Stubs) -> None:
    first, second = (claim_of(each) for each in citizens(scene, 2))
    request_id = new_id()
    batches = [
        batch_of(first, request_id=request_id, index=0),
        batch_of(second, request_id=request_id, index=2),
    ]
    refusal = refused(asking(matcher), batches)
    assert refusal.reason == "IMPORT_SEQUENCE_BROKEN"


def test_another_purpose_or_basis_is_refused_before_anybody_is_looked_up(
    scene: Scene, matcher: Stubs
) -> None:
    (citizen,) = citizens(scene, 1)
    for change in ({"legal_basis": "Law 1/2000, art. 1"}, {"purpose": 1}):
        request = pb.MatchRecordRequest(request_id=new_id(), record=claim_of(citizen))
        request.grounds.CopyFrom(GROUNDS)
        for field, value in change.items():
            setattr(request.grounds, field, value)
        refusal = refused(matcher.matching.MatchRecord, request)
        assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")


def test_an_agency_that_tries_out_personal_ids_gets_nothing_until_it_is_resumed(
    scene: Scene, act_as: ActAs, new_matcher: NewMatcher
) -> None:
    name = new_matcher()
    fisher = act_as(Role.AGENCY, name)
    (victim,) = citizens(scene, 1)
    guesses = [claim_of(scene.people.citizen()) for _ in range(250)]
    batch = batch_of(claim_of(victim), *guesses)

    ask = asking(fisher)
    refusal = refused(ask, [batch])
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "MATCHING_STOPPED")
    honest = batch_of(claim_of(victim))
    assert refused(ask, [honest]).reason == "MATCHING_STOPPED"
    resume = pb.ResumeMatchingRequest(request_id=new_id(), agency=name)
    assert scene.regulator.matching.ResumeMatching(resume).was_stopped
    assert many(fisher, honest) == [[EXACT]]


def write(path: Path, rows: list[list[str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def row(citizen: Citizen) -> list[str]:
    return [citizen.personal_id, citizen.full_name, citizen.birth_date.isoformat()]


def arguments(world: World, file: Path, *more: str, name: str = MATCHER.name) -> list[str]:
    return [
        *("match", str(file), "--legal-basis", LEGAL_BASIS, "--agency", name),
        *("--address", world.address, "--state", str(world.settings.state), *more),
    ]


def run(world: World, file: Path, *more: str, name: str = MATCHER.name) -> Result:
    return CliRunner().invoke(app, arguments(world, file, *more, name=name), env={"COLUMNS": "200"})


def test_a_file_gets_a_result_for_each_row_and_nothing_of_the_row(
    world: World, scene: Scene, tmp_path: Path
) -> None:
    rows = [row(each) for each in citizens(scene, 4)]
    rows[1][1], rows[2][2], rows[3][0] = "Trần Quốc Bảo Long", "", "12"
    file = write(tmp_path / "book.csv", rows)
    done = run(world, file)
    assert done.exit_code == 1, done.output
    results = tmp_path / "book.csv.matches.csv"
    header, *lines = csv.reader(results.read_text(encoding="utf-8").splitlines())
    assert header == ["row", "personal_id", "full_name", "full_name_score", "birth_date", "reason"]
    assert lines[0] == ["1", "known", "exact", "", "exact", ""]
    assert lines[1][:3] == ["2", "known", "different"]
    assert 0 <= int(lines[1][3]) <= 99
    assert lines[2] == ["3", "known", "exact", "", "not_given", ""]
    assert lines[3] == ["4", "", "", "", "", "PERSONAL_ID_MALFORMED"]
    told = results.read_text(encoding="utf-8")
    assert not any(value and value in told for each in rows[:3] for value in each)
    assert "reason: refused" in done.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["book.csv", "book.csv.matches.csv"]


def test_a_parquet_file_gets_a_parquet_result(world: World, scene: Scene, tmp_path: Path) -> None:
    (citizen,) = citizens(scene, 1)
    file = tmp_path / "book.parquet"
    duckdb.execute(
        "COPY (SELECT ? AS so_dinh_danh, CAST(? AS DATE) AS birth_date)"
        f" TO '{file}' (FORMAT parquet)",
        [citizen.personal_id, citizen.birth_date.isoformat()],
    )
    done = run(world, file, "--map", "so_dinh_danh=personal_id")
    assert done.exit_code == 0, done.output
    found = duckdb.read_parquet(f"{file}.matches.parquet").fetchall()
    assert found == [(1, "known", "not_given", None, "exact", None)]


def test_a_file_without_name_and_birth_date_is_refused(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "ids.csv", [["001090123456"]], ("personal_id",))
    done = run(world, file)
    assert done.exit_code == 2
    assert "COLUMN_MISSING" in done.output


def test_a_matching_that_was_begun_on_other_grounds_is_not_gone_on_with(
    world: World, scene: Scene, tmp_path: Path, new_matcher: NewMatcher
) -> None:
    file = write(tmp_path / "book.csv", [row(each) for each in citizens(scene, 3)])
    name = new_matcher(people_per_day_max=1)
    spent = run(world, file, name=name)
    assert spent.exit_code == 3, spent.output
    assert "QUOTA_EXCEEDED" in spent.output
    assert path_for(file).exists()
    other = run(world, file, "--case", "BHXH-2026/0099", name=name)
    assert other.exit_code == 2
    assert "IMPORT_DIFFERS" in other.output
    anew = run(world, file, "--case", "BHXH-2026/0099", "--restart")
    assert anew.exit_code == 0, anew.output
    assert not path_for(file).exists()


MORTAL = """
import os, signal, sys
from identity.import_files.match_results import MatchResults
from identity.cli import app
at, torn = int(sys.argv[1]), sys.argv[2] == "torn"
append, count = MatchResults.append, 0
def dying(self, results):
    global count
    count += 1
    if count == at and not torn:
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, results)
    if count == at:
        size = os.fstat(self._file.fileno()).st_size
        os.ftruncate(self._file.fileno(), size - 3)
        os.kill(os.getpid(), signal.SIGKILL)
MatchResults.append = dying
import identity.match_run as run
from dataclasses import replace
whole = run.run_match
def small(order, connect, report):
    return whole(replace(order, batch_rows=4), connect, report)
run.run_match = small
app(sys.argv[3:])
"""


@pytest.mark.parametrize("how", ["lost", "torn"])
def test_killed_at_any_batch_the_same_command_ends_with_the_same_file_and_no_double_quota(
    world: World, scene: Scene, tmp_path: Path, new_matcher: NewMatcher, how: str
) -> None:
    rows = [row(each) for each in citizens(scene, 18)]
    for each in rows[::5]:
        each[1] = "Trần Quốc Bảo Long"
    file = write(tmp_path / "book.csv", rows)
    name = new_matcher(people_per_day_max=18)
    for at in (1, 2):
        died = subprocess.run(
            [sys.executable, "-c", MORTAL, str(at), how, *arguments(world, file, name=name)],
            check=False,
            capture_output=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
    done = run(world, file, name=name)
    assert done.exit_code == 0, done.output
    assert use_of(world, name) == 18
    resumed = (tmp_path / "book.csv.matches.csv").read_bytes()
    whole = write(tmp_path / "whole.csv", rows)
    assert run(world, whole).exit_code == 0
    assert (tmp_path / "whole.csv.matches.csv").read_bytes() == resumed
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
