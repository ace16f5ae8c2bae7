"""Backups of a registry with its keys: taken, checked and made into a state directory again.

Owns each such undertaking as a whole, like `administration.py`: settings in, its result out. How a
backup is made of files is the storage's. The keys are never part of one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from identity.bootstrap import (
    embedded_directory,
    key_source,
    open_current_database,
    open_database,
)
from identity.config import Settings
from identity.security.key_source import FILE
from identity.security.keys import KeyRing, read_key_ring, write_key_ring
from identity.security.vault import Vault
from identity.state_directory import StateError, sync_directory
from identity.storage.backup_manifest import BackupError, BackupManifest
from identity.storage.base_backups import (
    BackupSource,
    BackupStore,
    Seal,
    create_backup,
    read_manifest,
    refuse_foreign,
    verify_files,
)
from identity.storage.embedded import embedded_postgres
from identity.storage.embedded_programs import remove_tree
from identity.storage.restoring import restore_data
from identity.storage.schema import schema_versions
from identity.storage.wal_archive import WALArchive

_SEAL_KIND = "backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A backup that was read as a whole.

    Attributes:
        manifest: What it says of itself.
        is_vouched_for: Whether the keys at hand have sealed its manifest; without any nobody knows.
    """

    manifest: BackupManifest
    is_vouched_for: bool


def take_backup(
    settings: Settings, store: BackupStore, *, kb_per_s_max: int | None = None
) -> tuple[Path, BackupManifest]:
    """Take a base backup of the embedded database, beside a server or without one.

    Raises:
        BackupError: The database is not the embedded one, or the backup cannot be made.
        StateError: As for `open_current_database`, or PostgreSQL cannot do it.
    """
    if settings.database is not None:
        raise BackupError("a database of your own is backed up with PostgreSQL's own tools")
    data = embedded_directory(settings)
    with open_current_database(settings) as database, embedded_postgres(data) as url:
        current, _ = schema_versions(database.engine)
        with database.transaction() as uow:
            keys = [key.key_id for key in uow.sealing_keys.known() if key.retired_at is None]
        source = BackupSource(url=url, data=data, schema_version=str(current), key_ids=keys)
        seal = partial(database.sealer.blind_index, _SEAL_KIND)
        made = create_backup(source, store, seal=seal, kb_per_s_max=kb_per_s_max)
    return made, read_manifest(made)[0]


def seal_at_hand(settings: Settings) -> Seal | None:
    """What the keys at hand vouch for a backup with; None where there are no keys.

    Raises:
        StateError: The keys cannot be had.
    """
    ring = key_source(settings).read()
    return None if ring is None else _seal(ring)


def prune_backups(settings: Settings, store: BackupStore, *, keep: int) -> Sequence[Path]:
    """Remove all but the newest backups that the keys at hand have vouched for.

    Returns:
        What was removed.

    Raises:
        BackupError: There are no keys: nobody can say which backups are this registry's.
        StateError: The keys cannot be had.
    """
    seal = seal_at_hand(settings)
    if seal is None:
        raise BackupError("no keys at hand: nobody can say which backups to rely on")
    return store.prune(keep=keep, seal=seal)


def check_backup(settings: Settings, backup: Path) -> Checked:
    """Read all of a backup, and with the keys at hand see who made it.

    Raises:
        BackupError: It is damaged, or of other keys.
        StateError: The keys cannot be had.
    """
    manifest, seal = read_manifest(backup)
    own = seal_at_hand(settings)
    if own is not None:
        refuse_foreign(manifest, seal, seal=own)
    verify_files(backup, manifest)
    return Checked(manifest=manifest, is_vouched_for=own is not None)


def restore_backup(
    settings: Settings, backup: Path, *, wal: Path, keys: Path | None, to: datetime | None
) -> str:
    """Make a state directory of a backup and its keys, whole or not at all.

    Args:
        settings: Their state directory is the one to be made.
        backup: The backup.
        wal: The archive of the log; where there is none the backup alone is restored.
        keys: A copy of `keys.json`, where keys are kept in a file.
        to: The instant to restore to; None for all that was archived.

    Returns:
        The version of the schema.

    Raises:
        BackupError: The state directory holds something, or the backup cannot be used.
        StateError: The keys cannot be had or are not those of the data.
    """
    if settings.state.exists() and any(settings.state.iterdir()):
        raise BackupError(f"{settings.state} holds something: restore into a new directory")
    manifest, seal = read_manifest(backup)
    ring = _ring_for(settings, keys)
    refuse_foreign(manifest, seal, seal=_seal(ring))
    if lost := sorted(set(manifest.key_ids) - ring.sealing.keys()):
        raise BackupError(f"the key ring lacks key {lost[0]}, which this backup needs")
    archive = WALArchive(wal) if wal.is_dir() else None
    state = settings.state.absolute()
    state.parent.mkdir(parents=True, exist_ok=True)
    scratch = state.with_name(f".{state.name}.restoring-{secrets.token_hex(4)}")
    scratch.mkdir(mode=0o700)
    try:
        in_scratch = settings.model_copy(update={"state": scratch, "database": None})
        if settings.key_source == FILE:
            write_key_ring(scratch / "keys.json", ring)
        restore_data(backup, manifest, embedded_directory(in_scratch), archive=archive, to=to)
        version = _opened_version(in_scratch)
        scratch.replace(state)
        sync_directory(state.parent)
    finally:
        remove_tree(scratch)
    return version


def _opened_version(settings: Settings) -> str:
    """Open what was restored, with its keys; the version of its schema."""
    with open_database(settings.model_copy(update={"backups": None})) as database:
        current, _ = schema_versions(database.engine)
    return str(current)


def _ring_for(settings: Settings, keys: Path | None) -> KeyRing:
    if settings.key_source != FILE:
        if keys is not None:
            raise BackupError(f"the keys come from the key source {settings.key_source}: no --keys")
        ring = key_source(settings).read()
    elif keys is None:
        raise BackupError("the keys are not in a backup: name a copy of keys.json with --keys")
    else:
        ring = read_key_ring(keys)
    if ring is None:
        raise StateError(f"the key source {settings.key_source} has no keys")
    return ring


def _seal(ring: KeyRing) -> Seal:
    return partial(Vault(ring).blind_index, _SEAL_KIND)
