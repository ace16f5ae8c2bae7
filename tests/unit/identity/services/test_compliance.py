"""Figures of what really happened: orders late and open, the two-hour duty, waves put back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, text

from identity.domain.calendar_date import day_of
from identity.domain.caller import Role
from identity.domain.compliance import Days, ExecutionTimes, KpiReport, OperatorKpis
from identity.domain.directive import AcknowledgementResult
from identity.domain.enforcement import DirectiveKind
from identity.domain.quality import Share
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.compliance import get_kpis, get_monthly_scores
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.quality import record_quality
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from identity.storage.quality_tables import quality_day
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_directive,
    make_operator,
    make_subscription,
    references_of,
    rules,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.wave_country import Country, make_country

HOUR = timedelta(hours=1)
TODAY = Days.chosen(None, None, today=day_of(NOW))


@pytest.fixture(autouse=True)
def unmeasured(uow: UnitOfWork) -> None:
    uow.connection.execute(delete(quality_day))


@pytest.fixture
def country(quiet_engine: Engine, vault: Vault) -> Iterator[Country]:
    """Numbers that wait for a wave."""
    made = make_country(quiet_engine, vault)
    yield made
    with quiet_engine.begin() as connection:
        connection.execute(text("TRUNCATE directive, enforcement_case, subscription CASCADE"))


def regulator(at: datetime = NOW) -> Call:
    return replace(make_call("regulator", role=Role.REGULATOR), at=at)


def only(report: KpiReport) -> OperatorKpis:
    (found,) = report.operators
    return found


def kpis_of(uow: UnitOfWork, name: str, *, at: datetime = NOW, days: Days = TODAY) -> OperatorKpis:
    return only(get_kpis(uow, replace(make_call(name), at=at), days=days))


def store_order(
    uow: UnitOfWork, name: str, *, kind: DirectiveKind = DirectiveKind.SUSPEND
) -> Subscription:
    item = store_number(uow, store_citizen(uow), operator_id=name)
    made = make_directive(item, kind=kind, created_at=NOW, due_at=NOW + 24 * HOUR)
    uow.directives.add_many([(made, item)])
    return item


def test_an_open_order_is_late_from_its_time_on(uow: UnitOfWork) -> None:
    name = make_operator()
    store_order(uow, name)
    on_time = kpis_of(uow, name, at=NOW + 24 * HOUR)
    assert on_time.orders == ExecutionTimes()
    assert on_time.orders.on_time == Share(0, 0)
    late = kpis_of(uow, name, at=NOW + 24 * HOUR + timedelta(microseconds=1))
    assert late.orders == ExecutionTimes(late_count=1, open_late_count=1)
    assert late.notices == ExecutionTimes()


def test_an_order_that_was_overtaken_in_time_is_counted_nowhere(uow: UnitOfWork) -> None:
    name = make_operator()
    item = store_order(uow, name)
    uow.directives.supersede(references_of(uow, item), [DirectiveKind.SUSPEND], at=NOW + 24 * HOUR)
    found = kpis_of(uow, name, at=NOW + 99 * HOUR)
    assert found.orders == ExecutionTimes()
    assert found.reverted_blocks == Share(0, 1)  # it was ordered all the same


def test_an_order_that_was_overtaken_after_its_time_is_late_for_ever(uow: UnitOfWork) -> None:
    name = make_operator()
    item = store_order(uow, name)
    at = NOW + 24 * HOUR + timedelta(microseconds=1)
    uow.directives.supersede(references_of(uow, item), [DirectiveKind.SUSPEND], at=at)
    uow.directives.supersede(references_of(uow, item), [DirectiveKind.SUSPEND], at=at + HOUR)
    for counted_at in (at, NOW + 99 * HOUR):
        found = kpis_of(uow, name, at=counted_at).orders
        assert found == ExecutionTimes(late_count=1, overtaken_late_count=1)
        assert found.on_time == Share(0, 1)


def test_an_acknowledgement_after_a_cure_comes_too_late_to_hide_that_it_was_late(
    uow: UnitOfWork,
) -> None:
    name = make_operator()
    item = store_number(uow, store_citizen(uow), operator_id=name)
    change_device(uow, item, before=timedelta())
    call = make_call(name)
    lease = pull_directives(uow, call, duration=9 * HOUR, limit=9)
    cured_at = NOW + 3 * HOUR
    settle_subscription(
        uow,
        replace(call, at=cured_at),
        replace(find(uow, item), verified_at=cured_at),
        Change(before=ServiceState.OUTGOING_BLOCKED, is_cured=True),
    )
    answers = [
        Acknowledgement(
            directive_id=each.directive.directive_id,
            is_executed=True,
            failure="",
            executed_at=NOW + HOUR,
        )
        for each in lease.directives
    ]
    late = replace(call, at=NOW + 4 * HOUR)
    results = acknowledge_directives(uow, late, lease.lease_id, answers)
    assert set(results) == {AcknowledgementResult.SUPERSEDED}
    found = kpis_of(uow, name, at=late.at)
    assert found.device_changes == ExecutionTimes(late_count=1, overtaken_late_count=1)
    assert found.orders == found.device_changes  # what restores it is open, and not late yet
    assert found.notices.late_count == 1


def test_what_a_later_order_overtakes_was_late_if_that_came_after_its_time(
    uow: UnitOfWork,
) -> None:
    name = make_operator()
    item = store_order(uow, name)
    later = make_directive(item, created_at=NOW + HOUR, due_at=NOW + 90 * HOUR)
    uow.directives.add_many([(later, item)])
    call = make_call(name, at=NOW + 25 * HOUR)
    lease = pull_directives(uow, call, duration=HOUR, limit=9)
    done = Acknowledgement(directive_id=later.directive_id, is_executed=True, failure="")
    assert acknowledge_directives(uow, call, lease.lease_id, [done]) == [
        AcknowledgementResult.ACCEPTED
    ]
    found = kpis_of(uow, name, at=call.at).orders
    assert (found.executed_count, found.late_count, found.overtaken_late_count) == (1, 1, 1)
    assert found.on_time == Share(1, 2)


def change_device(uow: UnitOfWork, item: Subscription, *, before: timedelta) -> None:
    event = SubscriptionEvent(
        msisdn=item.msisdn, kind=EventKind.DEVICE_CHANGE, occurred_at=NOW - before
    )
    assert report_events(uow, make_call(item.operator_id), [event]) == [""]


def execute_all(uow: UnitOfWork, name: str, *, at: datetime) -> None:
    leased = uow.directives.lease(
        name,
        lease_id=make_directive(make_subscription()).directive_id,
        expires_at=at + HOUR,
        at=at,
        limit=100,
    )
    ids = [each.directive.directive_id for each in leased]
    uow.directives.mark_executed(uow.directives.find_handed(name, ids).values(), at=at)


def test_the_two_hour_duty_counts_from_the_event_whatever_else_is_wrong(uow: UnitOfWork) -> None:
    name = make_operator()
    # Never verified: its first cause is another one.
    item = store_number(uow, store_citizen(uow), operator_id=name, verified_at=None)
    change_device(uow, item, before=HOUR)
    assert kpis_of(uow, name).device_changes == ExecutionTimes()
    open_late = kpis_of(uow, name, at=NOW + HOUR + timedelta(seconds=1)).device_changes
    assert open_late == ExecutionTimes(late_count=1, open_late_count=1)
    execute_all(uow, name, at=NOW + HOUR)
    done = kpis_of(uow, name, at=NOW + 2 * HOUR)
    assert done.device_changes == ExecutionTimes(executed_count=1, p50_s=7_200.0, p95_s=7_200.0)
    assert done.orders.p50_s == 3_600.0
    assert done.notices.executed_count == 2  # one of each ladder


def test_a_duty_that_was_told_of_too_late_is_late(uow: UnitOfWork) -> None:
    name = make_operator()
    item = store_number(uow, store_citizen(uow), operator_id=name)
    change_device(uow, item, before=5 * HOUR)
    execute_all(uow, name, at=NOW)
    done = kpis_of(uow, name).device_changes
    assert (done.executed_count, done.late_count, done.p50_s) == (1, 1, 18_000.0)
    assert done.on_time == Share(0, 1)


def test_blocks_put_back_with_their_wave_are_counted_on_the_day_of_the_block(
    country: Country,
) -> None:
    wave = country.approved()
    country.execute(wave)
    days = Days(day_of(country.at), day_of(country.at))
    country.obey()
    cured = country.numbers[0]
    country.settle(replace(country.now(cured), verified_at=country.at), is_cured=True)
    country.advance(3)
    country.revert(wave)
    later = Days(days.first + timedelta(days=1), day_of(country.at))
    call, today = country.call(), days
    found = country.transactions.run(lambda uow: get_kpis(uow, call, days=today)).operators
    blocks = {each.operator_id: each.reverted_blocks for each in found}
    assert blocks == {"north": Share(6, 7), "south": Share(6, 6)}
    assert {each.operator_id: each.cures for each in found}["north"] == Share(1, 1)
    after = country.transactions.run(lambda uow: get_kpis(uow, call, days=later)).operators
    assert {each.reverted_blocks for each in after} == {Share(0, 0)}


def test_coverage_is_as_last_measured_within_the_days(uow: UnitOfWork) -> None:
    name = make_operator()
    record = store_citizen(uow)
    store_number(uow, record, operator_id=name)
    store_number(uow, record, operator_id=name, verified_at=None)
    for days_ago in (1, 40):
        record_quality(uow, rules(), caller="x", at=NOW - timedelta(days=days_ago))
    store_number(uow, record, operator_id=name)
    record_quality(uow, rules(), caller="x", at=NOW + timedelta(days=1))  # too late for these days
    assert kpis_of(uow, name).coverage == Share(1, 2)
    tomorrow = Days(TODAY.last + timedelta(days=1), TODAY.last + timedelta(days=1))
    assert kpis_of(uow, name, days=tomorrow).coverage == Share(2, 3)
    between = Days(TODAY.last - timedelta(days=20), TODAY.last - timedelta(days=10))
    assert get_kpis(uow, make_call(name), days=between).operators == ()


def test_an_operator_sees_itself_and_learns_no_other_name(uow: UnitOfWork) -> None:
    first, second, stranger = (make_operator() for _ in range(3))
    for name in (first, second):
        store_order(uow, name)
    record_quality(uow, rules(), caller="x", at=NOW)
    at = NOW + 30 * HOUR
    whole = get_kpis(uow, regulator(at), days=TODAY).operators
    assert {first, second} <= {each.operator_id for each in whole}
    names = [each.operator_id for each in whole]
    assert names == sorted(names)
    for name in (first, second):
        assert kpis_of(uow, name, at=at) in whole
        mine = get_monthly_scores(uow, replace(make_call(name), at=at), month=MAY)
        assert [each.operator_id for each in mine.scores] == [name]
    unknown = replace(make_call(stranger), at=at)
    assert get_kpis(uow, unknown, days=TODAY).operators == ()
    assert get_monthly_scores(uow, unknown, month=MAY).scores == ()


MAY = Days.of_month(2026, 5)


def test_a_month_is_final_from_its_last_midnight_in_viet_nam_on(uow: UnitOfWork) -> None:
    midnight = datetime(2026, 5, 31, 17, tzinfo=UTC)
    before = regulator(midnight - timedelta(microseconds=1))
    assert not get_monthly_scores(uow, before, month=MAY).is_final
    assert get_monthly_scores(uow, regulator(midnight), month=MAY).is_final


def test_a_month_to_come_and_an_empty_registry_have_no_scores(uow: UnitOfWork) -> None:
    record_quality(uow, rules(), caller="x", at=NOW)
    found = get_monthly_scores(uow, regulator(), month=Days.of_month(2199, 12))
    assert (found.scores, found.is_final) == ((), False)
    days = Days(date(1950, 1, 1), date(1950, 12, 31))
    assert get_kpis(uow, regulator(), days=days).operators == ()


def test_reading_leaves_an_entry(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    get_kpis(uow, call, days=TODAY)
    get_monthly_scores(uow, call, month=MAY)
    assert actions(uow.connection, call.caller) == [
        ("get_kpis", "answered"),
        ("get_monthly_score", "answered"),
    ]


def test_a_number_blocked_for_another_reason_is_no_duty(uow: UnitOfWork) -> None:
    name = make_operator()
    blocked = store_number(
        uow,
        store_citizen(uow),
        operator_id=name,
        verified_at=None,
        service_state=ServiceState.OUTGOING_BLOCKED,
    )
    made = make_directive(blocked, kind=DirectiveKind.BLOCK_OUTGOING, created_at=NOW, due_at=NOW)
    uow.directives.add_many([(made, blocked)])
    found = kpis_of(uow, name, at=NOW + HOUR)
    assert found.orders.open_late_count == 1
    assert found.device_changes == ExecutionTimes()
