"""Watch that entries come to be sealed, by the clock of the server that watches.

Owns what waits, and since when. It believes neither the dates of rows, nor a lock that somebody
holds, nor a head that is only signed anew, nor the order of entries alone: who administers the
database decides all of these. Seals nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, text

from identity.audit.checkpoint import NoteRefusedError, VerifierKey, verify
from identity.audit.tree import leaf_index_of, newest_head

# Entries are sealed in this order: when the last one is, all are that were there with it.
_LAST_ENTRY = text(
    "SELECT entry_id FROM audit_entry ORDER BY era DESC, transaction_id DESC, entry_id DESC LIMIT 1"
)

# Unless somebody put one there that stands after all that will ever be written, or has what is
# written stand before what is sealed. Each entry has its number from a counter, whatever its place.
_GIVEN = text(
    "SELECT COALESCE(pg_sequence_last_value(CAST("
    "pg_get_serial_sequence('audit_entry', 'entry_id') AS regclass)), 0)"
)
_LEFT_OUT = text(
    "SELECT EXISTS (SELECT FROM audit_entry AS entry"
    " WHERE entry_id > :seen AND entry_id <= :given AND NOT EXISTS ("
    "  SELECT FROM audit_leaf AS leaf"
    "  WHERE leaf.entry_id = entry.entry_id AND leaf_index < :size))"
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Entries that are to come under a head.

    Attributes:
        last: The last one by the order; that one must, also if it is gone since.
        given: The highest number that was given by then.
    """

    last: int
    given: int


class SealingWatch:
    """What one server has seen waiting, and since when."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        """Begin to watch.

        Args:
            now: Seconds of a clock that nobody sets.
        """
        self._now = now
        self._waiting: _Waiting | None = None
        self._since: float | None = None
        self._seen: int | None = None

    def look(self, connection: Connection, key: VerifierKey | None) -> None:
        """See whether what waited is sealed, and what waits now.

        Args:
            connection: A transaction.
            key: The public half of what this server signs with; without one nothing is sealed.
        """
        began = self._now()
        if self._since is None:
            # Until this look has ended nobody knows better: it may hang on a lock.
            self._since = began
        signed = _signed_size(connection, key)
        if self._waiting is not None and not self._is_sealed(connection, self._waiting, signed):
            return
        given = int(connection.execute(_GIVEN).scalar_one())
        if self._seen is None or given < self._seen:
            # Before the first look the order must do: to ask of all entries would take minutes.
            self._seen = given
        last = connection.execute(_LAST_ENTRY).scalar()
        waiting = None if last is None else _Waiting(int(last), given)
        if waiting is None or self._is_sealed(connection, waiting, signed):
            self._waiting, self._since = None, None
        else:
            self._waiting, self._since = waiting, began

    def _is_sealed(self, connection: Connection, waiting: _Waiting, size: int) -> bool:
        if not _is_under(connection, waiting.last, size):
            return False
        given = {"seen": self._seen, "given": waiting.given, "size": size}
        if connection.execute(_LEFT_OUT, given).scalar_one():
            return False
        self._seen = waiting.given
        return True

    def waits_s(self) -> float:
        """For how many seconds something is known to wait; 0 where nothing does."""
        since = self._since
        return 0.0 if since is None else max(self._now() - since, 0.0)


def _is_under(connection: Connection, entry_id: int, size: int) -> bool:
    index = leaf_index_of(connection, entry_id)
    return index is not None and index < size


def _signed_size(connection: Connection, key: VerifierKey | None) -> int:
    """How many leaves the newest head covers, if our key has signed it."""
    kept = newest_head(connection)
    if kept is None or key is None:
        return 0
    try:
        verify(key.public_key, kept.signature, kept.head.body.encode())
    except NoteRefusedError:
        return 0
    return kept.head.size
