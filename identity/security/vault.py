"""Field encryption and blind indexes: the one layer between personal data and storage.

Owns the sealed format and the derivation of index keys. Knows no table: the caller names the place
a value belongs to, and a value moved to another place does not open.

Sealed format: version (1 byte, 1) · key id (4, big-endian) · nonce (12) · AES-256-GCM ciphertext
and tag (NIST SP 800-38D). Nonces are random: far below the 2^32 values a key that SP 800-38D
section 8.3 allows, because keys rotate.
"""

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from identity.security.keys import KEY_BYTES, KeyRing

INDEX_BYTES = 16
"""128 bits: with 2^28 citizens the chance of any collision is below 2^-72."""

_HEADER = struct.Struct(">BI")
_VERSION = 1
_NONCE_BYTES = 12

INDEX_KINDS = (
    *("personal_id", "msisdn", "record", "claim", "holder", "request", "registry"),
    *("nonce", "nonce_digest"),
)
"""What is indexed; each kind has a key of its own, so equal texts of two kinds do not meet. Nonces
are made the same way: what a keyed digest says of a session nobody can tell without the key."""


class SealedValueError(ValueError):
    """A value that does not open: other place, other key, or changed bytes."""


class Vault:
    """Seals, opens and indexes with one key ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._active_id = ring.active_id
        self._ciphers = {key_id: AESGCM(key) for key_id, key in ring.sealing.items()}
        self._index_keys = {kind: HMAC(_derive(ring.index, kind), SHA256()) for kind in INDEX_KINDS}

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt for one place; the same plaintext gives different bytes each time."""
        nonce = os.urandom(_NONCE_BYTES)
        header = _HEADER.pack(_VERSION, self._active_id)
        sealed = self._ciphers[self._active_id].encrypt(nonce, plaintext, header + context)
        return header + nonce + sealed

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt what `seal` made for the same place.

        Raises:
            SealedValueError: Other place, other key, or changed bytes.
        """
        header, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
        if len(header) < _HEADER.size or header[0] != _VERSION:
            raise SealedValueError("not a sealed value of a known version")
        cipher = self._ciphers.get(_HEADER.unpack(header)[1])
        if cipher is None:
            raise SealedValueError("sealed with a key that is not in the key ring")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + context)
        except (InvalidTag, ValueError) as error:
            raise SealedValueError("does not open here") from error

    def blind_index(self, kind: str, value: str) -> bytes:
        """A keyed digest (HMAC-SHA-256, first 16 bytes) of one of `INDEX_KINDS`."""
        # A copy of one that has its key already: a quarter of the time of `hmac.digest`.
        keyed = self._index_keys[kind].copy()
        keyed.update(value.encode())
        return keyed.finalize()[:INDEX_BYTES]


def _derive(key: bytes, kind: str) -> bytes:
    # HKDF-Expand (RFC 5869): the master key is uniformly random already.
    info = f"subid blind index: {kind}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=info).derive(key)
