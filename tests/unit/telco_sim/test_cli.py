"""What the command says when the story cannot be played."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from telco_sim.cli import EXIT_UNPLAYABLE, app


def test_help_names_the_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "demo" in result.output


def test_a_folder_without_photographs_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--photos", str(tmp_path)])
    assert result.exit_code == EXIT_UNPLAYABLE
    assert "PhotographsUnavailableError" in result.output


@pytest.mark.parametrize("option", ["--callers", "--trust-anchors"])
def test_connecting_needs_certificates_and_a_place_for_trust_anchors(
    option: str, tmp_path: Path
) -> None:
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "face.jpg").write_bytes(b"not looked at")
    arguments = ["demo", "--connect", "127.0.0.1:1", "--photos", str(tmp_path), option, "x"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == EXIT_UNPLAYABLE
    assert "--connect needs" in result.output


@pytest.mark.parametrize(
    ("option", "value"),
    [("--citizens", "49"), ("--verifications", "6"), ("--registrations", "2"), ("--days", "6")],
)
def test_a_country_too_small_for_the_story_is_refused(option: str, value: str) -> None:
    result = CliRunner().invoke(app, ["demo", option, value])
    assert result.exit_code == EXIT_UNPLAYABLE
    assert option in result.output
