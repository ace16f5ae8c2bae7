"""Relay tokens: what an agency holds instead of a number.

Owns the rows of `relay`. Tokens themselves are not stored, only a keyed digest of each: whoever
reads the table can send nothing. Knows no right and no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from identity.domain.agency import Purpose
from identity.storage.relay_tables import relay
from identity.storage.sealing import Sealer

TOKEN_BYTES = 16
"""128 bits, as a random UUID: nobody finds one by trying."""

_ADD = text(
    "INSERT INTO relay (token_digest, agency, purpose, citizen_key, expires_at)"
    " SELECT * FROM unnest(CAST(:digests AS bytea[]), CAST(:agencies AS text[]),"
    " CAST(:purposes AS text[]), CAST(:keys AS bytea[]), CAST(:ends AS timestamptz[]))"
)
# Twice as many as are made: what has ended never piles up, and nobody waits for a job.
_CLEAR = text(
    "DELETE FROM relay WHERE token_digest IN (SELECT token_digest FROM relay"
    " WHERE expires_at <= :at ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A new token.

    Attributes:
        token: 16 random octets.
        agency: Who alone can use it.
        purpose: What for alone.
        citizen_key: Whom it reaches.
        expires_at: When it ends.
    """

    token: bytes
    agency: str
    purpose: Purpose
    citizen_key: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Relays:
    """The relay tokens of one transaction."""

    connection: Connection
    sealer: Sealer

    def add(self, items: Sequence[Relay], *, at: datetime) -> None:
        """Store new tokens, and clear some of those that have ended."""
        if not items:
            return
        given = {
            "digests": [self._digest(item.token) for item in items],
            "agencies": [item.agency for item in items],
            "purposes": [item.purpose.value for item in items],
            "keys": [item.citizen_key for item in items],
            "ends": [item.expires_at for item in items],
        }
        self.connection.execute(_ADD, given)
        self.connection.execute(_CLEAR, {"at": at, "most": 2 * len(items)})

    def find(self, agency: str, purpose: Purpose, token: bytes, *, at: datetime) -> bytes | None:
        """Whom a token reaches; None when it is not this agency's for this purpose, or ended."""
        query = select(relay.c.citizen_key).where(
            relay.c.token_digest == self._digest(token),
            relay.c.agency == agency,
            relay.c.purpose == purpose.value,
            relay.c.expires_at > at,
        )
        return self.connection.execute(query).scalar()

    def _digest(self, token: bytes) -> bytes:
        return self.sealer.blind_index("relay", token.hex())
