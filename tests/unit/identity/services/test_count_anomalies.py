"""Anomalies of the whole registry, counted by operator and kept with the quality of a day."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from identity.domain.anomalies import (
    AnomalyKind,
    holder_anomalies,
    person_anomalies,
    point_of_sale_anomalies,
)
from identity.domain.calendar_date import day_of
from identity.domain.holder import Sex
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import ServiceState, Subscription
from identity.services.count_anomalies import count_anomalies
from identity.services.quality import measure_quality, read_quality, record_quality
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_operator,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
)

BOUNDS = replace(
    rules().holders,
    numbers_per_person_max=4,
    numbers_per_operator_max=2,
    numbers_per_point_of_sale_day_max=3,
)
DAY = date(2026, 4, 2)


def soundly_numbered(sex_digit: str = "1") -> PersonalID:
    """A personal ID whose structure agrees with a woman born in 1987."""
    return PersonalID(f"001{sex_digit}87{make_personal_id().value[:6]}")


@pytest.fixture
def operators(transactions: Transactions) -> Iterator[tuple[str, str]]:
    """Two operators with something of each kind; everything is committed, and ended afterwards."""
    one, other = make_operator(), make_operator()
    with transactions.database.transaction() as uow:
        items = list(_odd_numbers(uow, one, other))
    yield one, other
    with transactions.database.transaction() as uow:
        uow.subscriptions.save_many(item.ordered(ServiceState.TERMINATED, at=NOW) for item in items)


def _odd_numbers(uow: UnitOfWork, one: str, other: str) -> Iterator[Subscription]:
    sound = {"personal_id": soundly_numbered()}
    yield store_number(uow, store_citizen(uow, **sound), operator_id=one)
    man = store_citizen(uow, personal_id=soundly_numbered("0"))
    yield store_number(uow, man, operator_id=one)
    odd = PersonalID(f"000187{make_personal_id().value[:6]}")
    yield store_number(uow, store_citizen(uow, personal_id=odd), operator_id=one)
    child = store_citizen(uow, sex=Sex.FEMALE, birth_date=date(2020, 1, 1))
    yield store_number(uow, child, operator_id=other)
    dead = store_citizen(uow, deceased_on=DAY, personal_id=soundly_numbered())
    yield store_number(uow, dead, operator_id=other)
    many = store_citizen(uow, personal_id=soundly_numbered())
    for place in range(5):
        yield store_number(uow, many, operator_id=one if place < 3 else other)
    # As many as may be at once, and one that has ended: not above either bound.
    enough = store_citizen(uow, personal_id=soundly_numbered())
    for place in range(5):
        yield store_number(
            uow,
            enough,
            operator_id=one if place % 2 else other,
            service_state=ServiceState.ACTIVE if place else ServiceState.TERMINATED,
        )
    for _ in range(3):
        yield store_number(
            uow,
            store_citizen(uow, personal_id=soundly_numbered()),
            operator_id=one,
            point_of_sale="HN-02",
            activated_on=DAY,
        )
    for place in range(4):
        yield store_number(
            uow,
            store_citizen(uow, personal_id=soundly_numbered()),
            operator_id=other,
            point_of_sale="HN-01",
            activated_on=DAY,
            service_state=ServiceState.ACTIVE if place else ServiceState.TERMINATED,
        )


def _expected(uow: UnitOfWork, names: tuple[str, str]) -> dict[str, Counter[AnomalyKind]]:
    """The same by the domain's functions, number by number."""
    found: dict[str, Counter[AnomalyKind]] = {name: Counter() for name in names}
    by_person: dict[PersonalID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    started: Counter[tuple[str, str, date]] = Counter()
    served = []
    for name in names:
        for item in uow.subscriptions.list_of_operator(name, after=None, limit=1_000):
            if item.point_of_sale and item.activated_on:
                started[name, item.point_of_sale, item.activated_on] += 1
            if item.is_in_service:
                by_person[item.claim.personal_id][name] += 1
                served.append(item)
    for item in served:
        name, person = item.operator_id, by_person[item.claim.personal_id]
        record = uow.citizens.find(item.claim.personal_id)
        kinds = set(holder_anomalies(item.claim, record, BOUNDS, on=day_of(NOW)))
        kinds |= person_anomalies(person, BOUNDS) & {AnomalyKind.PERSON_ABOVE_CAP}
        kinds |= person_anomalies({name: person[name]}, BOUNDS) & {
            AnomalyKind.PERSON_ABOVE_OPERATOR_CAP
        }
        if item.point_of_sale and item.activated_on:
            place = (name, item.point_of_sale, item.activated_on)
            kinds |= point_of_sale_anomalies(started[place], BOUNDS)
        found[name].update(kinds)
    return found


def test_the_whole_registry_is_counted_as_the_rules_count_each_number(
    transactions: Transactions, operators: tuple[str, str]
) -> None:
    counted = count_anomalies(transactions, BOUNDS, at=NOW)
    expected = transactions.run(lambda uow: _expected(uow, operators))
    for name in operators:
        assert {kind: n for kind, n in counted[name].items() if n} == expected[name]
    seen = {kind for name in operators for kind, n in counted[name].items() if n}
    # Photographs are no part of any book: `test_probe_use` has them.
    assert seen == set(AnomalyKind) - {AnomalyKind.PROBE_OF_TWO_PEOPLE}
    one, other = (counted[name] for name in operators)
    assert other[AnomalyKind.POINT_OF_SALE_ABOVE_BOUND] == 3
    assert not one.get(AnomalyKind.POINT_OF_SALE_ABOVE_BOUND)
    assert (one[AnomalyKind.PERSON_ABOVE_CAP], other[AnomalyKind.PERSON_ABOVE_CAP]) == (3, 2)
    assert one[AnomalyKind.PERSON_ABOVE_OPERATOR_CAP] == 3
    assert not other.get(AnomalyKind.PERSON_ABOVE_OPERATOR_CAP)


def test_a_bound_that_is_not_set_is_never_exceeded(
    transactions: Transactions, operators: tuple[str, str]
) -> None:
    unbound = replace(
        BOUNDS,
        numbers_per_person_max=None,
        numbers_per_operator_max=None,
        numbers_per_point_of_sale_day_max=None,
        own_contract_age_min=None,
    )
    counted = count_anomalies(transactions, unbound, at=NOW)
    seen = {kind for name in operators for kind, n in counted[name].items() if n}
    assert seen == {
        AnomalyKind.PERSONAL_ID_PROVINCE_UNKNOWN,
        AnomalyKind.PERSONAL_ID_SEX_DIFFERS,
        AnomalyKind.PERSONAL_ID_BIRTH_YEAR_DIFFERS,
        AnomalyKind.HOLDER_DECEASED,
    }


def test_a_holder_without_a_record_is_judged_by_the_claim(uow: UnitOfWork) -> None:
    item = store_number(uow, replace(store_citizen(uow), personal_id=soundly_numbered()))
    found = [
        (claim, record)
        for _, claim, record in uow.anomalies.holders_in(b"", None)
        if claim.personal_id == item.claim.personal_id
    ]
    assert found == [(item.claim, None)]


def test_counts_are_kept_with_the_day_and_read_back(uow: UnitOfWork) -> None:
    name = make_operator()
    store_number(uow, store_citizen(uow), operator_id=name)
    counts = {name: {AnomalyKind.HOLDER_BELOW_AGE: 7}}
    record_quality(uow, rules(), caller="command-line", at=NOW, anomalies=counts)
    # Not the last day: another test may have left a later one.
    report = read_quality(uow, make_call(name), day=day_of(NOW), trend_days=1)
    books = [each for each in report.figures if each.book is not None]
    assert [each.operator_id for each in books] == [name]
    assert books[0].anomalies == dict.fromkeys(AnomalyKind, 0) | counts[name]
    assert all(each.anomalies is None for each in report.figures if each.book is None)
    country = measure_quality(uow, rules(), at=NOW, trend_days=1, anomalies=counts).country
    assert country is not None
    assert country.anomalies is not None
    assert country.anomalies[AnomalyKind.HOLDER_BELOW_AGE] == 7


def test_a_day_on_which_nobody_counted_has_none(uow: UnitOfWork) -> None:
    report = record_quality(uow, rules(), caller="command-line", at=NOW)
    assert all(each.anomalies is None for each in report.figures)
