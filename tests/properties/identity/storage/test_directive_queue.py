"""Whatever is ordered, pulled, executed and overtaken: the next ones are those of a plain list.

The list knows one rule: what is open and not out goes, oldest first, unless one before it of the
same number is out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.enforcement import DirectiveKind
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    make_directive,
    make_operator,
    make_subscription,
    references_of,
)

LASTS = timedelta(minutes=5)
KINDS = (DirectiveKind.NOTIFY, DirectiveKind.SUSPEND)
EVERYTHING = 1_000


@dataclass
class Order:
    """An order that is open."""

    directive_id: UUID
    number: UUID
    kind: DirectiveKind
    back_at: datetime | None = None


@dataclass
class Desk:
    """An operator with two numbers, what is open of them in its order, and the time."""

    uow: UnitOfWork
    items: list[Subscription]
    at: datetime = NOW
    open: list[Order] = field(default_factory=list)
    held: list[UUID] = field(default_factory=list)

    def is_out(self, order: Order) -> bool:
        """Whether it is under a lease that has not ended."""
        return order.back_at is not None and order.back_at > self.at

    def next(self) -> Iterator[Order]:
        """What may go now."""
        out: set[UUID] = set()
        for order in self.open:
            if self.is_out(order):
                out.add(order.number)
            elif order.number not in out:
                yield order


Deed = Callable[[Desk, int], None]


def _order(desk: Desk, place: int) -> None:
    item = desk.items[place % 2]
    kind = KINDS[place // 2]
    directive = make_directive(item, kind=kind)
    desk.uow.directives.add_many([(directive, item)])
    desk.open.append(Order(directive.directive_id, item.subscription_id, kind))


def _pull(desk: Desk, place: int) -> None:
    may_go = list(desk.next())
    pulled = _lease(desk, limit=place + 1)
    assert bool(pulled) == bool(may_go)
    known = {order.directive_id: order for order in may_go}
    assert known.keys() >= set(pulled)
    for order in may_go:
        before = [each.directive_id for each in may_go if each.number == order.number]
        before = before[: before.index(order.directive_id)]
        if order.directive_id in pulled:
            assert set(before) <= set(pulled)
    for identity in pulled:
        known[identity].back_at = desk.at + LASTS
    desk.held = pulled


def _lease(desk: Desk, *, limit: int) -> list[UUID]:
    leased = desk.uow.directives.lease(
        desk.items[0].operator_id,
        lease_id=uuid4(),
        expires_at=desk.at + LASTS,
        at=desk.at,
        limit=limit,
    )
    return [each.directive.directive_id for each in leased]


def _acknowledge(desk: Desk, place: int) -> None:
    """Say of some that were pulled last that they are executed, and of some that they failed."""
    known = {order.directive_id: order for order in desk.open if desk.is_out(order)}
    ids = [identity for identity in desk.held if identity in known]
    handed = desk.uow.directives.find_handed(desk.items[0].operator_id, ids)
    executed = ids[place % 2 :: 2]
    failed = ids[1 - place % 2 :: 2][: place % 3]
    desk.uow.directives.mark_executed([handed[each] for each in executed], at=desk.at)
    desk.uow.directives.give_back([handed[each] for each in failed])
    for identity in failed:
        known[identity].back_at = None
    desk.open = [order for order in desk.open if order.directive_id not in executed]


def _overtake(desk: Desk, place: int) -> None:
    item, kind = desk.items[place % 2], KINDS[place // 2]
    desk.uow.directives.supersede(references_of(desk.uow, item), [kind], at=desk.at)
    number = item.subscription_id
    desk.open = [each for each in desk.open if (each.number, each.kind) != (number, kind)]


def _wait(desk: Desk, _place: int) -> None:
    desk.at += LASTS


DEEDS: tuple[Deed, ...] = (
    *(_order, _order, _order, _order, _pull, _pull, _pull),
    *(_acknowledge, _acknowledge, _overtake, _overtake, _wait),
)


@settings(max_examples=25, deadline=None)
@given(history=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 3)), max_size=25))
def test_the_next_are_those_of_a_plain_list(
    engine: Engine, vault: Vault, history: list[tuple[Deed, int]]
) -> None:
    with engine.connect() as connection:
        operator = make_operator()
        items = [make_subscription(operator_id=operator) for _ in range(2)]
        desk = Desk(UnitOfWork(connection, vault), items)
        desk.uow.subscriptions.save_many(items)
        for deed, place in history:
            deed(desk, place)
        may_go = [order.directive_id for order in desk.next()]
        assert _lease(desk, limit=EVERYTHING) == may_go
        connection.rollback()
