"""How much of a caller's look-ups is about nobody, and whether they were stopped for that.

Owns the rows of `lookup_watch`. How much is too much is the domain's. People are looked up here as
they are counted, all by the same statement: whoever is known costs as much as whoever is not.

A caller has some rows, its shards, so that its calls do not wait for each other; those of one tally
count as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from sqlalchemy import Connection, RowMapping, text

from identity.domain.agency import Purpose
from identity.domain.lookup_watch import Looked
from identity.storage.restrictions import Restriction

SHARDS = 8
"""Rows of one caller and tally: as many of its single look-ups are counted at a time."""


class Tally(IntEnum):
    """What is judged by itself: the first shard of each is its place times `SHARDS`.

    Apart, because an operator may ask about its own numbers as often as it likes: counted together,
    that would hide how many of the people whom it names are nobody.
    """

    QUESTION = 0
    HOLDER = 1


# On a new day the counts begin anew; what was stopped stays stopped.
_SAME_DAY = "CASE WHEN kept.day = excluded.day THEN"
_ADD = (
    " ON CONFLICT (caller, shard) DO UPDATE SET day = excluded.day,"
    f" asked_count = excluded.asked_count + {_SAME_DAY} kept.asked_count ELSE 0 END,"
    f" unknown_count = excluded.unknown_count + {_SAME_DAY} kept.unknown_count ELSE 0 END,"
    f" sequential_count = excluded.sequential_count + {_SAME_DAY} kept.sequential_count ELSE 0 END"
    " RETURNING caller, shard, asked_count, unknown_count, sequential_count"
)

# The other shards as they were when the statement began; this one as it is now.
_TOTALS = (
    "SELECT counted.caller,"  # noqa: S608 - names of our own, no input
    " counted.asked_count + coalesce(sum(other.asked_count), 0)::bigint AS asked_count,"
    " counted.unknown_count + coalesce(sum(other.unknown_count), 0)::bigint AS unknown_count,"
    " counted.sequential_count + coalesce(sum(other.sequential_count), 0)::bigint"
    "  AS sequential_count FROM counted LEFT JOIN lookup_watch AS other"
    " ON other.caller = counted.caller AND other.shard <> counted.shard AND other.day = :day"
    f" AND other.shard / {SHARDS} = counted.shard / {SHARDS}"
    " GROUP BY counted.caller, counted.asked_count, counted.unknown_count,"
    "  counted.sequential_count"
)
_COUNT = text(
    "WITH counted AS (INSERT INTO lookup_watch AS kept"  # noqa: S608 - names of our own, no input
    " (caller, shard, day, asked_count, unknown_count, sequential_count)"
    f" VALUES (:caller, :shard, :day, :asked, :unknown, :sequential){_ADD}) {_TOTALS}"
)

# In the order of the callers, as everybody locks.
_LOOK_UP = text(
    "WITH asked AS MATERIALIZED (SELECT * FROM unnest(CAST(:callers AS text[]),"  # noqa: S608 - as above
    "  CAST(:keys AS bytea[])) AS asked (caller, citizen_key)),"
    " counted AS (INSERT INTO lookup_watch AS kept"
    "  (caller, shard, day, asked_count, unknown_count, sequential_count)"
    "  SELECT asked.caller, 0, :day, count(*),"
    "   count(*) FILTER (WHERE citizen.citizen_key IS NULL), sequential.count"
    "  FROM asked LEFT JOIN citizen ON citizen.citizen_key = asked.citizen_key"
    "  JOIN unnest(CAST(:in_order AS text[]), CAST(:sequential AS bigint[]))"
    "   AS sequential (caller, count) ON sequential.caller = asked.caller"
    f"  GROUP BY asked.caller, sequential.count ORDER BY asked.caller{_ADD}),"
    f" total AS ({_TOTALS})"
    " SELECT citizen_key, objected_purposes, is_restricted, NULL AS caller,"
    "  0::bigint AS asked_count, 0::bigint AS unknown_count, 0::bigint AS sequential_count"
    " FROM restriction WHERE citizen_key IN (SELECT citizen_key FROM asked)"
    " UNION ALL SELECT NULL, NULL, NULL, caller, asked_count, unknown_count, sequential_count"
    " FROM total"
)
_IS_STOPPED = text(
    "SELECT EXISTS (SELECT FROM lookup_watch WHERE caller = :caller AND stopped_at IS NOT NULL)"
)
_STOP = text("UPDATE lookup_watch SET stopped_at = :at WHERE caller = :caller")
_RESUME = text(
    "WITH held AS MATERIALIZED (SELECT caller, shard, stopped_at FROM lookup_watch"
    "  WHERE caller = :caller ORDER BY shard FOR UPDATE)"
    " UPDATE lookup_watch AS kept SET stopped_at = NULL, asked_count = 0, unknown_count = 0,"
    "  sequential_count = 0 FROM held WHERE kept.caller = held.caller AND kept.shard = held.shard"
    " RETURNING held.stopped_at IS NOT NULL AS was_stopped"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom one caller asks about in one transaction.

    Attributes:
        keys: Blind indexes of the personal IDs.
        sequential_count: How many of the people are next to the one before.
    """

    keys: Sequence[bytes]
    sequential_count: int


@dataclass(frozen=True, slots=True)
class LookupWatch:
    """The watch over look-ups, in one transaction."""

    connection: Connection

    def look_up(
        self, asked: Mapping[str, Asked], *, day: date
    ) -> tuple[Mapping[bytes, Restriction], Mapping[str, Looked]]:
        """Count whom callers ask about, those who are in no register as unknown, in one statement.

        Others of these callers wait until the transaction ends.

        Returns:
            What these people do not want, as `Restrictions.find`; and what each caller's day comes
            to.
        """
        pairs = [(caller, key) for caller, each in asked.items() for key in each.keys]
        given = {
            "callers": [caller for caller, _ in pairs],
            "keys": [key for _, key in pairs],
            "in_order": list(asked),
            "sequential": [each.sequential_count for each in asked.values()],
            "day": day,
        }
        rows = self.connection.execute(_LOOK_UP, given).mappings().all()
        restrictions = {
            row["citizen_key"]: Restriction(
                objected_purposes=frozenset(map(Purpose, row["objected_purposes"])),
                is_restricted=row["is_restricted"],
            )
            for row in rows
            if row["caller"] is None
        }
        return restrictions, {row["caller"]: _looked(row) for row in rows if row["caller"]}

    def count(
        self,
        caller: str,
        looked: Looked,
        *,
        shard: int,
        day: date,
        tally: Tally = Tally.QUESTION,
    ) -> Looked:
        """Add to one shard of a caller's day; returns what the day comes to in this tally."""
        given = {
            "caller": caller,
            "shard": tally * SHARDS + shard % SHARDS,
            "day": day,
            "asked": looked.asked_count,
            "unknown": looked.unknown_count,
            "sequential": looked.sequential_count,
        }
        return _looked(self.connection.execute(_COUNT, given).mappings().one())

    def is_stopped(self, caller: str) -> bool:
        """Whether a caller's look-ups were stopped."""
        return bool(self.connection.execute(_IS_STOPPED, {"caller": caller}).scalar_one())

    def stop(self, caller: str, *, at: datetime) -> None:
        """Stop a caller's look-ups, of which some were counted before."""
        self.connection.execute(_STOP, {"caller": caller, "at": at})

    def resume(self, caller: str) -> bool:
        """Let it go on, with counts that begin anew; False when it was not stopped."""
        rows: Iterable[bool] = self.connection.execute(_RESUME, {"caller": caller}).scalars()
        return any(list(rows))


def _looked(row: RowMapping) -> Looked:
    return Looked(
        asked_count=row["asked_count"],
        unknown_count=row["unknown_count"],
        sequential_count=row["sequential_count"],
    )
