"""All claims compared: every slice once, also when the work is cut off or shared."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, select, text

from identity.audit.log import audit_entry
from identity.domain.link import LinkState, agreed_link, not_found_link
from identity.domain.person_name import PersonName
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.call import COMMAND_LINE
from identity.services.link_registry import link_registry
from identity.services.transactions import Transactions
from identity.storage.bulk_tables import link_run, link_run_slice
from identity.storage.database import Database, UnitOfWork
from identity.storage.link_runs import LinkTotals
from identity.storage.tables import citizen, enforcement_case, holding, subscription
from tests.unit.identity.conftest import Race
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    find,
    make_call,
    make_claim,
    make_record,
    make_subscription,
    reference_of,
)

LATER = NOW + timedelta(days=1)
CALL = make_call(COMMAND_LINE, at=LATER)


@dataclass
class Told:
    """What was told of the progress."""

    slices: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, done: int, of: int) -> None:
        """One slice more is done."""
        self.slices.append((done, of))


@pytest.fixture
def registry(quiet_engine: Engine, vault: Vault) -> Iterator[Transactions]:
    """A registry of this test's own, empty."""
    yield Transactions(Database(quiet_engine, vault))
    with quiet_engine.begin() as connection:
        for table in (enforcement_case, holding, subscription, citizen, link_run_slice, link_run):
            connection.execute(delete(table))


@dataclass(frozen=True)
class Book:
    """Numbers whose links are all but one wrong, and what each should be."""

    items: dict[Subscription, LinkState]

    @classmethod
    def stored(cls, registry: Transactions, copies: int = 1) -> "Book":
        """In a registry, as a restored backup may leave it."""
        return registry.run(lambda uow: cls(_store(uow, copies)))

    def states(self, registry: Transactions) -> list[LinkState]:
        """How they stand now."""
        return registry.run(lambda uow: [find(uow, item).link.state for item in self.items])


def _store(uow: UnitOfWork, copies: int) -> dict[Subscription, LinkState]:
    items: dict[Subscription, LinkState] = {}
    for _ in range(copies):
        alive, dead = make_record(), make_record(deceased_on=date(2026, 1, 2))
        uow.citizens.save_many([alive, dead], at=NOW)
        other_name = replace(make_claim(alive), full_name=PersonName(OTHER_NAME))
        linked, missing = agreed_link(is_deceased=False), not_found_link()
        items |= {
            make_subscription(make_claim(alive), link=linked): LinkState.LINKED,
            make_subscription(make_claim(alive), link=missing): LinkState.LINKED,
            make_subscription(make_claim(dead), link=linked): LinkState.DECEASED,
            make_subscription(make_claim(), link=linked): LinkState.NOT_FOUND,
            make_subscription(other_name, link=linked): LinkState.MISMATCHED,
        }
    unverified = {replace(item, verified_at=None): state for item, state in items.items()}
    uow.subscriptions.save_many(unverified)
    return unverified


def begin(registry: Transactions, slice_count: int) -> None:
    registry.run(lambda uow: uow.link_runs.begin(uuid4(), slice_count=slice_count, at=NOW))


def test_every_claim_is_compared_and_what_is_wrong_is_put_right(registry: Transactions) -> None:
    book, told = Book.stored(registry), Told()
    totals = link_registry(registry, CALL, progress=told)
    assert totals == LinkTotals(compared_count=5, changed_count=4)
    assert book.states(registry) == list(book.items.values())
    assert told.slices == [(0, 1), (1, 1)]
    again = link_registry(registry, CALL)
    assert again == LinkTotals(compared_count=5, changed_count=0)


def test_the_history_and_the_audit_log_say_what_led_to_it(registry: Transactions) -> None:
    book = Book.stored(registry)
    link_registry(registry, CALL)

    def read(uow: UnitOfWork) -> tuple[list[int], list[object]]:
        lines = [uow.link_changes.list_of(*reference_of(uow, item)) for item in book.items]
        assert {line.action for each in lines for line in each} == {"link_registry"}
        entries = select(audit_entry.c.details).where(
            audit_entry.c.caller == COMMAND_LINE, audit_entry.c.action == "link_registry"
        )
        details = uow.connection.scalars(entries.order_by(audit_entry.c.entry_id)).all()
        return [len(each) for each in lines], [*details]

    lengths, details = registry.run(read)
    assert lengths == [0, 1, 1, 1, 1]
    assert details[-1] == {"compared": 5, "changed": 4}


def test_an_empty_registry_has_nothing_to_compare(registry: Transactions) -> None:
    assert link_registry(registry, CALL) == LinkTotals(compared_count=0, changed_count=0)


def test_ended_numbers_are_not_compared(registry: Transactions) -> None:
    ended = make_subscription(service_state=ServiceState.TERMINATED)
    registry.run(lambda uow: uow.subscriptions.save(ended))
    assert link_registry(registry, CALL).compared_count == 0


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_slices_add_up_whoever_does_them(registry: Transactions, workers: int) -> None:
    book, told = Book.stored(registry, copies=6), Told()
    begin(registry, 8)
    totals = link_registry(registry, CALL, workers=workers, progress=told)
    assert totals == LinkTotals(compared_count=30, changed_count=24)
    assert book.states(registry) == list(book.items.values())
    assert told.slices == [(done, 8) for done in range(9)]


def audited(registry: Transactions, since: int = 0) -> list[tuple[int, Mapping[str, int]]]:
    """Slices in the audit log, after one of its entries."""

    def read(uow: UnitOfWork) -> list[tuple[int, Mapping[str, int]]]:
        query = select(audit_entry.c.entry_id, audit_entry.c.details).where(
            audit_entry.c.action == "link_slice", audit_entry.c.entry_id > since
        )
        rows = uow.connection.execute(query.order_by(audit_entry.c.entry_id))
        return [(row.entry_id, row.details) for row in rows]

    return registry.run(read)


def test_each_slice_is_audited_where_it_is_stored_though_the_run_never_ends(
    registry: Transactions,
) -> None:
    Book.stored(registry, copies=4)
    begin(registry, 6)
    since = max((number for number, _ in audited(registry)), default=0)

    def cut_off(done: int, _of: int) -> None:
        if done == 2:
            raise CutOffError

    with pytest.raises(CutOffError):
        link_registry(registry, CALL, workers=1, progress=cut_off)
    query = select(link_run_slice.c.compared_count, link_run_slice.c.changed_count)
    stored = registry.run(lambda uow: uow.connection.execute(query).all())
    assert 2 <= len(stored) < 6
    entries = [(told["compared"], told["changed"]) for _, told in audited(registry, since)]
    assert sorted(entries) == sorted((row.compared_count, row.changed_count) for row in stored)


class CutOffError(Exception):
    """Somebody ended the process."""


def test_a_run_that_was_cut_off_goes_on_where_it_stood(registry: Transactions) -> None:
    book = Book.stored(registry, copies=4)
    begin(registry, 6)

    def cut_off(done: int, _of: int) -> None:
        if done == 2:
            raise CutOffError

    with pytest.raises(CutOffError):
        link_registry(registry, CALL, workers=1, progress=cut_off)
    with registry.database.transaction() as uow:
        done = uow.link_runs.begin(uuid4(), slice_count=99, at=NOW).done
    assert 2 <= len(done) < 6
    told = Told()
    totals = link_registry(registry, CALL, progress=told)
    # The totals are those of the whole run, and what was done is not done again.
    assert totals == LinkTotals(compared_count=20, changed_count=16)
    assert told.slices == [(count, 6) for count in range(len(done), 7)]
    assert book.states(registry) == list(book.items.values())


def test_two_processes_share_the_slices_of_one_run_and_one_of_them_completes_it(
    registry: Transactions, race: Race
) -> None:
    book = Book.stored(registry, copies=6)
    begin(registry, 8)
    together = threading.Barrier(2)

    def meet(done: int, of: int) -> None:
        if done in {0, of}:  # both have begun before either works, and end before either says so
            together.wait(30)

    audited = registry.run(ends_audited)
    calls = [CALL, replace(CALL, at=LATER + timedelta(hours=1))]
    found = race([partial(link_registry, registry, call, progress=meet) for call in calls])
    assert found == [LinkTotals(compared_count=30, changed_count=24)] * 2
    assert book.states(registry) == list(book.items.values())
    with registry.database.transaction() as uow:
        (completed_at,) = uow.connection.scalars(select(link_run.c.completed_at))
        assert ends_audited(uow) == [*audited, completed_at]


def ends_audited(uow: UnitOfWork) -> list[datetime]:
    """When comparisons were completed, as the audit log has it."""
    query = select(audit_entry.c.occurred_at).where(
        audit_entry.c.caller == COMMAND_LINE, audit_entry.c.action == "link_registry"
    )
    return list(uow.connection.scalars(query.order_by(audit_entry.c.entry_id)))


def test_the_number_of_slices_follows_the_planners_estimate(registry: Transactions) -> None:
    with registry.database.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE pg_class SET reltuples = 8000 WHERE relname IN (SELECT"
                " c.relname FROM pg_partition_tree('subscription') AS t"
                " JOIN pg_class AS c ON c.oid = t.relid WHERE t.isleaf)"
            )
        )
        expected = connection.execute(
            text(
                "SELECT ceil(sum(reltuples) / 20000)::int FROM"
                " pg_partition_tree('subscription') AS t JOIN pg_class AS c ON c.oid = t.relid"
                " WHERE t.isleaf"
            )
        ).scalar_one()
    told = Told()
    link_registry(registry, CALL, progress=told)
    assert told.slices[-1] == (expected, expected)
    assert expected > 1
    with registry.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("ANALYZE subscription")
        )
