"""Settling one for all leaves the rows that settling each leaves, or leaves it to be done."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from hypothesis import event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.link import LinkState
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.settle_alike import open_alike, settle_alike
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.database import UnitOfWork
from tests.properties.identity.services.ladders import LATER, LINKS, Kind, kinds, rows_of, store
from tests.unit.identity.makers import make_call, make_subscription, new_numbers, reference_of

CALL = make_call(at=LATER)


@contextmanager
def rolled_back(engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    with engine.connect() as connection:
        yield UnitOfWork(connection, vault)
        connection.rollback()


def unchanged(items: list[Subscription]) -> dict[UUID, Change]:
    return {item.subscription_id: Change(before=item.service_state) for item in items}


def settled_each(uow: UnitOfWork, items: list[Subscription]) -> list[object]:
    """What settling each by itself leaves, undone again."""
    with uow.connection.begin_nested() as savepoint:
        settle_subscriptions(uow, CALL, items, unchanged(items))
        rows: list[object] = [*rows_of(uow, (item.subscription_id for item in items))]
        savepoint.rollback()
    return rows


@settings(max_examples=20, deadline=None)
@given(
    kind=kinds(),
    before=st.sampled_from(LinkState),
    after=st.sampled_from(LinkState),
    count=st.integers(1, 3),
)
def test_settling_alike_leaves_what_settling_each_leaves_or_nothing(
    engine: Engine, vault: Vault, kind: Kind, before: LinkState, after: LinkState, count: int
) -> None:
    with rolled_back(engine, vault) as uow:
        stored = [store(uow, kind, LINKS[before]) for _ in range(count)]
        items = [item.relinked(LINKS[after], at=LATER) for item in stored]
        uow.subscriptions.save_many(items)
        ids = [item.subscription_id for item in items]
        untouched: list[object] = [*rows_of(uow, ids)]
        expected = settled_each(uow, items)
        is_done = settle_alike(uow, CALL, items[0], [reference_of(uow, item) for item in items])
        assert rows_of(uow, ids) == (expected if is_done else untouched)
    event(f"settled alike: {is_done}")
    if not is_done:
        ordered = Counter(row[0] for row in expected if isinstance(row, tuple))["directive"]
        known = Counter(row[0] for row in untouched if isinstance(row, tuple))["directive"]
        is_other_state = kind.is_verified or ordered > known or expected != untouched
        assert is_other_state


@settings(max_examples=25, deadline=None)
@given(state=st.sampled_from(LinkState), count=st.integers(1, 4))
def test_opening_alike_leaves_what_settling_each_new_number_leaves(
    engine: Engine, vault: Vault, state: LinkState, count: int
) -> None:
    items = [
        make_subscription(link=LINKS[state], verified_at=None, created_at=LATER, updated_at=LATER)
        for _ in range(count)
    ]
    with rolled_back(engine, vault) as uow:
        expected = settled_each(uow, items)
        numbers = new_numbers(uow, items)
        uow.book.add_new(numbers, operator_id=items[0].operator_id, at=LATER)
        open_alike(uow, CALL, items[0], numbers)
        assert rows_of(uow, (item.subscription_id for item in items)) == expected
