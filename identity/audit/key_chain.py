"""The keys that heads are signed with: one after the other, each handed over to by the one before.

Owns the file of the private key, the name of the log, and how trust in one key leads to the next.
Knows neither heads nor the database.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from identity.audit.checkpoint import NoteRefusedError, handover_statement, verify
from identity.state_directory import SecretFileError, StateError, read_secret, write_whole

KEY_FILE = "audit.key.pem"
"""In the state directory; servers of one registry share it."""

NEXT_FILE = "audit.key.next.pem"
"""A key that is about to follow: it takes its place once the log knows it."""

_NAME_BYTES = 8


class AuditKeyError(StateError):
    """A key of the audit log that cannot be used; the message never shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedKey:
    """A public key in its place.

    Attributes:
        number: Its place, from 1 on.
        public_key: 32 bytes.
        handover: What the key before signed; None of the first one, and where the one before was
            lost.
    """

    number: int
    public_key: bytes
    handover: bytes | None = None


def origin_of(first_key: bytes) -> str:
    """The name of the log whose first public key this is: its own, and the same for ever."""
    return f"subid-audit-{hashlib.sha256(first_key).hexdigest()[: 2 * _NAME_BYTES]}"


def next_key(
    origin: str, old: ChainedKey, new_key: bytes, *, signer: Ed25519PrivateKey | None
) -> ChainedKey:
    """The key that follows another.

    Args:
        origin: The log.
        old: The key before.
        new_key: 32 bytes.
        signer: The private half of the key before; None where it is lost.
    """
    statement = handover_statement(origin, old.public_key, new_key)
    handover = None if signer is None else signer.sign(statement)
    return ChainedKey(number=old.number + 1, public_key=new_key, handover=handover)


def refuse_unchained(
    origin: str, keys: Sequence[ChainedKey], *, trusted: bytes, number: int
) -> ChainedKey:
    """The key of a number, if a trusted one leads to it by handovers.

    Args:
        origin: The log.
        keys: The chain, or the part of it that is at hand.
        trusted: A public key, from somewhere else.
        number: Which key is asked for.

    Raises:
        NoteRefusedError: It does not.
    """
    by_number = {key.number: key for key in keys}
    if len(by_number) < len(keys) or len({key.public_key for key in keys}) < len(keys):
        raise NoteRefusedError("two keys have one number, or one key two")
    begin = next((key for key in keys if key.public_key == trusted), None)
    if begin is None or begin.number > number:
        raise NoteRefusedError("the trusted key does not lead to the key that signed")
    for step in range(begin.number, number):
        if step + 1 not in by_number:
            raise NoteRefusedError("a key of the chain is missing")
        _refuse_handover(origin, by_number[step], by_number[step + 1])
    return by_number[number]


def handed_over(first: ChainedKey, old: ChainedKey, new: ChainedKey) -> bool:
    """Whether an old key has signed that a new one takes its place, in the log of a first key."""
    try:
        _refuse_handover(origin_of(first.public_key), old, new)
    except NoteRefusedError:
        return False
    return True


def _refuse_handover(origin: str, old: ChainedKey, new: ChainedKey) -> None:
    if new.handover is None:
        raise NoteRefusedError(f"key {old.number} handed over to no other")
    verify(
        old.public_key,
        new.handover,
        handover_statement(origin, old.public_key, new.public_key),
    )


def read_key_file(path: Path) -> Ed25519PrivateKey:
    """The private key in a file.

    Raises:
        FileNotFoundError: There is none.
        AuditKeyError: Others may have read it or put it there, or it is no Ed25519 key.
    """
    try:
        key = load_pem_private_key(read_secret(path), password=None)
    except SecretFileError as error:
        raise AuditKeyError(str(error)) from error
    except (ValueError, TypeError) as error:
        raise AuditKeyError(f"{path} is not an Ed25519 key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyError(f"{path} is not an Ed25519 key in PEM")
    return key


def write_key_file(path: Path, key: Ed25519PrivateKey, *, may_replace: bool = False) -> None:
    """Write a private key that only its owner can read.

    Raises:
        FileExistsError: There is one, and it may not be replaced.
    """
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_whole(path, content, mode=0o600, may_replace=may_replace)
