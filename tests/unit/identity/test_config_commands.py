"""`identity config …`, and `--config` on every command that takes settings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from identity.cli import app
from identity.config import Settings

SECRET = "the-very-secret"  # noqa: S105 - what must not be shown


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "subid.toml"
    path.write_text(
        f'database = "postgresql://u:{SECRET}@h/d"\nkey_ring = "{SECRET}"\nface_workers = 3\n'
    )
    path.chmod(0o600)
    return path


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own click
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, *path, name)
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def test_every_command_that_takes_settings_takes_them_from_a_file() -> None:
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in commands(get_command(app))
    }
    with_settings = {name for name, found in options.items() if "--state" in found}
    assert {"serve", "keys list", "config show", "doctor"} <= with_settings
    assert {name for name, found in options.items() if "--config" in found} == with_settings


def test_show_tells_each_setting_and_its_origin_and_no_secret(config: Path) -> None:
    done = CliRunner().invoke(app, ["config", "show", "--json", "--config", str(config)])
    told = json.loads(done.stdout)
    assert told.keys() == Settings.model_fields.keys()
    assert told["face_workers"] == {"value": 3, "origin": str(config)}
    assert told["key_ring"] == {"value": "********", "origin": str(config)}
    assert told["listen"]["origin"] == "default"
    table = CliRunner().invoke(app, ["config", "show", "--config", str(config), "--state", "/s"])
    assert "command line" in table.stdout
    assert SECRET not in done.output + table.output


def test_check_ends_with_what_it_found(config: Path) -> None:
    run = CliRunner().invoke
    arguments = ["config", "check", "--config", str(config)]
    assert run(app, arguments).exit_code == 0
    misspelt = run(app, arguments, env={"SUBID_LISTN": "x"})
    assert (misspelt.exit_code, misspelt.stderr.strip()) == (
        1,
        "SUBID_LISTN: there is no such setting",
    )
    config.chmod(0o644)
    refused = run(app, arguments)
    assert refused.exit_code == 2
    assert len(refused.stderr.splitlines()) == 1
    assert f"{config}: database, key_ring" in refused.stderr
    assert SECRET not in refused.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('policies = "nosuch"', "no pack nosuch"),
        ('key_source = "nosuch"', "no key source 'nosuch'"),
        ('key_source = "environment"', "SUBID_KEY_RING, and it is not set"),
        ('face_model = "zzz"', "zzz"),
        ('operating_point = "/nowhere/point.json"', "/nowhere/point.json"),
        ('operating_point_key = "/nowhere/key.pem"', "operating point: name it too"),
        ('state = ""', "state: it must name a place"),
        ('models = ""', "models: it must name a place"),
        ('state = "a\\u0000b"', "state: it must name a place"),
    ],
)
def test_check_refuses_what_a_start_would_refuse(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "subid.toml"
    file.write_text(text)
    refused = CliRunner().invoke(
        app, ["config", "check", "--config", str(file)], env={"XDG_STATE_HOME": str(tmp_path)}
    )
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert says in refused.stderr


def test_no_command_takes_a_state_directory_without_a_name(tmp_path: Path) -> None:
    command = ["callers", "issue", "--role", "agency", "--name", "tax", "--out", str(tmp_path)]
    refused = CliRunner().invoke(app, command, env={"SUBID_STATE": ""})
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_command_reads_its_own_file_and_leaves_none_to_the_next(
    config: Path, tmp_path: Path
) -> None:
    run = CliRunner().invoke
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("face_workers = 0")
    refused = run(app, ["policy", "show", "--config", str(wrong)])
    assert refused.exit_code == 2
    assert f"{wrong}: face_workers" in refused.stderr
    del config
    assert run(app, ["policy", "show", "--state", str(tmp_path)]).exit_code == 0
