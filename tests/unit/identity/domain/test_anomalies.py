"""What is odd about a number and its holder, bound by bound."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from identity.domain.anomalies import (
    AnomalyKind,
    HolderPolicy,
    holder_anomalies,
    person_anomalies,
    point_of_sale_anomalies,
)
from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID

PAGE = Path(__file__).resolve().parents[4] / "docs" / "concepts" / "anomalies.md"
TODAY = date(2026, 5, 4)
POLICY = HolderPolicy(
    numbers_per_person_max=9,
    numbers_per_operator_max=3,
    numbers_per_point_of_sale_day_max=100,
    own_contract_age_min=14,
)
NO_BOUNDS = HolderPolicy()
CLAIM = HolderClaim(
    personal_id=PersonalID("001185012345"),
    full_name=PersonName("Nguyễn Thị Hoà"),
    birth_date=date(1985, 3, 1),
)
RECORD = PopulationRecord(
    personal_id=CLAIM.personal_id,
    full_name=CLAIM.full_name,
    birth_date=CLAIM.birth_date,
    sex=Sex.FEMALE,
)


def found(
    claim: HolderClaim = CLAIM,
    record: PopulationRecord | None = RECORD,
    policy: HolderPolicy = POLICY,
) -> set[AnomalyKind]:
    return set(holder_anomalies(claim, record, policy, on=TODAY))


def child(birth_date: date) -> tuple[HolderClaim, PopulationRecord]:
    personal_id = PersonalID(f"0013{birth_date.year % 100:02}012345")
    return (
        dataclasses.replace(CLAIM, personal_id=personal_id, birth_date=birth_date),
        dataclasses.replace(RECORD, personal_id=personal_id, birth_date=birth_date),
    )


def test_a_holder_in_order_has_no_anomaly() -> None:
    assert found() == set()
    assert found(record=None) == set()


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("003185012345", AnomalyKind.PERSONAL_ID_PROVINCE_UNKNOWN),
        ("001085012345", AnomalyKind.PERSONAL_ID_SEX_DIFFERS),
        ("001186012345", AnomalyKind.PERSONAL_ID_BIRTH_YEAR_DIFFERS),
    ],
)
def test_each_sign_of_the_structure_is_told(digits: str, kind: AnomalyKind) -> None:
    claim = dataclasses.replace(CLAIM, personal_id=PersonalID(digits))
    assert found(claim, dataclasses.replace(RECORD, personal_id=claim.personal_id)) == {kind}


def test_a_sex_is_not_judged_where_no_record_tells_it() -> None:
    claim = dataclasses.replace(CLAIM, personal_id=PersonalID("001085012345"))
    assert found(claim, None) == set()
    assert found(claim, dataclasses.replace(RECORD, sex=None)) == set()


def test_the_birth_date_of_the_record_is_judged_before_that_of_the_claim() -> None:
    claim = dataclasses.replace(CLAIM, birth_date=date(2020, 1, 1))
    assert found(claim) == set()
    assert found(claim, None) == {
        AnomalyKind.PERSONAL_ID_BIRTH_YEAR_DIFFERS,
        AnomalyKind.HOLDER_BELOW_AGE,
    }


def test_a_number_is_held_by_a_child_until_the_birthday() -> None:
    assert found(*child(date(2012, 5, 5))) == {AnomalyKind.HOLDER_BELOW_AGE}
    assert found(*child(date(2012, 5, 4))) == set()


def test_the_dead_have_no_age() -> None:
    claim, record = child(date(2015, 1, 1))
    record = dataclasses.replace(record, deceased_on=date(2020, 1, 1))
    assert found(claim, record) == {AnomalyKind.HOLDER_DECEASED}


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ({}, set()),
        ({"viettel": 3, "vinaphone": 3, "mobifone": 3}, set()),
        ({"viettel": 4}, {AnomalyKind.PERSON_ABOVE_OPERATOR_CAP}),
        ({"a": 3, "b": 3, "c": 3, "d": 1}, {AnomalyKind.PERSON_ABOVE_CAP}),
        (
            {"a": 10},
            {AnomalyKind.PERSON_ABOVE_CAP, AnomalyKind.PERSON_ABOVE_OPERATOR_CAP},
        ),
    ],
)
def test_more_numbers_than_a_cap_are_told_and_as_many_are_not(
    counts: dict[str, int], kinds: set[AnomalyKind]
) -> None:
    assert person_anomalies(counts, POLICY) == kinds


def test_a_point_of_sale_is_told_beyond_its_bound() -> None:
    assert point_of_sale_anomalies(100, POLICY) == set()
    assert point_of_sale_anomalies(101, POLICY) == {AnomalyKind.POINT_OF_SALE_ABOVE_BOUND}


def test_a_bound_that_is_not_set_is_never_exceeded() -> None:
    assert found(*child(date(2025, 1, 1)), NO_BOUNDS) == set()
    assert person_anomalies({"viettel": 10**6}, NO_BOUNDS) == set()
    assert point_of_sale_anomalies(10**6, NO_BOUNDS) == set()


def test_the_documentation_lists_every_code_and_no_other() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| `")]
    assert rows == [f"`{kind}`" for kind in AnomalyKind]
