"""`identity keys …` as an administrator uses it: rotate, seal anew, retire, see what is lost."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, update
from typer.testing import CliRunner, Result

from identity.bootstrap import open_database
from identity.cli import app
from identity.config import Settings
from identity.security.keys import (
    format_key_ring,
    generate_key_ring,
    read_key_ring,
    without_key,
    write_key_ring,
)
from identity.services.key_overview import KeyState
from identity.storage.key_tables import sealing_key
from tests.databases import own_database
from tests.unit.identity.makers import NOW, make_record

Run = Callable[..., Result]


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """A registry of three people."""
    with own_database(postgres_url, f"keys_{uuid4().hex}") as url:
        settings = Settings(state=tmp_path, database=url)
        assert invoke(settings, "migrate").exit_code == 0
        with open_database(settings) as database, database.transaction() as uow:
            uow.citizens.save_many([make_record() for _ in range(3)], at=NOW)
        yield settings


def invoke(settings: Settings, *arguments: str, **environment: str) -> Result:
    options = ("--state", str(settings.state), "--database", str(settings.database))
    result = CliRunner().invoke(app, [*arguments, *options], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run `identity keys …` on that registry."""
    return lambda *arguments, **environment: invoke(settings, "keys", *arguments, **environment)


def refused(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def states(run: Run) -> list[tuple[int, str, int]]:
    lines = json.loads(run("list", "--json").stdout)
    return [(line["key_id"], line["state"], line["value_count"]) for line in lines]


def wait(settings: Settings) -> None:
    with open_database(settings) as database, database.transaction() as uow:
        earlier = func.now() - timedelta(minutes=5)
        uow.connection.execute(update(sealing_key).values(last_active_at=earlier))


def test_a_key_lives_from_rotation_to_retirement(settings: Settings, run: Run) -> None:
    assert states(run) == [(1, KeyState.ACTIVE, 4)]
    rotated = run("rotate")
    assert rotated.exit_code == 0
    assert rotated.stdout.startswith("key 2 made; new values are sealed with key 2\nback up ")
    assert states(run) == [(1, KeyState.OLD, 4), (2, KeyState.ACTIVE, 0)]
    assert "it can be retired 120 s after the last" in refused(run("retire", "1"))
    wait(settings)
    assert "still seals 3 of citizen.record_sealed" in refused(run("retire", "1"))
    assert run("reseal", "--slice", "2").stdout == "4 values sealed anew, 0 rows left\n"
    assert run("reseal").stdout == "0 values sealed anew, 0 rows left\n"
    assert run("retire", "1").exit_code == 0
    assert set(read_key_ring(settings.state / "keys.json").sealing) == {2}
    assert states(run) == [(1, KeyState.RETIRED, 0), (2, KeyState.ACTIVE, 4)]
    assert invoke(settings, "status").exit_code == 0


def test_the_list_for_people_names_every_column(run: Run) -> None:
    shown = run("list")
    assert shown.exit_code == 0
    assert "Sealing keys" in shown.stdout
    assert "key 1 (active): citizen.record_sealed 3" in shown.stdout


def test_a_staged_key_is_made_first_and_taken_up_later(run: Run) -> None:
    assert run("rotate", "--stage").stdout.startswith(
        "key 2 made; new values are sealed with key 1"
    )
    assert states(run)[1] == (2, KeyState.STAGED, 0)
    assert "staged already" in refused(run("rotate", "--stage"))
    assert run("rotate").stdout.startswith("key 2 taken up; new values are sealed with key 2")


def test_a_lost_key_stops_every_command_but_those_that_tell_of_it(
    settings: Settings, run: Run
) -> None:
    run("rotate")
    keys = settings.state / "keys.json"
    whole = read_key_ring(keys)
    write_key_ring(keys, without_key(whole, 1), may_replace=True)
    for command in (("status",), ("migrate",), ("verdict", "recompute"), ("keys", "rotate")):
        line = refused(invoke(settings, *command))
        assert "key 1 is not in the key ring and is needed to read 4 values" in line
        assert "citizen.record_sealed 3, registry.key_check_sealed 1" in line
    told = run("list")
    assert told.exit_code == 1
    assert "key 1 (lost): citizen.record_sealed 3" in told.stdout
    assert states(run) == [(1, KeyState.LOST, 4), (2, KeyState.ACTIVE, 0)]
    rows = run("rows", "1")
    assert rows.exit_code == 0
    *citizens, own = rows.stdout.splitlines()
    assert own == "registry.key_check_sealed only_row=1"
    assert len(set(citizens)) == 3
    assert all(
        re.fullmatch(r"citizen\.record_sealed citizen_key=[0-9a-f]{32}", c) for c in citizens
    )
    assert run("rows", "2").stdout == ""
    assert run("reseal").stdout == "0 values sealed anew, 0 rows left\n"
    assert invoke(settings, "status", SUBID_ACCEPT_LOST_KEYS="true").exit_code == 0
    write_key_ring(keys, whole, may_replace=True)
    assert invoke(settings, "status").exit_code == 0


def test_keys_from_the_environment_open_and_are_changed_where_they_are_set(
    settings: Settings, run: Run
) -> None:
    ring = format_key_ring(read_key_ring(settings.state / "keys.json"))
    (settings.state / "keys.json").unlink()
    assert "is missing" in refused(run("list"))
    given = {"SUBID_KEY_SOURCE": "environment", "SUBID_KEY_RING": ring}
    assert run("list", **given).exit_code == 0
    assert "change them where it is set" in refused(run("rotate", **given))
    assert "is not set" in refused(run("list", SUBID_KEY_SOURCE="environment"))
    line = refused(run("list", SUBID_KEY_SOURCE="environment", SUBID_KEY_RING="{}"))
    assert line.endswith("SUBID_KEY_RING is not a key file")
    assert "no key source 'hsm'" in refused(run("list", SUBID_KEY_SOURCE="hsm"))
    assert not (settings.state / "keys.json").exists()


def test_keys_of_another_registry_are_told_in_one_line(settings: Settings, run: Run) -> None:
    keys = settings.state / "keys.json"
    ours = keys.rename(settings.state / "ours.json")
    write_key_ring(keys, generate_key_ring())
    for command in (("status",), ("migrate",), ("keys", "list"), ("keys", "rotate")):
        line = refused(invoke(settings, *command))
        assert line == "error: the keys are not those that this database was sealed with"
    ours.replace(keys)
    assert run("list").exit_code == 0
