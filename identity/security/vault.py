"""Field encryption and blind indexes: the one layer between personal data and storage.

Owns the sealed format and the derivation of index keys. Knows no table: the caller names the place
a value belongs to, and a value moved to another place does not open.

Sealed format: version (1 byte) · key id (4, big-endian) · nonce (12) · AES-256-GCM ciphertext
and tag (NIST SP 800-38D). Nonces are random: far below the 2^32 values a key that SP 800-38D
section 8.3 allows, because keys rotate.

Version 1 is sealed with the key itself. Version 2 is sealed for one person: with HMAC-SHA-256 of
the person's secret under a key that is derived from it. Whoever has the whole ring and not the
secret learns nothing of the key (HMAC as in HKDF-Extract, RFC 5869 section 2.2).

A vault outlives the ring that it was made with: it takes up a changed one, and looks for a key that
it does not have before it says that a value does not open.
"""

import os
import struct
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from identity.domain.errors import RecordUnreadableError
from identity.security.keys import KEY_BYTES, KeyFileError, KeyRing
from identity.state_directory import StateError

INDEX_BYTES = 16
"""128 bits: with 2^28 citizens the chance of any collision is below 2^-72."""

LOOK_AGAIN_S = 5.0
"""A key that was looked for and not found is not looked for again before: values of a lost key
would else have the ring read at each of them."""

_HEADER = struct.Struct(">BI")
_VERSION = 1
_PERSONAL_VERSION = 2
_NONCE_BYTES = 12

INDEX_KINDS = (
    *("personal_id", "msisdn", "record", "claim", "holder", "request", "registry"),
    *("nonce", "nonce_digest", "subject", "relay", "organisation", "majority_day", "backup"),
    *("audit_details", "probe"),
)
"""What is indexed; each kind has a key of its own, so equal texts of two kinds do not meet. Nonces
are made the same way: what a keyed digest says of a session nobody can tell without the key."""


@dataclass(frozen=True, slots=True)
class _Keys:
    """What one ring is good for; exchanged as a whole, so that no thread sees half of it."""

    ring: KeyRing
    ciphers: Mapping[int, AESGCM]
    of_persons: Mapping[int, HMAC]

    @classmethod
    def of(cls, ring: KeyRing) -> "_Keys":
        return cls(
            ring,
            {key_id: AESGCM(key) for key_id, key in ring.sealing.items()},
            {
                key_id: HMAC(_derive(key, "person"), SHA256())
                for key_id, key in ring.sealing.items()
            },
        )

    def cipher(self, key_id: int, secret: bytes | None) -> AESGCM | None:
        """What a key seals with, for everybody or for one person; None without the key."""
        if secret is None:
            return self.ciphers.get(key_id)
        found = self.of_persons.get(key_id)
        if found is None:
            return None
        keyed = found.copy()
        keyed.update(secret)
        return AESGCM(keyed.finalize())


class Vault:
    """Seals, opens and indexes with one key ring. May be used by several threads.

    Args:
        ring: The keys.
        look_up: Reads the ring anew; asked when a value names a key that is not in it.
        now: Seconds that never go back.
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        look_up: Callable[[], KeyRing | None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = _Keys.of(ring)
        self._index_keys = {
            kind: HMAC(_derive(ring.index, f"blind index: {kind}"), SHA256())
            for kind in INDEX_KINDS
        }
        self._look_up = look_up
        self._now = now
        self._look_again_at = now()
        self._changing = threading.Lock()

    @property
    def ring(self) -> KeyRing:
        """The keys in force."""
        return self._keys.ring

    @property
    def active_id(self) -> int:
        """The number of the key that new values are sealed with."""
        return self._keys.ring.active_id

    @property
    def key_ids(self) -> Collection[int]:
        """The numbers of all sealing keys at hand."""
        return self._keys.ring.sealing.keys()

    def adopt(self, ring: KeyRing) -> None:
        """Go on with a changed ring: its keys open, its active one seals.

        Raises:
            KeyFileError: It has another index key, or another key under a known number: it is not
                this registry's.
        """
        with self._changing:
            self.refuse_foreign(ring)
            self._keys = _Keys.of(ring)

    def refuse_foreign(self, ring: KeyRing) -> None:
        """Find out whether a ring could be adopted.

        Raises:
            KeyFileError: As for `adopt`.
        """
        known = self._keys.ring
        both = known.sealing.keys() & ring.sealing.keys()
        is_other = any(known.sealing[number] != ring.sealing[number] for number in both)
        if is_other or ring.index != known.index:
            raise KeyFileError("the key ring was exchanged for another one's")

    def seal(
        self,
        plaintext: bytes,
        *,
        context: bytes,
        key_id: int | None = None,
        secret: bytes | None = None,
    ) -> bytes:
        """Encrypt for one place; the same plaintext gives different bytes each time."""
        keys = self._keys
        number = keys.ring.active_id if key_id is None else key_id
        cipher = keys.cipher(number, secret)
        if cipher is None:
            raise KeyError(number)
        nonce = os.urandom(_NONCE_BYTES)
        header = _HEADER.pack(_VERSION if secret is None else _PERSONAL_VERSION, number)
        return header + nonce + cipher.encrypt(nonce, plaintext, header + context)

    def open(self, sealed: bytes, *, context: bytes, secret: bytes | None = None) -> bytes:
        """Decrypt what `seal` made for the same place.

        Raises:
            RecordUnreadableError: Other place, other key, other secret or none, or changed bytes.
        """
        header, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
        if len(header) < _HEADER.size or header[0] not in {_VERSION, _PERSONAL_VERSION}:
            raise RecordUnreadableError("not a sealed value of a known version")
        is_personal = header[0] == _PERSONAL_VERSION
        if is_personal and secret is None:
            raise RecordUnreadableError("sealed for a person whose secret is not there")
        cipher = self._cipher(_HEADER.unpack(header)[1], secret if is_personal else None)
        if cipher is None:
            raise RecordUnreadableError("sealed with a key that is not in the key ring")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + context)
        except (InvalidTag, ValueError) as error:
            raise RecordUnreadableError("does not open here") from error

    def _cipher(self, key_id: int, secret: bytes | None) -> AESGCM | None:
        found = self._keys.cipher(key_id, secret)
        if found is not None or self._look_up is None:
            return found
        with self._changing:
            if key_id not in self._keys.ciphers and self._now() >= self._look_again_at:
                self._learn(self._look_up)
                if key_id not in self._keys.ciphers:
                    self._look_again_at = self._now() + LOOK_AGAIN_S
        return self._keys.cipher(key_id, secret)

    def _learn(self, look_up: Callable[[], KeyRing | None]) -> None:
        """Take up keys to open with. Which one seals is settled by `adopt` alone."""
        try:
            ring = look_up()
        except (StateError, OSError):
            return
        if ring is None:
            return
        try:
            self.refuse_foreign(ring)
        except KeyFileError:
            return
        known = self._keys.ring
        sealing = {**known.sealing, **ring.sealing}
        self._keys = _Keys.of(
            KeyRing(active_id=known.active_id, sealing=sealing, index=known.index)
        )

    def blind_index(self, kind: str, value: str) -> bytes:
        """A keyed digest (HMAC-SHA-256, first 16 bytes) of one of `INDEX_KINDS`."""
        # A copy of one that has its key already: a quarter of the time of `hmac.digest`.
        keyed = self._index_keys[kind].copy()
        keyed.update(value.encode())
        return keyed.finalize()[:INDEX_BYTES]


def _derive(key: bytes, purpose: str) -> bytes:
    # HKDF-Expand (RFC 5869): the master key is uniformly random already.
    info = f"subid {purpose}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=info).derive(key)
