"""Give the key ring a new sealing key.

Owns the two ways: at once, or in two steps for several servers that each have the ring from
somewhere else. What old keys sealed stays as it is until it is sealed anew (`reseal_values`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from identity.audit.log import AuditEntry, append
from identity.security.key_source import KeySource
from identity.security.keys import KeyFileError, KeyRing, with_new_key
from identity.security.vault import Vault
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What became of the ring.

    Attributes:
        key_id: The new key's number.
        active_id: The key that new values are sealed with.
        is_new: It was made now; otherwise it was staged before.
    """

    key_id: int
    active_id: int
    is_new: bool


def rotate_keys(
    source: KeySource, transactions: Transactions, *, is_staged: bool, at: datetime
) -> Rotation:
    """Seal new values with a new key, or put one beside the others that is to seal later.

    Args:
        source: Where the ring is kept.
        transactions: Runs actions on the database.
        is_staged: Only make the key; the next rotation makes it the active one.
        at: Now.

    Raises:
        StateError: The ring cannot be read or changed, or a key is staged already.
    """
    old = source.read()
    if old is None:
        raise KeyFileError(f"{source.name} is missing")
    new, rotation = _rotated(old, _free_id(old, transactions), is_staged=is_staged)
    source.exchange(old, new)
    transactions.run(lambda uow: _write_down(uow, new, rotation, at=at))
    return rotation


def _free_id(ring: KeyRing, transactions: Transactions) -> int:
    """A number that no key ever had, be it retired or lost."""
    known = transactions.run(lambda uow: uow.sealing_keys.known())
    return 1 + max([*ring.sealing, *(key.key_id for key in known)])


def _rotated(old: KeyRing, free_id: int, *, is_staged: bool) -> tuple[KeyRing, Rotation]:
    newest = max(old.sealing)
    if newest <= old.active_id:
        new = with_new_key(old, key_id=free_id, is_active=not is_staged)
        return new, Rotation(key_id=free_id, active_id=new.active_id, is_new=True)
    if is_staged:
        raise KeyFileError(f"key {newest} is staged already: rotate makes it the active one")
    new = replace(old, active_id=newest)
    return new, Rotation(key_id=newest, active_id=newest, is_new=False)


def _write_down(uow: UnitOfWork, ring: KeyRing, rotation: Rotation, *, at: datetime) -> None:
    UnitOfWork(uow.connection, Vault(ring)).sealing_keys.register()
    is_active = rotation.active_id == rotation.key_id
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="rotate_keys",
        outcome="active" if is_active else "staged",
        details={"key_id": rotation.key_id},
    )
    append(uow.connection, [entry])
