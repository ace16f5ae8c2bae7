"""News for operators: told with the commit, to every connection that listens."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from identity.domain.directive import Directive
from identity.domain.enforcement import DirectiveKind
from identity.domain.subscription import Subscription
from identity.storage.database import Database, UnitOfWork
from identity.storage.news import listen
from identity.storage.operator_news import CHANNELS, Topic, tell
from tests.unit.identity.makers import (
    NOW,
    make_directive,
    make_operator,
    references_of,
    store_citizen,
    store_number,
)

Heard = AsyncIterator[tuple[Topic, str]]


@asynccontextmanager
async def listening(engine: Engine) -> AsyncIterator[Heard]:
    async with aclosing(listen(engine, CHANNELS)) as heard:  # type: ignore[type-var] # a generator is closed
        assert await anext(heard) is None
        yield ((CHANNELS[each.channel], each.payload) async for each in heard if each is not None)


def ordered(uow: UnitOfWork, *kinds: DirectiveKind) -> tuple[Subscription, list[Directive]]:
    item = store_number(uow, store_citizen(uow), operator_id=make_operator())
    orders = [make_directive(item, kind=kind) for kind in kinds]
    uow.directives.add_many((order, item) for order in orders)
    return item, orders


def lease(uow: UnitOfWork, operator: str, *, limit: int = 99) -> None:
    uow.directives.lease(
        operator, lease_id=uuid4(), expires_at=NOW.replace(hour=23), at=NOW, limit=limit
    )


async def test_an_order_is_told_to_every_listener_when_it_is_committed(
    database: Database, engine: Engine
) -> None:
    async with listening(engine) as one, listening(engine) as other:
        with database.transaction() as uow:
            first, _ = ordered(uow, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
            second, _ = ordered(uow, DirectiveKind.NOTIFY)
        for heard in (one, other):
            names = {await anext(heard), await anext(heard)}
            assert names == {(Topic.DIRECTIVE, item.operator_id) for item in (first, second)}


async def test_what_is_rolled_back_is_told_nobody(database: Database, engine: Engine) -> None:
    async with listening(engine) as heard:
        with engine.connect() as connection:
            ordered(UnitOfWork(connection, database.sealer), DirectiveKind.NOTIFY)
            connection.rollback()
        with database.transaction() as uow:
            tell(uow.connection, Topic.MESSAGE, ["the next one"])
        assert await anext(heard) == (Topic.MESSAGE, "the next one")


def order_alike(uow: UnitOfWork, item: Subscription) -> None:
    uow.directives.add_alike(make_directive(item), references_of(uow, item))


def order_alike_named(uow: UnitOfWork, item: Subscription) -> None:
    named = uow.directives.add_alike_named(make_directive(item), references_of(uow, item))
    found = uow.directives.find_handed(item.operator_id, named.values())
    assert {item.subscription_id: next(iter(found))} == named


@pytest.mark.parametrize("order", [order_alike, order_alike_named])
async def test_orders_of_many_are_told_too(
    database: Database, engine: Engine, order: Callable[[UnitOfWork, Subscription], None]
) -> None:
    with database.transaction() as uow:
        item = store_number(uow, store_citizen(uow), operator_id=make_operator())
    async with listening(engine) as heard:
        with database.transaction() as uow:
            order(uow, item)
        assert await anext(heard) == (Topic.DIRECTIVE, item.operator_id)


def give_back(uow: UnitOfWork, item: Subscription, orders: list[Directive]) -> None:
    handed = uow.directives.find_handed(item.operator_id, [orders[0].directive_id])
    uow.directives.give_back(handed.values())


def execute(uow: UnitOfWork, item: Subscription, orders: list[Directive]) -> None:
    handed = uow.directives.find_handed(item.operator_id, [orders[0].directive_id])
    uow.directives.mark_executed(handed.values(), at=NOW)


def overtake(uow: UnitOfWork, item: Subscription, _orders: list[Directive]) -> None:
    uow.directives.supersede(references_of(uow, item), [DirectiveKind.NOTIFY], at=NOW)


@pytest.mark.parametrize("free", [give_back, execute, overtake])
async def test_what_can_be_pulled_again_is_told(
    database: Database,
    engine: Engine,
    free: Callable[[UnitOfWork, Subscription, list[Directive]], None],
) -> None:
    with database.transaction() as uow:
        item, orders = ordered(uow, DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
        lease(uow, item.operator_id, limit=1)  # the second waits behind the first
    async with listening(engine) as heard:
        with database.transaction() as uow:
            free(uow, item, orders)
        assert await anext(heard) == (Topic.DIRECTIVE, item.operator_id)


def test_the_next_directive_is_now_or_when_a_lease_ends_or_not_known(uow: UnitOfWork) -> None:
    item, _ = ordered(uow, DirectiveKind.NOTIFY)
    name = item.operator_id
    next_at = partial(uow.directives.next_at, name, at=NOW)
    assert next_at() == NOW
    assert uow.directives.next_at(make_operator(), at=NOW) is None
    lease(uow, name)
    assert next_at() == NOW.replace(hour=23)
