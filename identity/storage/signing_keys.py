"""The keys that the service signs with: one in use, and the public ones of before.

Owns the rows of `signing_key`: that one key at most is in use, and that a retired one cannot sign
any more. Private keys are sealed like personal data, so whoever has a copy of the database cannot
sign, and every server signs with the same. Makes no key and signs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.storage.sealing import Sealer
from identity.storage.signing_tables import signing_key

# Conflicts with who locks a row to sign, and with another one like it; not with who only reads.
_HOLD = text("LOCK TABLE signing_key IN EXCLUSIVE MODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A key as it is stored.

    Attributes:
        key_id: Its name.
        public_key: 32 bytes.
        private_key: 32 bytes.
    """

    key_id: str
    public_key: bytes
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The signing keys of one transaction."""

    connection: Connection
    sealer: Sealer

    def in_use(self) -> KeyPair | None:
        """The key that signs; it stays so until the transaction ends. None before the first.

        Raises:
            RecordUnreadableError: It does not open.
        """
        query = select(signing_key).where(signing_key.c.retired_at.is_(None))
        row = self.connection.execute(query.with_for_update(read=True)).mappings().one_or_none()
        if row is None:
            return None
        sealed = row["private_key_sealed"]
        return KeyPair(
            key_id=row["key_id"],
            public_key=row["public_key"],
            private_key=self.sealer.open(sealed, context=_place(row["key_id"])),
        )

    def add(self, pair: KeyPair, *, at: datetime) -> bool:
        """Sign with a key from now on. False: another one is in use."""
        sealed = self.sealer.seal(pair.private_key, context=_place(pair.key_id))
        added = self.connection.execute(
            insert(signing_key)
            .values(
                key_id=pair.key_id,
                public_key=pair.public_key,
                private_key_sealed=sealed,
                made_at=at,
            )
            .on_conflict_do_nothing()
            .returning(signing_key.c.key_id)
        )
        return added.first() is not None

    def retire(self, *, at: datetime) -> None:
        """Have the key in use sign no more, by destroying its private half.

        Waits until nobody signs, and nobody else does until the transaction ends.
        """
        self.connection.execute(_HOLD)
        self.connection.execute(
            update(signing_key)
            .where(signing_key.c.retired_at.is_(None))
            .values(retired_at=at, private_key_sealed=None)
        )

    def public_keys(self, *, retired_after: datetime) -> Sequence[bytes]:
        """The public key in use and those retired after an instant, the newest first."""
        query = select(signing_key.c.public_key).where(
            or_(signing_key.c.retired_at.is_(None), signing_key.c.retired_at > retired_after)
        )
        newest_first = query.order_by(signing_key.c.made_at.desc(), signing_key.c.key_id)
        return list(self.connection.execute(newest_first).scalars())


def _place(key_id: str) -> bytes:
    return f"signing_key.private_key|{key_id}".encode()
