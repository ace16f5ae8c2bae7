"""The search for secrets finds each kind that is planted, wherever it lies, and shows none."""

import base64
import json
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import OKPKey

from identity.security.keys import format_key_ring, generate_key_ring
from tests.checks.secrets import secrets_in, tracked


def pem(form: PrivateFormat) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def der() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def jwt() -> bytes:
    parts = [b'{"alg":"Ed25519","typ":"JWT"}', b'{"sub":"citizen"}', secrets.token_bytes(64)]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def jwk(*, is_private: bool) -> str:
    return json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=is_private))


PLANTED: dict[str, Callable[[], bytes]] = {
    "PKCS 8": lambda: pem(PrivateFormat.PKCS8),
    "traditional": lambda: pem(PrivateFormat.TraditionalOpenSSL),
    "OpenSSH": lambda: pem(PrivateFormat.OpenSSH),
    "DER": der,
    "key ring": lambda: format_key_ring(generate_key_ring()).encode(),
    "JWK": lambda: jwk(is_private=True).encode(),
    "JWT": jwt,
    "GitHub": lambda: b"ghp_" + secrets.token_hex(18).encode(),
    "AWS": lambda: b"AKIA" + base64.b32encode(secrets.token_bytes(10)),
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("hidden", [b"%s", b"x = '''\n%s'''  # pragma: allowlist secret\n"])
def test_a_planted_secret_is_found_and_not_shown(tmp_path: Path, kind: str, hidden: bytes) -> None:
    planted = PLANTED[kind]()
    (tmp_path / "notes.txt").write_bytes(hidden % planted)
    found = list(secrets_in(tmp_path, [Path("notes.txt")]))
    assert found
    assert all(line.startswith("notes.txt:") for line in found)
    assert max(planted.splitlines(), key=len).decode(errors="replace") not in "".join(found)


@pytest.mark.parametrize("name", ["keys.json", "state/keys.json", "a.key.pem", "store.p12"])
def test_the_name_of_a_secret_file_is_enough(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert len(list(secrets_in(tmp_path, [Path(name)]))) == 1


def test_public_keys_and_digests_are_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "public.json").write_text(jwk(is_private=False) + secrets.token_hex(32))
    assert list(secrets_in(tmp_path, [Path("public.json")])) == []


def test_what_git_knows_or_would_take_up_is_looked_into(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607 - whichever git
    for name in (".gitignore", "added", "new", "ignored"):
        (tmp_path / name).write_text("ignored\n")
    subprocess.run(["git", "add", "added"], cwd=tmp_path, check=True)  # noqa: S607 - as above
    assert list(tracked(tmp_path)) == [Path(".gitignore"), Path("added"), Path("new")]
