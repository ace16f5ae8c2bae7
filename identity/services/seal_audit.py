"""Seal the audit log: new entries into the tree, a signed head over them.

Owns when a head is signed, the key that signs, and how one key follows another. How the tree grows
is `identity.audit`'s.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.audit.checkpoint import NoteSigner, TreeHead, VerifierKey, sign_head
from identity.audit.key_chain import (
    KEY_FILE,
    NEXT_FILE,
    AuditKeyError,
    ChainedKey,
    next_key,
    origin_of,
    read_key_file,
    write_key_file,
)
from identity.audit.log import AuditEntry, append
from identity.audit.sealing import begin_era, hold_alone, seal_entries, tree_size
from identity.audit.tree import (
    KeptHead,
    append_head,
    append_key,
    newest_head,
    read_keys,
    read_root,
)
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork

ENTRIES_AT_ONCE = 20_000
"""Of one transaction, and under one head."""

REFRESHED_AFTER = timedelta(hours=1)
"""A head that is older is signed anew: who sees none newer knows that something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was done at once.

    Attributes:
        entry_count: Entries that were appended to the tree.
        head: The head that was signed; None where there was nothing to sign.
        is_more: Whether there may be more to do.
    """

    entry_count: int = 0
    head: TreeHead | None = None
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The key of the log in a state directory."""

    directory: Path

    def signer(self, uow: UnitOfWork, *, at: datetime) -> tuple[NoteSigner, int]:
        """The key that signs now, and its number; the first one is made now.

        Raises:
            AuditKeyError: The file is gone, unusable, or not the key that the log is signed with.
        """
        keys = read_keys(uow.connection)
        if not keys:
            keys = [self._first(uow, at=at)]
        private_key = self._private_key_of(keys[-1])
        return NoteSigner(origin_of(keys[0].public_key), private_key), keys[-1].number

    def _first(self, uow: UnitOfWork, *, at: datetime) -> ChainedKey:
        with suppress(FileExistsError):
            write_key_file(self.directory / KEY_FILE, Ed25519PrivateKey.generate())
        private_key = read_key_file(self.directory / KEY_FILE)
        first = ChainedKey(number=1, public_key=_public(private_key))
        # Somebody else may have made theirs at this moment: then the first one counts.
        append_key(uow.connection, first, at=at)
        return read_keys(uow.connection)[0]

    def _private_key_of(self, key: ChainedKey) -> Ed25519PrivateKey:
        path, following = self.directory / KEY_FILE, self.directory / NEXT_FILE
        try:
            private_key = read_key_file(path)
        except FileNotFoundError as error:
            raise AuditKeyError(
                f"{path} is missing, and the audit log is signed with it: restore it"
            ) from error
        if _public(private_key) != key.public_key and following.exists():
            # A rotation was cut off between the log and the file.
            private_key = read_key_file(following)
            if _public(private_key) == key.public_key:
                following.replace(path)
        if _public(private_key) != key.public_key:
            raise AuditKeyError(f"{path} is not the key that the audit log is signed with")
        return private_key

    def rotate(self, uow: UnitOfWork, *, at: datetime, is_lost: bool) -> Ed25519PrivateKey:
        """Have a new key sign from the commit on; `promote` puts it in its place then.

        Args:
            uow: The transaction.
            at: Now.
            is_lost: Whether the old key is lost, so that it cannot hand over.

        Raises:
            AuditKeyError: There is no key yet, or the old one is not at hand and not said to be
                lost.
        """
        hold_alone(uow.connection, may_wait=True)
        keys = read_keys(uow.connection)
        if not keys:
            raise AuditKeyError("the audit log has no key yet: the first start makes it")
        signer = None if is_lost else self._private_key_of(keys[-1])
        made = Ed25519PrivateKey.generate()
        write_key_file(self.directory / NEXT_FILE, made, may_replace=True)
        origin = origin_of(keys[0].public_key)
        key = next_key(origin, keys[-1], _public(made), signer=signer)
        append_key(uow.connection, key, at=at)
        _note(uow, "rotate_audit_key", "lost" if is_lost else "handed_over", key.number, at=at)
        return made

    def promote(self) -> None:
        """Put the new key in the old one's place, which is destroyed by it."""
        (self.directory / NEXT_FILE).replace(self.directory / KEY_FILE)


def rotate_audit_key(
    transactions: Transactions, keys: AuditKeys, *, at: datetime, is_lost: bool
) -> VerifierKey:
    """Sign heads with a new key from now on, which the old one has signed.

    Raises:
        AuditKeyError: As for `AuditKeys.rotate`.
    """
    made = transactions.run(lambda uow: keys.rotate(uow, at=at, is_lost=is_lost))
    keys.promote()
    origin = transactions.run(lambda uow: origin_of(read_keys(uow.connection)[0].public_key))
    return NoteSigner(origin, made).verifier()


def public_key_in(directory: Path) -> bytes | None:
    """The public half of the key in a state directory; None where there is none.

    Raises:
        AuditKeyError: The file cannot be used.
    """
    try:
        return _public(read_key_file(directory / KEY_FILE))
    except FileNotFoundError:
        return None


def verifier_keys(keys: Sequence[ChainedKey]) -> Sequence[VerifierKey]:
    """The public keys of the log, by which anybody checks its heads; the first one first."""
    return [
        VerifierKey(name=origin_of(keys[0].public_key), public_key=key.public_key) for key in keys
    ]


def seal(uow: UnitOfWork, keys: AuditKeys, *, at: datetime, limit: int = ENTRIES_AT_ONCE) -> Sealed:
    """Append what is committed to the tree and sign a head over it, if nobody else does.

    Args:
        uow: The transaction. Leaves, nodes and head are committed together or not at all.
        keys: The key of the log.
        at: Now, by the machine's clock: a simulated one does not date what is proved to others.
        limit: The most entries.

    Raises:
        AuditKeyError: As for `AuditKeys.signer`; nothing is sealed then.
        LogDamagedError: The tables contradict each other.
    """
    if not hold_alone(uow.connection):
        return Sealed()
    signer, key_number = keys.signer(uow, at=at)
    details_key = uow.sealer.blind_index(DETAILS_KIND, "")
    count = seal_entries(uow.connection, details_key=details_key, limit=limit)
    newest = newest_head(uow.connection)
    if not count and newest is not None and at - newest.head.signed_at < REFRESHED_AFTER:
        return Sealed()
    # A clock that went back must not make an older head of a newer one.
    signed_at = at if newest is None else max(at, newest.head.signed_at)
    head = _sign(uow, signer, key_number, signed_at=signed_at)
    return Sealed(entry_count=count, head=head, is_more=count == limit)


DETAILS_KIND = "audit_details"
"""Of the blind index that marks of details are keyed with."""


def note_restored(uow: UnitOfWork, *, at: datetime) -> None:
    """Notice that the database was restored on another server, and have the log go on in order."""
    era = begin_era(uow.connection)
    if era is not None:
        _note(uow, "begin_audit_era", "restored", era, at=at)


def _sign(uow: UnitOfWork, signer: NoteSigner, key_number: int, *, signed_at: datetime) -> TreeHead:
    size = tree_size(uow.connection)
    head = TreeHead(
        origin=signer.name,
        size=size,
        root=read_root(uow.connection, size),
        signed_at=signed_at.replace(microsecond=0),
    )
    kept = KeptHead(head=head, key_number=key_number, signature=sign_head(head, signer))
    append_head(uow.connection, kept)
    return head


def _note(uow: UnitOfWork, action: str, outcome: str, number: int, *, at: datetime) -> None:
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action=action,
        outcome=outcome,
        details={"number": number},
    )
    append(uow.connection, [entry])


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
