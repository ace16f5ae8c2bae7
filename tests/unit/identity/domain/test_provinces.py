"""The provinces of contracts."""

import csv
from pathlib import Path

from identity.domain.provinces import PROVINCES, UNKNOWN_PROVINCE


def test_there_are_34_provinces_and_none_is_the_unknown_one() -> None:
    assert len(set(PROVINCES.values())) == len(PROVINCES) == 34
    assert all(len(code) == 2 and code.isdigit() for code in PROVINCES)
    assert UNKNOWN_PROVINCE not in PROVINCES


def test_names_are_those_of_the_units_since_2025_07_01(shared_data: Path) -> None:
    with (shared_data / "chip" / "vn_province_codes.csv").open(encoding="utf-8") as file:
        published = {row["name_after"] for row in csv.DictReader(file)}
    assert set(PROVINCES.values()) == published
