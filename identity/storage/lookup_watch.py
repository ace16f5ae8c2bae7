"""How much of a caller's look-ups is about nobody, and whether they were stopped for that.

Owns the rows of `lookup_watch`. How much is too much is the domain's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from identity.domain.lookup_watch import Looked

# In the order of the callers, as everybody locks. On a new day the counts begin anew; what was
# stopped stays stopped.
_SAME_DAY = "lookup_watch.day = excluded.day"
_COUNT = text(
    "INSERT INTO lookup_watch (caller, day, asked_count, unknown_count, sequential_count)"
    " SELECT * FROM unnest(CAST(:callers AS text[]), CAST(:days AS date[]),"
    "  CAST(:asked AS bigint[]), CAST(:unknown AS bigint[]), CAST(:sequential AS bigint[]))"
    "  AS given (caller, day, asked_count, unknown_count, sequential_count) ORDER BY caller"
    " ON CONFLICT (caller) DO UPDATE SET day = excluded.day,"
    "  asked_count = excluded.asked_count"
    f"   + CASE WHEN {_SAME_DAY} THEN lookup_watch.asked_count ELSE 0 END,"
    "  unknown_count = excluded.unknown_count"
    f"   + CASE WHEN {_SAME_DAY} THEN lookup_watch.unknown_count ELSE 0 END,"
    "  sequential_count = excluded.sequential_count"
    f"   + CASE WHEN {_SAME_DAY} THEN lookup_watch.sequential_count ELSE 0 END"
    " RETURNING caller, asked_count, unknown_count, sequential_count"
)
_STOPPED = text(
    "SELECT caller FROM lookup_watch"
    " WHERE caller = ANY (CAST(:callers AS text[])) AND stopped_at IS NOT NULL"
)
_STOP = text("UPDATE lookup_watch SET stopped_at = :at WHERE caller = :caller")
_RESUME = text(
    "UPDATE lookup_watch SET stopped_at = NULL, asked_count = 0, unknown_count = 0,"
    "  sequential_count = 0"
    " WHERE caller = :caller AND stopped_at IS NOT NULL RETURNING caller"
)


@dataclass(frozen=True, slots=True)
class LookupWatch:
    """The watch over look-ups, in one transaction."""

    connection: Connection

    def stopped_among(self, callers: Iterable[str]) -> frozenset[str]:
        """Those of some callers whose look-ups were stopped."""
        found = self.connection.execute(_STOPPED, {"callers": sorted(callers)})
        return frozenset(found.scalars())

    def count(self, looked: Mapping[str, Looked], *, day: date) -> Mapping[str, Looked]:
        """Add to callers' day; returns what it comes to. Others of these callers wait."""
        given = {
            "callers": list(looked),
            "days": [day] * len(looked),
            "asked": [each.asked_count for each in looked.values()],
            "unknown": [each.unknown_count for each in looked.values()],
            "sequential": [each.sequential_count for each in looked.values()],
        }
        return {
            row.caller: Looked(
                asked_count=row.asked_count,
                unknown_count=row.unknown_count,
                sequential_count=row.sequential_count,
            )
            for row in self.connection.execute(_COUNT, given)
        }

    def stop(self, caller: str, *, at: datetime) -> None:
        """Stop a caller's look-ups, which were counted before."""
        self.connection.execute(_STOP, {"caller": caller, "at": at})

    def resume(self, caller: str) -> bool:
        """Let it go on, with counts that begin anew; False when it was not stopped."""
        return self.connection.execute(_RESUME, {"caller": caller}).first() is not None
