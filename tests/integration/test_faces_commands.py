"""`identity faces`: what an administrator runs when people were enrolled or the network changes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from biometrics.cli import app as biometrics_app
from biometrics.face.acquisition import Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import to_json
from biometrics.face.plugins.manifest import parse_manifest
from biometrics.face.plugins.registry import embedder_manifest
from biometrics.face.score import ScoreType
from identity.audit.log import audit_entry
from identity.cli import app
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, connect
from identity.storage.face_references import FaceReference
from tests.databases import own_database
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network
from tests.unit.identity.makers import NOW, make_personal_id
from tests.unit.identity.services.faces import blank_jpeg, face_jpeg


@pytest.fixture
def options(postgres_url: str, worker_id: str, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A database of its own, migrated, and its state directory, as options of a command."""
    with own_database(postgres_url, f"faces_{worker_id}") as url:
        options = ("--database", url, "--state", str(tmp_path / "state"))
        assert run("migrate", *options).exit_code == 0
        yield options


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(app, [str(argument) for argument in arguments])


@contextmanager
def opened(options: tuple[str, ...]) -> Iterator[Database]:
    engine = connect(options[1])
    yield Database(engine, Vault(read_key_ring(Path(options[3]) / "keys.json")))
    engine.dispose()


def enrol(options: tuple[str, ...], references: list[FaceReference]) -> None:
    with opened(options) as database, database.transaction() as uow:
        for reference in references:
            uow.face_references.save(make_personal_id(), reference, at=NOW)


def reenrolled_keys(database: Database) -> list[bytes]:
    """Whom the audit log says to be enrolled anew, once for each time."""
    with database.transaction() as uow:
        done = audit_entry.c.action == "reenrol_face"
        return list(uow.connection.execute(select(audit_entry.c.citizen_key).where(done)).scalars())


def made_up(count: int) -> list[FaceReference]:
    vectors = np.random.default_rng(3).normal(size=(count, 128)).astype(np.float32)
    return [
        FaceReference(
            template=Template(vector=vector, model_digest=DEFAULT.model_digest).to_bytes(),
            model_digest=DEFAULT.model_digest,
            portrait=b"portrait",
        )
        for vector in vectors
    ]


def test_a_cohort_is_drawn_written_for_calibration_and_brought_back(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    enrol(options, made_up(COHORT_IDENTITIES_MIN + 5))
    file = tmp_path / "cohort.bin"
    drawn = run("faces", "cohort", "--size", "300", "--out", file, *options)
    assert drawn.exit_code == 0, drawn.output
    cohort = Cohort.from_bytes(file.read_bytes())
    assert len(cohort) == 300
    assert f"cohort {cohort.digest}: 300 people" in drawn.output
    assert file.stat().st_mode & 0o077 == 0
    again = run("faces", "cohort", *options)
    assert "305 people" in again.output
    assert "1 older cohorts removed" in again.output
    brought = run("faces", "cohort", "--from", file, *options)
    assert brought.exit_code == 0, brought.output
    assert cohort.digest in brought.output


def test_too_few_people_and_a_file_that_is_no_cohort_are_said_in_one_line(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    few = run("faces", "cohort", *options)
    assert (few.exit_code, few.output.count("\n")) == (2, 1)
    assert "0 citizens are enrolled" in few.output
    (tmp_path / "file").write_bytes(b"no cohort")
    assert run("faces", "cohort", "--from", tmp_path / "file", *options).exit_code == 2
    assert run("faces", "cohort", "--from", tmp_path / "absent", *options).exit_code == 2


def test_citizens_of_another_network_are_enrolled_anew(options: tuple[str, ...]) -> None:
    old = FaceReference(template=b"old", model_digest="0" * 64, portrait=face_jpeg())
    enrol(options, [old, old, old])
    done = run("faces", "reenrol", "--slice", "2", *options)
    assert done.exit_code == 0, done.output
    assert "3 citizens enrolled anew, 0 portraits without a face" in done.output
    again = run("faces", "reenrol", *options)
    assert "0 citizens enrolled anew" in again.output


def test_another_network_is_put_in_place_by_installing_calibrating_and_enrolling_anew(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    weights = network()
    (tmp_path / "own.toml").write_text(manifest_text(weights))
    (tmp_path / "own.onnx").write_bytes(weights)
    brought = [str(tmp_path / name) for name in ("own.toml", "own.onnx")]
    models = Path(options[3]) / "models"
    installing = ["models", "install", *brought, "--accept-licence", "Apache-2.0"]
    done = CliRunner().invoke(biometrics_app, [*installing, "--models", str(models)])
    assert done.exit_code == 0, done.output
    built_in = FaceReference(
        template=b"built in", model_digest=DEFAULT.model_digest, portrait=face_jpeg()
    )
    enrol(options, [built_in])
    network_alone = {"SUBID_FACE_MODEL": "test-network"}
    refused = run("faces", "reenrol", *options, **network_alone)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert "calibrate one for it" in refused.output
    own = OperatingPoint(
        score_type=ScoreType.COSINE,
        decision_threshold=0.9,
        source="made in a test",
        model_digest=embedder_manifest(parse_manifest(manifest_text(weights))).template_digest(),
    )
    point = tmp_path / "point.json"
    point.write_bytes(to_json(own))
    chosen = {**network_alone, "SUBID_OPERATING_POINT": str(point)}
    assert "1 citizens enrolled anew" in run("faces", "reenrol", *options, **chosen).output
    with opened(options) as database, database.transaction() as uow:
        assert not uow.face_references.list_outdated(
            model_digest=own.model_digest, after=b"", limit=1
        )
    # And back.
    assert "1 citizens enrolled anew" in run("faces", "reenrol", *options).output


def test_a_run_that_is_killed_goes_on_where_it_was_and_does_nothing_twice(
    options: tuple[str, ...],
) -> None:
    count = 60
    old = FaceReference(template=b"old", model_digest="0" * 64, portrait=face_jpeg())
    enrol(options, [old] * count)
    command = [sys.executable, "-m", "identity.cli", "faces", "reenrol", "--slice", "1", *options]
    with opened(options) as database:
        with subprocess.Popen(command) as killed:
            while not reenrolled_keys(database):
                assert killed.poll() is None
            killed.kill()
        done_count = len(reenrolled_keys(database))
        assert 0 < done_count < count
        rest = run("faces", "reenrol", *options)
        assert rest.exit_code == 0, rest.output
        assert f"{count - done_count} citizens enrolled anew" in rest.output
        keys = reenrolled_keys(database)
    assert len(keys) == len(set(keys)) == count


def test_portraits_that_give_no_template_are_counted(options: tuple[str, ...]) -> None:
    enrol(options, [FaceReference(template=b"old", model_digest="0" * 64, portrait=blank_jpeg())])
    done = run("faces", "reenrol", *options)
    assert done.exit_code == 1
    assert "0 citizens enrolled anew, 1 portraits without a face" in done.output


def test_a_schema_of_another_version_is_told_in_one_line(postgres_url: str, tmp_path: Path) -> None:
    options = ("--database", postgres_url, "--state", tmp_path / "state")
    for command in ("cohort", "reenrol"):
        done = run("faces", command, *options)
        assert (done.exit_code, done.output.count("\n")) == (2, 1)
        assert "the schema is empty and must be 0010: migrate" in done.output
