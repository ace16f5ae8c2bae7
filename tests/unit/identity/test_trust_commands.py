"""`identity trust …` as an administrator uses it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.cli import app
from telco_sim.cards import CardAuthority

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    year = datetime.now(UTC).year - 4
    return CardAuthority(established_on=date(year, 1, 10), active_authentication_keys=1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on a trust directory of the test's own, in a narrow terminal."""
    directory = str(tmp_path / "trust")
    return lambda *arguments: CliRunner(env={"COLUMNS": "40"}).invoke(
        app, ["trust", *arguments, "--trust-anchors", directory]
    )


@pytest.fixture
def files(tmp_path: Path, authority: CardAuthority) -> dict[str, str]:
    """Files that an authority hands out."""
    now = datetime.now(UTC)
    contents = {
        "csca.der": authority.certificate,
        "list.crl": authority.revocation_list(at=now - timedelta(days=3)),
        "old.crl": authority.revocation_list(at=now - timedelta(days=200)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def overview(run: Run, *options: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
    done = run("list", "--json", *options)
    return done.exit_code, json.loads(done.stdout)


def test_an_authority_and_its_list_are_added_and_listed(run: Run, files: dict[str, str]) -> None:
    assert overview(run)[1]["anchors"] == []
    added = run("add", files["csca.der"], "--origin", "letter of the Ministry, 1 March")
    assert (added.exit_code, added.stdout) == (0, "1 added, 0 known before, 0 replaced\n")
    assert run("import-crl", files["list.crl"]).exit_code == 0
    code, told = overview(run)
    assert code == 0
    assert [each["origin"] for each in told["anchors"]] == ["letter of the Ministry, 1 March"]
    assert [each["age_days"] for each in told["revocation_lists"]] == [3.0]
    shown = run("list")
    assert (shown.exit_code, "vn-cccd" in shown.stdout) == (0, True)


def test_what_ends_soon_and_what_is_of_no_use_is_told_by_the_exit_code(
    run: Run, files: dict[str, str]
) -> None:
    run("add", files["csca.der"])
    assert overview(run, "--within", "1")[0] == 0
    # The key signs for five years, of which more than four are over.
    code, told = overview(run, "--within", "400")
    assert (code, len(told["anchors"])) == (1, 1)
    assert run("import-crl", files["old.crl"]).exit_code == 0
    code, told = overview(run)
    assert (code, told["revocation_lists"][0]["is_usable"]) == (1, False)


def test_an_authority_is_distrusted_by_its_fingerprint_or_its_file_and_restored(
    run: Run, files: dict[str, str]
) -> None:
    run("add", files["csca.der"])
    sha256 = str(overview(run)[1]["anchors"][0]["sha256"])
    for given in (sha256[:16], files["csca.der"]):
        done = run("distrust", given, "--reason", "added by mistake")
        assert (done.exit_code, done.stdout) == (0, "1 added, 0 known before, 0 replaced\n")
        told = overview(run)[1]
        assert told["anchors"] == []
        assert [each["reason"] for each in told["distrusted"]] == ["added by mistake"]
        assert "Distrusted" in run("list").stdout
        assert run("add", files["csca.der"]).exit_code == 2
        assert run("restore", sha256[:16]).stdout == "distrust taken back\n"
        assert [each["sha256"] for each in overview(run)[1]["anchors"]] == [sha256]


def test_a_narrow_terminal_breaks_no_date_and_no_fingerprint(
    run: Run, files: dict[str, str]
) -> None:
    run("add", files["csca.der"], "--profile", "vn-passport", "--origin", "letter [1 March]")
    run("import-crl", files["list.crl"], "--profile", "vn-passport")
    shown = run("list").stdout
    (anchor,) = overview(run)[1]["anchors"]
    fingerprint = str(anchor["sha256"])[:16]
    (row,) = [line for line in shown.splitlines() if fingerprint in line]
    assert all(str(anchor[key]) in row for key in ("profile", "valid_until", "signs_until"))
    assert "letter [1 March]" in row
    assert not [line for line in shown.splitlines() if "True" in line or "T00:" in line]


@pytest.mark.parametrize("days", ["-1", "36501", "99999999999"])
def test_a_time_that_no_certificate_lasts_is_refused(run: Run, days: str) -> None:
    assert run("list", "--within", days).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "list.crl"),
        ("add", "csca.der", "--profile", "vn-none"),
        ("import-crl", "csca.der"),
        ("import-crl", "list.crl"),
        ("distrust", "list.crl", "--reason", "none"),
        ("distrust", "0123456789abcdef", "--reason", "none"),
        ("restore", "0123456789abcdef"),
        ("import-master-list", "csca.der"),
        ("import-master-list", "csca.der", "--profile", "vn-cccd"),
        ("import-master-list", "csca.der", "--pinned", "list.crl"),
    ],
)
def test_a_refusal_is_one_line_and_changes_nothing(
    run: Run, files: dict[str, str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(*(files.get(each, each) for each in arguments))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "trust" / "trust.json").exists()
