"""Take an old sealing key out of the ring, once nothing can need it any more.

Owns what must be true before: no value is sealed with it, and no process seals with it. The key is
gone for good afterwards, from the ring; backups of the ring still have it.
"""

from datetime import datetime, timedelta

from identity.audit.log import AuditEntry, append
from identity.security.key_source import KeySource
from identity.security.keys import KeyFileError, without_key
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.state_directory import StateError
from identity.storage.database import UnitOfWork
from identity.storage.sealing_keys import KeyUse

IDLE_MIN = timedelta(minutes=2)
"""Since a process last said that it seals with the key. Each says so every 30 s
(`identity.key_watch`), so four times were missed: none does any more."""


class KeyInUseError(StateError):
    """A key that something still needs."""


def retire_key(source: KeySource, transactions: Transactions, key_id: int, *, at: datetime) -> None:
    """Remove a key from the ring.

    Values are counted again after it was removed: what was written in between brings it back.

    Args:
        source: Where the ring is kept.
        transactions: Runs actions on the database.
        key_id: The key's number.
        at: Now.

    Raises:
        KeyInUseError: Values or processes use it; the ring is as it was.
        StateError: The ring has no such key, seals with it, or cannot be read or changed.
    """
    old = source.read()
    if old is None:
        raise KeyFileError(f"{source.name} is missing")
    new = without_key(old, key_id)
    transactions.run(lambda uow: _refuse_used(uow, key_id))
    source.exchange(old, new)
    try:
        transactions.run(lambda uow: _write_down(uow, key_id, at=at))
    except KeyInUseError:
        source.exchange(new, old)
        raise


def _refuse_used(uow: UnitOfWork, key_id: int) -> None:
    for key in uow.sealing_keys.known():
        if key.key_id == key_id and key.idle < IDLE_MIN:
            raise KeyInUseError(
                f"new values were sealed with key {key_id} up to {key.idle.total_seconds():.0f} s"
                f" ago: it can be retired {IDLE_MIN.total_seconds():.0f} s after the last"
            )
    uses = [use for use in uow.sealing_keys.count_values() if use.key_id == key_id]
    if uses:
        raise KeyInUseError(f"key {key_id} still seals {_tell(uses)}: run `identity keys reseal`")


def _write_down(uow: UnitOfWork, key_id: int, *, at: datetime) -> None:
    _refuse_used(uow, key_id)
    uow.sealing_keys.retire(key_id)
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="retire_key",
        outcome="retired",
        details={"key_id": key_id},
    )
    append(uow.connection, [entry])


def _tell(uses: list[KeyUse]) -> str:
    return ", ".join(f"{use.value_count:,} of {use.place}" for use in uses)
