"""An operator's book against the registry: what tells known from new, and how new ones are kept."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from sqlalchemy import func, select

from identity.domain.link import LinkState
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.book import BookRow, content, index_row, new_ids
from identity.storage.bulk_tables import import_row
from identity.storage.database import UnitOfWork
from identity.storage.tables import subscription
from tests.unit.identity.makers import (
    NOW,
    make_claim,
    make_link,
    make_msisdn,
    make_operator,
    make_subscription,
    new_numbers,
    reference_of,
    store_citizen,
    store_number,
)

LATER = NOW + timedelta(days=1)


def new_item(operator_id: str, **given: Any) -> Subscription:  # noqa: ANN401 - as make_subscription
    """A number as an import finds it: in service, verified by nobody."""
    usual: dict[str, Any] = {"verified_at": None, "created_at": NOW, "updated_at": NOW}
    return make_subscription(operator_id=operator_id, **usual | given)


def is_absent(uow: UnitOfWork, item: Subscription) -> bool:
    key, _ = reference_of(uow, item)
    return uow.book.standing([key])[key].is_absent


def test_nothing_is_known_of_a_number_that_nobody_had(uow: UnitOfWork) -> None:
    known = store_number(uow, store_citizen(uow))
    key, _ = reference_of(uow, known)
    strange = uow.sealer.blind_index("msisdn", make_msisdn().value)
    assert set(uow.book.standing([key, strange])) == {key}
    assert uow.book.standing([]) == {}


def test_what_is_known_is_what_the_book_would_say_to_change_nothing(uow: UnitOfWork) -> None:
    item = store_number(
        uow, store_citizen(uow), point_of_sale="HN/012", province_code="01", link=make_link()
    )
    row = BookRow(
        msisdn=item.msisdn,
        claim=item.claim,
        activated_on=item.activated_on,
        point_of_sale="HN/012",
        province_code="01",
    )
    indexed = index_row(uow.sealer, row)
    stands = uow.book.standing([indexed.msisdn_key])[indexed.msisdn_key]
    assert stands.row == content(indexed)
    assert (stands.operator_id, stands.link_state) == (item.operator_id, "linked")
    assert (stands.is_in_service, stands.is_absent) == (True, False)
    for other in (
        replace(row, claim=make_claim()),
        replace(row, activated_on=date(2001, 1, 1)),
        replace(row, point_of_sale=None),
        replace(row, province_code="79"),
    ):
        assert content(index_row(uow.sealer, other)) != stands.row


def test_what_has_ended_is_known_by_whom_it_ended_with(uow: UnitOfWork) -> None:
    ended = store_number(
        uow,
        store_citizen(uow),
        operator_id=make_operator(),
        service_state=ServiceState.TERMINATED,
        applied_state=ServiceState.TERMINATED,
    )
    key, _ = reference_of(uow, ended)
    stands = uow.book.standing([key])[key]
    assert (stands.is_in_service, stands.operator_id) == (False, ended.operator_id)


@pytest.mark.parametrize("in_service_first", [True, False])
def test_of_several_the_one_in_service_is_told_and_otherwise_the_last(
    uow: UnitOfWork, *, in_service_first: bool
) -> None:
    msisdn = make_msisdn()
    ended = [
        new_item(
            make_operator(),
            msisdn=msisdn,
            service_state=ServiceState.TERMINATED,
            updated_at=NOW + timedelta(days=days),
        )
        for days in (3, 9, 6)
    ]
    uow.subscriptions.save_many(ended)
    key, _ = reference_of(uow, ended[0])
    assert uow.book.standing([key])[key].operator_id == ended[1].operator_id
    at = NOW if in_service_first else NOW + timedelta(days=20)
    served = new_item(make_operator(), msisdn=msisdn, updated_at=at)
    uow.subscriptions.save(served)
    stands = uow.book.standing([key])[key]
    assert (stands.is_in_service, stands.operator_id) == (True, served.operator_id)


def test_new_numbers_are_read_back_as_they_were_meant_with_their_holdings(uow: UnitOfWork) -> None:
    operator_id = make_operator()
    claim = make_claim(store_citizen(uow))
    items = [
        new_item(operator_id, claim=claim),
        new_item(operator_id, claim=claim, link=make_link(LinkState.MISMATCHED)),
        new_item(operator_id, activated_on=None, point_of_sale="b-1", province_code="48"),
    ]
    uow.book.add_new(new_numbers(uow, items), operator_id=operator_id, at=NOW)
    found = uow.subscriptions.find_many_in_service(item.msisdn for item in items)
    assert found == {item.msisdn: item for item in items}
    held = uow.subscriptions.list_of_citizen(claim.personal_id, after=None, limit=10)
    assert {item.subscription_id for item in held} == {item.subscription_id for item in items[:2]}


def test_a_new_number_takes_its_changes_like_any_other(uow: UnitOfWork) -> None:
    operator_id = make_operator()
    record = store_citizen(uow)
    item = new_item(operator_id, claim=make_claim(record))
    uow.book.add_new(new_numbers(uow, [item]), operator_id=operator_id, at=NOW)
    verified = replace(item, verified_at=LATER, updated_at=LATER)
    uow.subscriptions.save(verified)
    uow.primaries.set(verified, at=LATER)
    assert uow.subscriptions.find_in_service(item.msisdn) == verified


def test_no_new_numbers_are_no_fault(uow: UnitOfWork) -> None:
    operator_id = make_operator()
    uow.book.add_new([], operator_id=operator_id, at=NOW)
    query = select(func.count()).where(subscription.c.operator_id == operator_id)
    assert uow.connection.scalar(query) == 0


def test_identifiers_are_random_ones_and_never_the_same() -> None:
    made = [UUID(bytes=octets) for octets in new_ids(2_000)]
    assert {(each.version, each.variant) for each in made} == {(4, RFC_4122)}
    assert len(set(made)) == 2_000
    assert list(new_ids(0)) == []
    # All other 122 bits come up both ways.
    whole = [each.int for each in made]
    fixed = 0xF << 76 | 0x3 << 62
    ones, zeros = 0, 0
    for value in whole:
        ones |= value
        zeros |= ~value
    assert (ones | fixed) == (zeros | fixed) & (2**128 - 1) == 2**128 - 1


def test_what_a_whole_book_did_not_name_is_absent_until_it_is_named_again(uow: UnitOfWork) -> None:
    operator_id, other = make_operator(), make_operator()
    own = [new_item(operator_id) for _ in range(3)]
    ended = new_item(operator_id, service_state=ServiceState.TERMINATED)
    late = new_item(operator_id, created_at=LATER)
    theirs = new_item(other)
    uow.subscriptions.save_many([*own, ended, late, theirs])
    run = 2**40
    named, _ = reference_of(uow, own[0])
    uow.import_runs.name_rows(run, [named])
    mark: dict[str, Any] = {"import_id": run, "began_at": LATER, "at": LATER}
    assert uow.book.mark_absent(operator_id, **mark) == 2
    assert [is_absent(uow, item) for item in (*own, ended, late, theirs)] == [
        *(False, True, True),
        *(False, False, False),
    ]
    uow.book.mark_present([reference_of(uow, item)[0] for item in (own[1], theirs)])
    assert [is_absent(uow, item) for item in own] == [False, False, True]
    # Another book that does not name it either leaves it absent since the first.
    again = {**mark, "at": LATER + timedelta(days=30), "import_id": run + 1}
    uow.import_runs.name_rows(run + 1, [named, reference_of(uow, own[1])[0]])
    assert uow.book.mark_absent(operator_id, **again) == 1
    since = select(subscription.c.absent_since).where(
        subscription.c.subscription_id == own[2].subscription_id
    )
    assert uow.connection.execute(since).scalar_one() == LATER


def test_marking_writes_no_names_of_its_own(uow: UnitOfWork) -> None:
    operator_id = make_operator()
    count = select(func.count()).select_from(import_row)
    before = uow.connection.execute(count).scalar_one()
    uow.book.mark_absent(operator_id, import_id=2**40, began_at=LATER, at=LATER)
    uow.book.mark_present([])
    assert uow.connection.execute(count).scalar_one() == before
