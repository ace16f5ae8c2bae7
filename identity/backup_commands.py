"""`identity backup …`: the embedded database, kept elsewhere and had back.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity.command_line import StateOption, fail, refusals_in_one_line, settings_from

if TYPE_CHECKING:
    from identity.config import Settings
    from identity.storage.backup_manifest import BackupManifest
    from identity.storage.base_backups import BackupStore

backup_app = typer.Typer(
    no_args_is_help=True, help="Backups of the embedded database, and restoring to an instant."
)

BackupsOption = Annotated[
    Path | None, typer.Option("--backups", help="Directory of backups; else the setting.")
]
BackupArgument = Annotated[Path, typer.Argument(help="One backup, as `create` and `list` name it.")]


@backup_app.command("create")
def create(
    directory: Annotated[
        Path | None, typer.Argument(help="Directory of backups; else the setting `backups`.")
    ] = None,
    max_rate: Annotated[
        int | None,
        typer.Option(min=32, max=1_048_576, help="Read no faster, kB a second."),
    ] = None,
    state: StateOption = None,
) -> None:
    """Take a backup while the service runs. The keys are not in it: keep them elsewhere."""
    from identity import backup_run  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state)
    with refusals_in_one_line():
        store = _store(settings, directory)
        path, manifest = backup_run.take_backup(settings, store, kb_per_s_max=max_rate)
    typer.echo(str(path))
    typer.echo(f"whole at {manifest.ended_at.isoformat()}, {manifest.size_bytes:,} octets")
    numbers = ", ".join(map(str, manifest.key_ids))
    typer.echo(f"schema {manifest.schema_version}; keys it needs, and does not hold: {numbers}")


@backup_app.command("list")
def list_backups(backups: BackupsOption = None, state: StateOption = None) -> None:
    """Show every backup, oldest first, and how far the log is archived.

    Exit code 1: one is not whole, or was not made with the keys at hand.
    """
    from identity import backup_run  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state)
    with refusals_in_one_line():
        store = _existing_store(settings, backups)
        found = store.list(seal=backup_run.seal_at_hand(settings))
        for path, said in found.items():
            typer.echo(f"{path}: {_told(said)}")
        if not found:
            typer.echo(f"{store.directory}: no backups")
        typer.echo(_archived(store))
    is_bad = any(isinstance(said, Exception) for said in found.values())
    raise typer.Exit(1 if is_bad else 0)


@backup_app.command("verify")
def verify(backup: BackupArgument, state: StateOption = None) -> None:
    """Read all of a backup and compare it with its manifest."""
    from identity import backup_run  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state)
    with refusals_in_one_line():
        checked = backup_run.check_backup(settings, backup)
    files = len(checked.manifest.files)
    typer.echo(f"{backup}: whole, {files:,} files, {checked.manifest.size_bytes:,} octets")
    typer.echo(
        "made with the keys at hand"
        if checked.is_vouched_for
        else "no keys at hand: nobody can say who made it"
    )


@backup_app.command("restore")
def restore(
    backup: BackupArgument,
    state: Annotated[Path, typer.Option("--state", help="State directory to make: a new one.")],
    keys: Annotated[
        Path | None, typer.Option(help="A copy of keys.json, unless keys are kept elsewhere.")
    ] = None,
    to_time: Annotated[
        str | None,
        typer.Option(help="Restore what was stored by then, such as 2026-05-01T12:00:00+07:00."),
    ] = None,
    wal: Annotated[
        Path | None, typer.Option(help="Archive of the log; else the one beside the backup.")
    ] = None,
) -> None:
    """Make a new state directory of a backup, with all that was archived since, or until then."""
    from identity import backup_run  # noqa: PLC0415 - see the module's docstring

    to = None if to_time is None else _instant(to_time)
    settings = settings_from(state=state)
    archive = wal or backup.absolute().parent.parent / "wal"
    with refusals_in_one_line():
        version = backup_run.restore_backup(settings, backup, wal=archive, keys=keys, to=to)
    until = "everything that is there" if to is None else f"what was stored by {to.isoformat()}"
    typer.echo(f"{state}: {until}; schema {version}")
    typer.echo("in no backup, copy yours: audit.key.pem, audit.head, certificates/, authorities/,")
    typer.echo("issuers/, trust/, policies/, models/")


@backup_app.command("prune")
def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many backups stay, the newest.")],
    backups: BackupsOption = None,
    state: StateOption = None,
) -> None:
    """Remove older backups, and the archived log that only they needed.

    What is not whole, or was not made with the keys at hand, is neither counted nor removed.
    """
    from identity import backup_run  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state)
    with refusals_in_one_line():
        store = _existing_store(settings, backups)
        gone = backup_run.prune_backups(settings, store, keep=keep)
        left = store.list(seal=backup_run.seal_at_hand(settings))
    for path in gone:
        typer.echo(f"{path} removed")
    for path, said in left.items():
        if isinstance(said, Exception):
            typer.echo(f"{path} not counted and not removed: {_told(said)}")
    if all(isinstance(said, Exception) for said in left.values()):
        typer.echo(f"{store.directory}: no backup to rely on")
    typer.echo(_archived(store))


@backup_app.command("off")
def off(state: StateOption = None) -> None:
    """Archive no more of the log, from the next start on. What is archived stays."""
    from identity.bootstrap import embedded_directory  # noqa: PLC0415 - see the docstring
    from identity.storage.wal_archive import stop_archiving  # noqa: PLC0415 - as above

    settings = settings_from(state=state)
    if settings.backups is not None:
        fail("the setting `backups` has the next start archive again: remove it first")
    with refusals_in_one_line():
        stop_archiving(embedded_directory(settings))
    typer.echo("nothing is archived from the next start on")


def _store(settings: "Settings", directory: Path | None) -> "BackupStore":
    from identity.storage.backup_manifest import BackupError  # noqa: PLC0415 - see the docstring
    from identity.storage.base_backups import BackupStore  # noqa: PLC0415 - as above

    chosen = directory or settings.backups
    if chosen is None:
        raise BackupError("name a directory of backups, or set `backups`")
    return BackupStore(chosen)


def _existing_store(settings: "Settings", directory: Path | None) -> "BackupStore":
    from identity.storage.backup_manifest import BackupError  # noqa: PLC0415 - see the docstring

    store = _store(settings, directory)
    if not store.directory.is_dir():
        raise BackupError(f"{store.directory} is no directory of backups")
    return store


def _told(said: "BackupManifest | Exception") -> str:
    if isinstance(said, Exception):
        return f"none to rely on: {said}"
    size = f"{said.size_bytes:,} octets, schema {said.schema_version}"
    return f"whole at {said.ended_at.isoformat()}, {size}"


def _archived(store: "BackupStore") -> str:
    directory = store.archive.directory
    segments = list(directory.glob("*.gz")) if directory.is_dir() else []
    if not segments:
        return "no log is archived"
    last_at = datetime.fromtimestamp(max(path.stat().st_mtime for path in segments), UTC)
    return f"{len(segments):,} segments of the log, the last of {last_at.isoformat('T', 'seconds')}"


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("it must be an instant such as 2026-05-01T12:00:00Z") from None
    if instant.tzinfo is None:
        raise typer.BadParameter("it must say its offset from UTC, such as Z or +07:00")
    return instant
