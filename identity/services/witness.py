"""Witness a log: co-sign its heads, each only if it agrees with the last one that was seen.

Owns what a witness demands and what it remembers: one head, in a file of its own. It trusts the
public key of the log and nothing that the service says. Knows no wire: it is handed the log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from identity.audit.checkpoint import (
    Cosignature,
    NoteRefusedError,
    NoteSigner,
    TreeHead,
    VerifierKey,
    cosign,
    format_note,
    parse_note,
    refuse_ahead,
    signature_by,
)
from identity.audit.head_memory import HeadMemory
from identity.audit.key_chain import ChainedKey
from identity.audit.merkle import is_consistent
from identity.audit.receipt import signing_key


class WitnessedLog(Protocol):
    """A log, wherever it is."""

    def newest(self) -> tuple[str, Sequence[ChainedKey]]:
        """Its newest signed note, and its keys."""
        ...

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Its proof that one tree is the beginning of another."""
        ...

    def add(self, checkpoint: str) -> None:
        """Hand it a note with a co-signature."""
        ...


def witness_head(
    log: WitnessedLog, memory: HeadMemory, signer: NoteSigner, *, trusted: VerifierKey, at: datetime
) -> TreeHead:
    """Co-sign the newest head of a log.

    It is remembered before it is handed over: a witness that fails in between has signed nothing
    that it forgot. Only one run at a time: of two, each could sign a head that the other has not
    seen.

    Args:
        log: The log.
        memory: What was co-signed last.
        signer: The witness.
        trusted: A key of the log.
        at: Now.

    Raises:
        NoteRefusedError: The head does not follow from the one that was seen, is not signed by the
            log, or is ahead of the clock.
        DirectoryBusyError: Another run has the memory.
    """
    with memory.held():
        checkpoint, keys = log.newest()
        signed = parse_note(checkpoint)
        key = signing_key(signed, keys, trusted)
        signature = signature_by(signed, key)
        refuse_ahead(signed.head, at=at)
        _refuse_fork(log, memory.read(), signed.head)
        # No line of anybody else's: what others wrote below the head could make the note longer
        # than one that is read again.
        own = format_note(signed.head, signature, key, [cosignature_of(signed.head, signer, at=at)])
        memory.write(own)
        log.add(own)
    return signed.head


def cosignature_of(head: TreeHead, signer: NoteSigner, *, at: datetime) -> Cosignature:
    """What the witness adds. A clock that is behind the log's must not date it before the head."""
    return cosign(head, signer, at=max(at, head.signed_at))


def _refuse_fork(log: WitnessedLog, seen: TreeHead | None, head: TreeHead) -> None:
    if seen is None:
        return
    if seen.origin != head.origin:
        raise NoteRefusedError(f"the head is of {head.origin}, and {seen.origin} was seen before")
    if head.size < seen.size:
        raise NoteRefusedError(f"the log shrank from {seen.size} entries to {head.size}")
    if head.signed_at < seen.signed_at:
        raise NoteRefusedError("the head is older than the one that was seen before")
    proof = log.consistency(seen.size, head.size)
    if not is_consistent(seen.size, seen.root, head.size, head.root, proof=proof):
        raise NoteRefusedError(
            f"fork: the tree of {head.size} entries does not begin with the {seen.size} seen before"
        )
