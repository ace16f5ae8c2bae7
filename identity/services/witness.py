"""Witness a log: co-sign its heads, each only if it agrees with the last one that was seen.

Owns what a witness demands and what it remembers: one head, in a file of its own. It trusts the
public key of the log and nothing that the service says. Knows no wire: it is handed the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from identity.audit.checkpoint import (
    NOTE_LENGTH_MAX,
    Cosignature,
    NoteRefusedError,
    NoteSigner,
    TreeHead,
    VerifierKey,
    cosign,
    parse_note,
)
from identity.audit.key_chain import ChainedKey
from identity.audit.merkle import is_consistent
from identity.audit.receipt import check_signed_head
from identity.state_directory import read_whole, write_whole


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


@dataclass(frozen=True, slots=True)
class Memory:
    """The last head that was co-signed, as a signed note in a file."""

    path: Path

    def read(self) -> TreeHead | None:
        """It; None before the first.

        Raises:
            NoteRefusedError: The file is no note. A witness without memory would sign a fork.
        """
        try:
            content = read_whole(self.path, bytes_max=NOTE_LENGTH_MAX)
        except FileNotFoundError:
            return None
        return parse_note(content.decode("utf-8", "replace")).head

    def write(self, checkpoint: str) -> None:
        """Remember another one; there as a whole or not at all."""
        write_whole(self.path, checkpoint.encode(), mode=0o600, may_replace=True)


def witness_head(
    log: WitnessedLog, memory: Memory, signer: NoteSigner, *, trusted: VerifierKey, at: datetime
) -> TreeHead:
    """Co-sign the newest head of a log.

    It is remembered before it is handed over: a witness that fails in between has signed nothing
    that it forgot.

    Args:
        log: The log.
        memory: What was co-signed last.
        signer: The witness.
        trusted: A key of the log.
        at: Now.

    Raises:
        NoteRefusedError: The head does not follow from the one that was seen, or is not signed by
            the log.
    """
    checkpoint, keys = log.newest()
    head = check_signed_head(parse_note(checkpoint), keys, trusted)
    _refuse_fork(log, memory.read(), head)
    cosigned = _with(checkpoint, cosignature_of(head, signer, at=at))
    memory.write(cosigned)
    log.add(cosigned)
    return head


def _with(checkpoint: str, cosignature: Cosignature) -> str:
    """The note with one more signature, in the place of what the same witness said before."""
    own = f"— {cosignature.witness} "
    lines = checkpoint.splitlines(keepends=True)
    return "".join(each for each in lines if not each.startswith(own)) + cosignature.line


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
