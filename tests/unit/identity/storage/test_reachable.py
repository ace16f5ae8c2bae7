"""Through which number a citizen can be reached: the primary one, the next, or none."""

from dataclasses import replace
from datetime import datetime, timedelta

from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.database import UnitOfWork
from identity.storage.reachable import Reachable
from tests.unit.identity.makers import (
    NOW,
    make_link,
    make_personal_id,
    store_citizen,
    store_number,
    store_primary,
)

LATER = NOW + timedelta(days=3)


def reach(uow: UnitOfWork, record: PopulationRecord, *, at: datetime = LATER) -> Reachable | None:
    key = uow.primaries.key_of(record.personal_id)
    return uow.reachable.find([key], at=at).get(key)


def rank(uow: UnitOfWork, record: PopulationRecord, *items: Subscription) -> None:
    uow.fallbacks.rank(uow.primaries.key_of(record.personal_id), items, at=NOW)


def ranked(uow: UnitOfWork, record: PopulationRecord) -> list[MSISDN]:
    return [each.msisdn for each in uow.fallbacks.find(uow.primaries.key_of(record.personal_id))]


def suspend(uow: UnitOfWork, item: Subscription) -> None:
    uow.subscriptions.save(replace(item, service_state=ServiceState.SUSPENDED))


def test_a_citizen_is_reached_through_the_primary_number(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    rank(uow, record, store_number(uow, record))
    uow.primaries.confirm(record.personal_id, at=LATER)
    assert item.verified_at is not None
    assert reach(uow, record) == Reachable(
        subscription_id=item.subscription_id,
        msisdn=item.msisdn,
        set_at=NOW,
        confirmed_at=LATER,
        verified_at=item.verified_at,
        is_fallback=False,
    )


def test_without_one_the_first_eligible_fallback_stands_in(uow: UnitOfWork) -> None:
    record, primary = store_primary(uow)
    first, second, third = (store_number(uow, record, verified_at=LATER) for _ in range(3))
    rank(uow, record, first, second, third)
    suspend(uow, primary)
    suspend(uow, first)
    assert reach(uow, record) == Reachable(
        subscription_id=second.subscription_id,
        msisdn=second.msisdn,
        set_at=NOW,
        confirmed_at=LATER,
        verified_at=LATER,
        is_fallback=True,
    )
    suspend(uow, second)
    found = reach(uow, record)
    assert found is not None
    assert found.msisdn == third.msisdn


def test_a_fallback_counts_as_confirmed_when_it_was_ranked_or_verified_last(
    uow: UnitOfWork,
) -> None:
    record = store_citizen(uow)
    item = store_number(uow, record, verified_at=NOW - timedelta(days=9))
    rank(uow, record, item)
    found = reach(uow, record)
    assert found is not None
    assert (found.confirmed_at, found.verified_at) == (NOW, item.verified_at)
    uow.fallbacks.confirm_verified(replace(item, verified_at=LATER))
    found = reach(uow, record)
    assert found is not None
    assert (found.confirmed_at, found.verified_at) == (LATER, LATER)


def test_a_fallback_stands_in_from_its_instant_on(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    first, second = store_number(uow, record), store_number(uow, record)
    key = uow.primaries.key_of(record.personal_id)
    uow.fallbacks.rank(key, [first, second], at=NOW, since={first.subscription_id: LATER})
    before, after = (reach(uow, record, at=at) for at in (LATER - timedelta(seconds=1), LATER))
    assert before is not None
    assert after is not None
    assert (before.msisdn, after.msisdn) == (second.msisdn, first.msisdn)
    assert after.set_at == LATER


def test_somebody_without_an_eligible_number_is_left_out(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = store_number(uow, record)
    assert reach(uow, record) is None
    rank(uow, record, item)
    uow.subscriptions.save(replace(item, link=make_link(LinkState.DECEASED)))
    assert reach(uow, record) is None
    nobody = uow.primaries.key_of(make_personal_id())
    assert uow.reachable.find([nobody], at=NOW) == {}
    assert uow.reachable.find([], at=NOW) == {}


def test_a_number_that_is_the_citizens_no_more_stands_in_no_more(uow: UnitOfWork) -> None:
    record, heir = store_citizen(uow), store_citizen(uow)
    given, ended = store_number(uow, record), store_number(uow, record)
    rank(uow, record, given, ended)
    handed_over = replace(store_number(uow, heir).claim)
    uow.subscriptions.save(replace(given, claim=handed_over))
    uow.subscriptions.save(replace(ended, service_state=ServiceState.TERMINATED))
    assert reach(uow, record) is None
    assert reach(uow, heir) is None
    assert ranked(uow, record) == []


def test_many_are_answered_at_once_and_each_once(uow: UnitOfWork) -> None:
    pairs = [store_primary(uow) for _ in range(3)]
    keys = {uow.primaries.key_of(record.personal_id): item for record, item in pairs}
    found = uow.reachable.find([*keys, *keys], at=NOW)
    assert {key: each.msisdn for key, each in found.items()} == {
        key: item.msisdn for key, item in keys.items()
    }


def test_ranking_again_replaces_the_order_of_before(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    first, second = store_number(uow, record), store_number(uow, record)
    rank(uow, record, first, second)
    assert ranked(uow, record) == [first.msisdn, second.msisdn]
    rank(uow, record, second)
    assert ranked(uow, record) == [second.msisdn]
    uow.fallbacks.drop(second)
    assert ranked(uow, record) == []
