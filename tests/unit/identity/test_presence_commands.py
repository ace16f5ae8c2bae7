"""`identity presence …` as an administrator and an agency use it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from identity.bootstrap import open_current_database
from identity.cli import app
from identity.config import Settings
from identity.domain.agency import Purpose
from identity.domain.presence import ChipLevel, PresenceToken, claims_of, methods_of
from identity.security.service_signing import SigningPurpose, generate_signing_key, sign
from identity.services.signing_keys import signing_key
from tests.databases import own_database


@pytest.fixture(scope="module")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An empty registry."""
    with own_database(postgres_url, f"presence_{uuid4().hex}") as url:
        yield Settings(state=tmp_path_factory.mktemp("state"), database=url)


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["presence", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def run(settings: Settings, *arguments: str) -> str:
    options = ("--state", str(settings.state), "--database", str(settings.database))
    result = invoke(*arguments, *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def token_of(settings: Settings, *, issued_at: datetime, audience: str = "tax") -> str:
    """A token as the service signs it."""
    token = PresenceToken(
        verification_id=str(uuid4()),
        audience=audience,
        subject="5e" * 16,
        issued_at=issued_at.replace(microsecond=0),
        expires_at=issued_at.replace(microsecond=0) + timedelta(minutes=5),
        methods=methods_of(with_face=False),
        level=ChipLevel.ACTIVE,
        purpose=Purpose.IDENTITY_CHECK,
        case_id="",
        policy_version="vn-2026-04-15",
    )
    with open_current_database(settings) as database, database.transaction() as uow:
        key = signing_key(uow, at=issued_at)
    return sign(key, json.dumps(claims_of(token)).encode(), purpose=SigningPurpose.PRESENCE)


@pytest.fixture
def keys(settings: Settings, tmp_path: Path) -> Path:
    """The public keys in a file."""
    path = tmp_path / "keys.json"
    path.write_text(run(settings, "keys"))
    return path


def verify(token: str, keys: Path, audience: str = "tax") -> Result:
    return invoke("verify", token, "--keys", str(keys), "--audience", audience)


def test_a_token_is_checked_with_a_file_of_public_keys_alone(
    settings: Settings, keys: Path
) -> None:
    token = token_of(settings, issued_at=datetime.now(UTC))
    result = verify(token, keys)
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["audience"], said["methods"]) == ("tax", ["chip"])
    assert said["level"] == "urn:subid:acr:chip-active"


def test_a_token_that_does_not_count_is_refused_with_its_code(
    settings: Settings, keys: Path
) -> None:
    now = datetime.now(UTC)
    good = token_of(settings, issued_at=now)
    first, second, third = good.split(".")
    stranger = sign(generate_signing_key(), b"{}", purpose=SigningPurpose.PRESENCE)
    for token, audience, code in (
        (good, "police", "AUDIENCE_MISMATCH"),
        (token_of(settings, issued_at=now - timedelta(hours=1)), "tax", "EXPIRED"),
        (token_of(settings, issued_at=now + timedelta(hours=1)), "tax", "NOT_YET_VALID"),
        (stranger, "tax", "KEY_UNKNOWN"),
        (f"{first}.{second}.{third[:-4]}AAAA", "tax", "SIGNATURE_INVALID"),
        ("x", "tax", "MALFORMED"),
    ):
        result = verify(token, keys, audience)
        assert (result.exit_code, result.stdout.split(":")[0]) == (1, code)
        assert len(result.stdout.splitlines()) == 1


def test_a_retired_keys_token_is_checked_on(settings: Settings, tmp_path: Path) -> None:
    token = token_of(settings, issued_at=datetime.now(UTC))
    before = json.loads(run(settings, "keys"))["keys"]
    told = run(settings, "rotate")
    after = json.loads(run(settings, "keys"))["keys"]
    assert told == f"key {after[0]['kid']} signs now\n"
    assert after[1:] == before
    path = tmp_path / "after.json"
    path.write_text(json.dumps({"keys": after}))
    assert verify(token, path).exit_code == 0
    path.write_text(json.dumps({"keys": after[:1]}))
    assert verify(token, path).stdout.startswith("KEY_UNKNOWN: ")


@pytest.mark.parametrize("content", [b"", b"\xff", b'{"keys":[{}]}'])
def test_a_file_that_is_no_key_set_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    result = verify("x.y.z", path)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert str(path) in line


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = verify("x.y.z", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "none.json" in result.stderr
