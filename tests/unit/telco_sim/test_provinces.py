"""The prefixes of personal identification numbers."""

import csv
from pathlib import Path

from telco_sim.provinces import PROVINCES


def test_there_are_63_provinces_with_different_codes_and_names() -> None:
    assert len({province.code for province in PROVINCES}) == 63
    assert len({province.name for province in PROVINCES}) == 63


def test_codes_and_names_are_those_of_the_circular(shared_data: Path) -> None:
    with (shared_data / "chip" / "vn_province_codes.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file)
        published = {row["id_prefix"]: row["name_before_2025_07_01"] for row in rows}
    assert {province.code: province.name for province in PROVINCES} == published
