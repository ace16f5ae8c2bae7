"""What waits for operators is counted: what is handed out does not wait any more."""

from datetime import timedelta
from uuid import uuid4

from identity.domain.enforcement import DirectiveKind
from identity.storage.counts import count_waiting
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    make_operator,
    store_citizen,
    store_number,
    store_orders,
)


def test_orders_that_nobody_has_fetched_are_counted(uow: UnitOfWork) -> None:
    before = count_waiting(uow.connection)
    operator = make_operator()
    for _ in range(2):
        item = store_number(uow, store_citizen(uow), operator_id=operator)
        store_orders(uow, item, DirectiveKind.NOTIFY)
    waiting = count_waiting(uow.connection)
    assert (waiting.orders, waiting.messages) == (before.orders + 2, before.messages)
    uow.directives.lease(
        operator, lease_id=uuid4(), expires_at=NOW + timedelta(minutes=5), at=NOW, limit=1
    )
    assert count_waiting(uow.connection).orders == before.orders + 1
