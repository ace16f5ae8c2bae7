"""What a message centre has been given, kept on disk.

Owns which message of ours stands behind which identifier of the centre's, and what the centre has
said of it, until that was told to the service. So a process that is killed knows when it is back
what it must not send again and what it has still to tell. Holds identifiers only: no number, no
words.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from identity.domain.message import MessageFailure, Receipt, ReceiptOutcome

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
  network_id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  lease_id TEXT NOT NULL,
  ends_at REAL NOT NULL,
  outcome TEXT,
  failure TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_message ON sent (message_id);
CREATE INDEX IF NOT EXISTS sent_outcome ON sent (outcome) WHERE outcome IS NOT NULL;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreported:
    """What a centre has said and the service does not know yet."""

    network_id: str
    lease_id: UUID
    receipt: Receipt


class Journal:
    """The journal in a file of its own; for one process and one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, or begin one."""
        # For its owner alone, and so are the files that SQLite lays beside it.
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        # A killed process loses nothing; a machine that loses its power may lose the last entries,
        # and then something is sent twice.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator[Self]:
        """Open it for the time of the block."""
        journal = cls(path)
        try:
            yield journal
        finally:
            journal.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def keep(self, network_id: str, *, message_id: UUID, lease_id: UUID, ends_at: datetime) -> None:
        """The centre has taken a message and calls it so."""
        self._connection.execute(
            "INSERT OR REPLACE INTO sent (network_id, message_id, lease_id, ends_at)"
            " VALUES (?, ?, ?, ?)",
            (network_id, str(message_id), str(lease_id), ends_at.timestamp()),
        )

    def take_over(self, message_id: UUID, lease_id: UUID) -> bool:
        """Whether the centre has a message already; its receipt goes by this lease from now on."""
        changed = self._connection.execute(
            "UPDATE sent SET lease_id = ? WHERE message_id = ?", (str(lease_id), str(message_id))
        )
        return changed.rowcount > 0

    def note(
        self, network_id: str, outcome: ReceiptOutcome, failure: MessageFailure | None
    ) -> bool:
        """What the centre says became of a message; whether it is one of ours."""
        changed = self._connection.execute(
            "UPDATE sent SET outcome = ?, failure = ? WHERE network_id = ?",
            (outcome.value, None if failure is None else failure.value, network_id),
        )
        return changed.rowcount > 0

    def unreported(self, *, limit: int) -> Sequence[Unreported]:
        """What is still to be told to the service."""
        rows = self._connection.execute(
            "SELECT network_id, message_id, lease_id, outcome, failure FROM sent"
            " WHERE outcome IS NOT NULL LIMIT ?",
            (limit,),
        )
        return [
            Unreported(
                network_id=network_id,
                lease_id=UUID(lease_id),
                receipt=Receipt(
                    message_id=UUID(message_id),
                    outcome=ReceiptOutcome(outcome),
                    failure=None if failure is None else MessageFailure(failure),
                ),
            )
            for network_id, message_id, lease_id, outcome, failure in rows
        ]

    def forget(self, network_ids: Iterable[str]) -> None:
        """The service knows what became of some messages."""
        with self._connection:
            self._connection.executemany(
                "DELETE FROM sent WHERE network_id = ?", [(each,) for each in network_ids]
            )

    def forget_before(self, instant: datetime) -> None:
        """Forget what ended so long ago that no word of it counts any more."""
        self._connection.execute("DELETE FROM sent WHERE ends_at < ?", (instant.timestamp(),))
