"""What storage needs of encryption, as an interface.

Owns the demand; `identity.security` fulfils it. Storage never sees a key.
"""

from typing import Protocol

INDEX_BYTES = 16
"""Length of a blind index, 128 bits: with 2^28 citizens the chance of any collision is below
2^-72."""


class Sealer(Protocol):
    """Encrypts personal data for one place and makes keyed look-up values."""

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt; the same plaintext gives different bytes each time.

        Args:
            plaintext: The data.
            context: Names the place (table, column, row key); needed again to open it.
        """
        ...

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt what `seal` made for the same context.

        Raises:
            ValueError: Other context, other key, or changed bytes.
        """
        ...

    def blind_index(self, kind: str, value: str) -> bytes:
        """A keyed digest of `INDEX_BYTES`, equal for equal values of one kind."""
        ...
