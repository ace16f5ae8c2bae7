"""What the simulation reports.

Owns the report as a value, as JSON and as tables for people, and the exit code that follows from
it. It refuses to know how anything in it came about.
"""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from telco_sim.agencies import AgencyRecord
from telco_sim.attackers import Outcome
from telco_sim.conduct import OperatorRecord
from telco_sim.journal import Finding, Invariant
from telco_sim.ledger import Attempt, Step
from telco_sim.measurements import Latency
from telco_sim.world import Plan, World

EXIT_CLEAN = 0
EXIT_BROKEN = 1
"""A cheat got through, or an invariant broke or was never checked."""

_STEPS_EXPLAINED = (
    "Lied: acknowledged and not done. Superseded: a later order came first. What failed or lapsed"
    " came again. Days: of the story, on which they were ordered."
)
_CAUSES_EXPLAINED = "A directive may have several causes; to restore a number needs none."
_SCORES_EXPLAINED = (
    "False: numbers acknowledged and found not to be done. Drift: numbers that differed when last"
    " compared. Score: 0 to 100, see docs/concepts/compliance.md."
)

_AGENCIES_EXPLAINED = (
    "Asked: people, by each look-up, message and comparison; refused: of these. Numbers: different"
    " ones learned. Apart: people without a number, known or not, whose answers differed."
)

_VERSIONED = ("subid", "grpcio", "protobuf", "cryptography", "dlib-bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One simulation.

    Attributes:
        versions: Of Python and of the packages that matter.
        plan: How large and how long.
        start_duration_s: Real time that certificates and the start of the service took.
        duration_s: Real time that the story took.
        counts: What happened.
        refusals: Refusals by reason, those of cheats included.
        steps: Directives by kind.
        records: How each operator obeyed, month by month, the best first.
        agencies: What each agency asked and got.
        cheats: What became of each cheat.
        findings: The verdict on each invariant.
        latencies: By method.
    """

    versions: Mapping[str, str]
    plan: Plan
    start_duration_s: float
    duration_s: float
    counts: Mapping[str, int]
    refusals: Mapping[str, int]
    steps: tuple[Step, ...]
    records: tuple[OperatorRecord, ...]
    agencies: tuple[AgencyRecord, ...]
    cheats: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    latencies: Mapping[str, Latency]

    @property
    def exit_code(self) -> int:
        """0 when every cheat was refused and every invariant was checked and held."""
        is_clean = (
            bool(self.cheats)
            and all(each.is_refused for each in self.cheats)
            and bool(self.findings)
            and all(each.holds for each in self.findings)
        )
        return EXIT_CLEAN if is_clean else EXIT_BROKEN

    def to_json(self) -> str:
        """Return the report as indented JSON, in a stable order of keys."""
        fields: dict[str, Any] = {
            "exit_code": self.exit_code,
            "versions": dict(self.versions),
            "plan": asdict(self.plan),
            "start_duration_s": round(self.start_duration_s, 1),
            "duration_s": round(self.duration_s, 1),
            "counts": dict(self.counts),
            "refusals": dict(self.refusals),
            "enforcement": [asdict(each) for each in self.steps],
            "operators": [asdict(each) for each in self.records],
            "agencies": [asdict(each) for each in self.agencies],
            "cheats": [asdict(each) for each in self.cheats],
            "invariants": [_finding_fields(each) for each in self.findings],
            "latencies": {name: asdict(each) for name, each in self.latencies.items()},
        }
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(self.to_json(), encoding="utf-8")


def report_of(
    world: World,
    cheats: Iterable[Outcome],
    *,
    start_duration_s: float,
    duration_s: float,
    invariants: Iterable[Invariant] = Invariant,
) -> Report:
    """Gather the report of a world that was played.

    Args:
        world: The world.
        cheats: What became of the cheats.
        start_duration_s: What the start of the service took.
        duration_s: What the story took.
        invariants: Those that had to be checked.
    """
    return Report(
        versions=_versions(),
        plan=world.plan,
        start_duration_s=start_duration_s,
        duration_s=duration_s,
        counts=world.journal.counts(),
        refusals=dict(world.wiretap.refusals.most_common()),
        steps=world.ledger.steps(),
        records=tuple(world.records),
        agencies=tuple(world.agency_records),
        cheats=tuple(cheats),
        findings=world.journal.findings(*invariants),
        latencies=world.wiretap.measurements.latencies(),
    )


def print_report(report: Report, *, console: Console) -> None:
    """Show a report as tables."""
    for table in (
        _counts_table(report),
        _enforcement_table(report.steps),
        _causes_table(report.steps),
        _operators_table(report.records),
        _agencies_table(report.agencies),
        _cheats_table(report.cheats),
        _latencies_table(report.latencies),
        _findings_table(report.findings),
    ):
        console.print(table)
        if table.caption:
            console.print()
    console.print(_summary(report))


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in _VERSIONED}
    return {"python": platform.python_version(), **packages}


def _finding_fields(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "holds": finding.holds}


def _table(
    title: str, *, texts: tuple[str, ...], numbers: tuple[str, ...] = (), caption: str = ""
) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption or None,
        caption_justify="left",
        caption_style="",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _counts_table(report: Report) -> Table:
    table = _table("What happened", texts=("event",), numbers=("count",))
    for event, count in report.counts.items():
        table.add_row(event, f"{count:,}")
    return table


def _enforcement_table(steps: Iterable[Step]) -> Table:
    table = _table(
        "Enforcement by step",
        texts=("directive",),
        numbers=("ordered", *(attempt.value for attempt in Attempt), "days"),
        caption=_STEPS_EXPLAINED,
    )
    for step in steps:
        attempts = [f"{count:,}" for count in step.attempt_counts.values()]
        days = f"{step.first_day}-{step.last_day}"
        table.add_row(_in_words(step.kind), f"{step.ordered_count:,}", *attempts, days)
    return table


def _causes_table(steps: tuple[Step, ...]) -> Table:
    kinds = [_in_words(step.kind) for step in steps]
    table = _table(
        "Directives by cause", texts=("cause",), numbers=(*kinds,), caption=_CAUSES_EXPLAINED
    )
    for cause in dict.fromkeys(cause for step in steps for cause in step.cause_counts):
        counts = [f"{step.cause_counts.get(cause, 0):,}" for step in steps]
        table.add_row(_in_words(cause), *counts)
    return table


def _operators_table(records: tuple[OperatorRecord, ...]) -> Table:
    table = _table(
        "Operators in each month, by their score",
        texts=("month", "operator", "habit"),
        numbers=("orders", "late", "failed", "false", "drift", "score"),
        caption=_SCORES_EXPLAINED,
    )
    for each in records:
        counts = (each.order_count, each.late_count, each.failure_count, each.false_count)
        numbers = (*counts, each.drift_count)
        counted = (f"{count:,}" for count in numbers)
        table.add_row(each.month, each.operator, each.habit, *counted, f"{each.score:.1f}")
    return table


def _agencies_table(records: Iterable[AgencyRecord]) -> Table:
    table = _table(
        "Agencies: what they asked and what they got",
        texts=("agency", "conduct"),
        numbers=("asked", "refused", "numbers", "apart"),
        caption=_AGENCIES_EXPLAINED,
    )
    for each in records:
        counts = (each.asked_count, each.refused_count, each.number_count, each.told_apart_count)
        table.add_row(each.agency, each.conduct, *(f"{count:,}" for count in counts))
    return table


def _in_words(name: str) -> str:
    return name.replace("_", " ").lower()


def _cheats_table(cheats: Iterable[Outcome]) -> Table:
    table = _table("People who cheat", texts=("cheat", "answer", "refused"))
    for cheat in cheats:
        verdict = "[green]yes[/]" if cheat.is_refused else f"[red]NO, expected {cheat.expected}[/]"
        table.add_row(cheat.name, cheat.answer, verdict)
    return table


def _latencies_table(latencies: Mapping[str, Latency]) -> Table:
    table = _table(
        "Latencies, ms",
        texts=("method",),
        numbers=("n", "p50", "p95", "p99", "longest"),
    )
    for method, latency in latencies.items():
        durations = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.longest_ms)
        table.add_row(method, f"{latency.answer_count:,}", *(f"{each:,.1f}" for each in durations))
    return table


def _findings_table(findings: Iterable[Finding]) -> Table:
    table = _table("Invariants", texts=("invariant", "holds"), numbers=("checks", "broken"))
    for finding in findings:
        verdict = "[green]yes[/]" if finding.holds else "[red]NO[/]"
        table.add_row(
            finding.invariant, verdict, f"{finding.check_count:,}", f"{finding.broken_count:,}"
        )
        for detail in finding.details:
            table.add_row(f"[red]  {detail}[/]")
    return table


def _summary(report: Report) -> str:
    refused = sum(1 for each in report.cheats if each.is_refused)
    held = sum(1 for each in report.findings if each.holds)
    colour = "green" if report.exit_code == EXIT_CLEAN else "red"
    return (
        f"[{colour}]{refused} of {len(report.cheats)} cheats refused, "
        f"{held} of {len(report.findings)} invariants held[/], "
        f"in {report.start_duration_s:.0f} s to start and {report.duration_s:.0f} s to play"
    )
