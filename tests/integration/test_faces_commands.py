"""`identity faces`: what an administrator runs when people were enrolled or the network changes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner, Result

from biometrics.face.acquisition import Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from biometrics.face.operating_point import DEFAULT
from identity.bootstrap import load_face_setup, load_policy
from identity.cli import app
from identity.config import DEFAULT_POLICY, Settings
from identity.domain.verification import RegulatedRates
from identity.security.keys import load_or_create_key_ring
from identity.security.vault import Vault
from identity.services.face_setup import FaceSetupError
from identity.storage.database import Database, connect
from identity.storage.face_references import FaceReference
from tests.unit.identity.makers import NOW, make_personal_id
from tests.unit.identity.services.faces import blank_jpeg, face_jpeg


@pytest.fixture
def options(postgres_url: str, worker_id: str, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A database of its own, migrated, and its state directory, as options of a command."""
    name = f"faces_{worker_id}"
    server = create_engine(
        make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    options = ("--database", url, "--state", str(tmp_path / "state"))
    assert run("migrate", *options).exit_code == 0
    yield options
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def enrol(options: tuple[str, ...], references: list[FaceReference]) -> None:
    vault = Vault(load_or_create_key_ring(Path(options[3]) / "keys.json"))
    engine = connect(options[1])
    with Database(engine, vault).transaction() as uow:
        for reference in references:
            uow.face_references.save(make_personal_id(), reference, at=NOW)
    engine.dispose()


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


def test_portraits_that_give_no_template_are_counted(options: tuple[str, ...]) -> None:
    enrol(options, [FaceReference(template=b"old", model_digest="0" * 64, portrait=blank_jpeg())])
    done = run("faces", "reenrol", *options)
    assert done.exit_code == 1
    assert "0 citizens enrolled anew, 1 portraits without a face" in done.output


def test_a_regulated_policy_starts_nothing_that_is_not_proven(tmp_path: Path) -> None:
    policy = load_policy(DEFAULT_POLICY)
    settings = Settings(state=tmp_path)
    assert load_face_setup(settings, policy).operating_point == DEFAULT
    rates = RegulatedRates(far_max=1e-4, frr_max=0.05)
    bound = replace(policy, verification=replace(policy.verification, regulated=rates))
    with pytest.raises(FaceSetupError, match="rests on no evidence"):
        load_face_setup(settings, bound)


def test_a_server_with_a_broken_operating_point_says_so_and_does_not_start(
    tmp_path: Path,
) -> None:
    (tmp_path / "point.json").write_text("{}")
    result = CliRunner(env={"SUBID_OPERATING_POINT": str(tmp_path / "point.json")}).invoke(
        app, ["serve", "--state", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert "not a file of the form" in result.output.replace("\n", " ")
