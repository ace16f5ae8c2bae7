"""How a command says who calls: in one way only, by the option of its own role."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from identity.cli import app

MATCH = ("match", "records.csv", "--legal-basis", "Law 26/2023/QH15, art. 10")
IMPORT = ("import", "subscriptions", "book.csv")


def refusal(*arguments: str, state: Path) -> str:
    """The one line that a command ended with."""
    done = CliRunner().invoke(app, [*arguments, "--state", str(state)])
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(("command", "option"), [(MATCH, "--agency"), (IMPORT, "--operator")])
def test_whoever_does_not_say_who_calls_is_told_the_option_of_the_command(
    command: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    assert refusal(*command, state=tmp_path).endswith(f"or {option} on this machine")


@pytest.mark.parametrize(("command", "option"), [(MATCH, "--agency"), (IMPORT, "--operator")])
def test_a_caller_is_named_by_its_certificate_or_by_an_option_and_never_by_both(
    command: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    line = refusal(*command, option, "tax", "--certificate", "tax.crt.pem", state=tmp_path)
    assert f"{option} is said instead of --certificate" in line


@pytest.mark.parametrize(("command", "option"), [(MATCH, "--agency"), (IMPORT, "--operator")])
def test_a_name_that_no_caller_has_is_refused(
    command: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    assert "a-z, 0-9 and inner hyphens" in refusal(*command, option, "Nobody!", state=tmp_path)
