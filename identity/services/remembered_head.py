"""Hold the audit log against the last head that is remembered outside the database.

Owns what is refused: a log that is shorter than it was, another one, or one from the future; and
how an administrator accepts it all the same. Knows no key: signing is `seal_audit`'s.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from identity.audit.checkpoint import (
    NoteRefusedError,
    TreeHead,
    VerifierKey,
    format_note,
    refuse_ahead,
)
from identity.audit.head_memory import HeadMemory
from identity.audit.log import AuditEntry, append
from identity.audit.sealing import LogDamagedError, hold_alone, tree_size
from identity.audit.tree import KeptHead, begins_with, newest_head, read_keys, read_root
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.state_directory import StateError
from identity.storage.database import UnitOfWork


class LogForkedError(StateError):
    """The log is not the one that was signed before; nothing is sealed until somebody accepts it.

    Whoever can rewrite the database would have the service itself sign the forgery otherwise.
    """


class HeadAheadError(StateError):
    """The newest head was signed elsewhere, by a clock that is ahead; nothing is sealed until then.

    Whoever can write into the database would date every later head otherwise.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What an administrator has accepted.

    Attributes:
        remembered: The head that was remembered; None where there was none, or none to be read.
        newest: The newest head of the log, which is remembered now; None where it has none.
    """

    remembered: TreeHead | None
    newest: TreeHead | None


def read_memory(memory: HeadMemory) -> TreeHead | None:
    """What is remembered; None before the first.

    Raises:
        LogForkedError: It cannot be read. Who has forgotten would sign a fork.
    """
    try:
        return memory.read()
    except NoteRefusedError as error:
        raise LogForkedError(f"what was signed last is not known: {error}") from error


def follow(uow: UnitOfWork, memory: HeadMemory, origin: str, *, at: datetime) -> TreeHead | None:
    """The newest head that is known here: the one of the file, or what another server signed since.

    Each server remembers what the others signed as well: one that had not looked would help to
    forget it. Only for who holds the log alone.

    Args:
        uow: The transaction.
        memory: What was signed or seen here.
        origin: The log.
        at: Now.

    Returns:
        It; None before the first.

    Raises:
        LogForkedError: The log is another one, or does not begin with what is remembered.
        HeadAheadError: Another server signed a head that is ahead of this clock.
        LogDamagedError: The tables contradict each other.
    """
    remembered = read_memory(memory)
    if remembered is not None and remembered.origin != origin:
        raise LogForkedError(f"the log is {origin}, and {remembered.origin} was signed before")
    kept = newest_head(uow.connection)
    if kept is None or not _is_newer(kept.head, remembered):
        return remembered
    try:
        refuse_ahead(kept.head, at=at)
    except NoteRefusedError as error:
        raise HeadAheadError(str(error)) from error
    refuse_fork(uow, kept.head, head_now(uow, origin, at=at))
    refuse_fork(uow, remembered, kept.head)
    memory.write(_note_of(uow, kept))
    return kept.head


def refuse_fork(uow: UnitOfWork, remembered: TreeHead | None, head: TreeHead) -> None:
    """A tree must begin with the one that was signed before.

    Raises:
        LogForkedError: It does not.
    """
    if remembered is None or begins_with(uow.connection, remembered, head):
        return
    raise LogForkedError(
        f"the log of {head.size} entries does not begin with the {remembered.size} that were signed"
    )


def head_now(uow: UnitOfWork, origin: str, *, at: datetime) -> TreeHead:
    """The head over all leaves, not signed by anybody.

    Raises:
        LogDamagedError: A node of the tree is gone.
    """
    size = tree_size(uow.connection)
    try:
        root = read_root(uow.connection, size)
    except KeyError as error:
        raise LogDamagedError("a node of the tree is gone") from error
    return TreeHead(origin=origin, size=size, root=root, signed_at=at)


def accept_log(transactions: Transactions, memory: HeadMemory, *, at: datetime) -> Accepted:
    """Go on with the log as it is in the database, whatever was signed before.

    What was remembered is put aside, not destroyed: it proves what was there. An entry says so.

    Raises:
        StateError: There is nothing to accept: the log goes on from what is remembered.
    """
    accepted = transactions.run(lambda uow: _accept(uow, memory, at=at))
    with suppress(FileNotFoundError):  # nothing was remembered
        memory.archive(at=at)
    if accepted.newest is not None:
        transactions.run(lambda uow: _remember(uow, memory))
    return accepted


def _accept(uow: UnitOfWork, memory: HeadMemory, *, at: datetime) -> Accepted:
    hold_alone(uow.connection, may_wait=True)
    try:
        remembered, is_known = read_memory(memory), True
    except LogForkedError:
        remembered, is_known = None, False
    kept = newest_head(uow.connection)
    newest = None if kept is None else kept.head
    if is_known and newest == remembered:
        raise StateError("nothing is to be accepted: the newest head is the one that is remembered")
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="accept_audit_log",
        outcome="accepted",
        details={
            "remembered_size": None if remembered is None else remembered.size,
            "size": None if newest is None else newest.size,
        },
    )
    append(uow.connection, [entry])
    return Accepted(remembered=remembered, newest=newest)


def _remember(uow: UnitOfWork, memory: HeadMemory) -> None:
    hold_alone(uow.connection, may_wait=True)
    kept = newest_head(uow.connection)
    if kept is not None:
        memory.write(_note_of(uow, kept))


def _is_newer(head: TreeHead, remembered: TreeHead | None) -> bool:
    if remembered is None:
        return True
    return (head.size, head.signed_at) > (remembered.size, remembered.signed_at)


def _note_of(uow: UnitOfWork, kept: KeptHead) -> str:
    by_number = {key.number: key.public_key for key in read_keys(uow.connection)}
    key = VerifierKey(name=kept.head.origin, public_key=by_number[kept.key_number])
    return format_note(kept.head, kept.signature, key)
