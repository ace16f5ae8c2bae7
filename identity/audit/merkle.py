"""The Merkle tree of RFC 9162, section 2.1: hashes, which parts a proof is made of, and its check.

Owns the arithmetic of trees. Knows neither what a leaf says nor where hashes are kept: a proof is
first a list of ranges of leaves, which whoever keeps the hashes turns into hashes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

HASH_BYTES = 32
"""SHA-256."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""

_LEAF = b"\x00"
_NODE = b"\x01"


class Subtree(NamedTuple):
    """A perfect subtree: `2**level` leaves, the first of them at `number * 2**level`."""

    level: int
    number: int


def hash_leaf(content: bytes) -> bytes:
    """The hash of a leaf: 32 bytes."""
    return hashlib.sha256(_LEAF + content).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children: 32 bytes."""
    return hashlib.sha256(_NODE + left + right).digest()


def perfect_subtrees(first: int, end: int) -> list[Subtree]:
    """The fewest perfect subtrees that hold the leaves from `first` up to `end`, left to right.

    In a range of a proof the next one is never higher than the one before, but for none at all.
    """
    found = []
    while first < end:
        lowest_bit = (first & -first).bit_length() - 1 if first else end.bit_length()
        level = min(lowest_bit, (end - first).bit_length() - 1)
        found.append(Subtree(level, first >> level))
        first += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, left to right; the smaller ones are joined first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_node(left, root)
    return root


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose roots prove that a leaf is in a tree, the lowest first.

    Raises:
        ValueError: The tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    first, end, ranges = 0, size, []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The ranges whose roots prove that one tree is the beginning of another, the lowest first.

    Raises:
        ValueError: The sizes are not `0 <= old_size <= new_size`.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError("a tree is not consistent with a smaller one")
    if old_size in {0, new_size}:
        return []
    first, end, ranges = 0, new_size, []
    while old_size < end:
        middle = first + _split(end - first)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    if first > 0:
        ranges.append((first, end))
    return ranges[::-1]


def proof_from(
    ranges: Iterable[tuple[int, int]], hashes: Mapping[Subtree, bytes]
) -> tuple[bytes, ...]:
    """A proof: the root of each range, out of the hashes of its perfect subtrees."""
    return tuple(fold([hashes[subtree] for subtree in perfect_subtrees(*each)]) for each in ranges)


def is_included(
    leaf_hash: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether a proof shows that a leaf is in a tree (RFC 9162, 2.1.3.2).

    Args:
        leaf_hash: Of the leaf.
        index: Its place, from 0 on.
        size: Leaves of the tree.
        proof: Roots, the lowest first.
        root: Of the tree.
    """
    if not 0 <= index < size:
        return False
    place, last, computed = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            computed = hash_node(sibling, computed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = hash_node(computed, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and computed == root


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, *, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that one tree is the beginning of another (RFC 9162, 2.1.4.2).

    Every tree begins with the empty one.
    """
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0:
        return old_root == EMPTY_ROOT and not proof
    if old_size == new_size:
        return old_root == new_root and not proof
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    return bool(path) and _leads_to_both(path, (old_size, old_root), (new_size, new_root))


def _leads_to_both(path: list[bytes], old: tuple[int, bytes], new: tuple[int, bytes]) -> bool:
    place, last = old[0] - 1, new[0] - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_root = hash_node(sibling, old_root)
            new_root = hash_node(sibling, new_root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_root = hash_node(new_root, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and (old_root, new_root) == (old[1], new[1])


def _split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass(slots=True)
class GrowingTree:
    """A tree that leaves are appended to; it keeps one hash for each bit of its size.

    Attributes:
        size: Leaves.
    """

    size: int = 0
    _edge: list[bytes] = field(default_factory=list)

    def append(self, leaf_hash: bytes) -> Iterator[tuple[Subtree, bytes]]:
        """Append a leaf, and tell each node above the leaves that is complete by it."""
        computed, place, level = leaf_hash, self.size, 0
        self.size += 1
        while place & 1:
            computed = hash_node(self._edge.pop(), computed)
            place, level = place >> 1, level + 1
            yield Subtree(level, place), computed
        self._edge.append(computed)

    def root(self) -> bytes:
        """The root now."""
        return fold(self._edge)
