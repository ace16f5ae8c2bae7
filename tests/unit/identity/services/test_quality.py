"""Measuring once a day, and who reads what."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from identity.domain.caller import Caller, Role
from identity.domain.errors import QualityNotMeasuredError
from identity.domain.quality import day_of
from identity.services.quality import (
    measure_quality,
    read_quality,
    record_quality,
    record_quality_of_the_day,
)
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.quality_tables import quality_day
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_call,
    make_operator,
    make_subscription,
    policy,
)

REGULATOR = make_call("regulator", role=Role.REGULATOR)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def unmeasured(uow: UnitOfWork) -> None:
    uow.connection.execute(delete(quality_day))


def record(uow: UnitOfWork, at: Any = NOW) -> None:  # noqa: ANN401 - an instant
    record_quality(uow, policy(), caller="command-line", at=at)


def test_a_day_is_measured_once(uow: UnitOfWork) -> None:
    caller = f"regulator:{make_operator()}"
    done = [
        record_quality_of_the_day(uow, policy(), caller=caller, at=NOW + hours)
        for hours in (timedelta(0), timedelta(hours=2), DAY)
    ]
    assert done == [True, False, True]
    role, name = caller.split(":")
    assert actions(uow.connection, Caller(Role(role), name)) == [("record_quality", "recorded")] * 2


def test_of_two_that_would_measure_one_does(
    transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    day = NOW + timedelta(days=3_000)
    measure = lambda: transactions.run(  # noqa: E731 - the same action twice
        lambda uow: record_quality_of_the_day(uow, policy(), caller="regulator:r", at=day)
    )
    assert sorted(race([measure, measure])) == [False, True]


def test_the_regulator_reads_everything_and_an_operator_its_own(uow: UnitOfWork) -> None:
    first, second = make_operator(), make_operator()
    for operator in (first, second):
        uow.subscriptions.save(make_subscription(operator_id=operator, province_code="01"))
    record(uow)
    whole = read_quality(uow, REGULATOR, day=None, trend_days=5)
    assert whole.country is not None
    assert {first, second} <= {each.operator_id for each in whole.operators}
    own = read_quality(uow, make_call(first), day=None, trend_days=5)
    assert own.country is None
    assert [each.operator_id for each in own.figures] == [first, first]
    assert [each.operator_id for _, each in own.trend] == [first]
    assert own.figures == tuple(each for each in whole.figures if each.operator_id == first)


def test_an_operator_without_rows_reads_nothing_and_learns_nothing(uow: UnitOfWork) -> None:
    record(uow)
    report = read_quality(uow, make_call(make_operator()), day=None, trend_days=5)
    assert (report.figures, report.trend) == ((), ())


def test_reading_leaves_an_entry(uow: UnitOfWork) -> None:
    record(uow)
    call = make_call(make_operator(), role=Role.REGULATOR)
    read_quality(uow, call, day=None, trend_days=1)
    assert actions(uow.connection, call.caller) == [("get_quality_report", "read")]


def test_a_day_that_was_not_measured_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(QualityNotMeasuredError):
        read_quality(uow, REGULATOR, day=None, trend_days=1)
    record(uow)
    today = day_of(NOW)
    assert read_quality(uow, REGULATOR, day=today, trend_days=1).day == today
    for other in (today - DAY, today + DAY):
        with pytest.raises(QualityNotMeasuredError):
            read_quality(uow, REGULATOR, day=other, trend_days=1)


def test_a_trend_goes_back_as_many_days_as_are_asked_for(uow: UnitOfWork) -> None:
    for days in range(4):
        record(uow, NOW + days * DAY)
    report = read_quality(uow, REGULATOR, day=None, trend_days=3)
    assert [day for day, _ in report.trend_of(None)] == [
        date(2026, 5, 2),
        date(2026, 5, 3),
        date(2026, 5, 4),
    ]
    earlier = read_quality(uow, REGULATOR, day=date(2026, 5, 3), trend_days=2)
    assert [day.day for day, _ in earlier.trend_of(None)] == [2, 3]


def test_measuring_now_joins_the_days_that_are_kept_and_keeps_nothing(uow: UnitOfWork) -> None:
    record(uow)
    record(uow, NOW + DAY)  # the day of the measurement itself is taken from now
    uow.subscriptions.save(make_subscription())
    report = measure_quality(uow, policy(), at=NOW + DAY, trend_days=9)
    (_, before), (_, now) = report.trend_of(None)
    assert now == report.country
    assert now.rows.row_count == before.rows.row_count + 1
    kept = read_quality(uow, REGULATOR, day=None, trend_days=1).country
    assert kept is not None
    assert kept.rows == before.rows
