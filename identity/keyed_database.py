"""Bring the database and its keys together, and keep them together while they are used.

Owns when keys are made, which are refused, and that a process takes up a changed ring without being
started again. Part of the composition root: it knows storage and security, and no use case.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from identity.key_watch import KeyWatch, watching_keys
from identity.security.key_source import KeySource, first_key_ring
from identity.security.keys import KeyFileError, KeyRing
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork, connect, is_claimed
from identity.storage.registry import CONSTANT
from identity.storage.sealing_keys import has_sealing_keys


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """The keys of one process: what seals and opens, and where it has them from.

    Attributes:
        source: Where the ring is kept.
        vault: What has taken it up.
        database: What is sealed with it.
    """

    source: KeySource
    vault: Vault
    database: Database

    def take_up(self) -> bool:
        """Go on with the ring as it is now; says whether it is another than before.

        What will be sealed with must be written down first, so that its loss would be noticed.

        Raises:
            StateError: The ring is gone, damaged or another registry's; the one in force stays.
            StorageUnavailableError: The database cannot be reached.
        """
        ring = self.source.read()
        if ring is None:
            raise KeyFileError(f"{self.source.name} is gone")
        if ring == self.vault.ring:
            return False
        self.vault.refuse_foreign(ring)
        with self.database.transaction() as uow:
            UnitOfWork(uow.connection, Vault(ring)).sealing_keys.register()
        self.vault.adopt(ring)
        return True

    def mark_active(self) -> None:
        """Say that new values are sealed with the active key."""
        with self.database.transaction() as uow:
            if has_sealing_keys(uow.connection):
                uow.sealing_keys.mark_active()


@contextmanager
def keyed_database(
    url: str, source: KeySource, *, may_lack_keys: bool = False, is_logged: bool = False
) -> Iterator[Database]:
    """The registry's database with the keys to its data.

    Keys are made only for a database that has none yet: fresh ones would find nobody in it.

    Args:
        url: The database.
        source: Where the keys are kept.
        may_lack_keys: Go on although values need keys that are lost.
        is_logged: Whether the log says what becomes of the keys meanwhile.

    Raises:
        StateError: The keys are missing, damaged, lost in part, or those of another database.
        StorageUnavailableError: The database cannot be reached.
    """
    ring = source.read()
    engine = connect(url)
    try:
        has_keys = is_claimed(engine)
        vault = Vault(ring or _first_keys(source, has_keys=has_keys), look_up=source.read)
        database = Database(engine, vault)
        if has_keys:
            _check(database, may_lack_keys=may_lack_keys)
        keys = KeysInUse(source, vault, database)
        watch = KeyWatch(take_up=keys.take_up, mark_active=keys.mark_active, is_logged=is_logged)
        with watching_keys(watch):
            yield database
    finally:
        engine.dispose()


def bind(database: Database) -> None:
    """Bind a database at head to its keys for good, and write down which they are.

    Raises:
        ForeignKeysError: It is bound to others.
    """
    with database.transaction() as uow:
        uow.registry.claim()
        uow.sealing_keys.register()


def fits(database: Database, source: KeySource) -> bool:
    """Whether the keys can be had where they are kept, and are still those of this database.

    Raises:
        StateError: They cannot be had, or are damaged.
    """
    ring = source.read()
    if ring is None:
        return False
    # The index key is the one that no rotation changes: another one finds nobody.
    kind, value = "registry", CONSTANT.decode()
    return Vault(ring).blind_index(kind, value) == database.sealer.blind_index(kind, value)


def _first_keys(source: KeySource, *, has_keys: bool) -> KeyRing:
    if has_keys:
        raise KeyFileError(
            f"{source.name} is missing, and this database was sealed with it: restore it"
        )
    return first_key_ring(source)


def _check(database: Database, *, may_lack_keys: bool) -> None:
    with database.transaction() as uow:
        uow.registry.check_keys()
        if not has_sealing_keys(uow.connection):
            return
        uow.sealing_keys.check()
        if not may_lack_keys:
            uow.sealing_keys.refuse_lost()
