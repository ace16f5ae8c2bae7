"""Which of an operator's messages go next: the most urgent, and of those the oldest.

Owns the choice and its cost, which grows with what is asked for and not with what is open, out or
done: two partial indexes of `message` hold what is ready by its place, and what is out and comes
back by when it does; what a network keeps until its end is in neither. Unlike orders for one number
(`directive_queue.py`), messages do not wait for one another, so whoever pulls passes over what
others hold. Knows nothing of what is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

MessageKey = tuple[bytes, UUID]
"""Full key of a message: the citizen's, and its identifier."""

# The states are spelled out as in the indexes: the planner must see that these hold what is asked.
_CANDIDATES = text(
    "WITH ready AS (SELECT * FROM message"
    " WHERE operator_id = :operator_id AND state = 'pending' AND expires_at > :at"
    " ORDER BY priority, position LIMIT :limit FOR UPDATE SKIP LOCKED),"
    " returned AS (SELECT * FROM message WHERE operator_id = :operator_id"
    " AND state = 'leased' AND lease_expires_at < expires_at"
    " AND lease_expires_at <= :at AND expires_at > :at"
    " ORDER BY lease_expires_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " SELECT * FROM ready UNION ALL SELECT * FROM returned ORDER BY priority, position LIMIT :limit"
)
_HAND_OUT = text(
    "UPDATE message SET state = 'leased', lease_id = :lease_id, lease_expires_at = :expires_at,"
    " handed_at = coalesce(handed_at, CAST(:at AS timestamptz))"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS one (key, id)"
    " WHERE message.citizen_key = one.key AND message.message_id = one.id"
)
# In their order, although any would do: else the planner may look among all that have an end.
_NEXT_AT = text(
    "SELECT coalesce((SELECT CAST(:at AS timestamptz) FROM message"
    " WHERE operator_id = :operator_id AND state = 'pending' AND expires_at > :at"
    " ORDER BY priority, position LIMIT 1),"
    " (SELECT lease_expires_at FROM message WHERE operator_id = :operator_id"
    " AND state = 'leased' AND lease_expires_at < expires_at"
    " ORDER BY lease_expires_at LIMIT 1))"
)
# Whoever has leased one may still say that it was delivered.
_EXPIRE = text(
    "UPDATE message SET state = 'expired', done_at = message.expires_at,"
    " lease_id = NULL, lease_expires_at = NULL"
    " FROM (SELECT citizen_key, message_id FROM message"
    "  WHERE state IN ('pending', 'leased') AND expires_at <= :at"
    "  AND (lease_expires_at IS NULL OR lease_expires_at <= :at)"
    "  ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED) AS over"
    " WHERE message.citizen_key = over.citizen_key AND message.message_id = over.message_id"
)


@dataclass(frozen=True, slots=True)
class MessageQueue:
    """What waits to be handed out, in one transaction."""

    connection: Connection

    def candidates(self, operator_id: str, *, at: datetime, limit: int) -> Sequence[RowMapping]:
        """An operator's next messages in their order, held until the transaction ends.

        What others hold at this moment is passed over.
        """
        given = {"operator_id": operator_id, "at": at, "limit": limit}
        return self.connection.execute(_CANDIDATES, given).mappings().all()

    def hand_out(
        self, keys: Iterable[MessageKey], *, lease_id: UUID, expires_at: datetime, at: datetime
    ) -> None:
        """Lease some candidates."""
        given = {"lease_id": lease_id, "expires_at": expires_at, "at": at}
        self.connection.execute(_HAND_OUT, {**listed(keys), **given})

    def next_at(self, operator_id: str, *, at: datetime) -> datetime | None:
        """When an operator has something to lease: at once, or when a lease ends; or never yet."""
        given = {"operator_id": operator_id, "at": at}
        found: datetime | None = self.connection.execute(_NEXT_AT, given).scalar()
        return found

    def expire(self, *, at: datetime, limit: int) -> int:
        """End messages that are of no use any more and that nobody has; returns how many."""
        return self.connection.execute(_EXPIRE, {"at": at, "limit": limit}).rowcount


def listed(keys: Iterable[MessageKey]) -> dict[str, Any]:
    """Full keys as the parameters of a statement."""
    pairs = list(keys)
    return {"keys": [key for key, _ in pairs], "ids": [identity for _, identity in pairs]}
