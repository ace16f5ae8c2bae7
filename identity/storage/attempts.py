"""Attempts at a verification that failed, of people and at numbers.

Owns the rows of `verification_attempt`, and that whoever counts one holds it until the transaction
ends. How long a failure makes the next attempt wait is the domain's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from identity.domain.throttle import Attempts

# In the order of the keys, as everybody locks. The update changes nothing: it waits for whoever
# holds the row, and then holds it.
_HOLD = text(
    "INSERT INTO verification_attempt (subject_key, channel, failed_count, last_at)"
    " SELECT key, :channel, 0, '-infinity' FROM unnest(CAST(:keys AS bytea[])) AS key ORDER BY key"
    " ON CONFLICT (subject_key, channel) DO UPDATE SET channel = excluded.channel"
    " RETURNING subject_key, failed_count,"
    "  CASE WHEN isfinite(last_at) THEN last_at END AS last_at"
)
_FIND = text(
    "SELECT subject_key, failed_count, CASE WHEN isfinite(last_at) THEN last_at END AS last_at"
    " FROM verification_attempt"
    " WHERE subject_key = ANY (CAST(:keys AS bytea[])) AND channel = :channel"
)
_LOCK = text(f"{_FIND.text} ORDER BY subject_key FOR UPDATE")
_SAVE = text(
    "UPDATE verification_attempt AS kept"
    " SET failed_count = given.failed_count, last_at = given.last_at"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:counts AS integer[]),"
    "  CAST(:instants AS timestamptz[])) AS given (subject_key, failed_count, last_at)"
    " WHERE kept.subject_key = given.subject_key AND kept.channel = :channel"
)
_FORGET = text("DELETE FROM verification_attempt WHERE subject_key = ANY (CAST(:keys AS bytea[]))")


@dataclass(frozen=True, slots=True)
class VerificationAttempts:
    """The attempts of one transaction."""

    connection: Connection

    def find(
        self, keys: Iterable[bytes], channel: str, *, lock: bool = False
    ) -> Mapping[bytes, Attempts]:
        """Those of some people and numbers through one channel; who has none is not there.

        Args:
            keys: Blind indexes of people and numbers.
            channel: Through which they were attempted.
            lock: Whether nobody else counts there until the transaction ends.
        """
        return self._read(_LOCK if lock else _FIND, keys, channel)

    def hold(self, keys: Iterable[bytes], channel: str) -> Mapping[bytes, Attempts]:
        """All of them, those without any as well; nobody else counts there meanwhile."""
        return self._read(_HOLD, keys, channel)

    def save(self, attempts: Mapping[bytes, Attempts], channel: str) -> None:
        """Store attempts that are held, each taken at least once."""
        given = {
            "keys": list(attempts),
            "counts": [each.failed_count for each in attempts.values()],
            "instants": [each.last_at for each in attempts.values()],
            "channel": channel,
        }
        self.connection.execute(_SAVE, given)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Forget what failed before, through every channel: the person was verified."""
        self.connection.execute(_FORGET, {"keys": sorted(keys)})

    def _read(
        self, statement: TextClause, keys: Iterable[bytes], channel: str
    ) -> Mapping[bytes, Attempts]:
        rows = self.connection.execute(statement, {"keys": sorted(keys), "channel": channel})
        return {
            row.subject_key: Attempts(failed_count=row.failed_count, last_at=row.last_at)
            for row in rows
        }
