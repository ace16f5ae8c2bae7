"""Whose assertions are believed: files of public keys."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from identity.security.issuers import IssuerError, read_issuers
from identity.state_directory import ForeignFileError

ED25519 = OKPKey.generate_key("Ed25519", {"kid": "a"})
P256 = ECKey.generate_key("P-256", {"kid": "b"})
PUBLIC = [key.as_dict(private=False) for key in (ED25519, P256)]


def write(folder: Path, said: Any, *, name: str = "vneid.json") -> None:  # noqa: ANN401 - any JSON
    (folder / name).write_text(said if isinstance(said, str) else json.dumps(said))


def test_a_file_says_who_signs_with_which_keys(tmp_path: Path) -> None:
    write(tmp_path, {"issuer": "https://a.vn", "keys": PUBLIC})
    write(tmp_path, {"issuer": "https://b.vn", "keys": PUBLIC[:1]}, name="b.json")
    (tmp_path / ".scratch.json").write_text("half")
    (tmp_path / "README").write_text("not ours")
    found = read_issuers(tmp_path)
    assert {issuer: set(keys) for issuer, keys in found.items()} == {
        "https://a.vn": {"a", "b"},
        "https://b.vn": {"a"},
    }


def test_without_files_nobody_is_believed(tmp_path: Path) -> None:
    assert read_issuers(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("{", "cannot be read"),
        ("[" * 30_000, "cannot be read"),
        ([], "no member `issuer`"),
        ({"keys": PUBLIC}, "no member `issuer`"),
        ({"issuer": "x" * 129, "keys": PUBLIC}, "no member `issuer`"),
        ({"issuer": "x"}, "no list `keys`"),
        ({"issuer": "x", "keys": []}, "no list `keys`"),
        ({"issuer": "x", "keys": [PUBLIC[0]] * 33}, "no list `keys`"),
        ({"issuer": "x", "keys": [PUBLIC[0]] * 2}, "two keys of one name"),
        ({"issuer": "x", "keys": [{"kty": "oct", "k": "AA", "kid": "a"}]}, "neither"),
        ({"issuer": "x", "keys": [PUBLIC[1] | {"crv": "P-384"}]}, "neither"),
        ({"issuer": "x", "keys": [ED25519.as_dict(private=True)]}, "private key"),
        ({"issuer": "x", "keys": [PUBLIC[0] | {"kid": ""}]}, "without a name"),
        ({"issuer": "x", "keys": [PUBLIC[0] | {"use": "enc"}]}, "damaged"),
        ({"issuer": "x", "keys": [PUBLIC[1] | {"x": "AAAA"}]}, "damaged"),
        ({"issuer": "x", "keys": [PUBLIC[0] | {"x": 5}]}, "damaged"),
    ],
)
def test_a_file_that_is_not_in_its_form_is_refused(tmp_path: Path, said: Any, says: str) -> None:  # noqa: ANN401 - any JSON
    write(tmp_path, said)
    with pytest.raises(IssuerError, match=says):
        read_issuers(tmp_path)


def test_two_files_of_one_issuer_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write(tmp_path, {"issuer": "https://a.vn", "keys": PUBLIC}, name=name)
    with pytest.raises(IssuerError, match="same issuer"):
        read_issuers(tmp_path)


def test_keys_that_somebody_else_could_have_written_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"issuer": "https://a.vn", "keys": PUBLIC})
    file = tmp_path / "vneid.json"
    for path, mode in ((file, 0o664), (file, 0o646), (tmp_path, 0o770)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(ForeignFileError, match="written by others"):
            read_issuers(tmp_path)
        path.chmod(before)
    assert set(read_issuers(tmp_path)) == {"https://a.vn"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_keys_of_somebody_else_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"issuer": "https://a.vn", "keys": PUBLIC})
    os.chown(tmp_path / "vneid.json", 12345, 12345)
    with pytest.raises(ForeignFileError, match="belongs to somebody else"):
        read_issuers(tmp_path)
