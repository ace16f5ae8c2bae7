"""The outbox itself: its constraints, its locks, and what the migration owes at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import IntegrityError

from identity.domain.enforcement import open_case
from identity.domain.policy import CaseCause
from identity.domain.subscriber_update import NO_NEWS, News, SubscriberUpdate
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.storage.arrays import Reference
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, UnitOfWork
from identity.storage.subscriptions import msisdn_key
from identity.storage.update_queue import RECORD_LOOKED_FOR_EVERY
from identity.storage.update_tables import subscriber_sequence, subscriber_update
from tests.databases import move, own_engine
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_evidence,
    make_record,
    make_session,
    rules,
    store_citizen,
    store_number,
    store_primary,
    track_for,
    unverified,
)

PROVED = News(verified_under="vn-1")


def reference(uow: UnitOfWork, item: Subscription) -> Reference:
    return msisdn_key(uow.sealer, item.msisdn), item.subscription_id


def note(uow: UnitOfWork, *items: Subscription, news: News = PROVED) -> int:
    return uow.subscriber_updates.note({reference(uow, each): news for each in items}, at=NOW)


def row_of(uow: UnitOfWork, item: Subscription) -> Mapping[str, Any]:
    query = select(subscriber_update).where(
        subscriber_update.c.subscription_id == item.subscription_id
    )
    return dict(uow.connection.execute(query).mappings().one())


@pytest.mark.parametrize(
    ("flaw", "constraint"),
    [
        ({"acknowledged_sequence": 2}, "ck_subscriber_update_acknowledged_sequence"),
        (
            {"leased_sequence": 2, "lease_id": uuid4(), "lease_expires_at": NOW},
            "ck_subscriber_update_leased_sequence",
        ),
        ({"lease_id": uuid4()}, "ck_subscriber_update_lease"),
        ({"leased_sequence": 1, "lease_id": uuid4()}, "ck_subscriber_update_lease"),
        ({"link_state": "unsure"}, "ck_subscriber_update_link_state"),
        ({"ended_by": "accident"}, "ck_subscriber_update_ended_by"),
        (
            {"ended_by": "released", "primary_since": NOW},
            "ck_subscriber_update_no_primary_after_the_end",
        ),
    ],
)
def test_an_update_that_cannot_be_is_refused(
    uow: UnitOfWork, flaw: Mapping[str, Any], constraint: str
) -> None:
    item = store_number(uow, store_citizen(uow))
    assert note(uow, item) == 1
    statement = update(subscriber_update).where(
        subscriber_update.c.subscription_id == item.subscription_id
    )
    with pytest.raises(IntegrityError, match=constraint), uow.connection.begin_nested():
        uow.connection.execute(statement.values(flaw))


@pytest.mark.parametrize("same", ["sequence", "primary_since"])
def test_no_citizen_has_two_of_a_sequence_or_two_primaries(uow: UnitOfWork, same: str) -> None:
    _, item = store_primary(uow)
    note(uow, item)
    second = {**row_of(uow, item), "subscription_id": uuid4(), "sequence": 2, "position": 1}
    second |= {"primary_since": None, same: row_of(uow, item)[same]}
    with pytest.raises(IntegrityError, match="duplicate key"), uow.connection.begin_nested():
        uow.connection.execute(insert(subscriber_update).values(second))


def test_what_was_never_verified_costs_two_reads_and_no_lock(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    items = [store_number(uow, record, verified_at=None) for _ in range(3)]
    statements: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(uow.connection, "before_cursor_execute", listen)
    assert note(uow, *items, news=NO_NEWS) == 0
    event.remove(uow.connection, "before_cursor_execute", listen)
    assert len(statements) == 2
    assert not [each for each in statements if "FOR UPDATE" in each or "INSERT" in each]


def test_many_of_many_citizens_are_noted_at_once(uow: UnitOfWork) -> None:
    items = [store_number(uow, record) for record in [store_citizen(uow), store_citizen(uow)] * 3]
    assert note(uow, *items) == 6
    assert note(uow, *items, news=NO_NEWS) == 0
    for start in range(2):
        assert sorted(row_of(uow, each)["sequence"] for each in items[start::2]) == [1, 2, 3]
        key = citizen_key(uow.sealer, items[start].claim.personal_id)
        query = select(subscriber_sequence.c.last_sequence)
        last = uow.connection.scalar(query.where(subscriber_sequence.c.citizen_key == key))
        assert last == 3


def test_what_nobody_has_a_record_of_waits_for_one(uow: UnitOfWork) -> None:
    record = replace(store_citizen(uow))
    known = store_number(uow, record)
    stranger = store_number(
        uow, replace(record, personal_id=known.claim.personal_id.parse("9" * 12))
    )
    note(uow, known, stranger)
    leased = uow.subscriber_updates.lease(
        lease_id=uuid4(), expires_at=NOW + timedelta(minutes=5), at=NOW, limit=1_000_000
    )
    ids = {each.subscription_id for each in leased}
    assert known.subscription_id in ids
    assert stranger.subscription_id not in ids


def test_a_record_that_nobody_relinks_is_found_a_day_later(uow: UnitOfWork) -> None:
    record = make_record()
    item = store_number(uow, record)
    note(uow, item)
    day = RECORD_LOOKED_FOR_EVERY
    assert item.subscription_id not in {each.subscription_id for each in leased(uow)}
    uow.citizens.save_many([record], at=NOW)
    just_before = leased(uow, after=day - timedelta(microseconds=1))
    assert item.subscription_id not in {each.subscription_id for each in just_before}
    assert item.subscription_id in {each.subscription_id for each in leased(uow, after=day)}


def test_a_record_that_is_relinked_is_told_at_once(uow: UnitOfWork) -> None:
    record = make_record()
    item = store_number(uow, record)
    note(uow, item)
    leased(uow)
    uow.citizens.save_many([record], at=NOW)
    uow.subscriptions.save(replace(item, verified_at=NOW))
    note(uow, item)
    assert item.subscription_id in {each.subscription_id for each in leased(uow)}


# The migrations.


def leased(uow: UnitOfWork, *, after: timedelta = timedelta()) -> list[SubscriberUpdate]:
    at = NOW + after
    return list(
        uow.subscriber_updates.lease(
            lease_id=uuid4(), expires_at=at + timedelta(minutes=5), at=at, limit=1_000
        )
    )


def test_citizens_have_the_places_that_the_migration_finds(
    postgres_url: str, worker_id: str, vault: Vault
) -> None:
    with own_engine(postgres_url, f"places_{worker_id}") as engine:
        database = Database(engine, vault)
        with database.transaction() as uow:
            told, out, ready = (store_number(uow, store_citizen(uow)) for _ in range(3))
            note(uow, told, out)
            lease_id, until = uuid4(), NOW + timedelta(minutes=5)
            uow.subscriber_updates.lease(lease_id=lease_id, expires_at=until, at=NOW, limit=2)
            uow.subscriber_updates.mark_acknowledged(
                {(told.claim.personal_id, told.subscription_id): 1}
            )
            note(uow, ready)
            places = select(subscriber_sequence).order_by(subscriber_sequence.c.citizen_key)
            before = uow.connection.execute(places).all()
        move(engine, "0009")
        move(engine, "head")
        with database.transaction() as uow:
            assert uow.connection.execute(places).all() == before
            assert [each.subscription_id for each in leased(uow)] == [ready.subscription_id]
            back = {each.subscription_id for each in leased(uow, after=timedelta(minutes=5))}
            assert back == {out.subscription_id, ready.subscription_id}


def test_what_was_verified_before_the_migration_is_owed_by_it(
    postgres_url: str, worker_id: str, vault: Vault
) -> None:
    with own_engine(postgres_url, f"before_{worker_id}") as engine:
        database = Database(engine, vault)
        with database.transaction() as uow:
            record, primary = store_primary(uow)
            session = make_session(uow, primary)
            evidence = make_evidence(record)
            assert primary.verified_at is not None
            uow.verifications.complete(session, evidence, judge(evidence, at=primary.verified_at))
            disowned = store_number(uow, record)
            case = open_case(
                disowned,
                CaseCause.DISOWNED,
                track_for(CaseCause.DISOWNED),
                identity=uuid4(),
                at=NOW,
            )
            uow.cases.save_many([(case, disowned)])
            for state in (ServiceState.ACTIVE, ServiceState.INACTIVE):
                other = store_number(uow, record)
                uow.subscriptions.save(unverified(other, state))
            store_number(uow, record, service_state=ServiceState.TERMINATED)
        # Only what is in force can be stored as it was then: the code of today writes it, and the
        # way back takes off what later migrations have added.
        move(engine, "0004")
        move(engine, "head")
        with database.transaction() as uow:
            updates = {each.subscription_id: each for each in leased(uow)}
            assert updates.keys() == {primary.subscription_id, disowned.subscription_id}
            told = updates[primary.subscription_id].standing
            assert (told.primary_since, told.disowned_at) == (NOW, None)
            assert told.policy_version == rules().verification.version
            assert updates[disowned.subscription_id].standing.disowned_at == NOW
            assert sorted(each.sequence for each in updates.values()) == [1, 2]
            assert note(uow, primary, disowned, news=NO_NEWS) == 0
