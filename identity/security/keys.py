"""The key file: secrets that the registry's data is sealed and indexed with.

Owns reading, writing and checking the file. Knows nothing of what the keys are used for.
"""

import base64
import json
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from identity.state_directory import StateError, locked, write_whole

KEY_BYTES = 32
"""AES-256 and HMAC-SHA-256 keys (NIST SP 800-57 part 1, 256-bit strength)."""

KEY_ID_MAX = 2**32 - 1
"""A sealed value has four bytes for the number of its key."""


class KeyFileError(StateError):
    """A key file that cannot be used; the message never shows its contents."""


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


def write_key_ring(path: Path, ring: KeyRing) -> None:
    """Write a key file that only its owner can read.

    Raises:
        FileExistsError: There is one: keys are never overwritten.
    """
    document = {
        "active_id": ring.active_id,
        "sealing": {str(i): base64.b64encode(key).decode() for i, key in ring.sealing.items()},
        "index": base64.b64encode(ring.index).decode(),
    }
    content = json.dumps(document, indent=2).encode("ascii")
    write_whole(path, content, mode=0o600, may_replace=False)


def read_key_ring(path: Path) -> KeyRing:
    """Read a key file.

    Raises:
        KeyFileError: Others may read it, it is damaged, or a key has the wrong length.
    """
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path} can be read by others: chmod 600")
    try:
        document = json.loads(path.read_text(encoding="ascii"))
        ring = KeyRing(
            active_id=int(document["active_id"]),
            sealing={_key_id(i): _key(text) for i, text in document["sealing"].items()},
            index=_key(document["index"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyFileError(f"{path} is not a key file") from error
    if ring.active_id not in ring.sealing:
        raise KeyFileError(f"{path} lacks its active key")
    return ring


def load_or_create_key_ring(path: Path) -> KeyRing:
    """The keys in a file, made on first use; of several processes one makes them.

    Raises:
        KeyFileError: As for `read_key_ring`.
    """
    with locked(path.parent):
        if not path.exists():
            write_key_ring(path, generate_key_ring())
    return read_key_ring(path)


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
