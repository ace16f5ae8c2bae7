"""What a check of the log finds, and in which words.

Owns the kinds of faults, and where each lies: at one entry, or among those from one leaf to another
of which nobody can say more. Finds nothing itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is wrong with the log."""

    KEY = "KEY"
    """The keys of the log are not a chain, or not one that leads from the trusted key to the newest
    head."""
    ENTRY_REMOVED = "ENTRY_REMOVED"
    """An entry was sealed and is not there any more."""
    ENTRY_CHANGED = "ENTRY_CHANGED"
    """An entry, or the hash of its leaf, is not what was sealed."""
    ENTRY_ADDED = "ENTRY_ADDED"
    """An entry stands among sealed ones and was never sealed."""
    ORDER = "ORDER"
    """Entries stand in another order than they were written in."""
    LEAF_MISSING = "LEAF_MISSING"
    """The leaves have a gap, or end before the tree that was signed."""
    NODE = "NODE"
    """A hash above the leaves is wrong, missing or too many."""
    COSIGNATURE = "COSIGNATURE"
    """A co-signature is none of a registered witness, or a key of a witness was exchanged."""
    HEAD = "HEAD"
    """A head was signed over another tree, or the newest one is missing."""
    SIGNATURE = "SIGNATURE"
    """A head was not signed by a key of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing that is wrong.

    Attributes:
        kind: What.
        says: In a sentence.
        leaf_index: Where in the tree; None of what stands above it. The last one in question where
            nobody can say which of several it is.
        entry_id: The entry there; None where none can be named.
        first_index: The first leaf in question, if it is not that one.
        first_entry_id: The entry there; None where none can be named.
    """

    kind: FaultKind
    says: str
    leaf_index: int | None = None
    entry_id: int | None = None
    first_index: int | None = None
    first_entry_id: int | None = None

    def __str__(self) -> str:
        """In a line."""
        last = _named(self.entry_id, self.leaf_index)
        if self.first_index is None:
            return f"{self.kind}: {last}: {self.says}"
        first = _named(self.first_entry_id, self.first_index)
        return f"{self.kind}: one of those from {first}, to {last}: {self.says}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found.

    Attributes:
        fault: The first fault; None where all is well.
        leaf_count: Entries in the tree that were looked at.
        head_count: Heads that were looked at.
        unsealed_count: Entries that are not sealed yet.
        lost_keys: Numbers of keys that were lost before they handed over.
    """

    fault: Fault | None
    leaf_count: int
    head_count: int
    unsealed_count: int
    lost_keys: Sequence[int]


class FaultError(Exception):
    """Carries the first fault out of the walk."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.says)
        self.fault = fault


def _named(entry_id: int | None, leaf_index: int | None) -> str:
    entry = "no entry" if entry_id is None else f"entry {entry_id}"
    return entry if leaf_index is None else f"{entry}, leaf {leaf_index}"
