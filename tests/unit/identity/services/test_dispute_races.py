"""Disputes when people act at the same time, and when a transaction is cut off."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from identity.domain.caller import Role
from identity.domain.dispute import DisputeDecision, DisputeState
from identity.domain.errors import DisputeExistsError, DisputeNotReadyError
from identity.security.vault import Vault
from identity.services.disputes import decide_dispute, open_dispute
from identity.services.end_disputes import close_due
from identity.services.report_events import EventKind
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from identity.storage.disputes import KeptDispute, Sight
from tests.unit.identity.conftest import Race
from tests.unit.identity.makers import find, make_call, store_citizen
from tests.unit.identity.services.quarrels import POLICY, Quarrel, quarrel

CLAIMANT = DisputeDecision.CLAIMANT


class CutOffError(Exception):
    """The power failed before the commit."""


@pytest.fixture
def transactions(quiet_engine: Engine, vault: Vault) -> Transactions:
    """Committed where nobody counts what is due."""
    return Transactions(Database(quiet_engine, vault))


@pytest.fixture
def world(transactions: Transactions) -> Quarrel:
    """A committed quarrel."""
    return transactions.run(quarrel)


@pytest.fixture
def dispute_id(transactions: Transactions, world: Quarrel) -> UUID:
    """A committed dispute about it."""
    return transactions.run(lambda uow: replace(world, uow=uow).open().dispute.dispute_id)


def stored(transactions: Transactions, dispute_id: UUID) -> KeptDispute:
    found = transactions.run(lambda uow: uow.disputes.find(dispute_id, Sight()))
    assert found is not None
    return found


def apart(
    transactions: Transactions, world: Quarrel, act: Callable[[Quarrel], Any]
) -> Callable[[], Any]:
    """An act in a transaction of its own."""
    return lambda: transactions.run(lambda uow: act(replace(world, uow=uow)))


def test_of_two_who_claim_at_once_one_does(
    transactions: Transactions, world: Quarrel, race: Race
) -> None:
    third = transactions.run(store_citizen).personal_id

    def claim_for_third(each: Quarrel) -> object:
        return open_dispute(each.uow, each.operator, each.item.msisdn, third)

    answers = race(
        [
            apart(transactions, world, lambda each: each.open(each.operator)),
            apart(transactions, world, claim_for_third),
        ]
    )
    assert [type(each) for each in answers].count(DisputeExistsError) == 1
    opened = transactions.run(lambda uow: uow.disputes.open_of(world.item.msisdn))
    assert list(opened) == [world.item.subscription_id]


def test_whoever_decides_at_the_same_time_is_heard(
    transactions: Transactions, world: Quarrel, dispute_id: UUID, race: Race
) -> None:
    def say(name: str) -> Callable[[], Any]:
        return apart(transactions, world, lambda each: each.decide(dispute_id, CLAIMANT, name))

    answers = race([say(name) for name in ("a", "b", "c")])
    assert [type(each) for each in answers].count(DisputeNotReadyError) == 1
    assert len(stored(transactions, dispute_id).dispute.deciders) == 2


def test_a_transfer_at_the_same_time_comes_before_the_dispute_or_is_refused(
    transactions: Transactions, world: Quarrel, race: Race
) -> None:
    heir = transactions.run(store_citizen)
    transferred, view = race(
        [
            apart(transactions, world, lambda each: each.event(EventKind.TRANSFER, heir)),
            apart(transactions, world, lambda each: each.open()),
        ]
    )
    kept = stored(transactions, view.dispute.dispute_id)
    item = transactions.run(lambda uow: find(uow, world.item))
    holder = transactions.run(lambda uow: uow.citizens.personal_ids([kept.holder_key]))
    assert list(holder.values()) == [item.claim.personal_id]
    is_heirs = item.claim.personal_id == heir.personal_id
    assert transferred == ("" if is_heirs else "NUMBER_IN_DISPUTE")


def test_two_runs_close_a_dispute_once(
    transactions: Transactions, world: Quarrel, dispute_id: UUID, race: Race
) -> None:
    transactions.run(lambda uow: replace(world, uow=uow).decide(dispute_id, CLAIMANT))
    at = world.at + POLICY.appeal_within
    run = apart(transactions, replace(world, at=at), lambda each: close_due(each.uow, each.app))
    assert all(isinstance(count, int) for count in race([run, run]))
    assert stored(transactions, dispute_id).dispute.closed_at == at
    heir = transactions.run(lambda uow: replace(world, uow=uow).now_in_service())
    assert heir.claim.personal_id == world.claimant.personal_id


def test_an_appeal_and_a_run_agree_on_whether_it_came_in_time(
    transactions: Transactions, world: Quarrel, dispute_id: UUID, race: Race
) -> None:
    transactions.run(lambda uow: replace(world, uow=uow).decide(dispute_id, CLAIMANT))
    end = world.at + POLICY.appeal_within
    in_time = replace(world, at=end - timedelta(seconds=1))
    race(
        [
            apart(transactions, in_time, lambda each: each.appeal(dispute_id, each.holder)),
            apart(transactions, replace(world, at=end), lambda each: close_due(each.uow, each.app)),
        ]
    )
    kept = stored(transactions, dispute_id).dispute
    heir = transactions.run(lambda uow: replace(world, uow=uow).now_in_service())
    is_closed = kept.state is DisputeState.CLOSED
    assert bool(kept.appeals) is not is_closed
    assert (heir.claim.personal_id == world.claimant.personal_id) is is_closed


@pytest.mark.parametrize("decision", list(DisputeDecision))
def test_what_is_cut_off_has_done_nothing_and_comes_out_the_same_the_next_time(
    transactions: Transactions, world: Quarrel, dispute_id: UUID, decision: DisputeDecision
) -> None:
    transactions.run(lambda uow: replace(world, uow=uow).decide(dispute_id, decision))
    before = stored(transactions, dispute_id)
    call = make_call("clock", role=Role.REGULATOR, at=world.at + POLICY.appeal_within)

    def close_and_die(uow: UnitOfWork) -> None:
        close_due(uow, call)
        raise CutOffError

    with suppress(CutOffError):
        transactions.run(close_and_die)
    assert stored(transactions, dispute_id) == before
    assert transactions.run(lambda uow: find(uow, world.item)) == world.item
    transactions.run(lambda uow: close_due(uow, call))
    assert stored(transactions, dispute_id).dispute.state is DisputeState.CLOSED
    number = transactions.run(lambda uow: replace(world, uow=uow).now_in_service())
    is_given = number.claim.personal_id == world.claimant.personal_id
    assert is_given is (decision is CLAIMANT)


def test_a_decision_on_an_appeal_that_is_cut_off_has_not_been_made(
    transactions: Transactions, world: Quarrel, dispute_id: UUID
) -> None:
    def until_the_last_word(uow: UnitOfWork) -> None:
        here = replace(world, uow=uow)
        here.decide(dispute_id, CLAIMANT)
        here.appeal(dispute_id, world.holder)
        here.decide(dispute_id, CLAIMANT, "c")

    def say_and_die(uow: UnitOfWork) -> None:
        decide_dispute(uow, world.regulator("d"), dispute_id, CLAIMANT)
        raise CutOffError

    transactions.run(until_the_last_word)
    before = stored(transactions, dispute_id)
    with suppress(CutOffError):
        transactions.run(say_and_die)
    assert stored(transactions, dispute_id) == before
    assert transactions.run(lambda uow: find(uow, world.item)) == world.item
