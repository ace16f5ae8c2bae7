"""The command line: quick to help, careful with keys, one line for a mistake of its user."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner

from identity.bootstrap import open_database
from identity.cli import app
from identity.config import DEFAULT_POLICIES, Settings
from identity.domain.link import LinkState, not_found_link
from identity.security.keys import generate_key_ring, write_key_ring
from identity.storage import database
from identity.storage.registry import Registry
from tests.unit.identity.makers import find, store_citizen, store_number

HEAD = ScriptDirectory(str(Path(database.__file__).parent / "migrations")).get_current_head()
HEAVY = ("sqlalchemy", "alembic", "psycopg", "cv2", "dlib", "numpy", "grpc", "duckdb")


@dataclass(frozen=True, kw_only=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `identity …` with its state in a scratch folder."""

    def run(*arguments: str, **environment: str) -> Done:
        scratch = {"XDG_STATE_HOME": str(tmp_path / "xdg"), **environment}
        if arguments[0] == "serve":
            return _in_a_process(arguments, scratch)
        result = CliRunner().invoke(app, arguments, env=scratch)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return Done(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)

    return run


def _in_a_process(arguments: Sequence[str], environment: Mapping[str, str]) -> Done:
    """A server sets up its log for the whole process, so it gets one of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "identity.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def refused(done: Done) -> str:
    """What it said: one line beside its log, exit code 2, nothing on stdout."""
    assert (done.code, done.stdout) == (2, "")
    (line,) = [each for each in done.stderr.splitlines() if not each.startswith("{")]
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["serve", "--help"],
        ["callers", "issue", "--help"],
        ["import", "population", "--help"],
        [],
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = f"""
import json, sys
from identity.cli import app
try:
    app({arguments!r})
except SystemExit as end:
    print(json.dumps([end.code, sorted(set({HEAVY!r}) & sys.modules.keys())]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code in (0, 2)
    assert loaded == []
    assert "Usage" in done.stdout + done.stderr


def test_a_caller_gets_a_certificate_that_names_it(run: Run, tmp_path: Path) -> None:
    done = run(
        "callers",
        "issue",
        "--role",
        "operator",
        "--name",
        "viettel",
        "--out",
        str(tmp_path / "out"),
    )
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("operator:viettel: ")
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "viettel.crt.pem",
        "viettel.key.pem",
        "ca.crt.pem",
    }
    assert stat.S_IMODE((out / "viettel.key.pem").stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate((out / "viettel.crt.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "urn:subid:operator:viettel"
    ]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    authority = x509.load_pem_x509_certificate((out / "ca.crt.pem").read_bytes())
    certificate.verify_directly_issued_by(authority)
    key = load_pem_private_key((out / "viettel.key.pem").read_bytes(), password=None)
    assert key.public_key() == certificate.public_key()


def test_callers_are_issued_by_one_authority_and_anew_each_time(run: Run, tmp_path: Path) -> None:
    for out in ("one", "two"):
        done = run(
            "callers", "issue", "--role", "agency", "--name", "tax", "--out", str(tmp_path / out)
        )
        assert done.code == 0, done.stderr
    first, second = tmp_path / "one", tmp_path / "two"
    assert (first / "ca.crt.pem").read_bytes() == (second / "ca.crt.pem").read_bytes()
    assert (first / "tax.key.pem").read_bytes() != (second / "tax.key.pem").read_bytes()
    kept = tmp_path / "xdg" / "subid" / "certificates" / "ca.key.pem"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "Viettel", "a_b", "-a", "a-", "a" * 64, "a:b", "../x", "é"])
def test_a_name_that_no_caller_can_have_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    line = refused(run("callers", "issue", "--role", "operator", "--name", name))
    assert "caller's name" in line
    assert list(tmp_path.iterdir()) == []


def test_a_role_that_does_not_exist_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("callers", "issue", "--role", "king", "--name", "x")
    assert done.code == 2
    assert "king" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["serve", "--listen", "nowhere"], {}, "listen"),
        (["serve", "--listen", "127.0.0.1:99999"], {}, "65535"),
        (["status", "--database", "mysql://x/y"], {}, "database"),
        (["migrate"], {"SUBID_FACE_WORKERS": "many"}, "face_workers"),
        (["migrate"], {"SUBID_REQUEST_THREADS": "0"}, "request_threads"),
        (["status"], {"SUBID_POLICIES": "../[/]"}, "'^[a-z0-9-]+(,[a-z0-9-]+)*$'"),
        (["status", "--state", "/dev/null/state"], {}, "Not a directory"),
        (["serve", "--state", "/dev/null/state"], {}, "Not a directory"),
        (["serve"], {"SUBID_POLICIES": "no-such-policy"}, "no-such-policy"),
        (["status", "--database", "postgresql://x@127.0.0.1:1/y"], {}, "cannot be reached"),
        (["migrate", "--database", "postgresql://x@127.0.0.1:1/y"], {}, "cannot be reached"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_one_line(
    run: Run, arguments: list[str], environment: dict[str, str], complaint: str
) -> None:
    assert complaint in refused(run(*arguments, **environment))


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("keys", "list"),
        ("verdict", "recompute"),
        ("audit", "check"),
        ("link",),
        ("backup", "create", "backups"),
    ],
)
def test_a_mistyped_state_directory_becomes_no_registry(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    line = refused(run(*command, "--state", str(tmp_path / "typo")))
    assert f"{tmp_path / 'typo'} holds no registry" in line
    assert list(tmp_path.iterdir()) == []


def test_a_server_with_a_broken_operating_point_does_not_start(run: Run, tmp_path: Path) -> None:
    point = tmp_path / "point.json"
    point.write_text("{}")
    line = refused(run("serve", "--state", str(tmp_path), SUBID_OPERATING_POINT=str(point)))
    assert f"{point}: not a file of the form" in line


def test_a_regulated_policy_starts_no_server_that_is_not_proven_and_says_what_is_missing(
    run: Run, tmp_path: Path
) -> None:
    replaced, *others = DEFAULT_POLICIES.split(",")
    shipped = resources.files("identity.policies") / f"{replaced}.toml"
    bound = (
        shipped.read_text("utf-8")
        .replace(f'version = "{replaced}"', 'version = "bound"')
        .replace("regulated = false", "regulated = true")
    )
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "bound.toml").write_text(bound, encoding="utf-8")
    line = refused(
        run("serve", "--state", str(tmp_path), SUBID_POLICIES=",".join(["bound", *others]))
    )
    for said in ("FAR at most 0.01 %", "FRR below 5 %", "rests on no evidence", "nobody vouches"):
        assert said in line


@pytest.mark.parametrize("command", [("serve",), ("faces", "cohort"), ("faces", "reenrol")])
def test_a_network_that_is_not_installed_is_told_in_one_line(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    line = refused(run(*command, "--state", str(tmp_path), SUBID_FACE_MODEL="opencv-sface"))
    assert "opencv-sface is not installed in" in line


def test_a_damaged_key_file_is_told_and_left_as_it_is(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('{"active_id": 1')
    keys.chmod(0o600)
    line = refused(run("status", "--state", str(tmp_path)))
    assert line.endswith("is not a key file")
    assert keys.read_text() == '{"active_id": 1'


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database of its own."""
    name = f"scratch_{uuid4().hex}"
    url = make_url(postgres_url)
    administration = create_engine(
        url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


def test_a_scratch_registry_is_migrated_counted_and_recomputed(
    run: Run, empty_database: str, tmp_path: Path
) -> None:
    options = ("--state", str(tmp_path / "scratch"), "--database", empty_database)
    empty = run("status", *options)
    assert (empty.code, f"schema: empty (needs {HEAD}: migrate)" in empty.stdout) == (1, True)
    assert f"must be {HEAD}: migrate" in refused(run("verdict", "recompute", *options))
    assert run("migrate", *options).stdout == f"schema: empty -> {HEAD}\n"
    assert run("migrate", *options).stdout == f"schema: {HEAD} -> {HEAD}\n"
    status = run("status", *options)
    assert status.code == 0
    assert "population records" in status.stdout
    assert status.stdout.endswith(f"schema: {HEAD}\n")
    recomputed = run("verdict", "recompute", *options)
    assert (recomputed.code, recomputed.stdout) == (
        0,
        (
            "0 verdicts recomputed, 0 differ, 0 unreadable, 0 without their policy pack,"
            " 0 with evidence erased\n"
        ),
    )


def test_links_are_compared_and_counted_beside_a_server_or_without_one(
    run: Run, empty_database: str, tmp_path: Path
) -> None:
    options = ("--state", str(tmp_path / "state"), "--database", empty_database)
    assert f"must be {HEAD}: migrate" in refused(run("link", *options))
    assert run("migrate", *options).code == 0
    empty = run("link", *options)
    assert (empty.code, empty.stdout) == (0, "0 claims compared, 0 links changed\n")
    settings = Settings(state=tmp_path / "state", database=empty_database)
    with open_database(settings) as opened, opened.transaction() as uow:
        record = store_citizen(uow)
        right = store_number(uow, record, verified_at=None)
        wrong = store_number(uow, record, verified_at=None, link=not_found_link())
    done = run("link", "--workers", "1", *options)
    assert (done.code, done.stdout) == (0, "2 claims compared, 1 links changed\n")
    with open_database(settings) as opened, opened.transaction() as uow:
        assert {find(uow, item).link.state for item in (right, wrong)} == {LinkState.LINKED}
    again = run("link", *options)
    assert again.stdout == "2 claims compared, 0 links changed\n"


@pytest.mark.parametrize("workers", ["0", "17", "-1", "x"])
def test_a_number_of_workers_that_is_none_is_refused(run: Run, workers: str) -> None:
    done = run("link", "--workers", workers)
    assert (done.code, done.stdout) == (2, "")
    assert "--workers" in done.stderr


def test_a_fresh_state_does_not_start_a_second_registry_in_a_database(
    run: Run, empty_database: str, tmp_path: Path
) -> None:
    ours = ("--state", str(tmp_path / "ours"), "--database", empty_database)
    stray = ("--state", str(tmp_path / "stray"), "--database", empty_database)
    assert run("migrate", *ours).code == 0
    for command in (("status",), ("migrate",), ("verdict", "recompute"), ("serve",)):
        assert "keys.json is missing" in refused(run(*command, *stray))
    assert not (tmp_path / "stray" / "keys.json").exists()
    write_key_ring(tmp_path / "stray" / "keys.json", generate_key_ring())
    for command in (("status",), ("migrate",), ("verdict", "recompute"), ("serve",)):
        assert "not those that this database was sealed with" in refused(run(*command, *stray))
    assert run("status", *ours).code == 0


def test_a_registry_is_not_served_by_the_other_kind_of_clock(
    run: Run, empty_database: str, tmp_path: Path
) -> None:
    options = ("--state", str(tmp_path), "--database", empty_database)
    assert run("migrate", *options).code == 0
    with own_clock(tmp_path, empty_database) as registry:
        registry.keep_clock(is_simulated=False)
    line = refused(run("serve", "--simulated-clock", *options))
    assert (
        line == "error: this registry lives by a real clock and cannot be served by a simulated one"
    )


@contextmanager
def own_clock(state: Path, database: str) -> Iterator[Registry]:
    settings = Settings(state=state, database=database)
    with open_database(settings) as opened, opened.transaction() as uow:
        yield uow.registry


def test_callers_added_at_once_to_an_empty_state_share_one_authority(tmp_path: Path) -> None:
    names = [f"operator-{index}" for index in range(4)]
    program = [sys.executable, "-m", "identity.cli", "callers", "issue", "--role", "operator"]
    options = ["--state", str(tmp_path / "state"), "--out"]
    running = [
        subprocess.Popen([*program, "--name", name, *options, str(tmp_path / name)])
        for name in names
    ]
    assert [each.wait(60) for each in running] == [0] * len(names)
    authorities = {(tmp_path / name / "ca.crt.pem").read_bytes() for name in names}
    assert len(authorities) == 1
    authority = x509.load_pem_x509_certificate(authorities.pop())
    for name in names:
        issued = (tmp_path / name / f"{name}.crt.pem").read_bytes()
        x509.load_pem_x509_certificate(issued).verify_directly_issued_by(authority)


@pytest.mark.parametrize("name", ["ca.crt.pem", "ca.key.pem"])
def test_a_damaged_authority_is_told_in_one_line(run: Run, tmp_path: Path, name: str) -> None:
    command = ("callers", "issue", "--role", "agency", "--name", "tax", "--out", str(tmp_path))
    state = ("--state", str(tmp_path / "state"))
    assert run(*command, *state).code == 0
    (tmp_path / "state" / "certificates" / name).write_bytes(b"")
    assert f"{name} is not a" in refused(run(*command, *state))


def test_a_database_directory_that_cannot_be_used_is_told_in_one_line(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "notes.txt").write_text("mine")
    assert "something else" in refused(run("status", "--state", str(tmp_path)))
    (tmp_path / "postgres" / "PG_VERSION").write_text("11")
    (tmp_path / "postgres" / "base" / "5").mkdir(parents=True)
    assert "does not start" in refused(run("status", "--state", str(tmp_path)))
