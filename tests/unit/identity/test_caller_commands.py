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
        result = CliRunner(env={"COLUMNS": "80"}).invoke(
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
    assert run("callers", "revoke", "--caller", "agency:tax").stdout == (
        f"agency:tax: {two} is revoked\n"
    )


def test_a_list_for_programs_has_every_certificate(
    issue: Callable[..., x509.Certificate], run: Run
) -> None:
    issued = issue()
    (told,) = json.loads(run("callers", "list", "--json").stdout)
    assert told.keys() == {"caller", "serial", "issued_at", "ends_at", "state"}
    assert (told["caller"], told["state"]) == ("agency:tax", "valid")
    assert int(told["serial"], 16) == issued.serial_number
    assert told["ends_at"] == issued.not_valid_after_utc.isoformat()


@pytest.mark.parametrize("width", ["20", "80", "200"])
def test_a_serial_number_is_shown_as_a_whole_however_narrow_the_terminal(
    issue: Callable[..., x509.Certificate], tmp_path: Path, width: str
) -> None:
    serial = f"{issue().serial_number:x}"
    command = ["callers", "list", "--state", str(tmp_path / "state")]
    assert serial in CliRunner(env={"COLUMNS": width}).invoke(app, command).stdout


def test_a_serial_number_may_be_written_as_other_programs_do(
    issue: Callable[..., x509.Certificate], run: Run
) -> None:
    serial = f"{issue().serial_number:x}"
    octets = serial.zfill(42).upper()
    written = ":".join(octets[at : at + 2] for at in range(0, 42, 2))
    assert run("callers", "revoke", "--serial", written).stdout.endswith(f"{serial} is revoked\n")


@pytest.mark.parametrize(
    "options", [("--serial", "ab"), ("--caller", "agency:none"), ("--caller", "agency:tax")]
)
def test_a_revocation_that_finds_nobody_says_so(
    issue: Callable[..., x509.Certificate], run: Run, options: tuple[str, str]
) -> None:
    issue()
    run("callers", "revoke", "--caller", "agency:tax")
    again = run("callers", "revoke", *options)
    assert (again.exit_code, again.stdout, again.stderr.count("\n")) == (1, "", 1)
    assert "none to revoke" in again.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--caller", "tax"), "ROLE:NAME"),
        (("--caller", "king:tax"), "ROLE:NAME"),
        (("--caller", ""), "ROLE:NAME"),
        (("--serial", ""), "hexadecimal"),
        (("--serial", "00"), "hexadecimal"),
        (("--serial", "agency:tax"), "hexadecimal"),
    ],
)
def test_a_revocation_of_what_cannot_be_is_refused(
    run: Run, options: tuple[str, str], says: str
) -> None:
    assert says in refusal(run("callers", "revoke", *options))


def test_no_caller_has_the_name_of_the_authoritys_file(run: Run, tmp_path: Path) -> None:
    command = ("callers", "issue", "--role", "operator", "--name", "ca")
    assert "another name" in refusal(run(*command, "--out", str(tmp_path / "out")))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_not_recorded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = ("callers", "issue", "--role", "agency", "--name", "tax", "--out")
    assert str(tmp_path / "file") in refusal(run(*command, str(tmp_path / "file")))
    assert "nothing can be written" in refusal(run(*command, "/proc/self"))
    assert read_record(tmp_path / "state" / "certificates") == ()


def test_who_was_locked_out_with_its_authority_is_not_listed_as_valid(
    issue: Callable[..., x509.Certificate], run: Run
) -> None:
    issue()
    assert run("callers", "rotate").exit_code == 0
    assert json.loads(run("callers", "list", "--json").stdout)[0]["state"] == "valid"
    assert run("callers", "retire", "--force").exit_code == 0
    issue()
    told = json.loads(run("callers", "list", "--json").stdout)
    assert [each["state"] for each in told] == ["authority retired", "valid"]


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
