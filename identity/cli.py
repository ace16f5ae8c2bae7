"""`identity …`: run the service and look after it.

Owns the command line. Heavy modules are imported inside commands, so that `--help` is quick.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from identity.acknowledgement_commands import acknowledgements_app
from identity.audit_commands import audit_app
from identity.backup_commands import backup_app
from identity.caller_commands import callers_app
from identity.command_line import (
    DatabaseOption,
    StateOption,
    offer_config,
    refusals_in_one_line,
    settings_from,
)
from identity.compliance_commands import compliance
from identity.config_commands import config_app
from identity.delivery_commands import deliver
from identity.doctor_commands import doctor
from identity.import_commands import import_app
from identity.issuer_commands import issuers_app
from identity.key_commands import keys_app
from identity.match_command import match
from identity.policy_commands import policy_app
from identity.presence_commands import presence_app
from identity.privacy_commands import export_app, requests
from identity.quality_commands import quality
from identity.trust_commands import trust_app
from identity.verdict_commands import verdict_app

HELP = "Who holds which mobile number, proved how, reachable where: run the service, look after it."

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, help=HELP)
app.add_typer(callers_app, name="callers")
app.add_typer(issuers_app, name="issuers")
app.add_typer(verdict_app, name="verdict")
faces_app = typer.Typer(no_args_is_help=True, help="Enrolled faces, and cohorts drawn from them.")
app.add_typer(faces_app, name="faces")
app.add_typer(trust_app, name="trust")
app.add_typer(import_app, name="import")
app.add_typer(keys_app, name="keys")
app.add_typer(backup_app, name="backup")
app.add_typer(policy_app, name="policy")
app.add_typer(export_app, name="export")
app.add_typer(presence_app, name="presence")
app.add_typer(acknowledgements_app, name="acknowledgements")
app.add_typer(config_app, name="config")
app.add_typer(audit_app, name="audit")


@app.command()
def serve(
    state: StateOption = None,
    database: DatabaseOption = None,
    listen: Annotated[str | None, typer.Option(help="host:port; port 0 takes a free one.")] = None,
    trust_anchors: Annotated[
        Path | None, typer.Option(help="Directory of card authorities' certificates and CRLs.")
    ] = None,
    simulated_clock: Annotated[
        bool, typer.Option("--simulated-clock", help="Time moves with AdvanceEnforcement only.")
    ] = False,
    accept_lost_keys: Annotated[
        bool, typer.Option("--accept-lost-keys", help="Serve although some rows cannot be read.")
    ] = False,
) -> None:
    """Serve over gRPC with mutual TLS. With no options: embedded PostgreSQL, loopback."""
    import asyncio  # noqa: PLC0415 - see the module's docstring
    import os  # noqa: PLC0415 - as above
    import resource  # noqa: PLC0415 - as above

    # Crashing, nothing that begins here writes its memory to a file: there are people in it, and
    # keys. PostgreSQL and the processes that compare faces inherit this.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # We never fork a process that serves; gRPC's handlers for it only warn when PostgreSQL stops.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # Its C core writes lines of its own to stderr, beside the log; what matters is raised as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from identity import bootstrap  # noqa: PLC0415 - as above
    from identity.log_setup import log_to_stderr  # noqa: PLC0415 - as above

    settings = settings_from(
        state=state,
        database=database,
        listen=listen,
        trust_anchors=trust_anchors,
        simulated_clock=simulated_clock or None,
        accept_lost_keys=accept_lost_keys or None,
    )
    log_to_stderr()

    def announce(address: str) -> None:
        print(f"subid is listening on {address}", flush=True)

    with refusals_in_one_line():
        asyncio.run(bootstrap.serve(settings, announce=announce))


@app.command()
def migrate(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Bring the database's schema to the version that this code needs."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.storage.schema import schema_versions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_database(settings, may_begin=True) as opened:
        before, _ = schema_versions(opened.engine)
        bootstrap.prepare(opened)
        after, _ = schema_versions(opened.engine)
    print(f"schema: {before or 'empty'} -> {after}")


@app.command()
def status(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Say what the registry holds and whether its schema is current."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.storage.counts import count_rows  # noqa: PLC0415 - as above
    from identity.storage.schema import schema_versions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_database(settings) as opened:
        current, head = schema_versions(opened.engine)
        is_current = current == head
        _print_table("Registry", count_rows(opened.engine) if current else {})
    print(f"schema: {current or 'empty'}" + ("" if is_current else f" (needs {head}: migrate)"))
    raise typer.Exit(0 if is_current else 1)


@faces_app.command("cohort")
def make_cohort(
    size: Annotated[int, typer.Option(min=300, max=100_000, help="Citizens drawn.")] = 2_000,
    source: Annotated[
        Path | None, typer.Option("--from", help="Store this cohort instead of drawing one.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write it here, for `biometrics calibrate`. It is biometric data."),
    ] = None,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Draw a cohort at random from the enrolled citizens, without identities."""
    from identity import administration  # noqa: PLC0415 - see the module's docstring
    from identity.security.certificates import write_secret  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line():
        if source is None:
            drawn = administration.renew_cohort(settings, size=size)
        else:
            drawn = administration.import_cohort(settings, source.read_bytes())
        if out is not None:
            write_secret(out, drawn.cohort.to_bytes())
    print(f"cohort {drawn.cohort.digest}: {len(drawn.cohort)} people")
    print(f"{drawn.removed_count} older cohorts removed")


@faces_app.command("reenrol")
def reenrol_faces(
    slice_size: Annotated[
        int, typer.Option("--slice", min=1, max=10_000, help="Citizens of one transaction.")
    ] = 100,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make the templates anew that another network made. Interrupted, it goes on where it was.

    Exit code 1: some portraits gave no template with the network in force.
    """
    from rich.progress import Progress  # noqa: PLC0415 - see the module's docstring

    from identity import administration  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    enrolled_count = failed_count = 0
    terminal = Console(stderr=True)
    progress = Progress(console=terminal, disable=not terminal.is_terminal)
    with refusals_in_one_line(), progress:
        bar = progress.add_task("citizens", total=None)
        for done in administration.reenrol(
            settings,
            slice_size=slice_size,
            announce=lambda count: progress.update(bar, total=count),
        ):
            enrolled_count += done.enrolled_count
            failed_count += done.failed_count
            progress.update(bar, completed=enrolled_count + failed_count)
    print(f"{enrolled_count} citizens enrolled anew, {failed_count} portraits without a face")
    raise typer.Exit(1 if failed_count else 0)


@app.command("link")
def link_claims(
    workers: Annotated[int, typer.Option(min=1, max=16, help="Slices at a time.")] = 2,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Compare every claim with the population records. Interrupted, it goes on where it was.

    Changes of records do this for whom they touch; it is for what came by other ways, such as a
    restored backup.
    """
    from rich.progress import Progress  # noqa: PLC0415 - see the module's docstring

    from identity import administration  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    terminal = Console(stderr=True)
    bar = Progress(console=terminal, disable=not terminal.is_terminal)
    with refusals_in_one_line(), bar:
        task = bar.add_task("slices", total=None)
        totals = administration.link_all(
            settings,
            workers=workers,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    print(f"{totals.compared_count:,} claims compared, {totals.changed_count:,} links changed")


app.command()(quality)
app.command()(deliver)
app.command()(requests)
app.command()(match)
app.command()(compliance)
app.command()(doctor)
offer_config(app)


def _print_table(title: str, rows: dict[str, int]) -> None:
    table = Table("", Column(justify="right"), title=title, show_header=False)
    for name, count in rows.items():
        table.add_row(name, f"{count:,}")
    Console().print(table)


if __name__ == "__main__":
    app()
