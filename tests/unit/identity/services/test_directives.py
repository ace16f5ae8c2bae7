"""Directives on their way to operators and back: only an acknowledged order counts as executed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.domain.directive import AcknowledgementResult, Directive, Lease
from identity.domain.enforcement import DirectiveKind
from identity.domain.errors import RequestInvalidError
from identity.domain.subscription import ServiceState
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import directive, subscription
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_operator,
    overtake,
    store_citizen,
    store_number,
    store_orders,
)

LASTS = timedelta(minutes=5)
ACCEPTED = AcknowledgementResult.ACCEPTED


@pytest.fixture
def operator() -> str:
    return make_operator()


def order(uow: UnitOfWork, operator: str, *kinds: DirectiveKind) -> list[Directive]:
    """Orders for one new number of an operator."""
    return store_orders(uow, store_number(uow, store_citizen(uow), operator_id=operator), *kinds)


def orders_of(lease: Lease) -> list[Directive]:
    return [each.directive for each in lease.directives]


def pull(uow: UnitOfWork, operator: str, *, at: datetime = NOW, limit: int = 99) -> Lease:
    return pull_directives(uow, make_call(operator, at=at), duration=LASTS, limit=limit)


def acknowledge(
    uow: UnitOfWork,
    operator: str,
    lease_id: UUID,
    ids: Sequence[UUID],
    *,
    at: datetime = NOW,
    is_executed: bool = True,
) -> list[AcknowledgementResult]:
    failure = "" if is_executed else "switch is down"
    items = [
        Acknowledgement(directive_id=each, is_executed=is_executed, failure=failure) for each in ids
    ]
    return acknowledge_directives(uow, make_call(operator, at=at), lease_id, items)


def applied(uow: UnitOfWork, ordered: Directive) -> ServiceState:
    query = select(subscription.c.applied_state)
    state = query.where(subscription.c.subscription_id == ordered.subscription_id)
    return ServiceState(uow.connection.execute(state).scalar_one())


def test_a_pull_leases_and_leaves_an_entry(uow: UnitOfWork, operator: str) -> None:
    ordered = order(uow, operator, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    assert orders_of(lease) == ordered
    assert lease.expires_at == NOW + LASTS
    empty = pull(uow, operator)
    assert (empty.directives, empty.lease_id != lease.lease_id) == ((), True)
    call = make_call(operator)
    assert actions(uow.connection, call.caller) == [("pull_directives", "leased")] * 2


def test_the_applied_state_moves_on_acknowledgement_only(uow: UnitOfWork, operator: str) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    assert applied(uow, ordered) is ServiceState.ACTIVE
    assert acknowledge(uow, operator, lease.lease_id, [ordered.directive_id]) == [ACCEPTED]
    assert applied(uow, ordered) is ServiceState.SUSPENDED
    assert actions(uow.connection, make_call(operator).caller)[-1] == (
        "acknowledge_directive",
        "executed",
    )


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (DirectiveKind.NOTIFY, ServiceState.ACTIVE),
        (DirectiveKind.BLOCK_OUTGOING, ServiceState.OUTGOING_BLOCKED),
        (DirectiveKind.SUSPEND, ServiceState.SUSPENDED),
        (DirectiveKind.TERMINATE, ServiceState.TERMINATED),
        (DirectiveKind.RESTORE, ServiceState.ACTIVE),
    ],
)
def test_each_kind_of_order_leads_to_its_state(
    uow: UnitOfWork, operator: str, kind: DirectiveKind, state: ServiceState
) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=operator)
    (ordered,) = store_orders(uow, item, kind)
    lease = pull(uow, operator)
    acknowledge(uow, operator, lease.lease_id, [ordered.directive_id])
    stored = find(uow, item)
    assert (stored.applied_state, stored.service_state) == (state, ServiceState.ACTIVE)


def test_what_failed_comes_back_and_moves_nothing(uow: UnitOfWork, operator: str) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    ids = [ordered.directive_id]
    assert acknowledge(uow, operator, lease.lease_id, ids, is_executed=False) == [ACCEPTED]
    assert applied(uow, ordered) is ServiceState.ACTIVE
    again = pull(uow, operator)
    assert orders_of(again) == [ordered]
    assert acknowledge(uow, operator, lease.lease_id, ids) == [AcknowledgementResult.LEASE_LOST]
    assert acknowledge(uow, operator, again.lease_id, ids) == [ACCEPTED]
    assert [outcome for _, outcome in actions(uow.connection, make_call(operator).caller)] == [
        "leased",
        "failed",
        "leased",
        "executed",
    ]


def test_an_acknowledgement_is_refused_for_its_own_reason(uow: UnitOfWork, operator: str) -> None:
    (done,) = order(uow, operator, DirectiveKind.SUSPEND)
    (overtaken,) = order(uow, operator, DirectiveKind.SUSPEND)
    (open_,) = order(uow, operator, DirectiveKind.SUSPEND)
    (foreign,) = order(uow, make_operator(), DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    acknowledge(uow, operator, lease.lease_id, [done.directive_id])
    overtake(uow, overtaken, *DirectiveKind)
    asked = [done, overtaken, open_, foreign]
    ids = [*(each.directive_id for each in asked), uuid4(), open_.directive_id]
    assert acknowledge(uow, operator, lease.lease_id, ids) == [
        AcknowledgementResult.ALREADY_ACKNOWLEDGED,
        AcknowledgementResult.SUPERSEDED,
        ACCEPTED,
        AcknowledgementResult.UNKNOWN,
        AcknowledgementResult.UNKNOWN,
        AcknowledgementResult.ALREADY_ACKNOWLEDGED,
    ]
    assert applied(uow, overtaken) is ServiceState.ACTIVE
    assert applied(uow, foreign) is ServiceState.ACTIVE


def test_another_lease_and_a_late_answer_are_lost(uow: UnitOfWork, operator: str) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    ids = [ordered.directive_id]
    lost = [AcknowledgementResult.LEASE_LOST]
    assert acknowledge(uow, operator, uuid4(), ids) == lost
    assert acknowledge(uow, operator, lease.lease_id, ids, at=lease.expires_at) == lost
    assert applied(uow, ordered) is ServiceState.ACTIVE
    in_time = lease.expires_at - timedelta(microseconds=1)
    assert acknowledge(uow, operator, lease.lease_id, ids, at=in_time) == [ACCEPTED]


def test_an_order_that_was_never_pulled_cannot_be_acknowledged(
    uow: UnitOfWork, operator: str
) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    assert acknowledge(uow, operator, uuid4(), [ordered.directive_id]) == [
        AcknowledgementResult.LEASE_LOST
    ]
    assert applied(uow, ordered) is ServiceState.ACTIVE


def test_the_last_order_counts_whatever_the_order_of_the_answers(
    uow: UnitOfWork, operator: str
) -> None:
    kinds = [DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND]
    first, last = order(uow, operator, *kinds)
    lease = pull(uow, operator)
    answered = [last.directive_id, first.directive_id]
    assert acknowledge(uow, operator, lease.lease_id, answered) == [ACCEPTED] * 2
    assert applied(uow, first) is ServiceState.SUSPENDED


def test_a_failed_order_does_not_come_back_to_undo_a_later_one(
    uow: UnitOfWork, operator: str
) -> None:
    block, suspend = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    items = [
        Acknowledgement(directive_id=block.directive_id, is_executed=False, failure="busy"),
        Acknowledgement(directive_id=suspend.directive_id, is_executed=True, failure=""),
    ]
    assert acknowledge_directives(uow, make_call(operator), lease.lease_id, items) == [ACCEPTED] * 2
    assert pull(uow, operator).directives == ()


def test_an_executed_order_leaves_what_was_ordered_after_it(uow: UnitOfWork, operator: str) -> None:
    first, second = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    assert acknowledge(uow, operator, lease.lease_id, [first.directive_id]) == [ACCEPTED]
    assert acknowledge(uow, operator, lease.lease_id, [second.directive_id]) == [ACCEPTED]
    assert applied(uow, second) is ServiceState.SUSPENDED


def test_a_failed_notice_comes_back_whatever_was_executed_after_it(
    uow: UnitOfWork, operator: str
) -> None:
    notice, block = order(uow, operator, DirectiveKind.NOTIFY, DirectiveKind.BLOCK_OUTGOING)
    lease = pull(uow, operator)
    items = [
        Acknowledgement(directive_id=notice.directive_id, is_executed=False, failure="busy"),
        Acknowledgement(directive_id=block.directive_id, is_executed=True, failure=""),
    ]
    acknowledge_directives(uow, make_call(operator), lease.lease_id, items)
    assert orders_of(pull(uow, operator)) == [notice]


def test_nothing_counts_as_executed_before_it_was_first_handed_out(
    uow: UnitOfWork, operator: str
) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    first = NOW + timedelta(days=20)
    pull(uow, operator, at=first)
    again = first + LASTS
    lease = pull(uow, operator, at=again)
    said = Acknowledgement(
        directive_id=ordered.directive_id, is_executed=True, failure="", executed_at=NOW
    )
    call = make_call(operator, at=again)
    assert acknowledge_directives(uow, call, lease.lease_id, [said]) == [ACCEPTED]
    query = select(directive.c.executed_at).where(directive.c.directive_id == ordered.directive_id)
    assert uow.connection.scalar(query) == first


def test_a_time_in_the_future_is_refused_whatever_it_is_about(
    uow: UnitOfWork, operator: str
) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease = pull(uow, operator)
    later = NOW + timedelta(microseconds=1)
    nothing = Acknowledgement(directive_id=uuid4(), is_executed=True, failure="", executed_at=later)
    done = Acknowledgement(
        directive_id=ordered.directive_id, is_executed=True, failure="", executed_at=NOW
    )
    call = make_call(operator)
    with pytest.raises(RequestInvalidError) as refusal:
        acknowledge_directives(uow, call, lease.lease_id, [done, nothing])
    (fault,) = refusal.value.violations
    assert (fault.field, fault.reason) == (
        "acknowledgements[1].execute_time",
        "INSTANT_IN_FUTURE",
    )
    assert applied(uow, ordered) is ServiceState.ACTIVE
    assert acknowledge_directives(uow, call, lease.lease_id, [done]) == [ACCEPTED]


def test_answers_about_nothing_are_no_fault(uow: UnitOfWork, operator: str) -> None:
    assert acknowledge(uow, operator, uuid4(), []) == []


def test_the_same_answer_twice_at_once_is_taken_once(
    database: Database,
    transactions: Transactions,
    race: Callable[..., list[Any]],
    operator: str,
) -> None:
    with database.transaction() as uow:
        (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
        lease = pull(uow, operator)

    def answer(uow: UnitOfWork) -> list[AcknowledgementResult]:
        return acknowledge(uow, operator, lease.lease_id, [ordered.directive_id])

    answers = race([partial(transactions.run, answer)] * 4)
    assert sorted(answers) == sorted(
        [[ACCEPTED], *[[AcknowledgementResult.ALREADY_ACKNOWLEDGED]] * 3]
    )
    with database.transaction() as uow:
        assert applied(uow, ordered) is ServiceState.SUSPENDED
