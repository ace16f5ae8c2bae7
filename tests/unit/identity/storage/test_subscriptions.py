"""Subscriptions and holdings: in step, found by whom they concern, listed without gaps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ColumnElement, select, update

from identity.domain.errors import RecordUnreadableError
from identity.domain.link import LinkState
from identity.domain.subscription import ServiceState, Subscription
from identity.services.transactions import Transactions
from identity.storage.conversions import dump_claim
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import holding, subscription
from tests.unit.identity.makers import (
    NOW,
    find,
    make_claim,
    make_link,
    make_msisdn,
    make_operator,
    make_record,
    make_subscription,
    store_citizen,
    store_number,
    store_primary,
    unverified,
)


def holdings(uow: UnitOfWork, item: Subscription) -> list[tuple[bytes, bool]]:
    query = select(holding.c.citizen_key, holding.c.is_eligible)
    rows = uow.connection.execute(query.where(holding.c.subscription_id == item.subscription_id))
    return [(key, is_eligible) for key, is_eligible in rows]


def key_of(uow: UnitOfWork, item: Subscription) -> bytes:
    return uow.primaries.key_of(item.claim.personal_id)


@pytest.mark.parametrize("link_state", list(LinkState))
@pytest.mark.parametrize("service_state", list(ServiceState))
@pytest.mark.parametrize("is_verified", [True, False])
def test_a_stored_subscription_comes_back_as_it_was(
    uow: UnitOfWork,
    link_state: LinkState,
    service_state: ServiceState,
    is_verified: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    item = make_subscription(
        link=make_link(link_state),
        service_state=service_state,
        applied_state=ServiceState.SUSPENDED,
        sim_swapped_at=NOW,
        verified_at=NOW if is_verified else None,
    )
    uow.subscriptions.save(item)
    assert find(uow, item) == item
    expected = [(key_of(uow, item), item.is_eligible_as_primary)] if item.is_in_service else []
    assert holdings(uow, item) == expected


def test_a_holding_follows_its_subscription(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    assert holdings(uow, item) == [(key_of(uow, item), True)]
    uow.subscriptions.save(blocked := unverified(item))
    assert holdings(uow, blocked) == [(key_of(uow, item), False)]
    moved = replace(item, claim=make_claim())
    uow.subscriptions.save(moved)
    assert holdings(uow, moved) == [(key_of(uow, moved), True)]
    uow.subscriptions.save(replace(moved, service_state=ServiceState.TERMINATED))
    assert holdings(uow, moved) == []
    uow.subscriptions.save(moved)
    assert holdings(uow, moved) == [(key_of(uow, moved), True)]


def test_many_are_brought_in_step_at_once(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    items = [store_number(uow, record) for _ in range(4)]
    changed = [
        unverified(items[0]),
        replace(items[1], service_state=ServiceState.TERMINATED),
        replace(items[2], claim=make_claim()),
        items[3],
    ]
    uow.subscriptions.save_many(changed)
    assert [holdings(uow, item) for item in changed] == [
        [(key_of(uow, items[0]), False)],
        [],
        [(key_of(uow, changed[2]), True)],
        [(key_of(uow, items[3]), True)],
    ]


def test_saving_nothing_is_no_fault(uow: UnitOfWork) -> None:
    uow.subscriptions.save_many([])
    assert uow.subscriptions.find_many_in_service([]) == {}
    assert uow.subscriptions.find_by_reference([]) == ()


def test_a_primary_that_stops_being_eligible_is_cleared_with_it(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    uow.subscriptions.save(replace(item, service_state=ServiceState.OUTGOING_BLOCKED))
    assert uow.primaries.find(record.personal_id) is not None
    uow.subscriptions.save(replace(item, service_state=ServiceState.SUSPENDED))
    assert uow.primaries.find(record.personal_id) is None


def test_only_the_changed_citizens_primary_is_cleared(uow: UnitOfWork) -> None:
    _, gone = store_primary(uow)
    kept_record, _ = store_primary(uow)
    uow.subscriptions.save(unverified(gone))
    assert uow.primaries.find(kept_record.personal_id) is not None


def test_a_recycled_number_inherits_nothing(uow: UnitOfWork) -> None:
    first_record, first = store_primary(uow)
    ended = replace(first, service_state=ServiceState.TERMINATED)
    uow.subscriptions.save(ended)
    second = unverified(
        make_subscription(msisdn=first.msisdn, operator_id="another", activated_on=None)
    )
    uow.subscriptions.save(second)
    found = uow.subscriptions.find_in_service(first.msisdn)
    assert found == second
    assert uow.subscriptions.find_of_operator(first.msisdn, "another") == second
    assert uow.subscriptions.find_of_operator(first.msisdn, first.operator_id) == ended
    assert uow.primaries.find(first_record.personal_id) is None
    listed = uow.subscriptions.list_of_citizen(first_record.personal_id, after=None, limit=10)
    assert listed == ()


def test_the_claim_of_a_former_holder_does_not_open_in_the_subscription_of_the_next(
    uow: UnitOfWork,
) -> None:
    """Of two subscriptions of one number neither can be given the other's holder."""
    first = make_subscription(service_state=ServiceState.TERMINATED)
    second = make_subscription(msisdn=first.msisdn)
    uow.subscriptions.save_many([first, second])
    claims = {
        item: uow.connection.execute(
            select(subscription.c.claim_sealed).where(row_of(item))
        ).scalar_one()
        for item in (first, second)
    }
    moved = update(subscription).values(claim_sealed=claims[first]).where(row_of(second))
    uow.connection.execute(moved)
    with pytest.raises(RecordUnreadableError):
        uow.subscriptions.find_in_service(first.msisdn)


def test_values_from_when_they_were_sealed_for_their_number_alone_still_open(
    uow: UnitOfWork,
) -> None:
    item = make_subscription()
    uow.subscriptions.save(item)
    key = uow.sealer.blind_index("msisdn", item.msisdn.value)
    former = {
        "msisdn_sealed": uow.sealer.seal(
            item.msisdn.value.encode(), context=b"subscription.msisdn|" + key
        ),
        "claim_sealed": uow.sealer.seal(
            dump_claim(item.claim), context=b"subscription.claim|" + key
        ),
    }
    uow.connection.execute(update(subscription).values(former).where(row_of(item)))
    assert find(uow, item) == item


def row_of(item: Subscription) -> ColumnElement[bool]:
    return subscription.c.subscription_id == item.subscription_id


def test_an_operator_that_takes_a_number_back_sees_the_new_subscription(uow: UnitOfWork) -> None:
    old = store_number(uow, store_citizen(uow), service_state=ServiceState.TERMINATED)
    later = NOW + timedelta(days=1)
    ended = make_subscription(
        msisdn=old.msisdn,
        service_state=ServiceState.TERMINATED,
        created_at=later,
    )
    uow.subscriptions.save(ended)
    assert uow.subscriptions.find_of_operator(old.msisdn, old.operator_id) == ended
    # In service beats newer, should the clocks ever say otherwise.
    present = make_subscription(msisdn=old.msisdn, created_at=NOW - timedelta(days=900))
    uow.subscriptions.save(present)
    assert uow.subscriptions.find_of_operator(old.msisdn, old.operator_id) == present


def test_an_operators_list_shows_nobody_elses(uow: UnitOfWork) -> None:
    mine, theirs = make_operator(), make_operator()
    record = store_citizen(uow)
    own = store_number(uow, record, operator_id=mine)
    store_number(uow, record, operator_id=theirs)
    assert uow.subscriptions.list_of_operator(mine, after=None, limit=10) == [own]


def test_a_list_can_be_narrowed_to_link_states(uow: UnitOfWork) -> None:
    operator = make_operator()
    record = store_citizen(uow)
    items = {
        state: store_number(uow, record, operator_id=operator, link=make_link(state))
        for state in LinkState
    }
    wanted = [LinkState.MISMATCHED, LinkState.DECEASED]
    listed = uow.subscriptions.list_of_operator(operator, after=None, limit=9, link_states=wanted)
    assert {item.subscription_id for item in listed} == {
        items[state].subscription_id for state in wanted
    }


Page = Callable[[UUID | None], Any]


def walk(page: Page, between: Callable[[], object]) -> list[UUID]:
    """Every identifier that the pages show, with a disturbance after each."""
    seen: list[UUID] = []
    after: UUID | None = None
    while shown := page(after):
        seen += [item.subscription_id for item in shown]
        after = seen[-1]
        between()
    return seen


def test_a_list_is_whole_and_without_repeats_while_rows_are_added(uow: UnitOfWork) -> None:
    operator, record = make_operator(), store_citizen(uow)
    before = {store_number(uow, record, operator_id=operator).subscription_id for _ in range(23)}
    left = iter(range(6))

    def add() -> None:
        if next(left, None) is not None:
            store_number(uow, record, operator_id=operator)

    pages: list[Page] = [
        lambda after: uow.subscriptions.list_of_operator(operator, after=after, limit=5),
        lambda after: uow.subscriptions.list_of_citizen(record.personal_id, after=after, limit=4),
    ]
    for page in pages:
        seen = walk(page, add)
        assert len(seen) == len(set(seen))
        assert before <= set(seen)
        assert seen == sorted(seen)


def test_a_citizens_list_spans_operators_and_leaves_out_what_has_ended(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    held = [store_number(uow, record, operator_id=make_operator()) for _ in range(3)]
    store_number(uow, record, service_state=ServiceState.TERMINATED)
    listed = uow.subscriptions.list_of_citizen(record.personal_id, after=None, limit=10)
    assert listed == sorted(held, key=lambda item: item.subscription_id)


def test_citizens_are_listed_together(uow: UnitOfWork) -> None:
    first, second, stranger = store_citizen(uow), store_citizen(uow), make_record()
    items = [store_number(uow, first), store_number(uow, second), store_number(uow, second)]
    store_number(uow, store_citizen(uow))
    ids = [first.personal_id, second.personal_id, second.personal_id, stranger.personal_id]
    listed = uow.subscriptions.list_of_citizens(ids, lock=True)
    assert {item.subscription_id for item in listed} == {item.subscription_id for item in items}
    assert len(listed) == len(items)


def test_operators_that_take_one_number_together_leave_one_in_service(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    msisdn = make_msisdn()
    operators = [make_operator() for _ in range(4)]
    all_have_looked = Barrier(len(operators))

    def take(operator: str, attempts: list[None], uow: UnitOfWork) -> str:
        attempts.append(None)
        if uow.subscriptions.find_in_service(msisdn, lock=True) is not None:
            return "taken"
        if len(attempts) == 1:
            all_have_looked.wait(10)
        uow.subscriptions.save(make_subscription(msisdn=msisdn, operator_id=operator))
        return "got it"

    answers = race([partial(transactions.run, partial(take, name, [])) for name in operators])
    assert sorted(map(str, answers)) == ["got it", *["taken"] * 3]
    with database.transaction() as uow:
        item = uow.subscriptions.find_in_service(msisdn)
        assert item is not None
        assert holdings(uow, item) == [(key_of(uow, item), True)]


def test_holdings_stay_in_step_when_a_number_changes_hands_concurrently(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    item = make_subscription()
    with database.transaction() as uow:
        uow.subscriptions.save(item)
    states = [ServiceState.ACTIVE, ServiceState.SUSPENDED, ServiceState.OUTGOING_BLOCKED]

    def change(index: int, uow: UnitOfWork) -> None:
        current = uow.subscriptions.find_in_service(item.msisdn, lock=True)
        assert current is not None
        changed = replace(current, claim=make_claim(), service_state=states[index % 3])
        uow.subscriptions.save(changed)

    assert race([partial(transactions.run, partial(change, index)) for index in range(8)]) == (
        [None] * 8
    )
    with database.transaction() as uow:
        last = uow.subscriptions.find_in_service(item.msisdn)
        assert last is not None
        assert holdings(uow, last) == [(key_of(uow, last), last.is_eligible_as_primary)]


def test_a_reference_to_nothing_finds_nothing(uow: UnitOfWork) -> None:
    assert uow.subscriptions.find_by_reference([(b"\0" * 16, uuid4())]) == []
    assert uow.subscriptions.find_in_service(make_msisdn()) is None
    assert uow.subscriptions.find_of_operator(make_msisdn(), "viettel") is None
