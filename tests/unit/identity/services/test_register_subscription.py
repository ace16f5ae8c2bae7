"""A new number is known and linked, and stays inactive until its holder is verified."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from identity.domain.errors import (
    NumberInServiceElsewhereError,
    SubscriptionExistsError,
    TerminationPendingError,
)
from identity.domain.link import LinkState
from identity.domain.subscription import ServiceState
from identity.services.register_subscription import register_subscription
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    store_citizen,
    store_number,
    store_primary,
)


def test_a_registered_number_is_inactive_linked_and_on_no_ladder(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    claim, msisdn = make_claim(store_citizen(uow)), make_msisdn()
    item = register_subscription(uow, call, msisdn, claim)
    assert find(uow, item) == item
    assert (item.service_state, item.applied_state) == (ServiceState.INACTIVE,) * 2
    assert (item.link.state, item.verified_at) == (LinkState.LINKED, None)
    assert (item.operator_id, item.claim, item.created_at) == (call.caller.name, claim, NOW)
    assert uow.cases.list_open([item])[item.subscription_id] == []
    assert actions(uow.connection, call.caller) == [("register_subscription", "linked")]


def test_what_the_register_says_decides_the_link(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    dead = store_citizen(uow, deceased_on=date(2026, 1, 5))
    other = store_citizen(uow)
    differing = make_claim(other).__class__(
        personal_id=other.personal_id,
        full_name=other.full_name,
        birth_date=other.birth_date + timedelta(days=1),
    )
    states = [
        register_subscription(uow, call, make_msisdn(), claim).link.state
        for claim in (make_claim(), make_claim(dead), differing)
    ]
    assert states == [LinkState.NOT_FOUND, LinkState.DECEASED, LinkState.MISMATCHED]
    assert [outcome for _, outcome in actions(uow.connection, call.caller)] == states


@pytest.mark.parametrize("state", [ServiceState.INACTIVE, ServiceState.SUSPENDED])
def test_a_number_in_ones_own_service_is_refused(uow: UnitOfWork, state: ServiceState) -> None:
    call = make_call(make_operator())
    record = store_citizen(uow)
    item = store_number(uow, record, operator_id=call.caller.name, service_state=state)
    with pytest.raises(SubscriptionExistsError):
        register_subscription(uow, call, item.msisdn, item.claim)
    assert find(uow, item) == item


def test_a_number_in_anothers_service_is_refused(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    with pytest.raises(NumberInServiceElsewhereError):
        register_subscription(uow, make_call(make_operator()), item.msisdn, item.claim)
    assert find(uow, item) == item


def test_a_recycled_number_starts_anew(uow: UnitOfWork) -> None:
    record, old = store_primary(uow)
    ended = store_number(
        uow,
        record,
        msisdn=old.msisdn,
        subscription_id=old.subscription_id,
        service_state=ServiceState.TERMINATED,
        applied_state=ServiceState.TERMINATED,
    )
    call = make_call(make_operator())
    new = register_subscription(uow, call, old.msisdn, make_claim(store_citizen(uow)))
    assert new.subscription_id != old.subscription_id
    assert (new.verified_at, new.sim_swapped_at, new.activated_on) == (None, None, None)
    assert uow.primaries.held_by([new.subscription_id, old.subscription_id]) == frozenset()
    assert find(uow, ended) == ended
    assert uow.subscriptions.find_of_operator(old.msisdn, call.caller.name) == new


def test_a_number_whose_termination_is_not_acknowledged_is_nobodys_yet(uow: UnitOfWork) -> None:
    record, old = store_primary(uow)
    store_number(
        uow,
        record,
        msisdn=old.msisdn,
        subscription_id=old.subscription_id,
        service_state=ServiceState.TERMINATED,
        applied_state=ServiceState.SUSPENDED,
    )
    with pytest.raises(TerminationPendingError):
        register_subscription(uow, make_call(make_operator()), old.msisdn, make_claim(record))


def test_two_operators_at_once_are_told_who_was_first(
    transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    msisdn = make_msisdn()
    both_have_looked = Barrier(2)

    def register(attempts: list[None], uow: UnitOfWork) -> str:
        attempts.append(None)
        is_free = uow.subscriptions.find_in_service(msisdn) is None
        if len(attempts) == 1:
            both_have_looked.wait(10)
        assert is_free or len(attempts) > 1
        call = make_call(make_operator())
        return register_subscription(uow, call, msisdn, make_claim()).operator_id

    answers = race([partial(transactions.run, partial(register, [])) for _ in range(2)])
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(error) for error in refused] == [NumberInServiceElsewhereError]
