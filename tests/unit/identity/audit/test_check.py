"""Whoever tampers with rows, order, leaves, nodes, heads or keys is found, at the first bad entry.

A superuser does it here, with every trigger switched off.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from identity.audit.check import check_log
from identity.audit.checkpoint import NoteSigner, TreeHead, VerifierKey, sign_head
from identity.audit.faults import Checked, FaultKind
from identity.audit.key_chain import (
    KEY_FILE,
    ChainedKey,
    next_key,
    origin_of,
    read_key_file,
)
from identity.audit.sealing import seal_entries, tree_size
from identity.audit.tree import read_root
from identity.services.seal_audit import rotate_audit_key
from identity.services.transactions import Transactions
from tests.unit.identity.audit.logs import (
    ENTRY,
    OwnLog,
    details_key_of,
    tampering,
)
from tests.unit.identity.makers import NOW

VICTIM = 9


def checked(
    log: OwnLog, seen: Sequence[TreeHead] = (), *, trusted: VerifierKey | None = None
) -> Checked:
    with log.database.transaction() as uow:
        key = uow.sealer.blind_index("audit_details", "")
        trusted = trusted or log.keys.verifier(uow)
    with log.database.transaction() as uow:
        return check_log(uow.connection, details_key=key, trusted=trusted, seen=seen)


def tamper(log: OwnLog, *statements: str, **given: object) -> None:
    with tampering(log.database.engine) as connection:
        for statement in statements:
            connection.execute(text(statement), given)


def sealed(log: OwnLog) -> Sequence[int]:
    """Twenty entries under four heads; their numbers."""
    numbers: list[int] = []
    for count in (3, 5, 8, 4):
        numbers += log.write(count)
        log.head(at=NOW + timedelta(seconds=len(numbers)))
    return numbers


def test_a_log_that_nobody_touched_is_as_it_was_sealed(log: OwnLog) -> None:
    sealed(log)
    log.write(2)
    found = checked(log)
    assert found.fault is None
    assert (found.leaf_count, found.head_count, found.unsealed_count) == (20, 4, 2)


def test_an_empty_log_is_well(log: OwnLog) -> None:
    assert checked(log).fault is None
    assert log.head().size == 0
    assert checked(log).fault is None


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'not_available'",
        "occurred_at = occurred_at + interval '1 microsecond'",
        "caller = 'agency:police'",
        "action = 'can_notify'",
        "purpose = NULL",
        "citizen_key = NULL",
        "citizen_key = decode(repeat('02', 16), 'hex')",
        "msisdn_key = decode(repeat('02', 16), 'hex')",
        "shown_from = now()",
        "fields = 'number'",
        "case_id = ''",
        "legal_basis = 'none'",
        "details = '{}'",
        """details = '{"codes": ["B"]}'""",
    ],
)
def test_a_changed_entry_is_named(log: OwnLog, change: str) -> None:
    numbers = sealed(log)
    for victim in (numbers[VICTIM], numbers[VICTIM + 3]):
        tamper(log, f"UPDATE audit_entry SET {change} WHERE entry_id = :victim", victim=victim)  # noqa: S608 - of this file
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id, fault.leaf_index) == (
        *(FaultKind.ENTRY_CHANGED, numbers[VICTIM], VICTIM),
    )


def test_a_removed_entry_is_named(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(log, "DELETE FROM audit_entry WHERE entry_id = :victim", victim=numbers[VICTIM])
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.ENTRY_REMOVED, numbers[VICTIM])


def test_an_entry_removed_with_its_leaf_leaves_a_gap(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "DELETE FROM audit_entry WHERE entry_id = :victim",
        "DELETE FROM audit_leaf WHERE entry_id = :victim",
        victim=numbers[VICTIM],
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.leaf_index) == (FaultKind.LEAF_MISSING, VICTIM)


def test_an_entry_put_among_sealed_ones_is_named(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "INSERT INTO audit_entry (entry_id, occurred_at, caller, action, outcome, details, era,"
        " transaction_id) OVERRIDING SYSTEM VALUE SELECT 1000000, occurred_at, caller, action,"
        " outcome, details, era, transaction_id FROM audit_entry WHERE entry_id = :last",
        last=numbers[7],
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id, fault.leaf_index) == (FaultKind.ENTRY_ADDED, 1_000_000, 8)


def test_entries_in_another_order_are_found(log: OwnLog) -> None:
    numbers = sealed(log)
    one, other = numbers[VICTIM], numbers[VICTIM + 1]
    tamper(
        log,
        "UPDATE audit_leaf SET entry_id = -1 WHERE entry_id = :one",
        "UPDATE audit_leaf SET entry_id = :one WHERE entry_id = :other",
        "UPDATE audit_leaf SET entry_id = :other WHERE entry_id = -1",
        one=one,
        other=other,
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.leaf_index) == (FaultKind.ENTRY_CHANGED, VICTIM)


def test_an_order_of_transactions_that_was_changed_is_found(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "UPDATE audit_entry SET transaction_id = '1' WHERE entry_id = :victim",
        victim=numbers[VICTIM],
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.ORDER, numbers[VICTIM])


def test_a_changed_hash_of_a_leaf_is_named(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "UPDATE audit_leaf SET leaf_hash = sha256(leaf_hash) WHERE leaf_index = :place",
        place=VICTIM,
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.ENTRY_CHANGED, numbers[VICTIM])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_node SET node_hash = sha256(node_hash) WHERE level = 1 AND node_index = 4",
        "DELETE FROM audit_node WHERE level = 1 AND node_index = 4",
    ],
)
def test_a_changed_or_missing_node_is_named_by_the_entry_that_completes_it(
    log: OwnLog, statement: str
) -> None:
    numbers = sealed(log)
    tamper(log, statement)
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.NODE, numbers[VICTIM])


def test_a_node_too_many_is_found(log: OwnLog) -> None:
    sealed(log)
    tamper(log, "INSERT INTO audit_node VALUES (9, 77, decode(repeat('00', 32), 'hex'))")
    fault = checked(log).fault
    assert fault is not None
    assert fault.kind is FaultKind.NODE


def test_an_entry_rewritten_with_leaf_and_nodes_contradicts_the_signed_head(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "UPDATE audit_entry SET outcome = 'forged' WHERE entry_id = :victim",
        "DELETE FROM audit_leaf WHERE leaf_index >= 8",
        "DELETE FROM audit_node WHERE ((node_index + 1) << level) > 8",
        victim=numbers[VICTIM],
    )
    # Who has the key as well signs the forged entries, and all after them, anew.
    (published,) = log.verifiers()
    stolen = read_key_file(log.keys.directory / KEY_FILE)
    seal_forged(log)
    sign_as(log, stolen, number=1, origin=published.name)
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.HEAD, numbers[15])


def test_a_head_with_another_root_is_found(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(log, "UPDATE audit_head SET root_hash = sha256(root_hash) WHERE tree_size = 8")
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.HEAD, numbers[7])


@pytest.mark.parametrize(
    "change",
    [
        "signature = set_byte(signature, 5, 1 + get_byte(signature, 5) % 255)",
        "signed_at = signed_at + interval '1 second'",
    ],
)
def test_a_head_with_another_signature_or_time_is_found(log: OwnLog, change: str) -> None:
    numbers = sealed(log)
    tamper(log, f"UPDATE audit_head SET {change} WHERE tree_size = 8")  # noqa: S608 - of this file
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.SIGNATURE, numbers[7])


def test_a_head_that_another_key_signed_is_found(log: OwnLog) -> None:
    sealed(log)
    with log.database.transaction() as uow:
        head = TreeHead(
            origin=log.verifiers()[0].name,
            size=20,
            root=read_root(uow.connection, 20),
            signed_at=NOW + timedelta(days=1),
        )
    signature = sign_head(head, NoteSigner("thief", Ed25519PrivateKey.generate()))
    tamper(
        log,
        "INSERT INTO audit_head VALUES (20, :at, :root, 1, :signature)",
        at=head.signed_at,
        root=head.root,
        signature=signature,
    )
    fault = checked(log).fault
    assert fault is not None
    assert fault.kind is FaultKind.SIGNATURE


def test_the_newest_entries_removed_with_their_leaves_are_missed(log: OwnLog) -> None:
    numbers = sealed(log)
    tamper(
        log,
        "DELETE FROM audit_entry WHERE entry_id > :kept",
        "DELETE FROM audit_leaf WHERE leaf_index >= 16",
        "DELETE FROM audit_node WHERE ((node_index + 1) << level) > 16",
        kept=numbers[15],
    )
    fault = checked(log).fault
    assert fault is not None
    assert (fault.kind, fault.leaf_index) == (FaultKind.LEAF_MISSING, 16)


def test_a_removed_newest_head_is_missed(log: OwnLog) -> None:
    sealed(log)
    tamper(log, "DELETE FROM audit_head WHERE tree_size = 20")
    fault = checked(log).fault
    assert fault is not None
    assert fault.kind is FaultKind.HEAD


def test_an_end_that_was_cut_off_whole_is_missed_by_a_head_that_was_kept(log: OwnLog) -> None:
    sealed(log)
    kept = log.seal(at=NOW + timedelta(days=1)).head
    assert kept is not None
    tamper(
        log,
        "DELETE FROM audit_entry WHERE entry_id NOT IN"
        " (SELECT entry_id FROM audit_leaf WHERE leaf_index < 16)",
        "DELETE FROM audit_leaf WHERE leaf_index >= 16",
        "DELETE FROM audit_node WHERE ((node_index + 1) << level) > 16",
        "DELETE FROM audit_head WHERE tree_size > 16",
    )
    assert checked(log).fault is None
    fault = checked(log, seen=[kept]).fault
    assert fault is not None
    assert (fault.kind, fault.leaf_index) == (FaultKind.LEAF_MISSING, 16)


def test_a_head_kept_elsewhere_that_is_another_trees_is_found(log: OwnLog) -> None:
    sealed(log)
    kept = log.seal(at=NOW + timedelta(days=1)).head
    assert kept is not None
    assert checked(log, seen=[kept]).fault is None
    fault = checked(log, seen=[replace(kept, root=b"\x00" * 32)]).fault
    assert fault is not None
    assert fault.kind is FaultKind.HEAD


def test_a_key_that_was_exchanged_is_found(log: OwnLog) -> None:
    sealed(log)
    thief = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    tamper(log, "UPDATE audit_key SET public_key = :thief", thief=thief)
    fault = checked(log).fault
    assert fault is not None
    assert fault.kind is FaultKind.KEY


@pytest.mark.parametrize("is_lost", [False, True])
def test_after_a_rotation_old_and_new_heads_count(log: OwnLog, is_lost: bool) -> None:  # noqa: FBT001 - a case
    sealed(log)
    rotate_audit_key(Transactions(log.database), log.keys, at=NOW, is_lost=is_lost)
    log.write(3)
    log.head(at=NOW + timedelta(days=1))
    found = checked(log)
    assert found.fault is None
    assert list(found.lost_keys) == ([1] if is_lost else [])
    tamper(log, "UPDATE audit_key SET handover = :bad WHERE key_number = 2", bad=b"\x01" * 64)
    fault = checked(log).fault
    assert fault is not None
    assert fault.kind is FaultKind.KEY


def test_details_are_marked_with_a_key_that_nobody_else_has(log: OwnLog) -> None:
    log.write(1, ENTRY)
    log.head()
    with log.database.transaction() as uow:
        assert len(details_key_of(uow)) == 16
    with log.database.transaction() as uow:
        found = check_log(uow.connection, details_key=b"\x00" * 16, trusted=None)
    assert found.fault is not None
    assert found.fault.kind is FaultKind.ENTRY_CHANGED


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def sign_as(
    log: OwnLog,
    thief: Ed25519PrivateKey,
    *,
    number: int,
    origin: str,
    over: tuple[int, bytes] | None = None,
) -> None:
    """Put a head into the database that is signed with a key of one's own, over all leaves."""
    with log.database.transaction() as uow:
        size = tree_size(uow.connection)
        size, root = over or (size, read_root(uow.connection, size))
    head = TreeHead(origin=origin, size=size, root=root, signed_at=NOW + timedelta(days=2))
    tamper(
        log,
        "INSERT INTO audit_head VALUES (:size, :at, :root, :number, :signature)",
        size=size,
        at=head.signed_at,
        root=root,
        number=number,
        signature=sign_head(head, NoteSigner(origin, thief)),
    )


ANNOUNCE = "INSERT INTO audit_key VALUES (:number, :key, now(), :handover)"
REWRITE = (
    "UPDATE audit_entry SET outcome = 'forged' WHERE entry_id = :victim",
    "DELETE FROM audit_head WHERE tree_size > 8",
    "DELETE FROM audit_leaf WHERE leaf_index >= 8",
    "DELETE FROM audit_node WHERE ((node_index + 1) << level) > 8",
)


def seal_forged(log: OwnLog) -> None:
    """Make leaves and nodes anew, without a head, as the service would."""
    log.settle()
    with log.database.transaction() as uow:
        seal_entries(uow.connection, details_key=details_key_of(uow), limit=1_000)


@pytest.mark.parametrize("trusts", ["the key file", "the published key"])
@pytest.mark.parametrize("handover", [None, b"\x01" * 64])
def test_a_head_by_a_key_that_was_announced_and_not_handed_over_to_is_found(
    log: OwnLog, handover: bytes | None, trusts: str
) -> None:
    numbers = sealed(log)
    (published,) = log.verifiers()
    thief = Ed25519PrivateKey.generate()
    tamper(log, *REWRITE, victim=numbers[VICTIM])
    tamper(log, ANNOUNCE, number=2, key=public(thief), handover=handover)
    seal_forged(log)
    sign_as(log, thief, number=2, origin=published.name)
    fault = checked(log, trusted=None if trusts == "the key file" else published).fault
    assert fault is not None
    assert fault.kind is FaultKind.KEY


def test_a_log_that_was_made_anew_before_a_trusted_key_is_found(log: OwnLog) -> None:
    numbers = sealed(log)
    (published,) = log.verifiers()
    thief = Ed25519PrivateKey.generate()
    first = ChainedKey(number=1, public_key=public(thief))
    origin = origin_of(first.public_key)
    second = next_key(origin, first, published.public_key, signer=thief)
    tamper(log, *REWRITE, "DELETE FROM audit_head", victim=numbers[VICTIM])
    tamper(log, "UPDATE audit_key SET public_key = :key", key=first.public_key)
    tamper(log, ANNOUNCE, number=2, key=second.public_key, handover=second.handover)
    seal_forged(log)
    sign_as(log, thief, number=1, origin=origin)
    assert checked(log, trusted=VerifierKey(name=origin, public_key=public(thief))).fault is None
    for trusted in (None, published):
        fault = checked(log, trusted=trusted).fault
        assert fault is not None
        assert fault.kind is FaultKind.KEY


def test_a_trusted_key_counts_under_its_own_name_only(log: OwnLog) -> None:
    sealed(log)
    (published,) = log.verifiers()
    assert checked(log, trusted=published).fault is None
    fault = checked(log, trusted=replace(published, name="subid-audit-0011223344556677")).fault
    assert fault is not None
    assert fault.kind is FaultKind.KEY


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_published_key_leads_over_a_handover_and_not_over_a_lost_key(
    log: OwnLog,
    is_lost: bool,  # noqa: FBT001 - a case
) -> None:
    sealed(log)
    (published,) = log.verifiers()
    rotate_audit_key(Transactions(log.database), log.keys, at=NOW, is_lost=is_lost)
    # At once, and without a sealing in between: the new key has signed the tree as it is.
    assert checked(log).fault is None
    fault = checked(log, trusted=published).fault
    assert (fault is None) == (not is_lost)
    assert fault is None or fault.kind is FaultKind.KEY
    assert checked(log, trusted=log.verifiers()[-1]).fault is None


def test_a_kept_head_of_another_log_is_found(log: OwnLog) -> None:
    sealed(log)
    kept = log.keys.remembered()
    assert kept is not None
    assert checked(log, seen=[kept]).fault is None
    fault = checked(log, seen=[replace(kept, origin="subid-audit-0011223344556677")]).fault
    assert fault is not None
    assert fault.kind is FaultKind.KEY


def test_a_head_that_was_remembered_and_not_stored_is_held_against_what_will_be_sealed(
    log: OwnLog,
) -> None:
    sealed(log)
    numbers = log.write(3)
    log.settle()
    log.seal_and_be_killed(at=NOW + timedelta(days=1))
    log.write(2)
    remembered = log.keys.remembered()
    assert remembered is not None
    found = checked(log, seen=[remembered])
    assert (found.fault, found.leaf_count, found.unsealed_count) == (None, 20, 5)
    tamper(log, "UPDATE audit_entry SET caller = 'x' WHERE entry_id = :last", last=numbers[-1])
    fault = checked(log, seen=[remembered]).fault
    assert fault is not None
    assert (fault.kind, fault.entry_id) == (FaultKind.HEAD, numbers[-1])
    tamper(log, "DELETE FROM audit_entry WHERE entry_id >= :first", first=numbers[-1])
    fault = checked(log, seen=[remembered]).fault
    assert fault is not None
    assert (fault.kind, fault.leaf_index) == (FaultKind.LEAF_MISSING, 20)
