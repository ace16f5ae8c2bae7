"""How much of an agency's matching fails, and whether it was stopped for that.

Owns the rows of `match_watch`. How much is too much is the domain's.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, text, update

from identity.storage.match_tables import match_watch

# On a new day the counts begin anew; what was stopped stays stopped.
_COUNT = text(
    "INSERT INTO match_watch (name, day, people_count, failed_count)"
    " VALUES (:name, :day, :people_count, :failed_count)"
    " ON CONFLICT (name) DO UPDATE SET day = excluded.day,"
    "  people_count = excluded.people_count"
    "   + CASE WHEN match_watch.day = excluded.day THEN match_watch.people_count ELSE 0 END,"
    "  failed_count = excluded.failed_count"
    "   + CASE WHEN match_watch.day = excluded.day THEN match_watch.failed_count ELSE 0 END"
    " RETURNING people_count, failed_count"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """How many people were compared, and how many of them were unknown or differed."""

    people_count: int
    failed_count: int


@dataclass(frozen=True, slots=True)
class MatchWatch:
    """The watch over matching, in one transaction."""

    connection: Connection

    def is_stopped(self, name: str) -> bool:
        """Whether an agency's matching was stopped."""
        query = select(match_watch.c.stopped_at).where(match_watch.c.name == name)
        return self.connection.execute(query).scalar() is not None

    def count(self, name: str, matched: Matched, *, day: date) -> Matched:
        """Add to an agency's day; returns what it comes to. Others of the agency wait."""
        given = {
            "name": name,
            "day": day,
            "people_count": matched.people_count,
            "failed_count": matched.failed_count,
        }
        row = self.connection.execute(_COUNT, given).one()
        return Matched(people_count=row.people_count, failed_count=row.failed_count)

    def stop(self, name: str, *, at: datetime) -> None:
        """Stop an agency's matching, which was counted before."""
        self.connection.execute(
            update(match_watch).where(match_watch.c.name == name).values(stopped_at=at)
        )

    def resume(self, name: str) -> bool:
        """Let it go on, with a day's counts that begin anew; False when it was not stopped."""
        statement = (
            update(match_watch)
            .where(match_watch.c.name == name, match_watch.c.stopped_at.is_not(None))
            .values(stopped_at=None, people_count=0, failed_count=0)
        )
        resumed = self.connection.execute(statement.returning(match_watch.c.name))
        return resumed.first() is not None
