"""Seal the audit log: new entries into the tree, a signed head over them.

Owns when a head is signed, the key that signs, how one key follows another, and that no head is
signed which contradicts the last one that is remembered outside the database. How the tree grows is
`identity.audit`'s.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.audit.checkpoint import (
    NoteSigner,
    TreeHead,
    VerifierKey,
    format_note,
    sign_head,
)
from identity.audit.head_memory import HeadMemory
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
from identity.audit.sealing import (
    begin_era,
    hold_alone,
    is_waiting,
    seal_entries,
    tree_size,
)
from identity.audit.tree import (
    KeptHead,
    append_head,
    append_key,
    newest_head,
    read_keys,
)
from identity.services.call import COMMAND_LINE
from identity.services.remembered_head import (
    LogForkedError,
    follow,
    head_now,
    read_memory,
    refuse_fork,
)
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork

ENTRIES_AT_ONCE = 20_000
"""Of one transaction, and under one head."""

REFRESHED_AFTER = timedelta(hours=1)
"""A head that is older is signed anew: who sees none newer knows that something is wrong."""

HEAD_FILE = "audit.head"
"""Beside the key: the newest head that was signed with it, or seen."""


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

    @property
    def memory(self) -> HeadMemory:
        """The newest head that was signed or seen here."""
        return HeadMemory(self.directory / HEAD_FILE)

    def remembered(self) -> TreeHead | None:
        """The newest head that was signed or seen here; None before the first.

        Raises:
            LogForkedError: What was remembered cannot be read.
        """
        return read_memory(self.memory)

    def verifier(self, uow: UnitOfWork) -> VerifierKey | None:
        """The public half of the key here, in the name of the log that is remembered.

        Returns:
            It; None where there is no key. The log is believed its name where nothing is
            remembered.

        Raises:
            AuditKeyError: The file cannot be used.
            LogForkedError: As for `remembered`.
        """
        try:
            public_key = _public(read_key_file(self.directory / KEY_FILE))
        except FileNotFoundError:
            return None
        remembered, keys = self.remembered(), read_keys(uow.connection)
        first = keys[0].public_key if keys else public_key
        name = origin_of(first) if remembered is None else remembered.origin
        return VerifierKey(name=name, public_key=public_key)

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
            LogForkedError, HeadAheadError: The log is not the one that was signed before.
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
        # At once, so that the newest head is always one that the newest key vouches for.
        remembered, _ = _grow(uow, self, origin, at=at, limit=ENTRIES_AT_ONCE)
        _sign(uow, self, (NoteSigner(origin, made), key.number), remembered, at=at)
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
        AuditKeyError, LogForkedError, HeadAheadError: As for `AuditKeys.rotate`.
    """
    made = transactions.run(lambda uow: keys.rotate(uow, at=at, is_lost=is_lost))
    keys.promote()
    origin = transactions.run(lambda uow: origin_of(read_keys(uow.connection)[0].public_key))
    return NoteSigner(origin, made).verifier()


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
        LogForkedError, HeadAheadError: As for `follow`, or the log is shorter than it was.
        LogDamagedError: The tables contradict each other.
    """
    if not hold_alone(uow.connection):
        return Sealed()
    signer = keys.signer(uow, at=at)
    remembered, count = _grow(uow, keys, signer[0].name, at=at, limit=limit)
    newest = newest_head(uow.connection)
    if not count and newest is not None:
        is_fresh = at - newest.head.signed_at < REFRESHED_AFTER
        # A new head over the old tree would tell witnesses that all is well while entries wait.
        if is_fresh or is_waiting(uow.connection):
            return Sealed()
    head = _sign(uow, keys, signer, remembered, at=at)
    return Sealed(entry_count=count, head=head, is_more=count >= limit)


DETAILS_KIND = "audit_details"
"""Of the blind index that marks of details are keyed with."""


def note_restored(uow: UnitOfWork, *, at: datetime) -> None:
    """Notice that the database was restored on another server, and have the log go on in order."""
    era = begin_era(uow.connection)
    if era is not None:
        _note(uow, "begin_audit_era", "restored", era, at=at)


def _grow(
    uow: UnitOfWork, keys: AuditKeys, origin: str, *, at: datetime, limit: int
) -> tuple[TreeHead | None, int]:
    """Append entries to the tree, in which all that was signed before must be.

    Returns:
        The head that is remembered, and how many entries were appended.
    """
    remembered = follow(uow, keys.memory, origin, at=at)
    if remembered is not None:
        # What was remembered and not committed is sealed again as a whole.
        limit = max(limit, remembered.size - tree_size(uow.connection))
    details_key = uow.sealer.blind_index(DETAILS_KIND, "")
    count = seal_entries(uow.connection, details_key=details_key, limit=limit)
    size = tree_size(uow.connection)
    if remembered is not None and size < remembered.size:
        raise LogForkedError(
            f"a tree of {remembered.size} entries was signed, and {size} are there"
        )
    return remembered, count


def _sign(
    uow: UnitOfWork,
    keys: AuditKeys,
    signer: tuple[NoteSigner, int],
    remembered: TreeHead | None,
    *,
    at: datetime,
) -> TreeHead:
    """Sign a head over the whole tree, which is remembered before it is stored.

    A process that is killed in between knows a head that the database does not have. Its entries
    were committed before, and in this order: the next sealing makes a tree that begins with it.
    """
    named, key_number = signer
    at = _not_before(uow, remembered, at=at)
    head = head_now(uow, named.name, at=at)
    refuse_fork(uow, remembered, head)
    kept = KeptHead(head=head, key_number=key_number, signature=sign_head(head, named))
    keys.memory.write(format_note(head, kept.signature, named.verifier()))
    append_head(uow.connection, kept)
    return head


def _not_before(uow: UnitOfWork, remembered: TreeHead | None, *, at: datetime) -> datetime:
    """Now, in whole seconds; a clock that went back must not make an older head of a newer one."""
    instants = [at.replace(microsecond=0)]
    if remembered is not None:
        instants.append(remembered.signed_at)
    newest = newest_head(uow.connection)
    if newest is not None and newest.head.size == tree_size(uow.connection):
        # Signed anew over the same tree: one second can have one head of a size.
        instants.append(newest.head.signed_at + timedelta(seconds=1))
    return max(instants)


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
