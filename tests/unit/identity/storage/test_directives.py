"""Directives: handed out once, in the order of each number, and never after they were overtaken."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from identity.domain.directive import Directive, DirectiveState
from identity.domain.enforcement import DirectiveKind
from identity.domain.notice import NextStep
from identity.domain.policy import CaseCause, StepKind
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import directive
from tests.unit.identity.makers import (
    NOW,
    make_directive,
    make_operator,
    reference_of,
    store_citizen,
    store_number,
    store_orders,
)

LEASE_ENDS_AT = NOW + timedelta(minutes=5)


def order(uow: UnitOfWork, operator: str, *kinds: DirectiveKind) -> list[Directive]:
    """Orders for one new number of an operator."""
    return store_orders(uow, store_number(uow, store_citizen(uow), operator_id=operator), *kinds)


def lease(
    uow: UnitOfWork, operator: str, *, at: datetime = NOW, limit: int = 100
) -> tuple[UUID, Sequence[Directive]]:
    lease_id = uuid4()
    ends_at = at + (LEASE_ENDS_AT - NOW)
    leased = uow.directives.lease(
        operator, lease_id=lease_id, expires_at=ends_at, at=at, limit=limit
    )
    return lease_id, [each.directive for each in leased]


def states(uow: UnitOfWork, operator: str, items: Sequence[Directive]) -> list[DirectiveState]:
    handed = uow.directives.find_handed(operator, [item.directive_id for item in items])
    return [handed[item.directive_id].state for item in items]


@pytest.fixture
def operator() -> str:
    return make_operator()


def test_a_directive_comes_back_as_it_was_ordered(uow: UnitOfWork, operator: str) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=operator)
    ordered = make_directive(
        item,
        kind=DirectiveKind.SUSPEND,
        causes=(CaseCause.UNVERIFIED, CaseCause.DISOWNED),
        is_primary=True,
        is_last_number=True,
        upcoming=NextStep(kind=StepKind.TERMINATE, at=NOW + timedelta(days=5)),
        wave_id=uuid4(),
    )
    restore = make_directive(item)
    uow.directives.add_many([(ordered, item), (restore, item)])
    assert lease(uow, operator)[1] == [ordered, restore]


def test_each_directive_comes_with_the_number_it_is_about(uow: UnitOfWork, operator: str) -> None:
    items = [store_number(uow, store_citizen(uow), operator_id=operator) for _ in range(3)]
    orders = [store_orders(uow, item, DirectiveKind.NOTIFY)[0] for item in items]
    leased = uow.directives.lease(
        operator, lease_id=uuid4(), expires_at=LEASE_ENDS_AT, at=NOW, limit=9
    )
    assert [(each.directive, each.msisdn) for each in leased] == [
        (order, item.msisdn) for order, item in zip(orders, items, strict=True)
    ]


def test_the_same_is_ordered_of_many_numbers_each_of_its_own_operator(
    uow: UnitOfWork, operator: str
) -> None:
    others = make_operator()
    items = [
        store_number(uow, store_citizen(uow), operator_id=of) for of in (operator, others, operator)
    ]
    example = make_directive(
        items[0],
        kind=DirectiveKind.BLOCK_OUTGOING,
        upcoming=NextStep(kind=StepKind.SUSPEND, at=NOW + timedelta(days=60)),
        wave_id=uuid4(),
        is_last_number=True,
    )
    uow.directives.add_alike(example, [reference_of(uow, item) for item in items])
    given = [*lease(uow, operator)[1], *lease(uow, others)[1]]
    for item, each in zip((items[0], items[2], items[1]), given, strict=True):
        assert each == replace(
            example,
            directive_id=each.directive_id,
            subscription_id=item.subscription_id,
            operator_id=item.operator_id,
        )
    assert len({each.directive_id for each in given}) == 3


def test_what_is_ordered_of_many_waits_behind_what_is_out_of_one(
    uow: UnitOfWork, operator: str
) -> None:
    items = [store_number(uow, store_citizen(uow), operator_id=operator) for _ in range(2)]
    (notice,) = store_orders(uow, items[0], DirectiveKind.NOTIFY)
    assert lease(uow, operator)[1] == [notice]
    example = make_directive(items[0], kind=DirectiveKind.BLOCK_OUTGOING)
    uow.directives.add_alike(example, [reference_of(uow, item) for item in items])
    assert [each.subscription_id for each in lease(uow, operator)[1]] == [items[1].subscription_id]
    handed = uow.directives.find_handed(operator, [notice.directive_id])
    uow.directives.mark_executed(handed.values(), at=NOW)
    assert [each.subscription_id for each in lease(uow, operator)[1]] == [items[0].subscription_id]


def test_the_oldest_are_handed_out_first(uow: UnitOfWork, operator: str) -> None:
    ordered = [order(uow, operator, DirectiveKind.NOTIFY)[0] for _ in range(5)]
    assert lease(uow, operator, limit=2)[1] == ordered[:2]
    assert lease(uow, operator, limit=2)[1] == ordered[2:4]
    assert lease(uow, operator, limit=2)[1] == ordered[4:]
    assert lease(uow, operator, limit=2)[1] == []


def test_orders_for_one_number_come_in_their_order(uow: UnitOfWork, operator: str) -> None:
    kinds = [DirectiveKind.NOTIFY, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND]
    ordered = order(uow, operator, *kinds)
    assert lease(uow, operator)[1] == ordered


def test_nobody_gets_another_operators_directives(uow: UnitOfWork, operator: str) -> None:
    other = make_operator()
    (mine,) = order(uow, operator, DirectiveKind.SUSPEND)
    assert lease(uow, other)[1] == []
    assert uow.directives.find_handed(other, [mine.directive_id]) == {}
    assert lease(uow, operator)[1] == [mine]


def test_a_lease_that_ends_comes_back_and_not_before(uow: UnitOfWork, operator: str) -> None:
    ordered = order(uow, operator, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
    first, _ = lease(uow, operator)
    just_before = LEASE_ENDS_AT - timedelta(microseconds=1)
    assert lease(uow, operator, at=just_before)[1] == []
    second, again = lease(uow, operator, at=LEASE_ENDS_AT)
    assert again == ordered
    handed = uow.directives.find_handed(operator, [ordered[0].directive_id])
    assert handed[ordered[0].directive_id].lease_id == second != first


def test_a_number_waits_while_an_earlier_order_for_it_is_out(
    uow: UnitOfWork, operator: str
) -> None:
    block, suspend = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND)
    (other,) = order(uow, operator, DirectiveKind.NOTIFY)
    assert lease(uow, operator, limit=1)[1] == [block]
    assert lease(uow, operator)[1] == [other]
    uow.directives.mark_executed(
        uow.directives.find_handed(operator, [block.directive_id]).values(), at=NOW
    )
    assert lease(uow, operator)[1] == [suspend]


def test_what_could_not_be_executed_comes_back_at_its_place(uow: UnitOfWork, operator: str) -> None:
    ordered = order(uow, operator, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
    lease(uow, operator, limit=1)
    handed = uow.directives.find_handed(operator, [ordered[0].directive_id])
    uow.directives.give_back(handed.values())
    returned = uow.directives.find_handed(operator, [ordered[0].directive_id])
    assert returned[ordered[0].directive_id].lease_id is None
    assert returned[ordered[0].directive_id].lease_expires_at is None
    assert lease(uow, operator)[1] == ordered


def test_what_was_executed_never_comes_back(uow: UnitOfWork, operator: str) -> None:
    (ordered,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease(uow, operator)
    handed = uow.directives.find_handed(operator, [ordered.directive_id])
    uow.directives.mark_executed(handed.values(), at=NOW)
    assert states(uow, operator, [ordered]) == [DirectiveState.EXECUTED]
    assert lease(uow, operator, at=NOW + timedelta(days=1))[1] == []


def test_overtaken_orders_are_never_handed_out_again(uow: UnitOfWork, operator: str) -> None:
    block, suspend = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND)
    lease(uow, operator, limit=1)
    uow.directives.supersede([block.subscription_id], list(DirectiveKind), at=NOW)
    assert states(uow, operator, [block, suspend]) == [DirectiveState.SUPERSEDED] * 2
    assert lease(uow, operator, at=NOW + timedelta(days=1))[1] == []


def test_only_the_named_kinds_are_overtaken(uow: UnitOfWork, operator: str) -> None:
    notice, suspend = order(uow, operator, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
    uow.directives.supersede([suspend.subscription_id], [DirectiveKind.SUSPEND], at=NOW)
    assert lease(uow, operator)[1] == [notice]


def test_overtaking_leaves_other_numbers_and_what_was_executed(
    uow: UnitOfWork, operator: str
) -> None:
    (done,) = order(uow, operator, DirectiveKind.SUSPEND)
    (other,) = order(uow, operator, DirectiveKind.SUSPEND)
    lease(uow, operator)
    uow.directives.mark_executed(
        uow.directives.find_handed(operator, [done.directive_id]).values(), at=NOW
    )
    uow.directives.supersede([done.subscription_id], list(DirectiveKind), at=NOW)
    assert states(uow, operator, [done, other]) == [
        DirectiveState.EXECUTED,
        DirectiveState.LEASED,
    ]


def test_an_unknown_directive_is_not_found(uow: UnitOfWork, operator: str) -> None:
    assert uow.directives.find_handed(operator, [uuid4()]) == {}
    uow.directives.mark_executed([], at=NOW)
    uow.directives.give_back([])
    uow.directives.add_many([])


def test_pulls_at_once_never_hand_out_the_same_directive_twice(
    database: Database, race: Callable[..., list[Any]], operator: str
) -> None:
    with database.transaction() as uow:
        ordered = [order(uow, operator, DirectiveKind.NOTIFY)[0] for _ in range(40)]

    def pull() -> list[UUID]:
        mine: list[UUID] = []
        while True:
            with database.transaction() as uow:
                leased = lease(uow, operator, limit=3)[1]
            if not leased:
                return mine
            mine += [item.directive_id for item in leased]

    pulled = [directive_id for mine in race([pull] * 4) for directive_id in mine]
    assert sorted(pulled) == sorted(item.directive_id for item in ordered)


def test_pulls_at_once_keep_the_order_of_one_number(database: Database, operator: str) -> None:
    """The second order of a number may not leave while the first is on its way to somebody."""
    with database.transaction() as uow:
        block, suspend = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND)
    with database.transaction() as first:
        assert lease(first, operator, limit=1)[1] == [block]
        # Whether the other pull waits or leaves empty-handed is its business.
        assert pull_without_waiting(database, operator) == []
    assert pull_without_waiting(database, operator) == []
    assert suspend.directive_id != block.directive_id


def pull_without_waiting(database: Database, operator: str) -> Sequence[Directive]:
    try:
        with database.transaction() as uow:
            uow.connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            return lease(uow, operator, limit=1)[1]
    except OperationalError as error:
        assert isinstance(error.orig, LockNotAvailable)  # noqa: PT017 - one of two right answers
        return []


def test_pulls_of_different_operators_do_not_wait_for_each_other(
    database: Database, operator: str
) -> None:
    other = make_operator()
    with database.transaction() as uow:
        (mine,) = order(uow, operator, DirectiveKind.NOTIFY)
        (theirs,) = order(uow, other, DirectiveKind.NOTIFY)
    with database.transaction() as first, database.transaction() as second:
        second.connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        assert lease(first, operator)[1] == [mine]
        assert lease(second, other)[1] == [theirs]


def test_a_directive_that_is_being_acknowledged_is_passed_over(
    database: Database, operator: str
) -> None:
    with database.transaction() as uow:
        (held,) = order(uow, operator, DirectiveKind.NOTIFY)
        (free,) = order(uow, operator, DirectiveKind.NOTIFY)
    with database.transaction() as acknowledging, database.transaction() as pulling:
        acknowledging.directives.find_handed(operator, [held.directive_id], lock=True)
        pulling.connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        assert lease(pulling, operator)[1] == [free]


def test_many_numbers_are_leased_in_one_pull(uow: UnitOfWork, operator: str) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=operator)
    orders = [make_directive(item, kind=DirectiveKind.NOTIFY) for _ in range(300)]
    uow.directives.add_many((order, item) for order in orders)
    pull = partial(lease, uow, operator)
    assert [order.directive_id for order in pull(limit=200)[1]] == [
        order.directive_id for order in orders[:200]
    ]
    assert pull(limit=200)[1] == []


def test_what_came_while_its_number_was_being_pulled_steps_aside(
    uow: UnitOfWork, operator: str
) -> None:
    """A pull at the same time cannot see it, and so has not made it wait."""
    item = store_number(uow, store_citizen(uow), operator_id=operator)
    (block,) = store_orders(uow, item, DirectiveKind.BLOCK_OUTGOING)
    assert lease(uow, operator)[1] == [block]
    late = store_orders(uow, item, *[DirectiveKind.SUSPEND] * 3)
    are_late = directive.c.directive_id.in_([each.directive_id for each in late])
    uow.connection.execute(update(directive).where(are_late).values(lease_expires_at=None))
    (other,) = order(uow, operator, DirectiveKind.NOTIFY)
    assert lease(uow, operator, limit=1)[1] == [other]
    handed = uow.directives.find_handed(operator, [block.directive_id])
    uow.directives.mark_executed(handed.values(), at=NOW)
    assert lease(uow, operator)[1] == late


def test_what_waits_goes_as_soon_as_what_was_out_is_overtaken(
    uow: UnitOfWork, operator: str
) -> None:
    block, notice = order(uow, operator, DirectiveKind.BLOCK_OUTGOING, DirectiveKind.NOTIFY)
    assert lease(uow, operator, limit=1)[1] == [block]
    uow.directives.supersede([block.subscription_id], [DirectiveKind.BLOCK_OUTGOING], at=NOW)
    assert lease(uow, operator)[1] == [notice]


def test_an_order_for_a_number_that_is_out_waits_as_long(uow: UnitOfWork, operator: str) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=operator)
    (block,) = store_orders(uow, item, DirectiveKind.BLOCK_OUTGOING)
    lease(uow, operator)
    (late,) = store_orders(uow, item, DirectiveKind.SUSPEND)
    assert lease(uow, operator)[1] == []
    assert lease(uow, operator, at=LEASE_ENDS_AT)[1] == [block, late]
