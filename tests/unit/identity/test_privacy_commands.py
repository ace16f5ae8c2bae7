"""`identity export …` and `identity requests` as a citizen and an administrator use them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from identity.bootstrap import open_database, prepare
from identity.cli import app
from identity.config import Settings
from identity.domain.data_request import DataRequestKind, open_request
from identity.security.service_signing import (
    SigningPurpose,
    format_key_set,
    generate_signing_key,
    parse_key_set,
    sign,
)
from identity.services.signing_keys import rotate_signing_key, signing_key
from tests.databases import own_database
from tests.unit.identity.makers import rules

Run = Callable[..., Result]
NOW = datetime.now(UTC)
EXPORT = json.dumps({"format": "subid.export", "version": 1, "made_at": "2026-05-01"}).encode()


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """An export and the public key that checks it."""
    key = generate_signing_key()
    document, keys = tmp_path / "export.jws", tmp_path / "keys.json"
    document.write_text(sign(key, EXPORT, purpose=SigningPurpose.EXPORT) + "\n")
    keys.write_text(format_key_set([key.public_key]))
    return str(document), str(keys)


def test_an_export_is_checked_and_written_out(
    run: Run, files: tuple[str, str], tmp_path: Path
) -> None:
    document, keys = files
    out = tmp_path / "plain.json"
    done = run("export", "verify", document, "--keys", keys, "--out", str(out))
    assert done.exit_code == 0
    assert "subid-export+jwt" in done.stdout
    assert out.read_bytes() == EXPORT


def test_a_proof_of_an_erasure_is_checked_by_the_same_command(run: Run, tmp_path: Path) -> None:
    key = generate_signing_key()
    document, keys = tmp_path / "proof.jws", tmp_path / "keys.json"
    statement = json.dumps({"secret_digest": "c0ffee"}).encode()
    document.write_text(sign(key, statement, purpose=SigningPurpose.ERASURE))
    keys.write_text(format_key_set([key.public_key]))
    done = run("export", "verify", str(document), "--keys", str(keys))
    assert done.exit_code == 0
    assert "secret_digest: c0ffee" in done.stdout


def test_a_token_for_something_else_is_no_document(run: Run, tmp_path: Path) -> None:
    key = generate_signing_key()
    document, keys = tmp_path / "token.jws", tmp_path / "keys.json"
    document.write_text(sign(key, b"{}", purpose=SigningPurpose.PRESENCE))
    keys.write_text(format_key_set([key.public_key]))
    done = run("export", "verify", str(document), "--keys", str(keys))
    assert (done.exit_code, "PURPOSE_MISMATCH" in done.stdout) == (1, True)


def test_a_changed_export_and_one_of_another_service_prove_nothing(
    run: Run, files: tuple[str, str], tmp_path: Path
) -> None:
    document, keys = files
    other = tmp_path / "other.json"
    other.write_text(format_key_set([generate_signing_key().public_key]))
    unknown = run("export", "verify", document, "--keys", str(other))
    assert (unknown.exit_code, "KEY_UNKNOWN" in unknown.stdout) == (1, True)
    head, payload, signature = Path(document).read_text().strip().split(".")
    Path(document).write_text(".".join((head, payload[:-2] + "AA", signature)))
    changed = run("export", "verify", document, "--keys", keys)
    assert (changed.exit_code, "SIGNATURE_INVALID" in changed.stdout) == (1, True)


def test_a_file_that_is_not_there_is_told_in_one_line(run: Run, files: tuple[str, str]) -> None:
    done = run("export", "verify", "nowhere.jws", "--keys", files[1])
    assert done.exit_code == 2
    assert done.stderr == "error: nowhere.jws: No such file or directory\n"


def test_keys_that_are_none_are_told_apart_from_a_document_that_proves_nothing(
    run: Run, files: tuple[str, str]
) -> None:
    done = run("export", "verify", files[0], "--keys", files[0])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {files[0]}: ")


def test_every_key_that_ever_signed_is_told_and_late_requests_are_counted(
    run: Run, postgres_url: str, worker_id: str, tmp_path: Path
) -> None:
    with own_database(postgres_url, f"privacy_{worker_id}") as url:
        options = ("--state", str(tmp_path), "--database", url)
        settings = Settings(state=tmp_path, database=url)
        with open_database(settings) as opened:
            prepare(opened)
            with opened.transaction() as uow:
                old = signing_key(uow, at=NOW - timedelta(days=900))
                new = rotate_signing_key(uow, at=NOW - timedelta(days=800))
        told = run("export", "keys", *options)
        assert set(parse_key_set(told.stdout)) == {old.key_id, new.key_id}
        assert run("requests", *options).exit_code == 0
        with open_database(settings) as opened, opened.transaction() as uow:
            asked = open_request(
                DataRequestKind.ERASURE,
                rules().privacy,
                at=NOW - timedelta(days=60),
                identity=uuid4(),
            )
            uow.data_requests.add(b"somebody", asked)
        late = run("requests", *options)
        assert late.exit_code == 1
        assert "1 open" in late.stdout
        assert "1 not acknowledged in time" in late.stdout
        assert "1 not done in time" in late.stdout
