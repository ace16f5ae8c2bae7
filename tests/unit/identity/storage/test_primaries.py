"""Primary numbers: one for each citizen, eligible, whatever happens at the same time."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from identity.domain.caller import Role
from identity.domain.errors import ContendedError, PrimaryNotEligibleError
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.primary_number import set_primary_number
from identity.services.transactions import Transactions
from identity.storage.choice_tables import citizen_choice
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import holding, primary_number
from tests.databases import own_engine
from tests.unit.identity.makers import (
    NOW,
    hasty_rules,
    make_call,
    make_link,
    make_operator,
    make_personal_id,
    make_subscription,
    store_citizen,
    store_number,
    store_primary,
)

SINCE_THEN = NOW.replace(hour=17)


@pytest.fixture(scope="module")
def committed_engine(postgres_url: str, worker_id: str) -> Iterator[Engine]:
    """A registry that nobody else uses: some tests commit what could not be in service."""
    with own_engine(postgres_url, f"primaries_{worker_id}") as engine:
        yield engine


@pytest.fixture
def database(committed_engine: Engine, vault: Vault) -> Database:
    """That registry."""
    return Database(committed_engine, vault)


def test_a_primary_comes_back_as_it_was_set(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    found = uow.primaries.find(record.personal_id)
    assert found is not None
    assert (found.subscription_id, found.msisdn) == (item.subscription_id, item.msisdn)
    assert (found.set_at, found.verified_at) == (NOW, item.verified_at)


def test_setting_another_number_replaces_the_first(uow: UnitOfWork) -> None:
    record, first = store_primary(uow)
    second = store_number(uow, record)
    uow.primaries.set(second, at=SINCE_THEN)
    found = uow.primaries.find(record.personal_id)
    assert found is not None
    assert (found.msisdn, found.set_at) == (second.msisdn, SINCE_THEN)
    both = [first.subscription_id, second.subscription_id]
    assert uow.primaries.held_by(both) == {second.subscription_id}


@pytest.mark.parametrize(
    "flaw",
    [
        {"service_state": ServiceState.SUSPENDED},
        {"service_state": ServiceState.TERMINATED},
        {"link": make_link(LinkState.DECEASED)},
    ],
    ids=["suspended", "terminated", "deceased"],
)
def test_the_databases_refusal_is_told_and_leaves_the_transaction_usable(
    uow: UnitOfWork, flaw: Mapping[str, Any]
) -> None:
    record = store_citizen(uow)
    item = store_number(uow, record)
    uow.subscriptions.save(replace(item, **flaw))
    with pytest.raises(PrimaryNotEligibleError):
        uow.primaries.set(item, at=NOW)
    assert uow.primaries.find(record.personal_id) is None


def test_a_number_that_was_never_stored_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(PrimaryNotEligibleError):
        uow.primaries.set(make_subscription(), at=NOW)


def test_a_fresh_verification_is_noted_on_the_primary_alone(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    other = store_number(uow, record, verified_at=SINCE_THEN)
    uow.primaries.confirm_verified(other)
    found = uow.primaries.find(record.personal_id)
    assert found is not None
    assert found.verified_at == item.verified_at
    uow.primaries.confirm_verified(replace(item, verified_at=SINCE_THEN))
    confirmed = uow.primaries.find(record.personal_id)
    assert confirmed is not None
    assert (confirmed.verified_at, confirmed.confirmed_at) == (SINCE_THEN, SINCE_THEN)


def test_many_are_found_by_their_keys(uow: UnitOfWork) -> None:
    pairs = [store_primary(uow) for _ in range(3)]
    unknown = uow.primaries.key_of(make_personal_id())
    keys = {uow.primaries.key_of(record.personal_id): item for record, item in pairs}
    found = uow.primaries.find_by_keys([*keys, unknown])
    assert {key: value.msisdn for key, value in found.items()} == {
        key: item.msisdn for key, item in keys.items()
    }
    assert uow.primaries.find_by_keys([]) == {}


def test_a_run_over_a_whole_operators_book_can_ask_which_are_primary(uow: UnitOfWork) -> None:
    """PostgreSQL takes 65,535 parameters; a first import leaves more cases due than that."""
    _, item = store_primary(uow)
    many = [uuid4() for _ in range(66_000)]
    assert uow.primaries.held_by([*many, item.subscription_id]) == {item.subscription_id}


def person_with_numbers(
    database: Database, count: int
) -> tuple[PopulationRecord, list[Subscription]]:
    with database.transaction() as uow:
        record = store_citizen(uow)
        return record, [store_number(uow, record) for _ in range(count)]


def choose(record: PopulationRecord, item: Subscription, uow: UnitOfWork) -> object:
    call = make_call("vneid", role=Role.CITIZEN_APP, under=hasty_rules())
    return set_primary_number(uow, call, record.personal_id, item.msisdn)


def test_many_choices_at_once_leave_one_primary_that_is_the_citizens_own(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    record, items = person_with_numbers(database, 5)
    draw = random.Random(7)
    answers = race(
        [partial(transactions.run, partial(choose, record, draw.choice(items))) for _ in range(12)]
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    with database.transaction() as uow:
        rows = uow.connection.execute(
            select(primary_number.c.subscription_id).where(
                primary_number.c.citizen_key == uow.primaries.key_of(record.personal_id)
            )
        ).scalars()
        (only,) = rows
        assert only in {item.subscription_id for item in items}


@pytest.mark.parametrize("state", [ServiceState.SUSPENDED, ServiceState.TERMINATED])
def test_a_number_that_is_withdrawn_while_it_is_chosen_never_stays_primary(
    database: Database,
    transactions: Transactions,
    race: Callable[..., list[Any]],
    state: ServiceState,
) -> None:
    record, (item,) = person_with_numbers(database, 1)

    def withdraw(uow: UnitOfWork) -> None:
        current = uow.subscriptions.find_in_service(item.msisdn, lock=True)
        if current is not None:
            uow.subscriptions.save(replace(current, service_state=state))

    answers = race(
        [
            *[partial(transactions.run, partial(choose, record, item)) for _ in range(4)],
            *[partial(transactions.run, withdraw) for _ in range(2)],
        ]
    )
    faults = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(fault, PrimaryNotEligibleError) for fault in faults), faults
    with database.transaction() as uow:
        assert uow.primaries.find(record.personal_id) is None


def test_without_the_services_lock_the_database_still_keeps_a_primary_eligible(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    record, (item,) = person_with_numbers(database, 1)
    suspended = replace(item, service_state=ServiceState.SUSPENDED)
    race(
        [
            *[partial(transactions.run, lambda uow: uow.primaries.set(item, at=NOW))] * 4,
            partial(transactions.run, lambda uow: uow.subscriptions.save(suspended)),
            *[partial(transactions.run, lambda uow: uow.primaries.set(item, at=NOW))] * 3,
        ]
    )
    with database.transaction() as uow:
        held = uow.connection.execute(
            select(holding.c.is_eligible).where(holding.c.subscription_id == item.subscription_id)
        ).scalar_one()
        assert held or uow.primaries.find(record.personal_id) is None


ISOLATIONS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_at_any_isolation_the_database_refuses_a_second_primary(
    database: Database, race: Callable[..., list[Any]], isolation: str
) -> None:
    record, items = person_with_numbers(database, 4)
    with database.transaction() as uow:
        key = uow.primaries.key_of(record.personal_id)
        uow.connection.execute(insert(citizen_choice).values(citizen_key=key))

    def mark(item: Subscription) -> None:
        with isolated(database, isolation) as connection:
            connection.execute(insert(primary_number).values(row_of(key, item)))

    answers = race([partial(mark, item) for item in items])
    refused = [answer for answer in answers if answer is not None]
    assert len(refused) == len(items) - 1
    assert all(isinstance(each, IntegrityError | OperationalError) for each in refused), refused
    assert primaries_of(database, key) == 1


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("flaw", [{"is_eligible": False}, None], ids=["not eligible", "gone"])
def test_at_any_isolation_no_primary_is_left_without_an_eligible_holding(
    database: Database,
    race: Callable[..., list[Any]],
    isolation: str,
    flaw: Mapping[str, Any] | None,
) -> None:
    record, (item,) = person_with_numbers(database, 1)
    with database.transaction() as uow:
        key = uow.primaries.key_of(record.personal_id)
        uow.connection.execute(insert(citizen_choice).values(citizen_key=key))
    is_it = holding.c.subscription_id == item.subscription_id
    spoil = delete(holding) if flaw is None else update(holding).values(**flaw)

    def execute(statement: Any) -> None:  # noqa: ANN401 - any statement
        with isolated(database, isolation) as connection:
            connection.execute(statement)

    mark = insert(primary_number).values(row_of(key, item))
    answers = race([partial(execute, mark), partial(execute, spoil.where(is_it))])
    refused = [answer for answer in answers if answer is not None]
    assert len(refused) == 1
    assert isinstance(refused[0], IntegrityError | OperationalError)
    assert primaries_of(database, key) == (1 if answers[0] is None else 0)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_at_any_isolation_choices_at_once_leave_a_history_without_a_gap(
    database: Database, race: Callable[..., list[Any]], isolation: str
) -> None:
    record, items = person_with_numbers(database, 3)
    stricter = Database(
        database.engine.execution_options(isolation_level=isolation), database.sealer
    )
    attempts = Transactions(stricter)
    answers = race([partial(attempts.run, partial(choose, record, item)) for item in items * 3])
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(each, ContendedError) for each in refused), refused
    with database.transaction() as uow:
        key = uow.primaries.key_of(record.personal_id)
        lines = uow.choices.history(key, before=None, limit=100)
    assert [line.sequence for line in lines] == list(range(len(answers) - len(refused), 0, -1))
    assert primaries_of(database, key) == 1


@contextmanager
def isolated(database: Database, isolation: str) -> Iterator[Connection]:
    """A transaction that goes around the repositories."""
    engine = database.engine.execution_options(isolation_level=isolation)
    with engine.begin() as connection:
        yield connection


def row_of(key: bytes, item: Subscription) -> Mapping[str, Any]:
    return {
        "citizen_key": key,
        "subscription_id": item.subscription_id,
        "msisdn_sealed": b"sealed",
        "verified_at": NOW,
        "set_at": NOW,
        "confirmed_at": NOW,
    }


def primaries_of(database: Database, key: bytes) -> int:
    query = select(primary_number.c.subscription_id).where(primary_number.c.citizen_key == key)
    with database.transaction() as uow:
        return len(uow.connection.scalars(query).all())


def test_two_citizens_choices_do_not_touch_each_other(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    people = [person_with_numbers(database, 1) for _ in range(4)]
    race([partial(transactions.run, partial(choose, who, items[0])) for who, items in people])
    with database.transaction() as uow:
        for record, (item,) in people:
            found = uow.primaries.find(record.personal_id)
            assert found is not None
            assert found.msisdn == item.msisdn


def test_a_primary_follows_its_number_through_an_operators_hands(uow: UnitOfWork) -> None:
    """A number ported out is gone as primary; ported in, it must be verified and chosen anew."""
    record, item = store_primary(uow)
    uow.subscriptions.save(replace(item, service_state=ServiceState.TERMINATED))
    again = store_number(uow, record, msisdn=item.msisdn, operator_id=make_operator())
    assert uow.primaries.find(record.personal_id) is None
    uow.primaries.set(again, at=NOW)
    found = uow.primaries.find(record.personal_id)
    assert found is not None
    assert found.subscription_id == again.subscription_id
