"""What storage needs of encryption, as an interface.

Owns the demand; `identity.security` fulfils it. Storage never sees a key. It knows of a sealed
value where the number of its key stands, so that the database can count by it.
"""

from collections.abc import Collection
from typing import Protocol

KEY_ID_AT = 2
"""Place of the key's number in a sealed value, counted from 1 as SQL does."""

KEY_ID_BYTES = 4
"""Its length; the number is big-endian."""


PERSONAL_VERSION = 2
"""First octet of a value that was sealed with a person's secret; of all others it is 1."""


class Sealer(Protocol):
    """Encrypts personal data for one place and makes keyed look-up values."""

    @property
    def active_id(self) -> int:
        """The number of the key that new values are sealed with."""
        ...

    @property
    def key_ids(self) -> Collection[int]:
        """The numbers of all keys at hand."""
        ...

    def seal(
        self,
        plaintext: bytes,
        *,
        context: bytes,
        key_id: int | None = None,
        secret: bytes | None = None,
    ) -> bytes:
        """Encrypt; the same plaintext gives different bytes each time.

        Args:
            plaintext: The data.
            context: Names the place (table, column, row key); needed again to open it.
            key_id: The key to seal with; the active one unless given.
            secret: A person's own; then it takes this as well as the key to open it.
        """
        ...

    def open(self, sealed: bytes, *, context: bytes, secret: bytes | None = None) -> bytes:
        """Decrypt what `seal` made for the same context.

        Args:
            sealed: What was made.
            context: The place that it was made for.
            secret: The person's own, if there is one; what was sealed without opens all the same.

        Raises:
            RecordUnreadableError: Other context, other key, other secret or none, or changed bytes.
        """
        ...

    def blind_index(self, kind: str, value: str) -> bytes:
        """A keyed digest of 16 bytes, equal for equal values of one kind."""
        ...


def takes_secret(sealed: bytes) -> bool:
    """Whether a value was sealed for a person: it takes the person's secret to open it."""
    return sealed[:1] == bytes([PERSONAL_VERSION])


def key_number_in(sealed: bytes) -> bytes:
    """The number of the key that sealed a value, as the bytes that stand in it."""
    return sealed[KEY_ID_AT - 1 : KEY_ID_AT - 1 + KEY_ID_BYTES]
