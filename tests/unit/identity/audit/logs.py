"""A log of its own for a test: entries, a key, a few sealings.

Owns what many tests of the tree begin with. Judges nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text

from identity.audit.checkpoint import TreeHead, VerifierKey
from identity.audit.log import AuditEntry, append, audit_entry
from identity.audit.tree import read_keys
from identity.security.vault import Vault
from identity.services.seal_audit import AuditKeys, Sealed, seal, verifier_keys
from identity.storage.database import Database, UnitOfWork
from tests.unit.identity.makers import NOW

ENTRY = AuditEntry(
    occurred_at=NOW,
    caller="agency:tax",
    action="get_contact",
    outcome="available",
    citizen_key=b"\x01" * 16,
    purpose="legal_notice",
    details={"codes": ["A"]},
)


_LATE_ENTRIES = "SELECT entry_id FROM audit_leaf WHERE leaf_index >= :size"
CUT = (
    f"DELETE FROM audit_entry WHERE entry_id IN ({_LATE_ENTRIES})",  # noqa: S608 - a constant
    "DELETE FROM audit_leaf WHERE leaf_index >= :size",
    "DELETE FROM audit_node WHERE ((node_index + 1) << level) > :size",
    "DELETE FROM audit_head WHERE tree_size > :size",
)
"""Takes a log back to an older state that was signed: its first `size` entries."""

_UNSETTLED = text(
    "SELECT count(*) FROM audit_entry WHERE (era, transaction_id)"
    " >= ((SELECT max(era) FROM audit_entry), pg_snapshot_xmin(pg_current_snapshot()))"
)


@dataclass(frozen=True)
class OwnLog:
    """A registry with nothing in it but an audit log."""

    database: Database
    keys: AuditKeys

    @classmethod
    def of(cls, engine: Engine, vault: Vault, directory: Path) -> "OwnLog":
        """The log of a database whose key lies in a directory."""
        return cls(Database(engine, vault), AuditKeys(directory))

    def write(self, count: int = 1, entry: AuditEntry = ENTRY) -> Sequence[int]:
        """Append entries in a transaction; their numbers."""
        with self.database.transaction() as uow:
            append(uow.connection, [entry] * count)
            query = select(audit_entry.c.entry_id).order_by(audit_entry.c.entry_id.desc())
            numbers = list(uow.connection.execute(query.limit(count)).scalars())
        return numbers[::-1]

    def seal(self, *, at: datetime = NOW, limit: int = 1_000) -> Sealed:
        """Seal once."""
        with self.database.transaction() as uow:
            return seal(uow, self.keys, at=at, limit=limit)

    def seal_and_be_killed(self, *, at: datetime = NOW, limit: int = 1_000) -> None:
        """Seal once, and end before the commit."""
        with self.database.engine.connect() as connection:
            uow = UnitOfWork(connection, self.database.sealer)
            assert seal(uow, self.keys, at=at, limit=limit).head is not None
            connection.rollback()

    def settle(self) -> None:
        """Wait until no transaction runs that is older than an entry.

        Those of other tests count too: a server numbers the transactions of all its databases.
        """
        while True:
            with self.database.engine.connect() as connection:
                if not connection.execute(_UNSETTLED).scalar():
                    return

    def head(self, *, at: datetime = NOW) -> TreeHead:
        """Seal everything; the head over it."""
        self.settle()
        done = self.seal(at=at)
        while done.is_more:
            done = self.seal(at=at)
        assert done.head is not None
        return done.head

    def verifiers(self) -> Sequence[VerifierKey]:
        """Its public keys."""
        with self.database.transaction() as uow:
            return verifier_keys(read_keys(uow.connection))


def details_key_of(uow: UnitOfWork) -> bytes:
    return uow.sealer.blind_index("audit_details", "")


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """A superuser's transaction that no trigger stops."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
