"""A registry of a test's own with a ring in memory, for the tests of what changes keys."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, delete, select, update

from identity.audit.log import audit_entry
from identity.domain.holder import PopulationRecord
from identity.keyed_database import bind
from identity.security.keys import KeyRing, generate_key_ring
from identity.security.vault import Vault
from identity.services.transactions import Transactions
from identity.state_directory import StateError
from identity.storage.database import Database
from identity.storage.key_tables import sealing_key
from identity.storage.tables import citizen, registry
from tests.unit.identity.makers import NOW


@dataclass
class KeysInMemory:
    """A key source that can be changed behind somebody's back."""

    ring: KeyRing
    name: str = "memory"
    before_exchange: Callable[[], object] | None = None

    def read(self) -> KeyRing | None:
        """The ring as it is now."""
        return self.ring

    def exchange(self, old: KeyRing | None, new: KeyRing) -> None:
        """Put another in its place."""
        act, self.before_exchange = self.before_exchange, None
        if act is not None:
            act()
        if self.ring != old:
            raise StateError("changed by somebody else")
        self.ring = new


@dataclass
class KeyedRegistry:
    """A registry and where its keys are."""

    source: KeysInMemory
    engine: Engine

    def transactions(self, ring: KeyRing | None = None) -> Transactions:
        """As a process that started now, or with another ring."""
        return Transactions(Database(self.engine, Vault(ring or self.source.ring)))

    def save(self, *records: PopulationRecord, ring: KeyRing | None = None) -> None:
        """Store records as a process with the ring of now, or another one."""
        self.transactions(ring).run(lambda uow: uow.citizens.save_many(records, at=NOW))

    def find(self, records: Iterable[PopulationRecord]) -> set[PopulationRecord | None]:
        """The records as they are stored, read with the ring of now."""
        ids = [record.personal_id for record in records]
        return set(self.transactions().run(lambda uow: uow.citizens.find_many(ids)).values())

    def wait(self, minutes: float) -> None:
        """Let time go by: nobody has sealed with any key since."""
        with self.engine.begin() as connection:
            earlier = sealing_key.c.last_active_at - timedelta(minutes=minutes)
            connection.execute(update(sealing_key).values(last_active_at=earlier))

    def audited(self) -> list[tuple[str, str, object]]:
        """What the audit log says of keys in this test's time."""
        columns = (audit_entry.c.action, audit_entry.c.outcome, audit_entry.c.details)
        with self.engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(audit_entry.c.entry_id))
            return [(row.action, row.outcome, row.details) for row in rows]

    def last_audited(self) -> tuple[str, str, object]:
        """The last of it."""
        return self.audited()[-1]


@contextmanager
def keyed_registry(engine: Engine) -> Iterator[KeyedRegistry]:
    """An empty registry with one key; what was stored is removed in the end."""
    made = KeyedRegistry(KeysInMemory(generate_key_ring()), engine)
    bind(made.transactions().database)
    try:
        yield made
    finally:
        with engine.begin() as connection:
            for table in (citizen, registry, sealing_key):
                connection.execute(delete(table))
