"""`identity verdict …`: verdicts of verifications, long after.

Owns the commands. Heavy modules are imported inside, so that `--help` is quick.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from identity.command_line import (
    DatabaseOption,
    StateOption,
    refusals_in_one_line,
    settings_from,
)

if TYPE_CHECKING:
    from identity.services.recompute_verdicts import Finding, Recomputation

verdict_app = typer.Typer(no_args_is_help=True, help="Verdicts of verifications.")


@verdict_app.callback()
def verdict() -> None:
    """Keep `recompute` a command of its own, so that others can stand beside it."""


@verdict_app.command("recompute")
def recompute_verdicts(
    *,
    is_json: Annotated[
        bool, typer.Option("--json", help="A JSON object in a line: each finding, then the counts.")
    ] = False,
    slice_size: Annotated[
        int, typer.Option("--slice", min=1, max=100_000, help="Verdicts of one transaction.")
    ] = 1_000,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Judge all stored evidence again and name each verdict that comes out differently.

    Exit code 1: some do, or cannot be read, or their policy pack is missing or changed.
    """
    from rich.progress import Progress  # noqa: PLC0415 - see the module's docstring

    from identity import bootstrap, policy_files  # noqa: PLC0415 - as above
    from identity.services.recompute_verdicts import recompute  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    terminal = Console(stderr=True)
    bar = Progress(console=terminal, disable=not terminal.is_terminal)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        bar,
    ):
        transactions = Transactions(opened)
        count = transactions.run(lambda uow: uow.stored_verdicts.count())
        task = bar.add_task("verdicts", total=count)
        result = recompute(
            transactions.run,
            partial(policy_files.load_policy, directory=settings.policies_directory),
            at=datetime.now(UTC),
            tell=_tell_as_json if is_json else _tell,
            progress=lambda done: bar.update(task, completed=done),
            slice_verdicts=slice_size,
        )
    typer.echo(json.dumps(asdict(result)) if is_json else _summary(result))
    raise typer.Exit(0 if result.is_clean else 1)


def _tell(finding: "Finding") -> None:
    changes = (
        f"{name} is {stored} and should be {again}"
        for name, (stored, again) in finding.differences.items()
    )
    said = finding.detail or "; ".join(changes)
    typer.echo(f"{finding.verification_id} {finding.kind.value}: {said}")


def _tell_as_json(finding: "Finding") -> None:
    differences = {
        name: {"stored": stored, "recomputed": again}
        for name, (stored, again) in finding.differences.items()
    }
    found: dict[str, Any] = {
        "verification_id": str(finding.verification_id),
        "kind": finding.kind.value,
        "differences": differences,
        "detail": finding.detail,
    }
    typer.echo(json.dumps(found, ensure_ascii=False))


def _summary(result: "Recomputation") -> str:
    counts = (
        f"{result.verdict_count} verdicts recomputed, {result.difference_count} differ",
        f"{result.unreadable_count} unreadable",
        f"{result.unjudged_count} without their policy pack",
        f"{result.erased_count} with evidence erased",
    )
    return ", ".join(counts)
