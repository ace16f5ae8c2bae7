"""Keys follow each other by handovers, and the file of a key is its owner's only."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from identity.audit.checkpoint import NoteRefusedError
from identity.audit.key_chain import (
    AuditKeyError,
    ChainedKey,
    next_key,
    origin_of,
    read_key_file,
    refuse_unchained,
    write_key_file,
)

PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([place]) * 32) for place in (1, 2, 3)]
PUBLIC = [each.public_key().public_bytes_raw() for each in PRIVATE]
ORIGIN = origin_of(PUBLIC[0])


def chain() -> Sequence[ChainedKey]:
    keys = [ChainedKey(number=1, public_key=PUBLIC[0])]
    for old, new in ((0, 1), (1, 2)):
        keys.append(next_key(ORIGIN, keys[-1], PUBLIC[new], signer=PRIVATE[old]))
    return keys


@pytest.mark.parametrize(("trusted", "number"), [(0, 1), (0, 3), (1, 2), (1, 3), (2, 3)])
def test_a_trusted_key_leads_to_those_that_follow(trusted: int, number: int) -> None:
    found = refuse_unchained(ORIGIN, chain(), trusted=PUBLIC[trusted], number=number)
    assert found.public_key == PUBLIC[number - 1]


def test_a_key_does_not_vouch_for_those_before_it_nor_a_stranger_for_any() -> None:
    for trusted, number in ((PUBLIC[1], 1), (b"\x00" * 32, 3)):
        with pytest.raises(NoteRefusedError, match="does not lead"):
            refuse_unchained(ORIGIN, chain(), trusted=trusted, number=number)


def test_a_handover_that_is_missing_forged_or_another_logs_leads_nowhere() -> None:
    first, second, third = chain()
    lost = next_key(ORIGIN, first, PUBLIC[1], signer=None)
    elsewhere = next_key("subid-audit-other", first, PUBLIC[1], signer=PRIVATE[0])
    forged = replace(second, handover=b"\x01" * 64)
    for bad in ([first, third], [first, lost, third], [first, elsewhere], [first, forged]):
        with pytest.raises(NoteRefusedError):
            refuse_unchained(ORIGIN, bad, trusted=PUBLIC[0], number=bad[-1].number)


def test_a_number_or_a_key_that_stands_twice_leads_nowhere() -> None:
    first, second, _ = chain()
    intruder = replace(second, number=1, handover=None)
    again = replace(first, number=2, handover=None)
    for bad in ([first, intruder], [intruder, first], [first, again]):
        with pytest.raises(NoteRefusedError, match="one number"):
            refuse_unchained(ORIGIN, bad, trusted=PUBLIC[0], number=1)


def test_a_key_file_is_read_as_it_was_written_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "audit.key.pem"
    write_key_file(path, PRIVATE[0])
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path).private_bytes_raw() == PRIVATE[0].private_bytes_raw()
    with pytest.raises(FileExistsError):
        write_key_file(path, PRIVATE[1])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "audit.key.pem"
    write_key_file(path, PRIVATE[0])
    path.chmod(mode)
    with pytest.raises(AuditKeyError, match="chmod 600"):
        read_key_file(path)


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.key.pem"
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"no key", pem, b"x" * 5_000):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(AuditKeyError):
            read_key_file(path)
