"""Of whom the population authority is told next: citizens in the order in which they are owed it.

Owns each citizen's place in `subscriber_sequence`, and what a choice costs: that grows with what is
asked for, and not with what is open, out or acknowledged. Two partial indexes hold nothing else:
citizens of whom something can be told, by its place; those of whom something is out, by when it
comes back. Knows neither what is told nor why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text, update

from identity.storage.arrays import any_of
from identity.storage.update_tables import subscriber_sequence

RECORD_LOOKED_FOR_EVERY = timedelta(days=1)
"""How long a citizen without a record steps aside. A record that comes relinks the numbers, which
is told as soon as it is; this is for those that nobody relinks, because they have ended."""

# Without a record there is no person in the register to whom it could be entered.
_CANDIDATES = text(
    "WITH ready AS (SELECT citizen_key FROM subscriber_sequence"
    " WHERE settled_sequence < last_sequence AND waits_until IS NULL"
    " ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED),"
    " returned AS (SELECT citizen_key FROM subscriber_sequence"
    " WHERE settled_sequence < last_sequence AND waits_until <= :at"
    " ORDER BY waits_until LIMIT :limit FOR UPDATE SKIP LOCKED),"
    " candidate AS (SELECT citizen_key FROM ready UNION ALL SELECT citizen_key FROM returned)"
    " SELECT citizen_key, EXISTS (SELECT FROM citizen"
    " WHERE citizen.citizen_key = candidate.citizen_key) AS has_record FROM candidate"
)
_OPEN = text(
    "SELECT open.* FROM unnest(CAST(:citizens AS bytea[])) AS candidate (citizen_key)"
    " CROSS JOIN LATERAL (SELECT * FROM subscriber_update"
    " WHERE subscriber_update.citizen_key = candidate.citizen_key"
    " AND acknowledged_sequence < sequence ORDER BY position LIMIT :limit) AS open"
    " ORDER BY open.position"
)
_HAND_OUT = text(
    "UPDATE subscriber_update SET leased_sequence = sequence, lease_id = :lease_id,"
    " lease_expires_at = :expires_at"
    " FROM unnest(CAST(:citizens AS bytea[]), CAST(:ids AS uuid[])) AS taken (citizen_key, id)"
    " WHERE subscriber_update.citizen_key = taken.citizen_key"
    " AND subscriber_update.subscription_id = taken.id"
)
_PLACE = text(
    "UPDATE subscriber_sequence AS place SET"
    " (last_sequence, settled_sequence, position, waits_until) ="
    " (SELECT last, CASE WHEN first IS NULL THEN last ELSE place.settled_sequence END, first,"
    " (SELECT max(lease_expires_at) FROM subscriber_update AS out"
    " WHERE out.citizen_key = place.citizen_key AND out.lease_expires_at IS NOT NULL)"
    " FROM (SELECT greatest(place.last_sequence, reached.last),"
    " (SELECT position FROM subscriber_update AS open WHERE open.citizen_key = place.citizen_key"
    " AND open.acknowledged_sequence < open.sequence ORDER BY position LIMIT 1)"
    ") AS now (last, first))"
    " FROM unnest(CAST(:citizens AS bytea[]), CAST(:reached AS bigint[]))"
    " AS reached (citizen_key, last)"
    " WHERE place.citizen_key = reached.citizen_key"
)


@dataclass(frozen=True, slots=True)
class UpdateQueue:
    """Who waits to be told of, in one transaction."""

    connection: Connection

    def take(
        self, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[RowMapping]:
        """Lease the next open updates; rows of `subscriber_update` as they were, oldest first.

        Citizens whose updates others move at this moment are passed over.
        """
        while known := self._candidates(at=at, limit=limit):
            told = [key for key, has_record in known.items() if has_record]
            rows = self._open(told, limit=limit)
            out = {row["citizen_key"] for row in rows if _is_out(row, at)}
            free = [row for row in rows if row["citizen_key"] not in out]
            taken = free[:limit]
            self._hand_out(taken, lease_id=lease_id, expires_at=expires_at)
            left = {row["citizen_key"] for row in free} - {row["citizen_key"] for row in taken}
            self.place(dict.fromkeys((key for key in told if key not in left), 0))
            self._set_aside(known.keys() - told, until=at + RECORD_LOOKED_FOR_EVERY)
            # Again while those in front only had to step aside: there may be others behind them.
            if taken:
                return taken
        return []

    def place(self, reached: Mapping[bytes, int]) -> None:
        """Give citizens the place that their updates give them; the caller holds their rows.

        Args:
            reached: The last sequence of each, 0 where no new one was given.
        """
        given = {"citizens": list(reached), "reached": list(reached.values())}
        self.connection.execute(_PLACE, given)

    def _candidates(self, *, at: datetime, limit: int) -> Mapping[bytes, bool]:
        """The next citizens, whom nobody else moves until the end; whether each has a record."""
        rows = self.connection.execute(_CANDIDATES, {"at": at, "limit": limit})
        return {row.citizen_key: row.has_record for row in rows}

    def _open(self, citizens: Sequence[bytes], *, limit: int) -> Sequence[RowMapping]:
        # Read once they are held: an update may have changed or come before.
        given = {"citizens": citizens, "limit": limit}
        return self.connection.execute(_OPEN, given).mappings().all()

    def _hand_out(
        self, rows: Sequence[RowMapping], *, lease_id: UUID, expires_at: datetime
    ) -> None:
        given = {
            "lease_id": lease_id,
            "expires_at": expires_at,
            "citizens": [row["citizen_key"] for row in rows],
            "ids": [row["subscription_id"] for row in rows],
        }
        self.connection.execute(_HAND_OUT, given)

    def _set_aside(self, citizens: Iterable[bytes], *, until: datetime) -> None:
        are_they = any_of(subscriber_sequence.c.citizen_key, citizens)
        statement = update(subscriber_sequence).where(are_they).values(waits_until=until)
        self.connection.execute(statement)


def _is_out(row: RowMapping, at: datetime) -> bool:
    ends_at = row["lease_expires_at"]
    return ends_at is not None and ends_at > at
