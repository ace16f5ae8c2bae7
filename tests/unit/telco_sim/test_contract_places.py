"""Where contracts are signed."""

import csv
from collections import Counter
from pathlib import Path
from random import Random

from identity.domain.provinces import PROVINCES as UNITS
from telco_sim.contract_places import SUCCESSORS, ContractPlace, draw_place
from telco_sim.provinces import PROVINCES


def test_every_former_province_is_part_of_one_of_34_units() -> None:
    assert set(SUCCESSORS) == {province.code for province in PROVINCES}
    assert len(set(SUCCESSORS.values())) == 34


def test_successors_are_those_of_the_resolution(shared_data: Path) -> None:
    with (shared_data / "chip" / "vn_province_codes.csv").open(encoding="utf-8") as file:
        published = {row["id_prefix"]: row["name_after"] for row in csv.DictReader(file)}
    assert {former: UNITS[unit] for former, unit in SUCCESSORS.items()} == published


def test_most_people_sign_at_home_and_some_books_have_forgotten_where() -> None:
    generator = Random(5)
    places = [draw_place("036", generator=generator) for _ in range(2_000)]
    provinces = Counter(each.province_code for each in places)
    assert 0.8 < provinces["37"] / len(places) < 0.95
    assert 0 < provinces[""] / len(places) < 0.05
    assert 0 < sum(not each.point_of_sale for each in places) / len(places) < 0.1


def test_the_same_seed_draws_the_same_place() -> None:
    first, second = (draw_place("001", generator=Random(1)) for _ in range(2))
    assert first == second
    assert isinstance(first, ContractPlace)
