"""`identity import`: mistakes of its user are one line, before anything is sent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.import_files.progress_file import path_for
from identity.security.certificates import load_or_create_authority

BOOK = "msisdn,personal_id,full_name,birth_date\n0912345678,001090000001,An,1990-02-28\n"
OPERATOR = ("--operator", "song-hong")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    load_or_create_authority(tmp_path / "certificates", at=datetime.now(UTC))
    path = tmp_path / "book.csv"
    path.write_text(BOOK)
    path.chmod(0o600)
    return path


def run(file: Path, *options: str, target: str = "subscriptions") -> Result:
    arguments = ["import", target, str(file), "--state", str(file.parent), *options]
    return CliRunner().invoke(app, [*arguments, "--address", "127.0.0.1:1"])


def refusal(result: Result) -> str:
    """The one line that a command ended with."""
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("option", ["msisdn", "=", "a=msisdn"])
def test_a_name_is_mapped_once_from_what_is_there(file: Path, option: str) -> None:
    twice = ("--map", option, "--map", option)
    assert "--map takes" in refusal(run(file, *OPERATOR, *twice))


def test_the_three_files_of_a_caller_belong_together(file: Path) -> None:
    assert "belong together" in refusal(run(file, "--key", str(file)))


def test_a_sender_says_who_it_is_in_one_way_only(file: Path) -> None:
    assert "--operator" in refusal(run(file, *OPERATOR, "--certificate", str(file)))


def test_an_address_without_a_port_is_refused_by_the_name_of_its_option(file: Path) -> None:
    done = CliRunner().invoke(
        app, ["import", "subscriptions", str(file), *OPERATOR, "--address", "127.0.0.1"]
    )
    assert "--address" in refusal(done)


def test_a_file_of_rejects_is_no_snapshot(file: Path) -> None:
    file.write_text(
        BOOK.replace("birth_date\n", "birth_date,reject_row\n").replace("28\n", "28,1\n")
    )
    assert "SNAPSHOT_OF_REJECTS" in refusal(run(file, *OPERATOR, "--snapshot"))
    assert run(file, *OPERATOR).exit_code == 3  # as a delta it is sent


def test_a_sender_must_say_who_it_is(file: Path) -> None:
    assert "--operator" in refusal(run(file))
    assert "name" in refusal(run(file, "--operator", "Sông Hồng"))


def test_files_that_are_no_keys_are_refused(file: Path) -> None:
    keys = [
        word for name in ("certificate", "key", "authority") for word in (f"--{name}", str(file))
    ]
    assert "is not a certificate" in refusal(run(file, *keys))
    keys[1] = str(file.parent / "absent.pem")
    assert "absent.pem" in refusal(run(file, *keys))


def test_another_state_directory_is_no_reason_to_make_an_authority(
    file: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(
        app, ["import", "population", str(file), "--state", str(tmp_path / "elsewhere")]
    )
    assert "holds no authority" in refusal(done)


def test_a_file_that_cannot_be_used_is_refused_with_its_code_and_leaves_nothing(
    file: Path,
) -> None:
    assert "COLUMN_UNKNOWN" in refusal(run(file, target="population"))
    file.write_text("")
    assert "FILE_EMPTY" in refusal(run(file, *OPERATOR))
    folder = file.with_name("folder")
    folder.mkdir()
    assert "FILE_UNREADABLE" in refusal(run(folder, *OPERATOR))
    assert not path_for(file).exists()


def test_a_service_that_is_away_is_one_line_and_a_code_of_its_own(file: Path) -> None:
    done = run(file, *OPERATOR)
    assert done.exit_code == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: UNAVAILABLE: ")
    assert "run the same command again" in line
