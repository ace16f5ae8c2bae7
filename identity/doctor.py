"""An examination of the whole service: everything that it stands on, looked at once.

Owns the order, and how the database is reached: read-only, beside a server or without one. Changes
nothing; an embedded PostgreSQL that does not run is started for the examination and stopped again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from identity.bootstrap import embedded_directory, key_source
from identity.config import Settings
from identity.doctor_database import DatabaseDoctor
from identity.doctor_files import FileDoctor
from identity.domain.errors import OverloadedError, StorageUnavailableError
from identity.domain.policy import PolicyPackError
from identity.finding import Finding, failed, looked_at, warning
from identity.security.keys import KeyRing, generate_key_ring
from identity.security.vault import Vault
from identity.state_directory import StateError
from identity.storage.database import Database
from identity.storage.embedded import embedded_postgres
from identity.storage.server_facts import inspecting


def examine(
    settings: Settings, *, now: Callable[[], datetime], callers: Path | None = None
) -> list[Finding]:
    """Look at everything.

    Args:
        settings: The settings.
        now: What time it is, in UTC.
        callers: Directory of callers' certificates, if any is to be looked at.

    Returns:
        A finding for each thing, in the order in which the service needs it. What cannot be looked
        at for want of something else is left out: the finding of that one says why.
    """
    files = FileDoctor(settings, now(), callers)
    return [*looked_at(files.looks()), *_of_database(files, now)]


def _of_database(files: FileDoctor, now: Callable[[], datetime]) -> Sequence[Finding]:
    settings = files.settings
    if settings.database is None and not (embedded_directory(settings) / "PG_VERSION").exists():
        said = f"{embedded_directory(settings)} holds no database yet"
        return [warning("database", said, "the first start makes one")]
    try:
        policies, ring = files.policies, key_source(settings).read()
    except (OSError, StateError, PolicyPackError):
        # Told already; what is in the database cannot be read without them.
        return [failed("database", "not looked at: see keys and policies", "put them right first")]
    try:
        with _database(settings, ring) as database:
            database.ping()
            return list(looked_at(DatabaseDoctor(database, settings, policies, now).looks()))
    except (StateError, StorageUnavailableError, OverloadedError) as error:
        return [failed("database", str(error), "start it, or see what `database` names")]


@contextmanager
def _database(settings: Settings, ring: KeyRing | None) -> Iterator[Database]:
    # Without keys everything but them is looked at; those that stand in are kept nowhere.
    vault = Vault(ring or generate_key_ring())
    if settings.database is not None:
        with inspecting(settings.database) as engine:
            yield Database(engine, vault)
        return
    with embedded_postgres(embedded_directory(settings)) as url, inspecting(url) as engine:
        yield Database(engine, vault)
