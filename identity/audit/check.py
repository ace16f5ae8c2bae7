"""Recompute the whole log from its rows, and name the first entry that is not as it was sealed.

Owns what is compared with what, and in which order faults are told: that of the log. It trusts
nothing that is stored but what a key has signed, and reads everything once, in one snapshot. Where
an entry was changed together with hashes over it, it lies among those under the first hash that is
wrong, and after the last head that is right: these are named then.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, select, text

from identity.audit.check_witnesses import refuse_witnesses
from identity.audit.checkpoint import NoteRefusedError, TreeHead, VerifierKey, verify
from identity.audit.faults import Checked, Fault, FaultError, FaultKind
from identity.audit.key_chain import ChainedKey, handed_over, origin_of, refuse_unchained
from identity.audit.leaf import EntryRow, leaf_hash_of
from identity.audit.merkle import EMPTY_ROOT, GrowingTree, Subtree
from identity.audit.tree import (
    ENTRY_COLUMNS,
    KeptHead,
    kept_head,
    newest_head,
    origin_key,
    read_keys,
)
from identity.audit.tree_tables import audit_head

LEAVES_AT_ONCE = 5_000
"""Rows that are held in memory."""

_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

_LEAVES = text(
    "SELECT l.leaf_index, l.entry_id AS sealed_id, l.leaf_hash, e.era,"  # noqa: S608 - a constant
    " CAST(CAST(e.transaction_id AS text) AS numeric) AS transaction_number, e.*"
    " FROM audit_leaf AS l LEFT JOIN"
    f" (SELECT {ENTRY_COLUMNS}, era, transaction_id FROM audit_entry) AS e"
    " ON e.entry_id = l.entry_id ORDER BY l.leaf_index"
)
_NODES = text(
    "SELECT n.level, n.node_index, n.node_hash FROM unnest("
    "  CAST(:levels AS smallint[]), CAST(:firsts AS bigint[]), CAST(:ends AS bigint[])"
    " ) AS wanted (level, first, past)"
    " JOIN audit_node AS n ON n.level = wanted.level"
    "  AND n.node_index >= wanted.first AND n.node_index < wanted.past"
)
_ENTRY_AT = text("SELECT entry_id FROM audit_leaf WHERE leaf_index = :leaf_index")
_NODE_COUNT = text("SELECT count(*) FROM audit_node")

# What stands before the last sealed entry in the order, and was never sealed.
_ADDED = text(
    "WITH last AS (SELECT era, transaction_id, entry_id FROM audit_entry"
    "  JOIN audit_leaf USING (entry_id) ORDER BY era DESC, transaction_id DESC, entry_id DESC"
    "  LIMIT 1)"
    " SELECT e.entry_id,"
    "  (SELECT min(l.leaf_index) FROM audit_leaf AS l JOIN audit_entry AS s USING (entry_id)"
    "   WHERE (s.era, s.transaction_id, s.entry_id) > (e.era, e.transaction_id, e.entry_id)"
    "  ) AS before_index"
    " FROM audit_entry AS e, last"
    " WHERE (e.era, e.transaction_id, e.entry_id)"
    "  < (last.era, last.transaction_id, last.entry_id)"
    " AND NOT EXISTS (SELECT FROM audit_leaf AS l WHERE l.entry_id = e.entry_id)"
    " ORDER BY e.era, e.transaction_id, e.entry_id LIMIT 1"
)
_UNSEALED = text(
    "SELECT count(*) FROM audit_entry AS e"
    " WHERE NOT EXISTS (SELECT FROM audit_leaf AS l WHERE l.entry_id = e.entry_id)"
)
# What the next sealing will append, in its order.
_NEXT_LEAVES = text(
    f"SELECT {ENTRY_COLUMNS} FROM audit_entry AS e"  # noqa: S608 - a constant
    " WHERE NOT EXISTS (SELECT FROM audit_leaf AS l WHERE l.entry_id = e.entry_id)"
    " ORDER BY era, transaction_id, entry_id LIMIT :limit"
)


def _first_fault(walk: "_Walk", trusted: VerifierKey | None) -> Fault | None:
    try:
        walk.refuse_keys(trusted)
        walk.run()
    except FaultError as error:
        return error.fault
    return None


def check_log(
    connection: Connection,
    *,
    details_key: bytes,
    trusted: VerifierKey | None,
    seen: Sequence[TreeHead] = (),
) -> Checked:
    """Recompute everything.

    Args:
        connection: A transaction in which nothing was done yet.
        details_key: What marks of details are keyed with.
        trusted: A public key of the log from elsewhere, under whose name an unbroken chain of
            handovers must lead to the key of the newest head; None believes what is stored.
        seen: Heads that were kept elsewhere, their signatures checked: the log must hold them, or
            come to hold them when what is committed is sealed.
    """
    connection.execute(_SNAPSHOT)
    with ExitStack() as streams:
        walk = _Walk(connection, details_key, seen, streams)
        fault = _first_fault(walk, trusted)
    return Checked(
        fault=fault,
        leaf_count=walk.leaf_count,
        head_count=walk.head_count,
        unsealed_count=int(connection.execute(_UNSEALED).scalar_one()),
        lost_keys=[
            key.number - 1 for key in walk.keys.values() if key.number > 1 and key.handover is None
        ],
    )


class _Walk:
    """One pass over leaves, nodes and heads side by side."""

    def __init__(
        self,
        connection: Connection,
        details_key: bytes,
        seen: Sequence[TreeHead],
        streams: ExitStack,
    ) -> None:
        self.tree = GrowingTree()
        self.leaf_count = 0
        self.head_count = 0
        self.keys: Mapping[int, ChainedKey] = {each.number: each for each in read_keys(connection)}
        self._connection = connection
        self._streams = streams
        self._details_key = details_key
        self._seen = sorted(seen, key=lambda head: head.size)
        self._heads = self._all_heads()
        self._next_head = next(self._heads, None)
        self._last_place: tuple[int, int, int] | None = None
        self._vouched: frozenset[int] = frozenset(self.keys)
        # Leaves that a head covers which is right, and whose key is vouched for.
        self._proved_size = 0
        self._node_count = 0

    def refuse_keys(self, trusted: VerifierKey | None) -> None:
        """The keys must be a chain, and the trusted one must lead to that of the newest head."""
        ordered = [self.keys[number] for number in sorted(self.keys)]
        if [key.number for key in ordered] != list(range(1, len(ordered) + 1)):
            raise _fault(FaultKind.KEY, "a key of the log is missing")
        for old, new in pairwise(ordered):
            if new.handover is not None and not handed_over(ordered[0], old, new):
                raise _fault(FaultKind.KEY, f"key {old.number} did not hand over to the next")
        names = {head.origin for head in self._seen}
        if trusted is not None:
            names.add(trusted.name)
            self._refuse_untrusted(ordered, trusted)
        origin = origin_of(ordered[0].public_key) if ordered else "a log without a key"
        if names - {origin}:
            raise _fault(FaultKind.KEY, f"this is {origin}, and not {min(names - {origin})}")
        if trusted is not None:
            self._vouched = _vouched_by(trusted, ordered)

    def _refuse_untrusted(self, ordered: Sequence[ChainedKey], trusted: VerifierKey) -> None:
        """Whoever can write a row can announce a key: only a handover makes it one of the log."""
        if trusted.public_key not in {key.public_key for key in ordered}:
            raise _fault(FaultKind.KEY, "the trusted key is not among the keys of the log")
        newest = newest_head(self._connection)
        if newest is None:
            return
        number = newest.key_number
        try:
            refuse_unchained(trusted.name, ordered, trusted=trusted.public_key, number=number)
        except NoteRefusedError as error:
            says = f"the newest head is signed with key {number}: {error}"
            raise _fault(FaultKind.KEY, says) from error

    def run(self) -> None:
        """Walk to the end, or to the first fault."""
        added = self._connection.execute(_ADDED).mappings().one_or_none()
        self._compare_heads()
        for batch in self._streamed(_LEAVES).mappings().partitions():
            nodes = self._nodes_until(self.tree.size + len(batch))
            for row in batch:
                if added is not None and added["before_index"] == self.tree.size:
                    raise _fault(
                        FaultKind.ENTRY_ADDED,
                        "it was not sealed and stands before this leaf, or the leaf's was moved",
                        leaf_index=self.tree.size,
                        entry_id=added["entry_id"],
                    )
                self._compare_leaf(row)
                self._compare_nodes(row, nodes)
                self._compare_heads(row["sealed_id"])
                self.leaf_count = self.tree.size
        self._refuse_other_end()
        self._look_beyond()
        if self.keys:
            refuse_witnesses(self._connection, origin_of(self.keys[1].public_key))

    def _compare_leaf(self, row: Mapping[Any, Any]) -> None:
        place, entry_id = self.tree.size, row["sealed_id"]
        if row["leaf_index"] != place:
            says = f"the leaf before that of entry {entry_id} is gone"
            raise self._since_proved(FaultKind.LEAF_MISSING, says, leaf_index=place)
        named = {"leaf_index": place, "entry_id": entry_id}
        if row["entry_id"] is None:
            raise _fault(FaultKind.ENTRY_REMOVED, "it was sealed and is gone", **named)
        entry = EntryRow(**{name: row[name] for name in EntryRow.__dataclass_fields__})
        if leaf_hash_of(entry, self._details_key) != row["leaf_hash"]:
            raise _fault(FaultKind.ENTRY_CHANGED, "it is not what its leaf says", **named)
        position = (row["era"], int(row["transaction_number"]), entry_id)
        if self._last_place is not None and position <= self._last_place:
            says = "the last one was written before the one that precedes it"
            raise self._among(FaultKind.ORDER, says, first=place - 1, **named)
        self._last_place = position

    def _compare_nodes(self, row: Mapping[Any, Any], nodes: Mapping[Subtree, bytes]) -> None:
        place = self.tree.size
        for subtree, hashed in self.tree.append(row["leaf_hash"]):
            self._node_count += 1
            if nodes.get(subtree) != hashed:
                raise self._among(
                    FaultKind.NODE,
                    f"node {subtree.number} of level {subtree.level} over them is wrong",
                    first=max(subtree.number << subtree.level, self._proved_size),
                    leaf_index=place,
                    entry_id=row["sealed_id"],
                )

    def _compare_heads(self, entry_id: int | None = None) -> None:
        """Compare every head over as many leaves as there are now; heads come by their sizes."""
        while self._next_head is not None and self._next_head.head.size == self.tree.size:
            self._compare_head(self._next_head, entry_id)
            self._next_head = next(self._heads, None)
        while self._seen and self._seen[0].size == self.tree.size:
            if self._seen.pop(0).root != self._root():
                raise self._at_head("a head that was kept elsewhere is of another tree", entry_id)
            self._proved_size = self.tree.size

    def _compare_head(self, kept: KeptHead, entry_id: int | None) -> None:
        self.head_count += 1
        if kept.head.root != self._root():
            raise self._at_head("the head that ends there was signed over another tree", entry_id)
        try:
            # The database has no head without a key: a foreign key sees to it.
            public_key = self.keys[kept.key_number].public_key
            verify(public_key, kept.signature, kept.head.body.encode())
        except NoteRefusedError as error:
            says = f"the head over {kept.head.size} entries does not count: {error}"
            last = self._last_index()
            raise self._since_proved(
                FaultKind.SIGNATURE, says, leaf_index=last, entry_id=entry_id
            ) from error
        if kept.key_number in self._vouched:
            self._proved_size = self.tree.size

    def _refuse_other_end(self) -> None:
        if self._next_head is not None:
            raise self._missing(self._next_head.head)
        last_entry = None if self._last_place is None else self._last_place[2]
        if self.tree.size and self._last_head_size() != self.tree.size:
            raise self._at_head("no head was signed over the last entries", last_entry)
        stored = int(self._connection.execute(_NODE_COUNT).scalar_one())
        if stored != self._node_count:
            raise _fault(FaultKind.NODE, f"{stored - self._node_count} nodes are too many")

    def _look_beyond(self) -> None:
        """Compare heads over more than is sealed with the tree that the next sealing makes.

        A sealer that was killed remembers a head that it could not store.
        """
        if not self._seen:
            return
        given = {"limit": self._seen[-1].size - self.tree.size}
        for row in self._streamed(_NEXT_LEAVES, given).mappings():
            for _ in self.tree.append(leaf_hash_of(EntryRow(**row), self._details_key)):
                pass  # what is above the leaves is not stored yet
            self._compare_heads(row["entry_id"])
        if self._seen:
            raise self._missing(self._seen[-1])

    def _missing(self, head: TreeHead) -> FaultError:
        says = f"a tree of {head.size} entries was signed, and {self.leaf_count} are there"
        return self._since_proved(FaultKind.LEAF_MISSING, says, leaf_index=self.leaf_count)

    def _at_head(self, says: str, entry_id: int | None) -> FaultError:
        last = self._last_index()
        return self._since_proved(FaultKind.HEAD, says, leaf_index=last, entry_id=entry_id)

    def _since_proved(
        self, kind: FaultKind, says: str, *, leaf_index: int | None, entry_id: int | None = None
    ) -> FaultError:
        """It lies behind the last head that is right."""
        first = self._proved_size
        return self._among(kind, says, first=first, leaf_index=leaf_index, entry_id=entry_id)

    def _among(
        self,
        kind: FaultKind,
        says: str,
        *,
        first: int,
        leaf_index: int | None,
        entry_id: int | None,
    ) -> FaultError:
        """It lies at one of several leaves; where they are one, at that."""
        if leaf_index is None or first >= leaf_index:
            return _fault(kind, says, leaf_index=leaf_index, entry_id=entry_id)
        fault = Fault(
            kind=kind,
            says=says,
            leaf_index=leaf_index,
            entry_id=entry_id,
            first_index=first,
            first_entry_id=self._connection.execute(_ENTRY_AT, {"leaf_index": first}).scalar(),
        )
        return FaultError(fault)

    def _last_index(self) -> int | None:
        return self.tree.size - 1 if self.tree.size else None

    def _root(self) -> bytes:
        return self.tree.root() if self.tree.size else EMPTY_ROOT

    def _nodes_until(self, size: int) -> Mapping[Subtree, bytes]:
        """The nodes that are complete in a larger tree and not yet in this one."""
        levels = range(1, max(size.bit_length(), 1))
        given = {
            "levels": list(levels),
            "firsts": [self.tree.size >> level for level in levels],
            "ends": [size >> level for level in levels],
        }
        rows = self._connection.execute(_NODES, given)
        return {Subtree(level, index): hashed for level, index, hashed in rows}

    def _all_heads(self) -> Iterator[KeptHead]:
        query = select(audit_head, origin_key()).order_by(
            audit_head.c.tree_size, audit_head.c.signed_at
        )
        for row in self._streamed(query).mappings():
            yield kept_head(row)

    def _streamed(
        self, query: Executable, given: Mapping[str, int] | None = None
    ) -> CursorResult[Any]:
        options = {"yield_per": LEAVES_AT_ONCE}
        result = self._connection.execute(query, given, execution_options=options)
        self._streams.callback(result.close)
        return result

    def _last_head_size(self) -> int | None:
        newest = select(audit_head.c.tree_size).order_by(audit_head.c.tree_size.desc()).limit(1)
        return self._connection.execute(newest).scalar()


def _vouched_by(trusted: VerifierKey, ordered: Sequence[ChainedKey]) -> frozenset[int]:
    """Numbers of keys that follow from the trusted one, or from the first, which the name tells.

    Handovers were verified; a key without one is what anybody can write into a table.
    """
    found, is_vouched = set(), True
    for key in ordered:
        is_vouched = is_vouched and (key.number == 1 or key.handover is not None)
        is_vouched = is_vouched or key.public_key == trusted.public_key
        if is_vouched:
            found.add(key.number)
    return frozenset(found)


def _fault(
    kind: FaultKind, says: str, *, leaf_index: int | None = None, entry_id: int | None = None
) -> FaultError:
    return FaultError(Fault(kind=kind, says=says, leaf_index=leaf_index, entry_id=entry_id))
