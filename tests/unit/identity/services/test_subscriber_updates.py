"""The population authority pulls what it is owed: once in effect, in order, nothing lost."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from identity.domain.caller import Role
from identity.domain.directive import AcknowledgementResult
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.person_name import PersonName
from identity.domain.subscriber_update import SubscriberUpdate, UpdateLease
from identity.domain.subscription import Subscription, SubscriptionEnd
from identity.services.apply_population_changes import Correction, Death, apply_population_changes
from identity.services.complete_verification import record_verdict
from identity.services.disown_subscription import disown_subscription
from identity.services.import_subscriptions import import_subscriptions
from identity.services.primary_number import set_primary_number
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.subscriber_updates import (
    UpdateAcknowledgement,
    acknowledge_subscriber_updates,
    pull_subscriber_updates,
)
from identity.services.transactions import Transactions
from identity.storage.book import BookRow, index_row
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, UnitOfWork
from identity.storage.update_tables import subscriber_sequence, subscriber_update
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    actions,
    find,
    hasty_rules,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_msisdn,
    make_operator,
    make_session,
    rules,
    store_citizen,
    store_number,
    wait_until_somebody_waits_for,
)

Race = Callable[[Sequence[Callable[[], Any]]], list[Any]]
LASTS = timedelta(minutes=5)
ACCEPTED = AcknowledgementResult.ACCEPTED
EVERYTHING = 1_000_000


class KilledError(Exception):
    """The process goes before the commit."""


def register(at: datetime = NOW) -> Any:  # noqa: ANN401 - a call
    return make_call("npd", role=Role.POPULATION, at=at)


def verify(uow: UnitOfWork, item: Subscription, *, at: datetime = NOW) -> Subscription:
    """The holder proves it by chip and face."""
    current = find(uow, item)
    session = make_session(uow, current, expires_at=at + LASTS)
    call = make_call(item.operator_id, at=at)
    chip, face = make_chip(current.claim), make_face()
    return record_verdict(uow, call, session, chip, face, reference=None).subscription


def number_of(uow: UnitOfWork, record: PopulationRecord) -> Subscription:
    """A number in service that nobody has verified."""
    return store_number(uow, record, verified_at=None, operator_id=make_operator())


def verified(uow: UnitOfWork, record: PopulationRecord) -> Subscription:
    return verify(uow, number_of(uow, record))


def choose(uow: UnitOfWork, item: Subscription, *, at: datetime = NOW) -> None:
    call = make_call("vneid", role=Role.CITIZEN_APP, at=at, under=hasty_rules())
    set_primary_number(uow, call, item.claim.personal_id, item.msisdn)


def report(
    uow: UnitOfWork, item: Subscription, kind: EventKind, heir: PopulationRecord | None = None
) -> None:
    event = SubscriptionEvent(
        msisdn=item.msisdn,
        kind=kind,
        occurred_at=NOW,
        claim=None if heir is None else make_claim(heir),
    )
    assert report_events(uow, make_call(item.operator_id), [event]) == [""]


def pull(uow: UnitOfWork, *, at: datetime = NOW, limit: int = EVERYTHING) -> UpdateLease:
    return pull_subscriber_updates(uow, register(at), duration=LASTS, limit=limit)


def of(lease: UpdateLease, *records: PopulationRecord) -> list[SubscriberUpdate]:
    """Of the whole database, what is about some people."""
    ids = {record.personal_id for record in records}
    return [each for each in lease.updates if each.personal_id in ids]


def acknowledge(
    uow: UnitOfWork, lease_id: UUID, updates: Sequence[SubscriberUpdate], *, at: datetime = NOW
) -> list[AcknowledgementResult]:
    items = [
        UpdateAcknowledgement(
            personal_id=each.personal_id,
            subscription_id=each.subscription_id,
            sequence=each.sequence,
        )
        for each in updates
    ]
    return acknowledge_subscriber_updates(uow, register(at), lease_id, items)


def taken(uow: UnitOfWork, record: PopulationRecord) -> list[SubscriberUpdate]:
    """Pull and acknowledge what there is about somebody."""
    lease = pull(uow)
    updates = of(lease, record)
    if lease.updates:
        assert set(acknowledge(uow, lease.lease_id, lease.updates)) == {ACCEPTED}
    return updates


def owed_rows(uow: UnitOfWork) -> tuple[int, ...]:
    tables = (subscriber_update, subscriber_sequence)
    return tuple(
        uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
    )


# What is owed.


def test_a_claim_that_nobody_has_verified_is_nobodys_fact(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    before = owed_rows(uow)
    row = BookRow(msisdn=make_msisdn(), claim=make_claim(record), activated_on=None)
    import_subscriptions(uow, make_call(make_operator()), [index_row(uow.sealer, row)])
    renamed = replace(record, full_name=PersonName(OTHER_NAME))
    apply_population_changes(uow, register(), [Correction(renamed)])
    assert of(pull(uow), record) == []
    assert owed_rows(uow) == before


def test_a_verified_number_is_told_with_how_it_was_proved(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    (told,) = of(pull(uow), record)
    assert (told.personal_id, told.msisdn) == (record.personal_id, item.msisdn)
    assert (told.subscription_id, told.operator_id) == (item.subscription_id, item.operator_id)
    assert (told.sequence, told.changed_at) == (1, NOW)
    standing = told.standing
    assert (standing.link_state, standing.verified_at) == (LinkState.LINKED, NOW)
    assert standing.policy_version == rules().verification.version
    assert (standing.disowned_at, standing.primary_since, standing.end) == (None, None, None)


def test_a_change_of_primary_is_told_without_two_at_once(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    first, second = verified(uow, record), verified(uow, record)
    choose(uow, first)
    assert [each.standing.primary_since for each in taken(uow, record)] == [None, NOW]
    later = NOW + timedelta(hours=1)
    choose(uow, second, at=later)
    updates = taken(uow, record)
    assert [each.subscription_id for each in updates] == [
        first.subscription_id,
        second.subscription_id,
    ]
    assert [each.standing.primary_since for each in updates] == [None, later]


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (EventKind.RELEASE, SubscriptionEnd.RELEASED),
        (EventKind.PORT_OUT, SubscriptionEnd.PORTED_OUT),
        (EventKind.TRANSFER, SubscriptionEnd.TRANSFERRED),
    ],
)
def test_an_end_is_told_and_clears_the_primary(
    uow: UnitOfWork, kind: EventKind, end: SubscriptionEnd
) -> None:
    record, heir = store_citizen(uow), store_citizen(uow)
    item = verified(uow, record)
    choose(uow, item)
    taken(uow, record)
    report(uow, item, kind, heir if kind is EventKind.TRANSFER else None)
    (told,) = taken(uow, record)
    assert (told.standing.end, told.standing.primary_since) == (end, None)
    assert (told.subscription_id, told.msisdn) == (item.subscription_id, item.msisdn)
    assert taken(uow, heir) == []


def test_the_new_holder_of_a_transferred_number_is_told_of_when_verified(uow: UnitOfWork) -> None:
    record, heir = store_citizen(uow), store_citizen(uow)
    item = verified(uow, record)
    report(uow, item, EventKind.TRANSFER, heir)
    verify(uow, item, at=NOW + LASTS)
    lease = pull(uow)
    ((former,), (present,)) = of(lease, record), of(lease, heir)
    assert former.standing.end is SubscriptionEnd.TRANSFERRED
    assert (present.standing.end, present.standing.verified_at) == (None, NOW + LASTS)
    assert former.subscription_id == present.subscription_id == item.subscription_id


def test_a_death_is_told_of_every_number_that_was_verified(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item, other = verified(uow, record), number_of(uow, record)
    choose(uow, item)
    taken(uow, record)
    death = Death(record.personal_id, date(2026, 4, 30))
    assert apply_population_changes(uow, register(), [death]) == 2
    (told,) = taken(uow, record)
    assert told.subscription_id == item.subscription_id != other.subscription_id
    assert told.standing.link_state is LinkState.DECEASED
    assert told.standing.primary_since is None
    assert told.standing.verified_at == NOW


def test_a_disowned_number_is_told_until_its_holder_is_verified(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = number_of(uow, record)
    app = make_call("vneid", role=Role.CITIZEN_APP)
    disown_subscription(uow, app, record.personal_id, item.msisdn)
    (told,) = taken(uow, record)
    assert (told.standing.disowned_at, told.standing.verified_at) == (NOW, None)
    verify(uow, item)
    (cured,) = taken(uow, record)
    assert (cured.standing.disowned_at, cured.standing.verified_at) == (None, NOW)


def test_changes_that_were_not_pulled_come_as_one(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    choose(uow, item)
    renamed = replace(record, full_name=PersonName(OTHER_NAME))
    apply_population_changes(uow, register(), [Correction(renamed)])
    (told,) = taken(uow, record)
    assert (told.standing.link_state, told.sequence) == (LinkState.MISMATCHED, 3)
    apply_population_changes(uow, register(), [Correction(record)])
    (told,) = taken(uow, record)
    assert (told.standing.link_state, told.sequence) == (LinkState.LINKED, 4)


def test_what_changes_nothing_owes_nothing(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    choose(uow, item)
    taken(uow, record)
    report(uow, item, EventKind.SIM_SWAP)
    choose(uow, item)
    row = BookRow(msisdn=item.msisdn, claim=item.claim, activated_on=date(2020, 1, 1))
    import_subscriptions(uow, make_call(item.operator_id), [index_row(uow.sealer, row)])
    assert taken(uow, record) == []


# How it is delivered.


def test_a_pull_leases_and_tells_each_citizen_so(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    verified(uow, record)
    lease = pull(uow)
    assert (len(of(lease, record)), lease.expires_at) == (1, NOW + LASTS)
    assert of(pull(uow), record) == []
    entries = actions(uow.connection, register().caller)
    assert ("pull_subscriber_updates", "told") in entries
    assert entries[-1] == ("pull_subscriber_updates", "leased")


def test_a_lapsed_lease_comes_back_the_same_and_counts_no_more(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    verified(uow, record)
    first = pull(uow)
    again = pull(uow, at=NOW + LASTS)
    assert of(again, record) == of(first, record)
    late = acknowledge(uow, first.lease_id, of(first, record), at=NOW + LASTS)
    assert late == [AcknowledgementResult.LEASE_LOST]
    accepted = acknowledge(uow, again.lease_id, of(again, record), at=NOW + LASTS)
    assert accepted == [ACCEPTED]
    assert of(pull(uow, at=NOW + 2 * LASTS), record) == []


def test_an_acknowledgement_counts_once(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    verified(uow, record)
    lease = pull(uow)
    updates = of(lease, record) * 2
    already = AcknowledgementResult.ALREADY_ACKNOWLEDGED
    assert acknowledge(uow, lease.lease_id, updates) == [ACCEPTED, already]
    assert acknowledge(uow, uuid4(), updates) == [already, already]


def test_what_was_never_told_cannot_be_acknowledged(uow: UnitOfWork) -> None:
    record, stranger = store_citizen(uow), store_citizen(uow)
    verified(uow, record)
    lease = pull(uow)
    (told,) = of(lease, record)
    wrong = [
        replace(told, personal_id=stranger.personal_id),
        replace(told, subscription_id=uuid4()),
        replace(told, sequence=2),
    ]
    unknown = AcknowledgementResult.UNKNOWN
    assert acknowledge(uow, lease.lease_id, wrong) == [unknown] * 3
    assert acknowledge(uow, lease.lease_id, [told]) == [ACCEPTED]


def test_what_changes_while_it_is_out_comes_after_it(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    lease = pull(uow)
    choose(uow, item)
    assert of(pull(uow), record) == []
    assert acknowledge(uow, lease.lease_id, of(lease, record)) == [ACCEPTED]
    (told,) = taken(uow, record)
    assert (told.sequence, told.standing.primary_since) == (2, NOW)


def test_what_was_overtaken_under_a_lapsed_lease_does_not_come_back(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    lease = pull(uow)
    choose(uow, item)
    late = acknowledge(uow, lease.lease_id, of(lease, record), at=NOW + LASTS)
    assert late == [AcknowledgementResult.SUPERSEDED]
    assert [each.sequence for each in of(pull(uow, at=NOW + LASTS), record)] == [2]


def test_of_no_citizen_is_anything_under_two_leases(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    verified(uow, record)
    lease = pull(uow)
    verified(uow, record)
    assert of(pull(uow), record) == []
    acknowledge(uow, lease.lease_id, of(lease, record))
    assert [each.sequence for each in of(pull(uow), record)] == [2]


def test_the_order_of_a_citizen_survives_a_limit(uow: UnitOfWork) -> None:
    pull(uow)  # whatever other tests have left
    record = store_citizen(uow)
    for _ in range(5):
        verified(uow, record)
    seen = []
    for _ in range(3):
        lease = pull(uow, limit=2)
        acknowledge(uow, lease.lease_id, lease.updates)
        seen += [each.sequence for each in of(lease, record)]
    assert seen == [1, 2, 3, 4, 5]


# At the same time, and in the middle.


def settled_world(transactions: Transactions, count: int) -> list[PopulationRecord]:
    """People with a verified number each, committed."""

    def settle(uow: UnitOfWork) -> list[PopulationRecord]:
        records = [store_citizen(uow) for _ in range(count)]
        for record in records:
            verified(uow, record)
        return records

    return transactions.run(settle)


def test_two_who_pull_at_once_share_and_never_both_have(
    transactions: Transactions, race: Race
) -> None:
    records = settled_world(transactions, 12)
    leases: list[UpdateLease] = race([partial(transactions.run, pull)] * 4)
    updates = [each for lease in leases for each in of(lease, *records)]
    assert len(updates) == len({each.personal_id for each in updates}) == len(records)
    for lease in leases:
        if mine := of(lease, *records):
            results = transactions.run(partial(acknowledge, lease_id=lease.lease_id, updates=mine))
            assert set(results) == {ACCEPTED}


def test_a_change_that_is_not_committed_holds_its_citizen_back_and_no_other(
    database: Database,
) -> None:
    transactions = Transactions(database)
    busy, idle = settled_world(transactions, 2)
    with database.transaction() as uow:
        (item,) = uow.subscriptions.list_of_citizens([busy.personal_id], lock=True)
        choose(uow, item)
        lease = transactions.run(pull)
        assert (of(lease, busy), len(of(lease, idle))) == ([], 1)
    (told,) = of(transactions.run(pull), busy)
    assert (told.sequence, told.standing.primary_since) == (2, NOW)


def test_two_changes_of_one_citizen_at_once_are_both_told(
    database: Database, transactions: Transactions, race: Race
) -> None:
    def settle(uow: UnitOfWork) -> tuple[PopulationRecord, list[Subscription]]:
        record = store_citizen(uow)
        return record, [verified(uow, record) for _ in range(4)]

    record, items = transactions.run(settle)
    changes = [partial(transactions.run, partial(choose, item=item)) for item in items[:3]]
    again = partial(transactions.run, partial(verify, item=items[3], at=NOW + timedelta(minutes=1)))
    assert [each for each in race([*changes, again]) if isinstance(each, Exception)] == []
    updates = of(transactions.run(pull), record)
    with database.transaction() as uow:
        primary = uow.primaries.find(record.personal_id)
    assert primary is not None
    told = [each.subscription_id for each in updates if each.standing.primary_since is not None]
    assert told == [primary.subscription_id]
    proofs = {each.subscription_id: each.standing.verified_at for each in updates}
    assert proofs[items[3].subscription_id] == NOW + timedelta(minutes=1)
    assert len(updates) == len(items)


def test_a_change_waits_for_a_pull_and_comes_after_it(
    database: Database, transactions: Transactions, race: Race
) -> None:
    (record,) = settled_world(transactions, 1)

    is_leased = threading.Event()

    def pull_slowly() -> UpdateLease:
        with database.transaction() as uow:
            lease = pull(uow)
            is_leased.set()
            wait_until_somebody_waits_for(uow)
            return lease

    def change() -> None:
        def act(uow: UnitOfWork) -> None:
            (item,) = uow.subscriptions.list_of_citizens([record.personal_id], lock=True)
            choose(uow, item)

        assert is_leased.wait(30)
        transactions.run(act)

    lease, _ = race([pull_slowly, change])
    assert [each.sequence for each in of(lease, record)] == [1]
    accepted = partial(acknowledge, lease_id=lease.lease_id, updates=of(lease, record))
    assert transactions.run(accepted) == [ACCEPTED]
    assert [each.sequence for each in of(transactions.run(pull), record)] == [2]


@pytest.mark.parametrize("deeds", [0, 1])
def test_a_connection_killed_before_the_commit_loses_and_doubles_nothing(
    database: Database, transactions: Transactions, deeds: int
) -> None:
    (record,) = settled_world(transactions, 1)
    killed: list[bool] = []

    def change_and_die(uow: UnitOfWork) -> None:
        (item,) = uow.subscriptions.list_of_citizens([record.personal_id], lock=True)
        for _ in range(deeds):
            choose(uow, item)
        if not killed:
            killed.append(True)
            backend = uow.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with database.transaction() as other:
                other.connection.execute(text("SELECT pg_terminate_backend(:id)"), {"id": backend})
        choose(uow, item)

    transactions.run(change_and_die)
    assert killed == [True]
    (told,) = of(transactions.run(pull), record)
    assert (told.sequence, told.standing.primary_since) == (2, NOW)


def test_a_change_that_never_commits_is_never_told(database: Database) -> None:
    transactions = Transactions(database)
    (record,) = settled_world(transactions, 1)

    def change_and_die(uow: UnitOfWork) -> None:
        (item,) = uow.subscriptions.list_of_citizens([record.personal_id], lock=True)
        choose(uow, item)
        raise KilledError

    with pytest.raises(KilledError):
        transactions.run(change_and_die)
    (told,) = of(transactions.run(pull), record)
    assert (told.sequence, told.standing.primary_since) == (1, None)


def test_updates_hold_nothing_personal_themselves(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = verified(uow, record)
    key = citizen_key(uow.sealer, record.personal_id)
    row = uow.connection.execute(
        text("SELECT t::text FROM subscriber_update AS t WHERE citizen_key = :key"), {"key": key}
    ).scalar_one()
    for secret in (record.personal_id.value, item.msisdn.value[1:], record.full_name.value):
        assert secret not in row
