"""Shares add up, whatever the books hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.person_name import PersonName
from identity.domain.quality import Figures, Measure, QualityPolicy, RowCounts
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import holding, import_batch, primary_number, subscription
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_claim,
    make_subscription,
)

OPERATORS = ("one", "three", "two")
CLAIMS = tuple(make_claim() for _ in range(4))
NUMBERS_MAX = 2

_result = st.sampled_from([FieldResult.MATCH, FieldResult.MISMATCH])


@st.composite
def rows(draw: st.DrawFn) -> Subscription:
    """A number of one of a few people at one of a few operators, in any state."""
    claim = draw(st.sampled_from(CLAIMS))
    if draw(st.booleans()):
        claim = replace(claim, full_name=PersonName(OTHER_NAME))
    source = FieldSource.POPULATION_RECORD
    given: dict[str, Any] = {
        "operator_id": draw(st.sampled_from(OPERATORS)),
        "province_code": draw(st.sampled_from([None, "01", "79"])),
        "point_of_sale": draw(st.sampled_from([None, "A-1"])),
        "link": Link(
            state=draw(st.sampled_from(LinkState)),
            personal_id=FieldOutcome(result=draw(_result), source=source),
            full_name=FieldOutcome(result=draw(_result), source=source),
            birth_date=FieldOutcome(result=draw(_result), source=source),
        ),
        "service_state": draw(st.sampled_from(ServiceState)),
        "verified_at": draw(st.sampled_from([None, NOW])),
        "created_at": NOW - timedelta(days=draw(st.integers(0, 60))),
    }
    return make_subscription(claim, **given)


@contextmanager
def world(database: Database, items: list[Subscription]) -> Iterator[UnitOfWork]:
    """A registry of these numbers alone, undone at the end; some are primary numbers."""
    with database.engine.connect() as connection, connection.begin() as transaction:
        for table in (primary_number, holding, subscription, import_batch):
            connection.execute(delete(table))
        uow = UnitOfWork(connection, database.sealer)
        uow.subscriptions.save_many(items)
        for item in items[::2]:
            if item.is_eligible_as_primary:
                uow.primaries.set(item, at=NOW)
        yield uow
        transaction.rollback()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items=st.lists(rows(), max_size=14))
def test_parts_add_up_to_their_whole(database: Database, items: list[Subscription]) -> None:
    with world(database, items) as uow:
        figures = uow.quality.measure(QualityPolicy(), numbers_max=NUMBERS_MAX, at=NOW)
        eligible, primaries = _people(uow)
    parts = {(each.operator_id, each.province_code): each for each in figures}
    held = [item for item in items if item.is_in_service]
    country = parts[None, None]
    assert country.rows.row_count == len(held)
    operators = sorted({item.operator_id for item in held})
    assert [name for name, province in parts if name and province is None] == operators
    _check_sums(parts)
    for each in figures:
        _check_within(each)
    assert country.book is not None
    assert country.book.person_count == len({item.claim.personal_id for item in held})
    assert country.book.reachable_person_count == eligible
    assert country.book.primary_person_count == primaries
    for measure in (Measure.CORRECT, Measure.SUFFICIENT, Measure.ALIVE):
        wholes = [each.shares()[measure].denominator for each in figures if each.operator_id]
        assert sum(wholes) == 2 * country.shares()[measure].denominator


def _people(uow: UnitOfWork) -> tuple[int, int]:
    """Citizens with a number that may be a primary, and with one that is, as the tables say."""
    citizens = select(func.count(holding.c.citizen_key.distinct())).where(holding.c.is_eligible)
    primaries = select(func.count()).select_from(primary_number)
    return (
        uow.connection.execute(citizens).scalar_one(),
        uow.connection.execute(primaries).scalar_one(),
    )


def _check_sums(parts: dict[tuple[str | None, str | None], Figures]) -> None:
    """Operators add up to the country, and provinces to their operator."""

    def total(chosen: list[Figures]) -> dict[str, int]:
        counts = [asdict(each.rows) for each in chosen]
        return {name: sum(each[name] for each in counts) for name in RowCounts.__slots__}

    for operator in {name for name, _ in parts}:
        provinces = [e for (name, province), e in parts.items() if name == operator and province]
        assert total(provinces) == asdict(parts[operator, None].rows)
    books = [each for (name, province), each in parts.items() if name and province is None]
    assert total(books) == asdict(parts[None, None].rows)


def _check_within(figures: Figures) -> None:
    rows = figures.rows
    states = (rows.linked_count, rows.mismatched_count, rows.not_found_count, rows.deceased_count)
    assert sum(states) == rows.row_count
    assert max(rows.full_name_mismatched_count, rows.birth_date_mismatched_count) <= (
        rows.mismatched_count
    )
    assert rows.alive_count + rows.stale_count <= rows.row_count
    assert rows.complete_count <= rows.row_count - rows.province_missing_count
    assert all(0 <= share.numerator <= share.denominator for share in figures.shares().values())
