"""`telco-sim load`, with minutes of some seconds: what it measures, does and finds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from telco_sim.load.caller import Minute
from telco_sim.load.plan import Fault, LoadPlan
from telco_sim.load.report import is_good, report_of, write_chart
from telco_sim.load.run import LoadRun, Searched, Told

COMMAND = Path(sys.executable).with_name("telco-sim")


def test_two_short_minutes_with_faults_lose_nothing(tmp_path: Path) -> None:
    report, chart = tmp_path / "load.json", tmp_path / "load.svg"
    ended = subprocess.run(
        [
            *(str(COMMAND), "load", "--minutes", "2", "--share", "0.5", "--faults"),
            *("--minute-seconds", "4", "--report", str(report), "--chart", str(chart)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    # Whether a machine that is busy otherwise keeps the budget is its own affair; the journal is
    # the service's.
    assert ended.returncode in (0, 1), ended.stderr
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["journal"]["acknowledged"] > 0
    assert (told["journal"]["lost"], told["journal"]["doubled"]) == (0, 0)
    assert [each["fault"] for each in told["minutes"]] == ["server killed", "database killed"]
    assert all(each["answered"] for each in told["minutes"])
    assert chart.read_text(encoding="utf-8").startswith("<?xml")


def run(*, lost: int = 0, failures: int = 0) -> LoadRun:
    """A run of one minute that was made up."""
    calls = Minute(asked=1_000, times_ms=[1.0, 2.0, 300.0])
    calls.failures["UNAVAILABLE"] = failures
    return LoadRun(
        plan=LoadPlan(minutes=1, share=0.8, has_faults=True),
        capacity=100.0,
        minutes=[Told(fault=Fault.SERVER_KILLED, calls=calls, memory_mb=200.0)],
        searched=Searched(acknowledged=10, lost=lost, in_doubt=0, doubled=0),
    )


@pytest.mark.parametrize(("lost", "failures", "good"), [(0, 1, True), (1, 0, False), (0, 2, False)])
def test_a_run_is_good_if_nothing_is_lost_and_the_budget_kept(
    lost: int, failures: int, *, good: bool
) -> None:
    assert is_good(run(lost=lost, failures=failures)) is good


def test_a_report_names_what_befell_and_a_chart_is_drawn_alike_twice(tmp_path: Path) -> None:
    (minute,) = report_of(run())["minutes"]
    assert (minute["fault"], minute["p50_ms"]) == ("server killed", 2.0)
    for name in ("one.svg", "two.svg"):
        write_chart(run(), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert b"server killed" in (tmp_path / "one.svg").read_bytes()
