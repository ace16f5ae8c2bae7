"""Measuring: what each count counts, who agrees with whom, and what a day keeps."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from identity.domain.calendar_date import day_of
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.person_name import PersonName
from identity.domain.provinces import UNKNOWN_PROVINCE
from identity.domain.quality import Figures, Measure, QualityPolicy
from identity.domain.subscription import ServiceState
from identity.storage.bulk_tables import import_run
from identity.storage.database import Database, UnitOfWork
from identity.storage.quality import MEASURE, measure_parameters
from identity.storage.tables import holding, import_batch, primary_number, subscription
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_claim,
    make_link,
    make_msisdn,
    make_operator,
    make_record,
    make_subscription,
    store_citizen,
    store_number,
)

POLICY = QualityPolicy()
NUMBERS_MAX = 3
LONG_AGO = NOW - timedelta(days=200)


@pytest.fixture(autouse=True)
def empty(uow: UnitOfWork) -> None:
    """Books without the rows that tests of this worker have committed; they are back afterwards."""
    for table in (primary_number, holding, subscription, import_batch, import_run):
        uow.connection.execute(delete(table))


def measure(
    uow: UnitOfWork, *, numbers_max: int | None = NUMBERS_MAX
) -> dict[tuple[Any, Any], Figures]:
    return {
        (each.operator_id, each.province_code): each
        for each in uow.quality.measure(POLICY, numbers_max=numbers_max, at=NOW)
    }


def shares(figures: Figures) -> dict[str, tuple[int, int]]:
    return {
        measure.value: (share.numerator, share.denominator)
        for measure, share in figures.shares().items()
    }


def mismatched(*, full_name: FieldResult, birth_date: FieldResult) -> Link:
    source = FieldSource.POPULATION_RECORD
    return Link(
        state=LinkState.MISMATCHED,
        personal_id=FieldOutcome(result=FieldResult.MATCH, source=source),
        full_name=FieldOutcome(result=full_name, source=source),
        birth_date=FieldOutcome(result=birth_date, source=source),
    )


def store_run(
    uow: UnitOfWork, operator: str, *, refused: int, at: datetime = NOW, is_snapshot: bool = False
) -> None:
    """An import of an operator, complete, with some refused rows."""
    name = {"caller": f"operator:{operator}", "request_id": uuid.uuid4()}
    uow.connection.execute(
        insert(import_run).values(
            **name,
            method="ImportSubscriptions",
            is_snapshot=is_snapshot,
            began_at=at,
            completed_at=at,
        )
    )
    errors = [{"row_index": i, "field": "msisdn", "reason": "X"} for i in range(refused)]
    uow.connection.execute(
        insert(import_batch).values(
            **name,
            batch_index=0,
            method="ImportSubscriptions",
            body_digest=b"",
            result={"received_count": refused, "row_errors": errors},
            created_at=at,
        )
    )


def test_empty_books_have_shares_of_nothing(uow: UnitOfWork) -> None:
    ((key, country),) = measure(uow).items()
    assert key == (None, None)
    assert shares(country) == {measure.value: (0, 0) for measure in Measure}
    assert [share.ratio for share in country.shares().values()] == [None] * 6


def test_each_link_state_and_each_field_is_counted(uow: UnitOfWork) -> None:
    operator = make_operator()
    match, differs = FieldResult.MATCH, FieldResult.MISMATCH
    for link in (
        make_link(),
        make_link(),
        make_link(LinkState.NOT_FOUND),
        make_link(LinkState.DECEASED),
        mismatched(full_name=differs, birth_date=match),
        mismatched(full_name=match, birth_date=differs),
        mismatched(full_name=differs, birth_date=differs),
    ):
        uow.subscriptions.save(make_subscription(link=link, operator_id=operator))
    rows = measure(uow)[operator, None].rows
    assert rows.row_count == 7
    assert (rows.linked_count, rows.mismatched_count) == (2, 3)
    assert (rows.not_found_count, rows.deceased_count) == (1, 1)
    assert (rows.full_name_mismatched_count, rows.birth_date_mismatched_count) == (2, 2)


def test_a_number_that_is_withdrawn_is_no_row(uow: UnitOfWork) -> None:
    ended = make_subscription(service_state=ServiceState.TERMINATED)
    uow.subscriptions.save(ended)
    assert measure(uow)[None, None].rows.row_count == 0


def test_rows_stand_under_their_operator_and_province(uow: UnitOfWork) -> None:
    first, second = sorted((make_operator(), make_operator()))
    for operator, province in ((first, "01"), (first, "79"), (first, None), (second, "79")):
        uow.subscriptions.save(make_subscription(operator_id=operator, province_code=province))
    parts = {key: each.rows.row_count for key, each in measure(uow).items()}
    assert list(parts.items()) == [
        ((None, None), 4),
        ((first, None), 3),
        ((second, None), 1),
        ((None, UNKNOWN_PROVINCE), 1),
        ((None, "01"), 1),
        ((None, "79"), 2),
        ((first, UNKNOWN_PROVINCE), 1),
        ((first, "01"), 1),
        ((first, "79"), 1),
        ((second, "79"), 1),
    ]


def test_a_row_is_sufficient_with_all_three_fields(uow: UnitOfWork) -> None:
    whole: dict[str, Any] = {"province_code": "01", "point_of_sale": "HN-17"}
    for given in (
        whole,
        whole | {"province_code": None},
        whole | {"point_of_sale": None},
        whole | {"activated_on": None},
        whole | {"point_of_sale": "", "province_code": ""},
    ):
        uow.subscriptions.save(make_subscription(**given))
    country = measure(uow)[None, None]
    assert shares(country)["sufficient"] == (1, 5)
    assert country.rows.activated_on_missing_count == 1
    assert country.rows.point_of_sale_missing_count == 2
    assert country.rows.province_missing_count == 2


@pytest.mark.parametrize(
    ("created_at", "snapshot_at", "is_absent", "expected"),
    [
        (NOW, None, False, "alive"),  # told of just now
        (LONG_AGO, None, False, "unconfirmed"),
        (LONG_AGO, LONG_AGO, False, "unconfirmed"),
        (LONG_AGO, NOW - timedelta(days=30), False, "alive"),
        (LONG_AGO, NOW - timedelta(days=30), True, "absent"),
        (NOW, NOW - timedelta(days=30), True, "absent"),
    ],
)
def test_a_row_lives_while_its_operator_confirms_it(
    uow: UnitOfWork,
    created_at: datetime,
    snapshot_at: datetime | None,
    is_absent: bool,  # noqa: FBT001 - a parameter of the test
    expected: str,
) -> None:
    operator = make_operator()
    item = make_subscription(operator_id=operator, created_at=created_at)
    uow.subscriptions.save(item)
    if is_absent:
        uow.connection.execute(update(subscription).values(absent_since=NOW))
    if snapshot_at is not None:
        store_run(uow, operator, refused=0, at=snapshot_at, is_snapshot=True)
    rows = measure(uow)[operator, None].rows
    seen = {
        "alive": rows.alive_count,
        "unconfirmed": rows.unconfirmed_count,
        "absent": rows.absent_count,
    }
    assert seen == {name: int(name == expected) for name in seen}
    assert rows.stale_count == int(expected != "alive")


def test_a_snapshot_that_never_ended_confirms_nothing(uow: UnitOfWork) -> None:
    operator = make_operator()
    uow.subscriptions.save(make_subscription(operator_id=operator, created_at=LONG_AGO))
    store_run(uow, operator, refused=0, is_snapshot=True)
    uow.connection.execute(update(import_run).values(completed_at=None))
    assert measure(uow)[operator, None].rows.alive_count == 0


@pytest.mark.parametrize(
    ("state", "is_alive"),
    [
        (LinkState.LINKED, True),
        (LinkState.MISMATCHED, True),
        (LinkState.NOT_FOUND, False),
        (LinkState.DECEASED, False),
    ],
)
def test_only_a_living_person_makes_a_row_alive(
    uow: UnitOfWork,
    state: LinkState,
    is_alive: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    uow.subscriptions.save(make_subscription(link=make_link(state), created_at=NOW))
    assert measure(uow)[None, None].rows.alive_count == int(is_alive)


def test_numbers_beyond_the_third_at_one_operator_are_duplicated(uow: UnitOfWork) -> None:
    operator, other = make_operator(), make_operator()
    claim = make_claim()
    for place in range(5):
        uow.subscriptions.save(
            make_subscription(
                claim,
                operator_id=operator,
                created_at=NOW - timedelta(days=place),
                # The two newest stand in one province, and are the ones too many.
                province_code="79" if place < 2 else "01",
            )
        )
    uow.subscriptions.save(make_subscription(claim, operator_id=other))
    parts = measure(uow)
    assert parts[operator, None].rows.duplicated_count == 2
    assert parts[operator, "79"].rows.duplicated_count == 2
    assert parts[operator, "01"].rows.duplicated_count == 0
    assert parts[other, None].rows.duplicated_count == 0
    assert shares(parts[operator, None])["clean"] == (3, 5)
    assert measure(uow, numbers_max=None)[operator, None].rows.duplicated_count == 0


def test_refused_rows_count_since_the_last_complete_snapshot(uow: UnitOfWork) -> None:
    operator, other = make_operator(), make_operator()
    uow.subscriptions.save(make_subscription(operator_id=operator))
    store_run(uow, operator, refused=7, at=NOW - timedelta(days=9))
    assert shares(measure(uow)[operator, None])["clean"] == (1, 1 + 7)
    store_run(uow, operator, refused=2, at=NOW - timedelta(days=8), is_snapshot=True)
    store_run(uow, operator, refused=1, at=NOW - timedelta(days=7))
    store_run(uow, other, refused=5)
    parts = measure(uow)
    assert shares(parts[operator, None])["clean"] == (1, 1 + 3)
    # Everything that this one sent was refused: it has no row, and is not left out.
    assert shares(parts[other, None]) == {
        "correct": (0, 0),
        "sufficient": (0, 0),
        "clean": (0, 5),
        "alive": (0, 0),
        "unified": (0, 0),
        "shared": (0, 0),
    }
    assert shares(parts[None, None])["clean"] == (1, 1 + 3 + 5)


def test_a_batch_that_is_being_stored_refuses_nobody_yet(uow: UnitOfWork) -> None:
    operator = make_operator()
    uow.subscriptions.save(make_subscription(operator_id=operator))
    store_run(uow, operator, refused=4)
    uow.connection.execute(update(import_batch).values(result={}))
    assert shares(measure(uow)[operator, None])["clean"] == (1, 1)


def test_people_are_unified_across_operators_and_within_one(uow: UnitOfWork) -> None:
    first, second = make_operator(), make_operator()
    agreeing, differing, single = make_claim(), make_claim(), make_claim()
    otherwise = replace(differing, full_name=PersonName(OTHER_NAME))
    for claim, operator in (
        (agreeing, first),
        (agreeing, second),
        (differing, first),
        (differing, first),
        (otherwise, second),
        (single, second),
    ):
        uow.subscriptions.save(make_subscription(claim, operator_id=operator))
    parts = measure(uow)
    assert shares(parts[None, None])["unified"] == (1, 2)
    # Within its own rows the first operator agrees with itself: it learns nothing of the other's.
    assert shares(parts[first, None])["unified"] == (1, 1)
    assert shares(parts[second, None])["unified"] == (0, 0)


def test_a_row_without_a_digest_agrees_with_nobody(uow: UnitOfWork) -> None:
    claim = make_claim()
    for _ in range(2):
        uow.subscriptions.save(make_subscription(claim))
    assert shares(measure(uow)[None, None])["unified"] == (1, 1)
    uow.connection.execute(update(subscription).values(holder_digest=b""))
    assert shares(measure(uow)[None, None])["unified"] == (0, 1)


def test_shared_are_people_with_a_primary_among_those_who_could_have_one(uow: UnitOfWork) -> None:
    first, second = make_operator(), make_operator()
    chosen = store_citizen(uow)
    item = store_number(uow, chosen, operator_id=first)
    uow.primaries.set(item, at=NOW)
    store_number(uow, chosen, operator_id=second)
    store_number(uow, store_citizen(uow), operator_id=second)
    store_number(uow, make_record(), operator_id=second, verified_at=None)
    parts = measure(uow)
    assert shares(parts[None, None])["shared"] == (1, 2)
    assert shares(parts[first, None])["shared"] == (1, 1)
    assert shares(parts[second, None])["shared"] == (0, 2)


def test_reachable_is_what_the_domain_calls_eligible(uow: UnitOfWork) -> None:
    for link in LinkState:
        for state in ServiceState:
            for verified_at in (NOW, None):
                uow.subscriptions.save(
                    make_subscription(
                        link=make_link(link), service_state=state, verified_at=verified_at
                    )
                )
    eligible = uow.connection.execute(
        select(func.count()).select_from(holding).where(holding.c.is_eligible)
    ).scalar_one()
    book = measure(uow)[None, None].book
    assert book is not None
    assert book.reachable_person_count == eligible == 2


def test_a_day_keeps_its_last_measurement(uow: UnitOfWork) -> None:
    day, first = day_of(NOW), make_operator()
    uow.subscriptions.save(make_subscription(operator_id=first, province_code="01"))
    assert not uow.quality.has(day)
    uow.quality.record(day, uow.quality.measure(POLICY, numbers_max=NUMBERS_MAX, at=NOW), at=NOW)
    assert uow.quality.has(day)
    uow.connection.execute(update(subscription).values(province_code="79"))
    figures = uow.quality.measure(POLICY, numbers_max=NUMBERS_MAX, at=NOW)
    later = NOW + timedelta(hours=1)
    uow.quality.record(day, figures, at=later)
    report = uow.quality.report(day, trend_since=day, operator_id=None)
    assert (report.day, report.measured_at, report.figures) == (day, later, figures)
    assert report.country == figures[0]
    assert report.operators == (figures[1],)
    assert [each.province_code for each in report.provinces] == ["79"]


def test_a_trend_has_each_day_that_was_measured(uow: UnitOfWork) -> None:
    operator, days = make_operator(), [date(2026, 5, day) for day in (1, 2, 4)]
    for day in days:
        uow.subscriptions.save(make_subscription(operator_id=operator, msisdn=make_msisdn()))
        uow.quality.record(
            day, uow.quality.measure(POLICY, numbers_max=NUMBERS_MAX, at=NOW), at=NOW
        )
    report = uow.quality.report(days[-1], trend_since=date(2026, 5, 2), operator_id=None)
    seen = [(day, each.rows.row_count) for day, each in report.trend_of(None)]
    assert seen == [(days[1], 2), (days[2], 3)]
    assert len(report.trend_of(operator)) == 2
    assert len(report.trend) == 4
    own = uow.quality.report(days[-1], trend_since=days[0], operator_id=operator)
    assert {each.operator_id for each in own.figures} == {operator}
    assert {each.operator_id for _, each in own.trend} == {operator}
    assert own.country is None


def test_the_last_day_is_the_newest_up_to_one(uow: UnitOfWork) -> None:
    uow.connection.execute(text("DELETE FROM quality_day"))
    assert uow.quality.last_day() is None
    for day in (date(2026, 5, 1), date(2026, 5, 4)):
        uow.quality.record(
            day, uow.quality.measure(POLICY, numbers_max=NUMBERS_MAX, at=NOW), at=NOW
        )
    assert uow.quality.last_day() == date(2026, 5, 4)
    assert uow.quality.last_day(until=date(2026, 5, 3)) == date(2026, 5, 1)


def test_one_measures_at_a_time_and_keeps_no_writer_off(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    with database.transaction() as uow:
        assert uow.quality.take_turn()
        uow.quality.measure(POLICY, numbers_max=NUMBERS_MAX, at=NOW)

        def write() -> str:
            with database.transaction() as other:
                other.connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                other.subscriptions.save(make_subscription())
                return "turn" if other.quality.take_turn() else "written"

        assert race([write]) == ["written"]


def test_each_table_is_read_once(uow: UnitOfWork) -> None:
    explain = text(f"EXPLAIN (FORMAT JSON) {MEASURE.text}")
    ((document,),) = uow.connection.execute(
        explain, measure_parameters(POLICY, NUMBERS_MAX, NOW)
    ).all()
    read = Counter(scan["Relation Name"] for scan in _scans(document[0]["Plan"]))
    assert set(read.values()) == {1}
    partitions = {f"{table}_p{part}" for table in _PARTITIONED for part in range(8)}
    assert set(read) == partitions | {"import_run", "import_batch"}


_PARTITIONED = ("subscription", "primary_number")


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for below in plan.get("Plans", ()):
        yield from _scans(below)
