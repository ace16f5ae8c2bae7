"""No file with a secret is read that somebody else could have read, written or put there.

Every reader of one stands in one table, and meets every wrong file.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.audit.key_chain import read_key_file, write_key_file
from identity.domain.caller import Caller, Role
from identity.security.certificates import (
    create_authority,
    load_or_create_authority,
    write_public,
    write_secret,
)
from identity.security.client_keys import read_client_keys
from identity.security.key_source import open_key_source
from identity.security.keys import generate_key_ring, write_key_ring
from identity.security.local_authority import SERVER_CERTIFICATE, SERVER_KEY, read_local_authority
from identity.state_directory import SECRET_BYTES_MAX, StateError, read_secret, write_whole

Made = tuple[Path, Callable[[Path], object]]

NOW = datetime.now(UTC)
SOMEBODY_ELSE = 65_534
"""`nobody`, by custom."""


def plain(folder: Path) -> Path:
    write_whole(folder / "secret", b"secret", mode=0o600, may_replace=True)
    return folder / "secret"


def key_ring(folder: Path) -> Path:
    write_key_ring(folder / "keys.json", generate_key_ring())
    return folder / "keys.json"


def authority_key(folder: Path) -> Path:
    load_or_create_authority(folder, at=NOW)
    return folder / "ca.key.pem"


def client_key(folder: Path) -> Path:
    authority = create_authority(at=NOW)
    issued = authority.issue_caller(Caller(Role.AGENCY, "tax"), at=NOW)
    write_public(folder / "ca.crt.pem", authority.certificate_pem)
    write_public(folder / "tax.crt.pem", issued.certificate)
    write_secret(folder / "tax.key.pem", issued.private_key)
    return folder / "tax.key.pem"


def audit_key(folder: Path) -> Path:
    write_key_file(folder / "audit.key.pem", Ed25519PrivateKey.generate())
    return folder / "audit.key.pem"


def server_key(folder: Path) -> Path:
    issued = load_or_create_authority(folder, at=NOW).issue_server(at=NOW)
    write_public(folder / SERVER_CERTIFICATE, issued.certificate)
    write_secret(folder / SERVER_KEY, issued.private_key)
    return folder / SERVER_KEY


READERS: dict[Callable[[Path], Path], Callable[[Path], object]] = {
    plain: read_secret,
    key_ring: lambda path: open_key_source("file", state=path.parent).read(),
    authority_key: lambda path: load_or_create_authority(path.parent, at=NOW),
    client_key: lambda path: read_client_keys(
        certificate=path.parent / "tax.crt.pem",
        private_key=path,
        authority=path.parent / "ca.crt.pem",
    ),
    audit_key: read_key_file,
    server_key: lambda path: read_local_authority(path.parent),
}
"""Each secret file: how one is made, and who reads it."""


@pytest.fixture(params=READERS, ids=lambda make: make.__name__)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """A good file, and its reader."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    return request.param(folder), READERS[request.param]


def refused(made: Made, says: str) -> None:
    path, read = made
    with pytest.raises(StateError, match=says) as caught:
        read(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_of_ones_own_is_read(made: Made) -> None:
    path, read = made
    assert read(path)
    for mode in (0o400, 0o700):
        path.chmod(mode)
        assert read(path)


@pytest.mark.parametrize(
    "mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o660, 0o606, 0o666, 0o444, 0o644, 0o777]
)
def test_a_file_with_any_permission_for_others_is_refused(made: Made, mode: int) -> None:
    made[0].chmod(mode)
    refused(made, "chmod 600")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o770, 0o722, 0o777])
def test_a_directory_that_others_can_write_in_is_refused(made: Made, mode: int) -> None:
    made[0].parent.chmod(mode)
    refused(made, "chmod go-w")


def test_a_directory_in_which_only_owners_replace_files_is_as_good(made: Made) -> None:
    path, read = made
    path.parent.chmod(0o1777)
    assert read(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_or_a_directory_of_somebody_else_is_refused(made: Made) -> None:
    os.chown(made[0], SOMEBODY_ELSE, -1)
    refused(made, "belongs to somebody else")
    os.chown(made[0], 0, -1)
    os.chown(made[0].parent, SOMEBODY_ELSE, -1)
    refused(made, "belongs to somebody else")


def test_a_link_is_followed_where_nobody_else_can_have_made_it(made: Made, tmp_path: Path) -> None:
    path, read = made
    mounted = tmp_path / "mounted"
    mounted.mkdir(mode=0o700)
    path.rename(mounted / "secret")
    path.symlink_to(mounted / "secret")
    assert read(path)
    mounted.chmod(0o777)
    refused(made, "chmod go-w")
    mounted.chmod(0o700)
    path.parent.chmod(0o777)
    refused(made, "chmod go-w")
    path.parent.chmod(0o700)
    (mounted / "secret").chmod(0o640)
    refused(made, "chmod 600")


def test_what_is_no_regular_file_is_refused_at_once(made: Made) -> None:
    path, _ = made
    path.unlink()
    os.mkfifo(path, 0o600)
    refused(made, "no regular file")
    path.unlink()
    path.mkdir(mode=0o700)
    refused(made, "no regular file")
    path.rmdir()
    path.symlink_to("/dev/null")
    with pytest.raises(StateError):
        made[1](path)


def test_a_file_without_end_is_refused(made: Made) -> None:
    with made[0].open("r+b") as file:
        file.truncate(SECRET_BYTES_MAX + 1)
    refused(made, "larger")
