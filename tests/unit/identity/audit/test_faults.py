"""What nobody can say more of is named as a range, and what was tampered with lies in it."""

from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from identity.audit.faults import Fault, FaultKind
from identity.audit.leaf import leaf_hash_of
from identity.audit.merkle import GrowingTree
from identity.audit.tree import find_entry
from identity.audit.tree_tables import audit_leaf
from tests.unit.identity.audit.logs import OwnLog, details_key_of
from tests.unit.identity.audit.test_check import (
    ANNOUNCE,
    VICTIM,
    checked,
    public,
    sealed,
    sign_as,
    tamper,
)


def leaf_hashes(log: OwnLog) -> Sequence[bytes]:
    with log.database.transaction() as uow:
        query = select(audit_leaf.c.leaf_hash).order_by(audit_leaf.c.leaf_index)
        return list(uow.connection.execute(query).scalars())


def rewrite(log: OwnLog, entry_id: int, *, levels: int, has_heads: bool = False) -> None:
    """Change an entry with its leaf, and what is above it up to a level; the key is not at hand."""
    tamper(log, "UPDATE audit_entry SET outcome = 'forged' WHERE entry_id = :one", one=entry_id)
    with log.database.transaction() as uow:
        entry = find_entry(uow.connection, entry_id)
        assert entry is not None
        hashed = leaf_hash_of(entry, details_key_of(uow))
    change = "UPDATE audit_leaf SET leaf_hash = :hashed WHERE entry_id = :one"
    tamper(log, change, one=entry_id, hashed=hashed)
    tree = GrowingTree()
    for each in leaf_hashes(log):
        for (level, place), node in tree.append(each):
            if level <= levels:
                given = {"level": level, "place": place, "node": node}
                where = "level = :level AND node_index = :place"
                tamper(log, f"UPDATE audit_node SET node_hash = :node WHERE {where}", **given)  # noqa: S608 - of this file
        if has_heads:
            change = "UPDATE audit_head SET root_hash = :root WHERE tree_size = :size"
            tamper(log, change, root=tree.root(), size=tree.size)


def refuse_misnamed(fault: Fault | None, index: int, entry_id: int) -> Fault:
    """What was tampered with is named, or among what is named."""
    assert fault is not None
    assert fault.leaf_index is not None
    first = fault.leaf_index if fault.first_index is None else fault.first_index
    assert first <= index <= fault.leaf_index
    names = {fault.leaf_index: fault.entry_id, fault.first_index: fault.first_entry_id}
    assert names.get(index, entry_id) == entry_id
    return fault


@pytest.mark.parametrize("victim", [0, 8, 9, 19])
@pytest.mark.parametrize(
    ("levels", "has_heads", "kinds"),
    [
        (0, False, {FaultKind.NODE, FaultKind.HEAD}),
        (1, False, {FaultKind.NODE, FaultKind.HEAD}),
        (9, False, {FaultKind.HEAD}),
        (9, True, {FaultKind.SIGNATURE}),
    ],
)
def test_an_entry_that_was_changed_with_hashes_over_it_is_among_those_that_are_named(
    log: OwnLog,
    victim: int,
    levels: int,
    has_heads: bool,  # noqa: FBT001 - a case
    kinds: set[FaultKind],
) -> None:
    numbers = sealed(log)
    rewrite(log, numbers[victim], levels=levels, has_heads=has_heads)
    fault = refuse_misnamed(checked(log).fault, victim, numbers[victim])
    assert fault.kind in kinds
    assert fault.leaf_index is not None
    # Never more than what one head covers and the one before it does not.
    heads = [0, 3, 8, 16, 20]
    before = max(each for each in heads if each <= victim)
    assert (fault.first_index or 0) >= before or fault.first_index is None
    assert fault.leaf_index < min(each for each in heads if each > victim)


def test_heads_of_a_key_that_was_only_announced_narrow_nothing_down(log: OwnLog) -> None:
    numbers = sealed(log)
    (published,) = log.verifiers()
    thief = Ed25519PrivateKey.generate()
    rewrite(log, numbers[VICTIM], levels=9)
    tamper(log, ANNOUNCE, number=2, key=public(thief), handover=None)
    tree = GrowingTree()
    for each in leaf_hashes(log)[:12]:
        for _ in tree.append(each):
            pass
    sign_as(log, thief, number=2, origin=published.name, over=(tree.size, tree.root()))
    fault = refuse_misnamed(checked(log).fault, VICTIM, numbers[VICTIM])
    assert (fault.kind, fault.first_index, fault.leaf_index) == (FaultKind.HEAD, 8, 15)


@pytest.mark.parametrize("transaction", ["'1'", "CAST('9' || transaction_id AS xid8)"])
def test_an_entry_that_was_put_elsewhere_in_the_order_is_among_those_that_are_named(
    log: OwnLog, transaction: str
) -> None:
    numbers = sealed(log)
    victim = 7  # the last one of its transaction
    change = f"UPDATE audit_entry SET transaction_id = {transaction} WHERE entry_id = :one"  # noqa: S608 - of this file
    tamper(log, change, one=numbers[victim])
    fault = refuse_misnamed(checked(log).fault, victim, numbers[victim])
    assert fault.kind is FaultKind.ORDER


def test_an_entry_removed_whole_is_behind_the_last_head_that_is_right(log: OwnLog) -> None:
    numbers = sealed(log)
    victim = 17
    tamper(
        log,
        "DELETE FROM audit_entry WHERE entry_id = :one",
        "DELETE FROM audit_leaf WHERE entry_id = :one",
        "UPDATE audit_leaf SET leaf_index = leaf_index - 1 WHERE leaf_index > :victim",
        "DELETE FROM audit_node WHERE ((node_index + 1) << level) > 16",
        one=numbers[victim],
        victim=victim,
    )
    hashes = leaf_hashes(log)
    tree = GrowingTree()
    for each in hashes:
        for (level, place), node in tree.append(each):
            if ((place + 1) << level) > 16:
                given = {"level": level, "place": place, "node": node}
                tamper(log, "INSERT INTO audit_node VALUES (:level, :place, :node)", **given)
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.first_index, fault.leaf_index) == (FaultKind.LEAF_MISSING, 16, 19)
    assert fault.first_entry_id == numbers[16]


def test_a_fault_is_said_in_a_line() -> None:
    fault = Fault(kind=FaultKind.NODE, says="wrong", leaf_index=9, entry_id=12)
    assert str(fault) == "NODE: entry 12, leaf 9: wrong"
    several = Fault(
        kind=FaultKind.HEAD,
        says="wrong",
        leaf_index=9,
        entry_id=12,
        first_index=8,
        first_entry_id=11,
    )
    assert str(several) == "HEAD: one of those from entry 11, leaf 8, to entry 12, leaf 9: wrong"
    assert str(Fault(kind=FaultKind.KEY, says="wrong")) == "KEY: no entry: wrong"
