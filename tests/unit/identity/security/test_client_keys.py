"""What a caller proves itself with: read from files that fit, or made where the authority is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from identity.domain.caller import Caller, Role
from identity.security.certificates import (
    AuthorityError,
    create_authority,
    load_or_create_authority,
    write_secret,
)
from identity.security.client_keys import ClientKeys, issue_client_keys, read_client_keys

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
CALLER = Caller(Role.OPERATOR, "song-hong")


def written(folder: Path) -> dict[str, Path]:
    authority = create_authority(at=NOW)
    issued = authority.issue_caller(CALLER, at=NOW)
    paths = {name: folder / f"{name}.pem" for name in ("certificate", "private_key", "authority")}
    paths["certificate"].write_bytes(issued.certificate)
    write_secret(paths["private_key"], issued.private_key)
    paths["authority"].write_bytes(authority.certificate_pem)
    return paths


def test_three_files_that_fit_are_read_as_they_are(tmp_path: Path) -> None:
    paths = written(tmp_path)
    keys = read_client_keys(**paths)
    assert keys == ClientKeys(**{name: path.read_bytes() for name, path in paths.items()})


def test_keys_never_show_themselves(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(read_client_keys(**written(tmp_path)))


@pytest.mark.parametrize("name", ["certificate", "private_key", "authority"])
@pytest.mark.parametrize("content", [b"", b"\xff\0", b"-----BEGIN CERTIFICATE-----\n!\n"])
def test_a_file_that_is_something_else_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    paths = written(tmp_path)
    paths[name].write_bytes(content)
    with pytest.raises(AuthorityError, match=paths[name].name):
        read_client_keys(**paths)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    paths = written(tmp_path)
    other = create_authority(at=NOW).issue_caller(CALLER, at=NOW)
    paths["private_key"].write_bytes(other.private_key)
    with pytest.raises(AuthorityError, match="do not belong together"):
        read_client_keys(**paths)


def test_keys_are_issued_by_the_authority_that_is_there(tmp_path: Path) -> None:
    authority = load_or_create_authority(tmp_path, at=NOW)
    keys = issue_client_keys(tmp_path, CALLER, at=NOW)
    assert keys.authority == authority.certificate_pem
    issued = x509.load_pem_x509_certificate(keys.certificate)
    issued.verify_directly_issued_by(authority.certificate)
    assert {path.name for path in tmp_path.iterdir()} == {"ca.crt.pem", "ca.key.pem"}


def test_no_authority_is_made_for_want_of_one(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="holds no authority"):
        issue_client_keys(tmp_path / "certificates", CALLER, at=NOW)
    assert list(tmp_path.iterdir()) == []
