"""`telco-sim load`, with minutes of some seconds: what it measures, does and finds."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from telco_sim.load.caller import Minute
from telco_sim.load.plan import Fault, LoadPlan
from telco_sim.load.report import is_good, memory_growth, report_of, write_chart
from telco_sim.load.run import LoadRun, Searched, Told

COMMAND = Path(sys.executable).with_name("telco-sim")


def test_short_minutes_with_each_fault_lose_nothing(tmp_path: Path) -> None:
    report, chart = tmp_path / "load.json", tmp_path / "load.svg"
    ended = subprocess.run(
        [
            *(str(COMMAND), "load", "--minutes", "5", "--share", "0.5", "--faults"),
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
    faults = {each["fault"] for each in told["minutes"]}
    assert faults == {each.value for each in Fault if each is not Fault.NONE}
    assert all(each["answered"] for each in told["minutes"])
    assert chart.read_text(encoding="utf-8").startswith("<?xml")


def run(*, lost: int = 0, failures: int = 0, memory_mb: Sequence[float] = (200.0,)) -> LoadRun:
    """A run of one minute that was made up."""
    calls = Minute(asked=1_000, times_ms=[1.0, 2.0, 300.0])
    calls.failures["UNAVAILABLE"] = failures
    return LoadRun(
        plan=LoadPlan(minutes=1, share=0.8, has_faults=True),
        minutes=[
            Told(
                capacity=100.0 + place,
                fault=Fault.NONE if place else Fault.SERVER_KILLED,
                calls=calls,
                memory_mb=each,
            )
            for place, each in enumerate(memory_mb)
        ],
        searched=Searched(acknowledged=10, lost=lost, in_doubt=0, doubled=0),
    )


@pytest.mark.parametrize(("lost", "failures", "good"), [(0, 1, True), (1, 0, False), (0, 2, False)])
def test_a_run_is_good_if_nothing_is_lost_and_the_budget_kept(
    lost: int, failures: int, *, good: bool
) -> None:
    assert is_good(run(lost=lost, failures=failures)) is good


@pytest.mark.parametrize(
    ("memory_mb", "growth"),
    [
        ((400.0, 150.0, *([200.0] * 6)), 1.0),
        ((400.0, 150.0, 200.0, 200.0, 200.0, 230.0, 230.0, 230.0), 1.15),
        ((400.0, 150.0, *([200.0] * 5)), None),
    ],
)
def test_memory_that_grows_in_a_life_is_seen_and_spoils_the_run(
    memory_mb: Sequence[float], growth: float | None
) -> None:
    found = run(memory_mb=memory_mb)
    assert memory_growth(found) == growth
    assert is_good(found) is (growth != 1.15)


def test_a_run_without_a_call_is_not_called_good() -> None:
    plan = LoadPlan(minutes=1, share=0.8, has_faults=False)
    nothing = Told(capacity=0.0, fault=Fault.NONE, calls=Minute(), memory_mb=200.0)
    searched = Searched(acknowledged=0, lost=0, in_doubt=0, doubled=0)
    with pytest.raises(ValueError, match="without a call"):
        is_good(LoadRun(plan=plan, minutes=[nothing], searched=searched))


def test_a_report_names_what_befell_and_a_chart_is_drawn_alike_twice(tmp_path: Path) -> None:
    (minute,) = report_of(run())["minutes"]
    assert (minute["fault"], minute["p50_ms"]) == ("server killed", 2.0)
    assert minute["capacity_per_s"] == 100.0
    for name in ("one.svg", "two.svg"):
        write_chart(run(), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert b"server killed" in (tmp_path / "one.svg").read_bytes()
