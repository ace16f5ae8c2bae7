"""The report and the exit code that follows from it."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from telco_sim.agencies import AgencyRecord
from telco_sim.attackers import Outcome
from telco_sim.conduct import OperatorRecord
from telco_sim.journal import Finding, Invariant
from telco_sim.ledger import Step
from telco_sim.measurements import Latency
from telco_sim.report import EXIT_BROKEN, EXIT_CLEAN, Report, print_report
from telco_sim.world import Plan

REFUSED = Outcome(
    name="swapped portrait",
    tried="put the own portrait into DG2",
    expected="NOT_VERIFIED CHIP_NOT_AUTHENTIC",
    answer="NOT_VERIFIED CHIP_NOT_AUTHENTIC DG_HASH_MISMATCH",
    is_refused=True,
)
HELD = Finding(invariant=Invariant.ONE_PRIMARY, check_count=12, broken_count=0, details=())


@pytest.fixture
def report() -> Report:
    return Report(
        versions={"subid": "0.1.0"},
        plan=Plan(citizen_count=60, seed=7),
        start_duration_s=5.6,
        duration_s=12.34,
        counts={"holders verified": 8},
        refusals={"SUBSCRIPTION_NOT_FOUND": 2},
        steps=(
            Step(
                kind="SUSPEND",
                ordered_count=3,
                attempt_counts={
                    "executed": 3,
                    "lied": 1,
                    "failed": 1,
                    "lapsed": 0,
                    "superseded": 0,
                },
                cause_counts={"UNVERIFIED": 3},
                first_day=65,
                last_day=66,
            ),
        ),
        records=(
            OperatorRecord(
                operator="dong-nai",
                habit="lying",
                order_count=1234,
                late_count=5,
                failure_count=0,
                false_count=71,
                drift_count=19,
                month="2026-12",
                score=88.25,
            ),
        ),
        agencies=(
            AgencyRecord(
                agency="agency-fisher",
                conduct="tries out personal IDs",
                asked_count=1234,
                refused_count=67,
                number_count=0,
                told_apart_count=3,
            ),
        ),
        cheats=(REFUSED,),
        findings=(HELD,),
        latencies={
            "GetContact": Latency(answer_count=9, p50_ms=1, p95_ms=2, p99_ms=3, longest_ms=4)
        },
    )


def test_all_is_well_when_every_cheat_is_refused_and_every_invariant_holds(
    report: Report,
) -> None:
    assert report.exit_code == EXIT_CLEAN == 0


def test_one_cheat_that_got_through_is_enough(report: Report) -> None:
    through = replace(REFUSED, is_refused=False)
    assert replace(report, cheats=(REFUSED, through)).exit_code == EXIT_BROKEN != 0


def test_one_broken_invariant_is_enough(report: Report) -> None:
    broken = replace(HELD, broken_count=1, details=("two marked",))
    assert replace(report, findings=(HELD, broken)).exit_code == EXIT_BROKEN


def test_an_unchecked_invariant_counts_as_broken(report: Report) -> None:
    unchecked = replace(HELD, check_count=0)
    assert replace(report, findings=(unchecked,)).exit_code == EXIT_BROKEN


def test_a_report_without_cheats_or_findings_proves_nothing(report: Report) -> None:
    assert replace(report, cheats=()).exit_code == EXIT_BROKEN
    assert replace(report, findings=()).exit_code == EXIT_BROKEN


def test_the_written_report_says_everything(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.write(path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["exit_code"] == 0
    assert written["plan"]["seed"] == 7
    assert written["counts"] == {"holders verified": 8}
    assert written["cheats"][0]["answer"].endswith("DG_HASH_MISMATCH")
    assert written["invariants"][0]["holds"] is True
    assert written["latencies"]["GetContact"]["p95_ms"] == 2
    assert written["enforcement"][0]["first_day"] == 65
    assert written["operators"][0]["false_count"] == 71


def printed(report: Report, *, width: int = 160) -> str:
    shown = io.StringIO()
    print_report(report, console=Console(file=shown, width=width))
    return shown.getvalue()


def test_the_operators_fit_into_eighty_columns(report: Report) -> None:
    lines = printed(report, width=80).splitlines()
    (row,) = (line.split() for line in lines if "dong-nai" in line)
    assert row == ["2026-12", "dong-nai", "lying", "1,234", "5", "0", "71", "19", "88.2"]
    assert any(line.startswith("Operators in each month, by their score") for line in lines)
    assert max(map(len, lines)) <= 80


def test_the_agencies_are_shown_with_what_they_got(report: Report) -> None:
    lines = printed(report, width=80).splitlines()
    (row,) = (line for line in lines if line.lstrip().startswith("agency-fisher"))
    assert row.split()[-4:] == ["1,234", "67", "0", "3"]
    assert json.loads(report.to_json())["agencies"][0]["told_apart_count"] == 3


def test_columns_that_do_not_speak_for_themselves_are_explained(report: Report) -> None:
    text = " ".join(printed(report, width=80).split())
    assert "Lied: acknowledged and not done." in text
    assert "A directive may have several causes" in text
    assert "False: numbers acknowledged and found not to be done." in text


def test_the_tables_show_what_happened(report: Report) -> None:
    text = printed(report)
    for expected in ("holders verified", "suspend", "swapped portrait", "GetContact", "65-66"):
        assert expected in text
    assert "1 of 1 cheats refused, 1 of 1 invariants held" in text


def test_the_tables_show_what_went_wrong(report: Report) -> None:
    broken = replace(HELD, broken_count=1, details=("two marked",))
    through = replace(REFUSED, is_refused=False, answer="VERIFIED")
    text = printed(replace(report, cheats=(through,), findings=(broken,)))
    assert "two marked" in text
    assert "NO, expected NOT_VERIFIED" in text
    assert "0 of 1 cheats refused, 0 of 1 invariants held" in text
