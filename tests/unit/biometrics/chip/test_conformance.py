"""The conformance page says what the tests do, and leaves no case of the standard out."""

import csv
import re
from collections import Counter
from pathlib import Path

from tests.unit.biometrics.chip.conformance import PAGE, answers, write_page

_ROW = re.compile(r"^\| (LDS_[A-Z]_[0-9]+) \| (.+) \| (.*) \|$", re.MULTILINE)


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page()


def test_every_case_has_an_answer_and_a_test_or_a_reason() -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))

    assert len(rows) == len(list(answers()))
    assert [row for row in rows if not row[2].strip() and not row[1].startswith("no test: ")] == []
    named = {name for row in rows for name in re.findall(r"`(test_[a-z0-9_]+)`", row[2])}
    folder = Path(__file__).parent
    assert all((folder / f"{name}.py").exists() for name in named)


def test_every_case_of_the_standard_stands_on_the_page_once(shared_data: Path) -> None:
    path = shared_data / "chip" / "bsi_tr03105_5-1_cases.csv"
    with path.open(encoding="utf-8", newline="") as file:
        listed = {row[0] for row in csv.reader(file)}
    ours = {case for case in listed if case.startswith(("LDS_B_", "LDS_C_", "LDS_H_"))}

    counted = Counter(row[0] for row in _ROW.findall(PAGE.read_text(encoding="utf-8")))

    assert set(counted) == ours
    assert set(counted.values()) == {1}
