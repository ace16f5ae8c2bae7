"""Transactions begin, end, are tried again, and act once for one request."""

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any, NoReturn
from uuid import uuid4

import pytest
from sqlalchemy import text

from identity.domain.errors import (
    ContendedError,
    PrimaryNotEligibleError,
    RequestIDReusedError,
    StorageUnavailableError,
)
from identity.domain.msisdn import MSISDN
from identity.security.vault import Vault
from identity.services.transactions import RETRY_ATTEMPTS, Transactions
from identity.storage.database import Database, UnitOfWork, connect
from tests.unit.identity.makers import (
    NOW,
    make_key,
    make_msisdn,
    make_record,
    make_subscription,
    store_citizen,
    store_number,
    wait_until_somebody_waits_for,
)


class CrashError(Exception):
    """The process dies here."""


def deadlock(transactions: Transactions, race: Callable[..., list[Any]]) -> list[int]:
    """Two transactions that lock two numbers crosswise; the attempts that each needed."""

    def store(uow: UnitOfWork) -> list[MSISDN]:
        return [store_number(uow, store_citizen(uow)).msisdn for _ in range(2)]

    numbers = transactions.run(store)
    both_hold_one = Barrier(2)

    def lock(order: list[MSISDN], attempts: list[None], uow: UnitOfWork) -> None:
        attempts.append(None)
        uow.connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
        uow.subscriptions.find_in_service(order[0], lock=True)
        if len(attempts) == 1:
            both_hold_one.wait(10)
        uow.subscriptions.find_in_service(order[1], lock=True)

    attempts: list[list[None]] = [[], []]
    answers = race(
        [
            partial(transactions.run, partial(lock, numbers, attempts[0])),
            partial(transactions.run, partial(lock, numbers[::-1], attempts[1])),
        ]
    )
    assert answers == [None, None]
    return [len(each) for each in attempts]


def test_a_transaction_that_lost_a_deadlock_is_tried_again(
    transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    assert sorted(deadlock(transactions, race)) == [1, 2]


def test_a_race_that_is_always_lost_is_given_up(transactions: Transactions) -> None:
    attempts: list[None] = []

    def lose(uow: UnitOfWork) -> None:
        attempts.append(None)
        uow.connection.exec_driver_sql(
            "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"
        )

    with pytest.raises(ContendedError):
        transactions.run(lose)
    assert len(attempts) == RETRY_ATTEMPTS


def test_a_fault_is_not_tried_again_and_leaves_nothing(transactions: Transactions) -> None:
    attempts: list[None] = []
    record = make_record()

    def fail(uow: UnitOfWork) -> None:
        attempts.append(None)
        uow.citizens.save_many([record], at=NOW)
        raise CrashError

    with pytest.raises(CrashError):
        transactions.run(fail)
    assert len(attempts) == 1
    assert transactions.run(lambda uow: uow.citizens.find(record.personal_id)) is None


def test_actions_run_at_the_same_time_each_in_its_own_transaction(
    transactions: Transactions,
) -> None:
    both = Barrier(2)

    def act(uow: UnitOfWork) -> None:
        uow.citizens.save_many([record], at=NOW)
        both.wait(10)  # one after the other they would never meet

    record = make_record()
    transactions.run_each([act, lambda _uow: both.wait(10)], workers=2)
    assert transactions.run(lambda uow: uow.citizens.find(record.personal_id)) == record


def test_a_fault_in_one_of_many_actions_comes_out_and_the_others_are_done(
    transactions: Transactions,
) -> None:
    def crash(_uow: UnitOfWork) -> None:
        raise CrashError

    record = make_record()
    with pytest.raises(CrashError):
        transactions.run_each(
            [crash, lambda uow: uow.citizens.save_many([record], at=NOW)], workers=1
        )
    assert transactions.run(lambda uow: uow.citizens.find(record.personal_id)) == record


def test_a_server_that_is_not_there_is_told(vault: Vault) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody@127.0.0.1:{free.getsockname()[1]}/nothing"
    absent = Transactions(Database(connect(url), vault))
    with pytest.raises(StorageUnavailableError):
        absent.run_once(make_key(), lambda _uow: b"", at=NOW)


class Effects:
    """Registers a number each time it is run, and answers differently each time."""

    def __init__(self) -> None:
        self.numbers: list[MSISDN] = []

    def answer(self, uow: UnitOfWork) -> bytes:
        """As an action of `run_once`."""
        self.numbers.append(make_msisdn())
        uow.subscriptions.save(make_subscription(msisdn=self.numbers[-1]))
        return f"effect {uuid4()}".encode()

    def result(self, uow: UnitOfWork) -> Mapping[str, Any]:
        """As an action of `run_batch_once`."""
        return {"answer": self.answer(uow).decode()}

    def stored_count(self, transactions: Transactions) -> int:
        """How many of them can be found."""
        found = transactions.run(lambda uow: uow.subscriptions.find_many_in_service(self.numbers))
        return len(found)


def test_a_repeated_request_gets_the_first_answer_to_the_byte(transactions: Transactions) -> None:
    effects, key = Effects(), make_key()
    assert transactions.first_answer(key) is None
    answers = {transactions.run_once(key, effects.answer, at=NOW) for _ in range(3)}
    assert answers == {transactions.first_answer(key)}
    assert (len(effects.numbers), effects.stored_count(transactions)) == (1, 1)


def test_requests_at_once_have_one_effect_and_one_answer(
    transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    effects, key = Effects(), make_key()
    answers = race([partial(transactions.run_once, key, effects.answer, at=NOW)] * 8)
    assert len(set(answers)) == 1
    assert isinstance(answers[0], bytes)
    assert effects.stored_count(transactions) == 1


@pytest.mark.parametrize("other", [{"body_digest": b"\x02" * 32}, {"method": "another"}])
def test_an_identifier_is_not_reused_for_something_else(
    transactions: Transactions, other: dict[str, Any]
) -> None:
    effects, key = Effects(), make_key()
    transactions.run_once(key, effects.answer, at=NOW)
    transactions.run_batch_once(key, 0, effects.result, at=NOW)
    reused = replace(key, **other)
    with pytest.raises(RequestIDReusedError):
        transactions.run_once(reused, effects.answer, at=NOW)
    with pytest.raises(RequestIDReusedError):
        transactions.first_answer(reused)
    with pytest.raises(RequestIDReusedError):
        transactions.run_batch_once(reused, 0, effects.result, at=NOW)
    assert effects.stored_count(transactions) == 2


def test_a_request_that_failed_may_come_again(transactions: Transactions) -> None:
    effects, key = Effects(), make_key()

    def crash(uow: UnitOfWork) -> bytes:
        effects.answer(uow)
        raise CrashError

    with pytest.raises(CrashError):
        transactions.run_once(key, crash, at=NOW)
    assert transactions.first_answer(key) is None
    assert effects.stored_count(transactions) == 0
    transactions.run_once(key, effects.answer, at=NOW)
    assert effects.stored_count(transactions) == 1


@pytest.mark.parametrize(
    "run",
    [Transactions.run_once, lambda to, key, act, at: to.run_batch_once(key, 0, act, at=at)],
    ids=["request", "batch"],
)
def test_a_refusal_changes_nothing_and_stays_on_record(
    transactions: Transactions, run: Callable[..., object]
) -> None:
    key = make_key()

    def refuse(uow: UnitOfWork) -> NoReturn:
        store_citizen(uow)
        raise PrimaryNotEligibleError("not yours")

    with pytest.raises(PrimaryNotEligibleError):
        run(transactions, key, refuse, at=NOW)
    query = text("SELECT action, outcome FROM audit_entry WHERE caller = :caller")
    with transactions.database.transaction() as uow:
        noted = uow.connection.execute(query, {"caller": key.caller}).all()
    assert [tuple(row) for row in noted] == [(key.method, "PRIMARY_NOT_ELIGIBLE")]


def test_a_request_waits_for_its_twin_and_takes_its_answer(
    database: Database, transactions: Transactions
) -> None:
    effects, key = Effects(), make_key()
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as uow:
            assert uow.requests.begin(key, at=NOW) is None
            twin = thread.submit(transactions.run_once, key, effects.answer, at=NOW)
            wait_until_somebody_waits_for(uow)
            uow.requests.finish(key, b"the first")
        assert twin.result(10) == b"the first"
    assert effects.numbers == []


def test_a_batch_is_stored_once_and_answers_the_same(
    transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    effects, key = Effects(), make_key()
    batches = [
        partial(transactions.run_batch_once, key, index % 2, effects.result, at=NOW)
        for index in range(6)
    ]
    answers = race(batches)
    assert len({answer["answer"] for answer in answers}) == 2
    assert effects.stored_count(transactions) == 2


def test_a_batch_that_failed_may_come_again(transactions: Transactions) -> None:
    effects, key = Effects(), make_key()

    def crash(uow: UnitOfWork) -> Mapping[str, Any]:
        effects.result(uow)
        raise CrashError

    with pytest.raises(CrashError):
        transactions.run_batch_once(key, 0, crash, at=NOW)
    assert effects.stored_count(transactions) == 0
    transactions.run_batch_once(key, 0, effects.result, at=NOW)
    assert effects.stored_count(transactions) == 1
