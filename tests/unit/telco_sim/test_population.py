"""The synthetic population: repeatable, unique, and shaped like the real one."""

from collections import Counter
from datetime import date, timedelta
from itertools import islice

import pytest

from telco_sim.names import Ethnicity, Sex
from telco_sim.population import (
    AGE_MAX_YEARS,
    Citizen,
    citizens,
    draw_population,
    personal_id_prefix,
)
from telco_sim.provinces import PROVINCES

TODAY = date(2026, 4, 15)


@pytest.fixture(scope="module")
def population() -> tuple[Citizen, ...]:
    return draw_population(5000, seed=11, today=TODAY)


def age_years(citizen: Citizen) -> int:
    born = citizen.birth_date
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


def test_the_same_seed_gives_the_same_people() -> None:
    assert draw_population(50, seed=3, today=TODAY) == draw_population(50, seed=3, today=TODAY)
    assert draw_population(50, seed=3, today=TODAY) != draw_population(50, seed=4, today=TODAY)


def test_a_larger_population_begins_with_the_smaller_one() -> None:
    assert draw_population(80, seed=3, today=TODAY)[:30] == draw_population(30, seed=3, today=TODAY)
    assert tuple(islice(citizens(seed=3, today=TODAY), 30)) == draw_population(
        30, seed=3, today=TODAY
    )


def test_personal_ids_have_twelve_digits_and_are_unique(population: tuple[Citizen, ...]) -> None:
    personal_ids = [citizen.personal_id for citizen in population]
    assert len(set(personal_ids)) == len(personal_ids)
    assert all(len(each) == 12 and each.isascii() and each.isdigit() for each in personal_ids)


def test_a_personal_id_tells_province_century_sex_and_year(
    population: tuple[Citizen, ...],
) -> None:
    codes = {province.code for province in PROVINCES}
    for citizen in population:
        century_and_sex = int(citizen.personal_id[3])
        assert citizen.personal_id[:3] == citizen.province_code
        assert citizen.province_code in codes
        assert century_and_sex // 2 == (0 if citizen.birth_date.year < 2000 else 1)
        assert century_and_sex % 2 == (citizen.sex is Sex.FEMALE)
        assert citizen.personal_id[4:6] == f"{citizen.birth_date:%y}"


@pytest.mark.parametrize(
    ("sex", "birth_date", "prefix"),
    [
        (Sex.MALE, date(1990, 1, 1), "001090"),
        (Sex.FEMALE, date(1999, 12, 31), "001199"),
        (Sex.MALE, date(2000, 1, 1), "001200"),
        (Sex.FEMALE, date(2026, 4, 1), "001326"),
        (Sex.FEMALE, date(2399, 4, 1), "001999"),
    ],
)
def test_the_prefix_follows_the_circular(sex: Sex, birth_date: date, prefix: str) -> None:
    assert personal_id_prefix(province_code="001", sex=sex, birth_date=birth_date) == prefix


@pytest.mark.parametrize("year", [1899, 2400])
def test_a_century_without_a_digit_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="century"):
        personal_id_prefix(province_code="001", sex=Sex.MALE, birth_date=date(year, 6, 1))


def test_ages_run_from_0_to_95_and_lean_to_the_young(population: tuple[Citizen, ...]) -> None:
    ages = [age_years(citizen) for citizen in population]
    assert 0 <= min(ages) < 2
    assert 88 < max(ages) <= AGE_MAX_YEARS
    assert all(citizen.birth_date <= TODAY for citizen in population)
    assert 0.18 < sum(age < 15 for age in ages) / len(ages) < 0.28


def test_the_dead_die_within_three_years_and_after_their_birth(
    population: tuple[Citizen, ...],
) -> None:
    dead = [citizen for citizen in population if not citizen.is_alive]
    assert 0.005 < len(dead) / len(population) < 0.08
    for citizen in dead:
        assert citizen.deceased_on is not None
        assert citizen.birth_date <= citizen.deceased_on <= TODAY
        assert citizen.deceased_on >= TODAY - timedelta(days=3 * 365)
    assert sum(map(age_years, dead)) / len(dead) > 55


def test_a_child_carries_its_fathers_family_name(population: tuple[Citizen, ...]) -> None:
    for citizen in population:
        if citizen.ethnicity is not Ethnicity.EDE:
            assert citizen.full_name.split()[0] == citizen.father_name.split()[0]


def test_peoples_live_where_they_live(population: tuple[Citizen, ...]) -> None:
    counts = Counter(citizen.ethnicity for citizen in population)
    assert counts[Ethnicity.KINH] > 0.85 * len(population)
    assert set(counts) == set(Ethnicity)
    south = {"079", "074", "096"}
    assert not any(
        citizen.ethnicity is Ethnicity.HMONG
        for citizen in population
        if citizen.province_code in south
    )


def test_only_people_of_the_nine_digit_card_have_its_number(
    population: tuple[Citizen, ...],
) -> None:
    for citizen in population:
        if citizen.birth_date.year < 2002:
            assert citizen.old_id_number is not None
            assert len(citizen.old_id_number) == 9
        else:
            assert citizen.old_id_number is None
