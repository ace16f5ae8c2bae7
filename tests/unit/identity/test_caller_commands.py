"""`identity callers …` and `identity issuers …` as an administrator uses them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from joserfc.jwk import ECKey, OKPKey
from typer.testing import CliRunner, Result

from identity.caller_commands import DAYS, DAYS_MAX
from identity.cli import app
from identity.domain.caller import Caller, Role
from identity.security.certificates import CALLER_DAYS, CALLER_DAYS_MAX
from identity.security.issued import read_record
from tests.integration.outside import OutsideAuthority

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command with a state directory of its own."""

    def invoke(*arguments: str) -> Result:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(
            app, [*arguments, "--state", str(tmp_path / "state")]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


@pytest.fixture
def issue(run: Run, tmp_path: Path) -> Callable[..., x509.Certificate]:
    """Issue an agency's certificate."""

    def issued(*options: str) -> x509.Certificate:
        command = ("callers", "issue", "--role", "agency", "--name", "tax")
        assert run(*command, "--out", str(tmp_path), *options).exit_code == 0
        return x509.load_pem_x509_certificate((tmp_path / "tax.crt.pem").read_bytes())

    return issued


def refusal(result: Result) -> str:
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    return line


def test_a_certificate_holds_as_long_as_it_is_asked_to(
    issue: Callable[..., x509.Certificate], run: Run
) -> None:
    assert (DAYS, DAYS_MAX) == (CALLER_DAYS, CALLER_DAYS_MAX)
    for options, days in (((), 30), (("--days", "1"), 1), (("--days", "398"), 398)):
        issued = issue(*options)
        # Backdated by two hours, for clocks that are behind.
        assert issued.not_valid_after_utc - issued.not_valid_before_utc == timedelta(
            days=days, hours=2
        )
    command = ("callers", "issue", "--role", "agency", "--name", "tax", "--days")
    assert [run(*command, days).exit_code for days in ("0", "399")] == [2, 2]


def test_what_was_issued_is_listed_and_revoked(
    issue: Callable[..., x509.Certificate], run: Run
) -> None:
    one, two = (f"{issue().serial_number:x}" for _ in range(2))
    listed = run("callers", "list").stdout
    assert one in listed
    assert two in listed
    assert listed.count("valid") == 2
    assert run("callers", "revoke", "--serial", one).stdout == f"agency:tax: {one} is revoked\n"
    assert run("callers", "list").stdout.count("revoked") == 1
    assert run("callers", "revoke", "--serial", one).exit_code == 1
    assert run("callers", "revoke", "--caller", "agency:tax").stdout == (
        f"agency:tax: {two} is revoked\n"
    )
    assert run("callers", "revoke", "--caller", "agency:none").exit_code == 1


def test_a_certificate_of_another_authority_is_revoked_by_its_file(
    run: Run, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    issued = OutsideAuthority.founded(at=now).issue(Caller(Role.AGENCY, "court"), at=now)
    (tmp_path / "court.pem").write_bytes(issued.certificate)
    (tmp_path / "state" / "certificates").mkdir(parents=True)
    command = ("callers", "revoke", "--certificate", str(tmp_path / "court.pem"))
    assert run(*command).stdout.startswith("agency:court: ")
    (entry,) = read_record(tmp_path / "state" / "certificates")
    assert entry.revoked_at is not None
    assert run(*command).exit_code == 1


@pytest.mark.parametrize("options", [(), ("--serial", "a", "--caller", "b")])
def test_a_revocation_means_one_thing(run: Run, options: tuple[str, ...]) -> None:
    assert "one of them" in refusal(run("callers", "revoke", *options))


def test_the_authority_is_changed_in_two_steps(
    issue: Callable[..., x509.Certificate], run: Run, tmp_path: Path
) -> None:
    old = issue()
    assert "no rotation" in refusal(run("callers", "retire"))
    assert run("callers", "rotate").exit_code == 0
    assert "under way" in refusal(run("callers", "rotate"))
    assert "agency:tax" in refusal(run("callers", "retire"))
    assert issue().issuer == old.issuer
    assert (tmp_path / "ca.crt.pem").read_bytes().count(b"BEGIN") == 2
    assert run("callers", "retire").exit_code == 0
    issue()
    assert (tmp_path / "ca.crt.pem").read_bytes().count(b"BEGIN") == 1


def test_issuers_are_added_listed_and_removed(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    made = (OKPKey.generate_key("Ed25519", {"kid": "a"}), ECKey.generate_key("P-256", {"kid": "b"}))
    keys.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in made]}))
    command = ("issuers", "add", "vneid", str(keys), "--issuer", "https://login.vn")
    assert run(*command).stdout == "https://login.vn: a, b\n"
    assert run(*command).exit_code == 0  # the same name again takes keys anew
    assert "https://login.vn" in run("issuers", "list").stdout
    other = ("issuers", "add", "other", str(keys), "--issuer", "https://login.vn")
    assert "another name" in refusal(run(*other))
    assert run("issuers", "remove", "vneid").exit_code == 0
    assert run("issuers", "remove", "vneid").exit_code == 1
    assert "login" not in run("issuers", "list").stdout


def test_keys_that_are_none_are_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    key = OKPKey.generate_key("Ed25519", {"kid": "a"})
    for text, says in (
        ("{", "as JSON"),
        ("{}", "no list"),
        (json.dumps({"keys": [key.as_dict(private=True)]}), "private key"),
    ):
        keys.write_text(text)
        assert says in refusal(run("issuers", "add", "vneid", str(keys), "--issuer", "x"))
    assert "name" in refusal(run("issuers", "remove", "../x"))
