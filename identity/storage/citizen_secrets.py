"""Each person's own secret: without it nothing that was sealed for the person opens again.

Owns the rows of `citizen_secret`: that there is one when something is sealed for a person, that it
stays while that goes on, and that it can be destroyed. What it seals is the repositories' to know.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text

from identity.storage.arrays import any_key
from identity.storage.privacy_tables import citizen_secret
from identity.storage.sealing import Sealer

SECRET_BYTES = 32
"""As many as an AES-256 key has."""

_ADD = text(
    "INSERT INTO citizen_secret (citizen_key, secret_sealed)"
    " SELECT * FROM unnest(CAST(:keys AS bytea[]), CAST(:sealed AS bytea[]))"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class CitizenSecrets:
    """The secrets of one transaction."""

    connection: Connection
    sealer: Sealer

    def find(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """Those that exist, by citizen."""
        query = select(citizen_secret).where(any_key(citizen_secret.c.citizen_key, keys))
        return {
            key: self.sealer.open(sealed, context=_place(key))
            for key, sealed in self.connection.execute(query)
        }

    def obtain(self, key: bytes) -> bytes:
        """A citizen's, made if there is none. It stays until the transaction ends."""
        return self.obtain_many([key])[key]

    def obtain_many(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """The same for many, in three statements. In key order, so that two cannot deadlock."""
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        found = self.hold(wanted)
        fresh = [key for key in wanted if key not in found]
        if fresh:
            sealed = [
                self.sealer.seal(secrets.token_bytes(SECRET_BYTES), context=_place(key))
                for key in fresh
            ]
            self.connection.execute(_ADD, {"keys": fresh, "sealed": sealed})
            # Of two who make one for the same citizen, one has waited for the other's.
            found |= self.hold(fresh)
        return found

    def destroy(self, key: bytes) -> bytes | None:
        """Take a citizen's away for good.

        Returns:
            Its SHA-256, which proves nothing to those who never had it and everything to those who
            did; None where there was none.
        """
        statement = delete(citizen_secret).where(citizen_secret.c.citizen_key == key)
        sealed = self.connection.execute(statement.returning(citizen_secret.c.secret_sealed))
        found = sealed.scalar()
        if found is None:
            return None
        return hashlib.sha256(self.sealer.open(found, context=_place(key))).digest()

    def hold(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """`find`, and each stays until the transaction ends. In key order."""
        query = (
            select(citizen_secret)
            .where(any_key(citizen_secret.c.citizen_key, keys))
            .order_by(citizen_secret.c.citizen_key)
            .with_for_update(key_share=True, read=True)
        )
        return {
            key: self.sealer.open(sealed, context=_place(key))
            for key, sealed in self.connection.execute(query)
        }


def _place(key: bytes) -> bytes:
    return b"citizen_secret.secret|" + key
