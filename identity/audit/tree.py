"""The tree as it is stored: hashes for proofs, signed heads, the keys that signed them, witnesses.

Owns reading it, and appending heads, keys and co-signatures. How leaves come to be is
`identity.audit.sealing`'s. Signs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Label, RowMapping, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from identity.audit.checkpoint import Cosignature, TreeHead
from identity.audit.key_chain import ChainedKey, origin_of
from identity.audit.leaf import EntryRow
from identity.audit.merkle import (
    Subtree,
    consistency_ranges,
    fold,
    is_consistent,
    perfect_subtrees,
    proof_from,
)
from identity.audit.tree_tables import (
    audit_cosignature,
    audit_head,
    audit_key,
    audit_leaf,
    audit_witness,
)

_HASHES = text(
    "WITH wanted (level, place) AS ("
    " SELECT * FROM unnest(CAST(:levels AS smallint[]), CAST(:places AS bigint[])))"
    " SELECT 0 AS level, leaf_index AS place, leaf_hash AS hash"
    " FROM wanted JOIN audit_leaf ON wanted.level = 0 AND leaf_index = place"
    " UNION ALL SELECT n.level, n.node_index, n.node_hash"
    " FROM wanted JOIN audit_node AS n ON n.level = wanted.level AND n.node_index = place"
)

ENTRY_COLUMNS = (
    "entry_id, occurred_at, caller, action, outcome, citizen_key, msisdn_key, purpose,"
    " legal_basis, case_id, shown_from, fields, CAST(details AS text) AS details"
)
"""What an `EntryRow` is made of."""

_ENTRY = text(f"SELECT {ENTRY_COLUMNS} FROM audit_entry WHERE entry_id = :entry_id")  # noqa: S608 - a constant

# Of one caller among all: looked for among so many at a time, since an index over callers would
# cost every writer more than a page costs here.
_OF_CALLER = text(
    f"SELECT {ENTRY_COLUMNS} FROM"  # noqa: S608 - a constant
    " (SELECT * FROM audit_entry WHERE entry_id < :before ORDER BY entry_id DESC LIMIT :looked_at)"
    " AS entry WHERE CAST(:caller AS text) IS NULL OR caller = :caller"
    " ORDER BY entry_id DESC LIMIT :limit"
)
_LOOKED_AT = text(
    "SELECT min(entry_id) FROM"
    " (SELECT entry_id FROM audit_entry WHERE entry_id < :before ORDER BY entry_id DESC"
    "  LIMIT :looked_at) AS entry"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHead:
    """A head as it was signed.

    Attributes:
        head: The head.
        key_number: Of the key that signed it.
        signature: 64 bytes.
    """

    head: TreeHead
    key_number: int
    signature: bytes


def read_hashes(connection: Connection, subtrees: Sequence[Subtree]) -> dict[Subtree, bytes]:
    """The hashes of perfect subtrees, as far as they are stored."""
    given = {
        "levels": [each.level for each in subtrees],
        "places": [each.number for each in subtrees],
    }
    rows = connection.execute(_HASHES, given)
    return {Subtree(level, place): bytes(hashed) for level, place, hashed in rows}


def read_root(connection: Connection, size: int) -> bytes:
    """The root of the tree of its first leaves.

    Raises:
        KeyError: A node of it is not stored.
    """
    subtrees = perfect_subtrees(0, size)
    hashes = read_hashes(connection, subtrees)
    return fold([hashes[each] for each in subtrees])


def begins_with(connection: Connection, old: TreeHead, new: TreeHead) -> bool:
    """Whether the tree of one head begins with that of another, by the hashes that are stored.

    Stored hashes are not believed: they must lead to both roots.
    """
    if old.size > new.size:
        return False
    ranges = consistency_ranges(old.size, new.size)
    subtrees = [subtree for each in ranges for subtree in perfect_subtrees(*each)]
    try:
        proof = proof_from(ranges, read_hashes(connection, subtrees))
    except KeyError:
        return False
    return is_consistent(old.size, old.root, new.size, new.root, proof=proof)


def find_entry(connection: Connection, entry_id: int) -> EntryRow | None:
    """An entry by its number."""
    row = connection.execute(_ENTRY, {"entry_id": entry_id}).mappings().one_or_none()
    return None if row is None else EntryRow(**row)


def list_entries(
    connection: Connection, *, caller: str | None, before: int, limit: int, looked_at: int
) -> tuple[Sequence[EntryRow], int | None]:
    """Entries of one caller's calls, the newest first.

    Args:
        connection: The transaction.
        caller: Whose, as `role:name`; None for everybody's.
        before: The number of an entry.
        limit: The most of them.
        looked_at: Among how many of all entries they are looked for.

    Returns:
        They, and the number before which the rest lies; None where there is none.
    """
    given = {"caller": caller, "before": before, "limit": limit, "looked_at": looked_at}
    rows = [EntryRow(**row) for row in connection.execute(_OF_CALLER, given).mappings()]
    if len(rows) == limit:
        return rows, rows[-1].entry_id
    reached = connection.execute(_LOOKED_AT, {"before": before, "looked_at": looked_at}).scalar()
    return rows, reached


def leaf_index_of(connection: Connection, entry_id: int) -> int | None:
    """The place of an entry in the tree; None until it is sealed."""
    query = select(audit_leaf.c.leaf_index).where(audit_leaf.c.entry_id == entry_id)
    return connection.execute(query).scalar()


def newest_head(connection: Connection, *, is_witnessed: bool = False) -> KeptHead | None:
    """The newest head.

    Args:
        connection: The transaction.
        is_witnessed: The newest one that a witness has co-signed instead.
    """
    query = select(audit_head, origin_key())
    if is_witnessed:
        query = query.join(audit_cosignature)
    newest = query.order_by(audit_head.c.tree_size.desc(), audit_head.c.signed_at.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    return None if row is None else kept_head(row)


def find_head(connection: Connection, size: int, signed_at: datetime) -> KeptHead | None:
    """A head by its size and its instant."""
    query = select(audit_head, origin_key()).where(
        audit_head.c.tree_size == size, audit_head.c.signed_at == signed_at
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else kept_head(row)


def append_head(connection: Connection, kept: KeptHead) -> None:
    """Keep a head that was signed."""
    connection.execute(
        insert(audit_head).values(
            tree_size=kept.head.size,
            signed_at=kept.head.signed_at,
            root_hash=kept.head.root,
            key_number=kept.key_number,
            signature=kept.signature,
        )
    )


def read_keys(connection: Connection) -> Sequence[ChainedKey]:
    """The keys of the log, the first one first."""
    rows = connection.execute(select(audit_key).order_by(audit_key.c.key_number)).mappings()
    return [
        ChainedKey(number=row["key_number"], public_key=row["public_key"], handover=row["handover"])
        for row in rows
    ]


def append_key(connection: Connection, key: ChainedKey, *, at: datetime) -> bool:
    """Sign heads with a key from now on. False: another one has its number."""
    added = connection.execute(
        upsert(audit_key)
        .values(key_number=key.number, public_key=key.public_key, made_at=at, handover=key.handover)
        .on_conflict_do_nothing()
        .returning(audit_key.c.key_number)
    )
    return added.first() is not None


def read_cosignatures(connection: Connection, head: TreeHead) -> Sequence[Cosignature]:
    """What witnesses added to a head, by their names."""
    query = (
        select(audit_cosignature)
        .where(
            audit_cosignature.c.tree_size == head.size,
            audit_cosignature.c.signed_at == head.signed_at,
        )
        .order_by(audit_cosignature.c.witness)
    )
    return [
        Cosignature(
            witness=row["witness"],
            key_hash=row["key_hash"],
            signed_at=row["cosigned_at"].astimezone(UTC),
            signature=row["signature"],
        )
        for row in connection.execute(query).mappings()
    ]


def append_cosignature(connection: Connection, head: TreeHead, cosignature: Cosignature) -> None:
    """Keep what a witness added to a head; its first word about a head stands."""
    connection.execute(
        upsert(audit_cosignature)
        .values(
            tree_size=head.size,
            signed_at=head.signed_at,
            witness=cosignature.witness,
            key_hash=cosignature.key_hash,
            cosigned_at=cosignature.signed_at,
            signature=cosignature.signature,
        )
        .on_conflict_do_nothing()
    )


def witness_key(connection: Connection, caller: str) -> str | None:
    """The verifier key of a witness; None for who is none."""
    query = select(audit_witness.c.verifier_key).where(audit_witness.c.caller == caller)
    return connection.execute(query).scalar()


def set_witness(connection: Connection, caller: str, verifier_key: str) -> None:
    """Take the co-signatures of a witness by this key from now on."""
    values = {"caller": caller, "verifier_key": verifier_key}
    statement = upsert(audit_witness).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["caller"], set_={"verifier_key": verifier_key}
        )
    )


def kept_head(row: RowMapping) -> KeptHead:
    """A row of `audit_head`, with `first_key` beside it."""
    head = TreeHead(
        origin=origin_of(row["first_key"]),
        size=row["tree_size"],
        root=row["root_hash"],
        signed_at=row["signed_at"].astimezone(UTC),
    )
    return KeptHead(head=head, key_number=row["key_number"], signature=row["signature"])


def origin_key() -> Label[bytes]:
    """The first key, which the log has its name from."""
    first = select(func.min(audit_key.c.key_number)).scalar_subquery()
    query = select(audit_key.c.public_key).where(audit_key.c.key_number == first)
    return query.scalar_subquery().label("first_key")
