"""Entries are sealed once each, in one order without gaps, whoever writes at the same time."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from identity.audit.checkpoint import check_head, format_note, parse_note
from identity.audit.leaf import LEAF_HASH_SQL, leaf_hash_of
from identity.audit.log import append
from identity.audit.merkle import GrowingTree, Subtree
from identity.audit.sealing import begin_era
from identity.audit.tree import find_entry, read_hashes, read_root
from identity.audit.tree_tables import TREE_TABLES, audit_leaf, audit_node
from identity.services.seal_audit import Sealed
from identity.storage.database import Database, UnitOfWork
from tests.unit.identity.audit.logs import ENTRY, OwnLog, details_key_of
from tests.unit.identity.makers import NOW

NEWEST_LEAF = text(
    f"SELECT entry_id, {LEAF_HASH_SQL} FROM audit_entry ORDER BY entry_id DESC LIMIT 1"  # noqa: S608 - a constant
)
APPEND_ONLY = [each.name for each in TREE_TABLES if each.name != "audit_witness"]


def order(log: OwnLog) -> list[int]:
    """The numbers of sealed entries, in the order of the log."""
    with log.database.transaction() as uow:
        query = select(audit_leaf.c.leaf_index, audit_leaf.c.entry_id).order_by("leaf_index")
        rows = uow.connection.execute(query).all()
    assert [row[0] for row in rows] == list(range(len(rows)))
    return [row[1] for row in rows]


def test_entries_are_sealed_in_their_order_and_once(log: OwnLog) -> None:
    first = log.write(3)
    assert log.head().size == 3
    second = log.write(4)
    assert log.head().size == 7
    assert order(log) == [*first, *second]
    assert log.seal().head is None


def test_stored_nodes_are_those_of_the_tree(log: OwnLog) -> None:
    for count in (1, 2, 5, 8, 3, 21):
        log.write(count)
        log.head()
    tree = GrowingTree()
    nodes: dict[Subtree, bytes] = {}
    with log.database.transaction() as uow:
        leaves = list(
            uow.connection.execute(select(audit_leaf.c.leaf_hash).order_by("leaf_index")).scalars()
        )
        for size, leaf in enumerate(leaves, start=1):
            nodes |= dict(tree.append(leaf))
            assert read_root(uow.connection, size) == tree.root()
        stored = uow.connection.execute(select(audit_node)).all()
        assert {Subtree(row[0], row[1]): row[2] for row in stored} == nodes
        assert read_hashes(uow.connection, list(nodes)) == nodes


def test_a_batch_is_limited_and_says_that_there_is_more(log: OwnLog) -> None:
    numbers = log.write(10)
    log.settle()
    sizes = []
    while (done := log.seal(limit=4)).is_more:
        sizes.append(done.entry_count)
    assert [*sizes, done.entry_count] == [4, 4, 2]
    assert order(log) == list(numbers)


def test_the_head_is_signed_by_the_key_of_the_log(log: OwnLog) -> None:
    log.write(5)
    head = log.head()
    with log.database.transaction() as uow:
        row = uow.connection.execute(text("SELECT signature FROM audit_head")).scalar_one()
    (key,) = log.verifiers()
    note = format_note(head, row, key)
    assert check_head(parse_note(note), key) == head


def test_a_head_is_signed_anew_after_an_hour_and_not_before(log: OwnLog) -> None:
    log.write()
    head = log.head()
    assert log.seal(at=NOW + timedelta(minutes=59)).head is None
    anew = log.seal(at=NOW + timedelta(minutes=60)).head
    assert anew is not None
    assert (anew.size, anew.root) == (head.size, head.root)
    assert anew.signed_at == NOW + timedelta(minutes=60)


def test_a_clock_that_goes_back_makes_no_older_head(log: OwnLog) -> None:
    log.write()
    log.head(at=NOW)
    log.write()
    assert log.head(at=NOW - timedelta(days=1)).signed_at == NOW


def test_a_long_transaction_delays_what_began_after_it_and_loses_nothing(log: OwnLog) -> None:
    early = log.write(2)
    log.settle()
    with log.database.transaction() as slow:
        append(slow.connection, [ENTRY])
        late = log.write(3)
        log.seal()
        assert order(log) == list(early)
    assert log.head().size == 6
    assert sorted(order(log)[2:]) == list(range(late[0] - 1, late[-1] + 1))


def test_an_undone_transaction_leaves_no_gap(log: OwnLog) -> None:
    first = log.write(2)
    with log.database.engine.connect() as connection:
        append(connection, [ENTRY] * 3)
        connection.rollback()
    last = log.write(2)
    assert log.head().size == 4
    assert order(log) == [*first, *last]


def test_of_two_who_seal_at_once_one_does(log: OwnLog) -> None:
    log.write(3)
    with log.database.transaction() as uow:
        uow.connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('subid.audit.seal'))"))
        assert log.seal() == Sealed()
    assert log.head().size == 3


def test_many_writers_and_sealers_at_once_seal_every_entry_once(log: OwnLog) -> None:
    failures: list[BaseException] = []
    writers_left = threading.Semaphore(0)

    def attempt(work: object) -> None:
        try:
            work()  # type: ignore[operator] # a function
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    def write() -> None:
        for count in (1, 3, 2, 7, 1, 5):
            log.write(count)
        writers_left.release()

    def keep_sealing() -> None:
        while not writers_left.acquire(blocking=False):
            log.seal(limit=5)
        writers_left.release()

    threads = [threading.Thread(target=attempt, args=(write,)) for _ in range(4)]
    threads += [threading.Thread(target=attempt, args=(keep_sealing,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    log.settle()
    while log.seal(limit=50).entry_count:
        pass
    with log.database.transaction() as uow:
        expected = uow.connection.execute(
            text("SELECT entry_id FROM audit_entry ORDER BY era, transaction_id, entry_id")
        ).scalars()
        assert order(log) == list(expected)
    assert len(order(log)) == 4 * 19


def test_after_a_restore_on_a_younger_server_the_log_goes_on_in_order(log: OwnLog) -> None:
    old = log.write(3)
    with log.database.transaction() as uow:
        # As a dump brings them: of transactions that this server has not begun.
        uow.connection.execute(
            text(
                "INSERT INTO audit_entry (occurred_at, caller, action, outcome, details,"
                " transaction_id) SELECT now(), 'a:b', 'c', 'd', '{}', '999999999999'"
                " FROM generate_series(1, 4)"
            )
        )
    with log.database.transaction() as uow:
        assert begin_era(uow.connection) == 2
    new = log.write(2)
    with log.database.transaction() as uow:
        assert begin_era(uow.connection) is None
    assert log.head().size == 9
    assert order(log) == [*old, *range(old[-1] + 1, new[0]), *new]


def test_where_nothing_was_restored_no_era_begins(log: OwnLog) -> None:
    log.write(3)
    with log.database.transaction() as uow:
        assert begin_era(uow.connection) is None
        append(uow.connection, [ENTRY])
        assert begin_era(uow.connection) is None


@pytest.mark.parametrize(
    "table", [each.name for each in TREE_TABLES if each.name != "audit_witness"]
)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_take_anything_out_of_the_tree(
    uow: UnitOfWork, table: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        uow.connection.execute(text(statement.format(table)))


texts = st.text(
    alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | texts
keys = st.none() | st.binary(min_size=16, max_size=16)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shared=st.tuples(texts, texts, maybe, maybe, maybe, maybe),
    marks=st.tuples(keys, keys),
    at=st.datetimes(),
    details=st.dictionaries(texts, texts | numbers | st.none(), max_size=3),
)
def test_database_and_code_make_the_same_leaf_of_any_entry(
    database: Database,
    shared: tuple[str, str, str | None, str | None, str | None, str | None],
    marks: tuple[bytes | None, bytes | None],
    at: object,
    details: dict[str, object],
) -> None:
    action, outcome, purpose, legal_basis, case_id, fields = shared
    citizen, msisdn = marks
    entry = replace(
        ENTRY,
        occurred_at=at.replace(tzinfo=NOW.tzinfo),  # type: ignore[attr-defined] # an instant
        shown_from=NOW,
        action=action,
        outcome=outcome,
        purpose=purpose,
        legal_basis=legal_basis,
        case_id=case_id,
        fields=fields,
        citizen_key=citizen,
        msisdn_key=msisdn,
        details=details,
    )
    with database.engine.connect() as connection:
        append(connection, [entry])
        uow = UnitOfWork(connection, database.sealer)
        given = {"details_key": details_key_of(uow)}
        number, hashed = connection.execute(NEWEST_LEAF, given).one()
        row = find_entry(connection, number)
        assert row is not None
        assert bytes(hashed) == leaf_hash_of(row, details_key_of(uow))
        connection.rollback()
