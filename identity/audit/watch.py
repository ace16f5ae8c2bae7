"""Watch that entries come to be sealed, by the clock of the server that watches.

Owns what waits, and since when. It believes neither the dates of rows, nor a lock that somebody
holds, nor a head that is only signed anew: who administers the database decides all of these.
Seals nothing.
"""

from collections.abc import Callable
from time import monotonic

from sqlalchemy import Connection, text

from identity.audit.checkpoint import NoteRefusedError, VerifierKey, verify
from identity.audit.tree import leaf_index_of, newest_head

# Entries are sealed in this order: when the last one is, all are that were there with it.
_LAST_ENTRY = text(
    "SELECT entry_id FROM audit_entry ORDER BY era DESC, transaction_id DESC, entry_id DESC LIMIT 1"
)


class SealingWatch:
    """What one server has seen waiting, and since when."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        """Begin to watch.

        Args:
            now: Seconds of a clock that nobody sets.
        """
        self._now = now
        self._waiting: int | None = None
        self._since: float | None = None

    def look(self, connection: Connection, key: VerifierKey | None) -> None:
        """See whether what waited is sealed, and what waits now.

        An entry that was seen once must come under a head, also if it is gone since.

        Args:
            connection: A transaction.
            key: The public half of what this server signs with; without one nothing is sealed.
        """
        began = self._now()
        if self._since is None:
            # Until this look has ended nobody knows better: it may hang on a lock.
            self._since = began
        signed = _signed_size(connection, key)
        if self._waiting is None or _is_under(connection, self._waiting, signed):
            last = connection.execute(_LAST_ENTRY).scalar()
            is_well = last is None or _is_under(connection, last, signed)
            self._waiting, self._since = (None, None) if is_well else (last, began)

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
