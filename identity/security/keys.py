"""The key ring: secrets that the registry's data is sealed and indexed with.

Owns its text form, what makes a ring whole, how it changes, and the file it lies in by default.
Knows nothing of what the keys are used for, nor of other places to keep them
(`identity.security.key_source`).
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from identity.state_directory import SecretFileError, StateError, read_secret, write_whole

KEY_BYTES = 32
"""AES-256 and HMAC-SHA-256 keys (NIST SP 800-57 part 1, 256-bit strength)."""

KEY_ID_MAX = 2**32 - 1
"""A sealed value has four bytes for the number of its key."""


# The last two are of JSON that nests without an end, and of a number that has none.
_NO_KEYS = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


class KeyFileError(StateError):
    """A key ring that cannot be used; the message never shows its contents."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KeyRing:
    """The keys.

    Attributes:
        active_id: The sealing key for new values, 1 to `KEY_ID_MAX`.
        sealing: Sealing keys by identifier; old ones stay to open old values.
        index: The key of blind indexes: changing it means indexing everything anew.
    """

    active_id: int
    sealing: Mapping[int, bytes]
    index: bytes


def generate_key_ring() -> KeyRing:
    """Fresh keys from the operating system."""
    return KeyRing(
        active_id=1,
        sealing={1: secrets.token_bytes(KEY_BYTES)},
        index=secrets.token_bytes(KEY_BYTES),
    )


def with_new_key(ring: KeyRing, *, key_id: int, is_active: bool) -> KeyRing:
    """The ring with one more sealing key from the operating system.

    Args:
        ring: The ring.
        key_id: The new key's number, which no key had before.
        is_active: Whether new values are sealed with it from now on.

    Raises:
        KeyFileError: The number is taken, or is none that the sealed format can hold.
    """
    if key_id in ring.sealing or not 1 <= key_id <= KEY_ID_MAX:
        raise KeyFileError(f"no new key can have the number {key_id}")
    sealing = {**ring.sealing, key_id: secrets.token_bytes(KEY_BYTES)}
    return replace(ring, sealing=sealing, active_id=key_id if is_active else ring.active_id)


def without_key(ring: KeyRing, key_id: int) -> KeyRing:
    """The ring without one of its old sealing keys.

    Raises:
        KeyFileError: It has no such key, or seals with it.
    """
    if key_id not in ring.sealing:
        raise KeyFileError(f"the key ring has no key {key_id}")
    if key_id == ring.active_id:
        raise KeyFileError(f"key {key_id} seals new values: rotate first")
    kept = {number: key for number, key in ring.sealing.items() if number != key_id}
    return replace(ring, sealing=kept)


def format_key_ring(ring: KeyRing) -> str:
    """The text form: JSON, the keys in base64."""
    document = {
        "active_id": ring.active_id,
        "sealing": {str(i): base64.b64encode(key).decode() for i, key in ring.sealing.items()},
        "index": base64.b64encode(ring.index).decode(),
    }
    return json.dumps(document, indent=2)


def parse_key_ring(text: str, *, origin: str) -> KeyRing:
    """Read what `format_key_ring` made.

    Args:
        text: The text.
        origin: Where it came from, for the message.

    Raises:
        KeyFileError: It is damaged, a key has the wrong length, or the active one is not there.
    """
    try:
        document = json.loads(text)
        ring = KeyRing(
            active_id=int(document["active_id"]),
            sealing={_key_id(i): _key(key) for i, key in document["sealing"].items()},
            index=_key(document["index"]),
        )
    except _NO_KEYS as error:
        raise KeyFileError(f"{origin} is not a key file") from error
    if ring.active_id not in ring.sealing:
        raise KeyFileError(f"{origin} lacks its active key")
    return ring


def write_key_ring(path: Path, ring: KeyRing, *, may_replace: bool = False) -> None:
    """Write a key file that only its owner can read.

    Args:
        path: Where.
        ring: The keys.
        may_replace: Whether an older file gives way, as a whole.

    Raises:
        FileExistsError: There is one, and it may not be replaced.
    """
    content = format_key_ring(ring).encode("ascii")
    write_whole(path, content, mode=0o600, may_replace=may_replace)


def read_key_ring(path: Path) -> KeyRing:
    """Read a key file.

    Raises:
        FileNotFoundError: There is none.
        KeyFileError: Others may read or replace it, it is damaged, or a key has the wrong length.
    """
    try:
        text = read_secret(path).decode("ascii")
    except SecretFileError as error:
        raise KeyFileError(str(error)) from error
    except ValueError as error:
        raise KeyFileError(f"{path} is not a key file") from error
    return parse_key_ring(text, origin=str(path))


def _key_id(text: str) -> int:
    key_id = int(text)
    if not 1 <= key_id <= KEY_ID_MAX:
        raise ValueError(f"a key's number is 1 to {KEY_ID_MAX}")
    return key_id


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return key
