"""Settling one for all leaves the rows that settling each leaves, or leaves it to be done."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
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
from tests.properties.identity.services.ladders import (
    LATER,
    LINKS,
    Kind,
    Row,
    Rows,
    kinds,
    rows_of,
    store,
)
from tests.unit.identity.makers import (
    make_call,
    make_claim,
    make_subscription,
    new_numbers,
    references_of,
)

CALL = make_call(at=LATER)


@contextmanager
def rolled_back(engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    with engine.connect() as connection:
        yield UnitOfWork(connection, vault)
        connection.rollback()


def unchanged(items: list[Subscription]) -> dict[UUID, Change]:
    return {item.subscription_id: Change(before=item.service_state) for item in items}


def settled_each(uow: UnitOfWork, items: list[Subscription]) -> Rows:
    """What settling each by itself leaves, undone again."""
    with uow.connection.begin_nested() as savepoint:
        settle_subscriptions(uow, CALL, items, unchanged(items))
        rows = rows_of(uow, (item.subscription_id for item in items))
        savepoint.rollback()
    return rows


@dataclass(frozen=True)
class Group:
    """Numbers that are alike, whose links change alike."""

    kind: Kind
    before: LinkState
    after: LinkState
    count: int


groups = st.builds(
    Group,
    kind=kinds(),
    before=st.sampled_from(LinkState),
    after=st.sampled_from(LinkState),
    count=st.integers(1, 3),
)


def changed(uow: UnitOfWork, drawn: list[Group]) -> list[list[Subscription]]:
    """Each group's numbers, stored with their new links and not settled yet."""
    found = []
    of_each = [
        (each.kind, LINKS[each.before], make_claim()) for each in drawn for _ in range(each.count)
    ]
    stored = iter(store(uow, of_each))
    for each in drawn:
        items = islice(stored, each.count)
        found.append([item.relinked(LINKS[each.after], at=LATER) for item in items])
    uow.subscriptions.save_many(chain.from_iterable(found))
    return found


@settings(max_examples=8, deadline=None)
@given(drawn=st.lists(groups, min_size=1, max_size=5))
def test_settling_alike_leaves_what_settling_each_leaves_or_nothing(
    engine: Engine, vault: Vault, drawn: list[Group]
) -> None:
    with rolled_back(engine, vault) as uow:
        stored = changed(uow, drawn)
        everybody = [item for items in stored for item in items]
        untouched = rows_of(uow, (item.subscription_id for item in everybody))
        expected = settled_each(uow, everybody)
        are_done = [
            settle_alike(uow, CALL, items[0], references_of(uow, *items)) for items in stored
        ]
        left = rows_of(uow, (item.subscription_id for item in everybody))
    for group, items, is_done in zip(drawn, stored, are_done, strict=True):
        event(f"settled alike: {is_done}")
        for identity in (item.subscription_id for item in items):
            assert left[identity] == (expected if is_done else untouched)[identity]
            if not is_done:
                ordered, known = _orders(expected[identity]), _orders(untouched[identity])
                is_other_state = expected[identity] != untouched[identity]
                is_alone = group.kind.is_verified or group.kind.is_disputed
                assert is_alone or ordered > known or is_other_state


def _orders(rows: list[Row]) -> int:
    return sum(table == "directive" for table, _ in rows)


@settings(max_examples=8, deadline=None)
@given(
    drawn=st.lists(st.tuples(st.sampled_from(LinkState), st.integers(1, 4)), min_size=1, max_size=6)
)
def test_opening_alike_leaves_what_settling_each_new_number_leaves(
    engine: Engine, vault: Vault, drawn: list[tuple[LinkState, int]]
) -> None:
    new = [
        [
            make_subscription(
                link=LINKS[state], verified_at=None, created_at=LATER, updated_at=LATER
            )
            for _ in range(count)
        ]
        for state, count in drawn
    ]
    everybody = [item for items in new for item in items]
    with rolled_back(engine, vault) as uow:
        expected = settled_each(uow, everybody)
        for items in new:
            numbers = new_numbers(uow, items)
            uow.book.add_new(numbers, operator_id=items[0].operator_id, at=LATER)
            open_alike(uow, CALL, items[0], numbers)
        assert rows_of(uow, (item.subscription_id for item in everybody)) == expected
