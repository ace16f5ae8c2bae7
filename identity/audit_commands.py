"""`identity audit …`: check the log and receipts of it, look after its key, witness it.

Owns the commands and how they print. Heavy modules are imported inside, so that `--help` is quick.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity.client_way import (
    AddressOption,
    AuthorityOption,
    CertificateOption,
    KeyOption,
    Way,
    settings_and_keys,
)
from identity.command_line import (
    DatabaseOption,
    StateOption,
    fail,
    refusals_in_one_line,
    settings_from,
)
from identity.domain.caller import Caller, Role

if TYPE_CHECKING:
    from identity.audit.checkpoint import NoteSigner, TreeHead, VerifierKey
    from identity.audit.faults import Checked
    from identity.storage.database import UnitOfWork

audit_app = typer.Typer(no_args_is_help=True, help="The audit log: receipts, checks, witnesses.")

EXIT_NOT_PROVED = 1
_KEY_TEXT = re.compile(r"[^\s+/]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+")
"""A key as `identity audit key` prints it; anything else is the name of a file."""

_TEXT_BYTES_MAX = 1024 * 1024

LogKeyOption = Annotated[
    str,
    typer.Option("--key", help="A public key of the log, NAME+HASH+KEY, or a file that holds it."),
]


@audit_app.command("verify")
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt.", dir_okay=False)],
    key: LogKeyOption,
    witness: Annotated[
        list[str] | None,
        typer.Option(help="Key of a witness that must have co-signed; as often as you like."),
    ] = None,
) -> None:
    """Check a receipt offline. Asks nobody: neither a service, nor a database.

    Exit codes: 0 the entry is in the log, 1 it is not proved; one line says which.
    """
    from identity.audit.checkpoint import NoteRefusedError  # noqa: PLC0415 - see the docstring
    from identity.audit.receipt import parse_receipt, verify_receipt  # noqa: PLC0415 - as above

    trusted, witnesses = _verifier_key(key), [_verifier_key(each) for each in witness or ()]
    try:
        proved = verify_receipt(parse_receipt(_receipt(receipt)), trusted, witnesses=witnesses)
    except NoteRefusedError as error:
        typer.echo(f"not verified: {error}")
        raise typer.Exit(EXIT_NOT_PROVED) from None
    leaf = proved.leaf
    seen_by = f", seen by {', '.join(proved.witnesses)}" if proved.witnesses else ""
    typer.echo(
        f"verified: entry {leaf.get('entry_id')} ({leaf.get('action')} by {leaf.get('caller')}:"
        f" {leaf.get('outcome')}, {leaf.get('at')}) is leaf {proved.leaf_index} of"
        f" {proved.head.size} in {proved.head.origin}, signed {_instant(proved.head)}{seen_by}"
    )


@audit_app.command("check")
def check(
    *,
    key: Annotated[
        str | None,
        typer.Option(help="A public key of the log from elsewhere; else that of the key file."),
    ] = None,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A signed head that was kept elsewhere: the log must hold it."),
    ] = None,
    is_unanchored: Annotated[
        bool,
        typer.Option("--unanchored", help="Believe the keys that are stored in the database."),
    ] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Recompute the whole log from its rows and name the first bad entry, if there is one.

    The newest head must be signed with the trusted key, or with one that it leads to by handovers.
    Without a trusted key nothing is checked: whoever can write into the database can sign.
    The head that is remembered in the state directory must be in the log, too.

    Exit codes: 0 all is as it was sealed, 1 it is not; one line says where and how.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.audit.check import check_log  # noqa: PLC0415 - as above
    from identity.services.seal_audit import DETAILS_KIND, AuditKeys  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings, may_lack_keys=True) as opened,
    ):
        keys = AuditKeys(settings.state)
        with opened.transaction() as uow:
            trusted = keys.verifier(uow) if key is None else _verifier_key(key)
            if trusted is None and not is_unanchored:
                fail(
                    "not anchored: no trusted key (--key, or --unanchored to believe the database)"
                )
            seen = _seen_heads(uow, head or [])
        # Read before the snapshot is taken: what it covers was committed before it was written.
        seen += [each for each in (keys.remembered(),) if each is not None]
        with opened.transaction() as uow:
            checked = check_log(
                uow.connection,
                details_key=uow.sealer.blind_index(DETAILS_KIND, ""),
                trusted=trusted,
                seen=seen,
            )
    _print(checked)
    raise typer.Exit(EXIT_NOT_PROVED if checked.fault else 0)


@audit_app.command("key")
def show_keys(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Print the public keys of the log, for anybody to have; the last one signs now."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.audit.tree import read_keys  # noqa: PLC0415 - as above
    from identity.services.seal_audit import verifier_keys  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        opened.transaction() as uow,
    ):
        keys = read_keys(uow.connection)
    if not keys:
        fail("the audit log has no key yet: the first start makes it")
    for each in verifier_keys(keys):
        typer.echo(str(each))


@audit_app.command("rotate-key")
def rotate_key(
    *,
    is_lost: Annotated[
        bool,
        typer.Option("--old-key-lost", help="The old key is gone and cannot hand over."),
    ] = False,
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Sign heads with a new key from now on, handed over to by the old one, which is destroyed.

    Servers with a state directory of their own need a copy of the new key file.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.services.seal_audit import AuditKeys, rotate_audit_key  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_current_database(settings) as opened:
        made = rotate_audit_key(
            Transactions(opened), AuditKeys(settings.state), at=datetime.now(UTC), is_lost=is_lost
        )
    typer.echo(f"{made} signs now")


@audit_app.command("accept-restored")
def accept_restored(state: StateOption = None, database: DatabaseOption = None) -> None:
    """Go on with the log as it is in the database, after a restore to an earlier instant.

    What was remembered of the longer log is put aside, and an entry says so. Each server with a
    state directory of its own needs it.
    """
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.services.remembered_head import accept_log  # noqa: PLC0415 - as above
    from identity.services.seal_audit import AuditKeys  # noqa: PLC0415 - as above
    from identity.services.transactions import Transactions  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    with refusals_in_one_line(), bootstrap.open_current_database(settings) as opened:
        memory = AuditKeys(settings.state).memory
        accepted = accept_log(Transactions(opened), memory, at=datetime.now(UTC))
    was, now = (_size(each) for each in (accepted.remembered, accepted.newest))
    typer.echo(f"sealing goes on from {now}; remembered was {was}")


@audit_app.command("add-witness")
def add_witness(
    name: Annotated[str, typer.Argument(help="The name in the witness's certificate.")],
    key: Annotated[str, typer.Argument(help="The witness's key, or a file that holds it.")],
    state: StateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Take the co-signatures of a witness from now on."""
    from identity import bootstrap  # noqa: PLC0415 - see the module's docstring
    from identity.policy_files import load_policies  # noqa: PLC0415 - as above
    from identity.services.call import COMMAND_LINE, Call  # noqa: PLC0415 - as above
    from identity.services.witness_signatures import register_witness  # noqa: PLC0415 - as above

    settings = settings_from(state=state, database=database)
    at = datetime.now(UTC)
    with (
        refusals_in_one_line(),
        bootstrap.open_current_database(settings) as opened,
        opened.transaction() as uow,
    ):
        rules = load_policies(settings).at(at)
        call = Call(caller=Caller(Role.REGULATOR, COMMAND_LINE), at=at, rules=rules)
        register_witness(uow, call, name, _verifier_key(key))
    typer.echo(f"heads that {name} co-signs are kept with its signature")


@audit_app.command("witness")
def witness_log(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    log_key: Annotated[str, typer.Option(help="A public key of the log, or a file that holds it.")],
    directory: Annotated[
        Path, typer.Option(help="Of the witness: its key, and the head that it saw last.")
    ],
    name: Annotated[str, typer.Option(help="The witness's name in its signatures.")],
    address: AddressOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    authority: AuthorityOption = None,
    caller: Annotated[
        str | None, typer.Option(help="Instead of a certificate, here: which witness asks.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Co-sign the newest head, if it agrees with the last one that was seen.

    The first run makes the witness's key and prints its public half, for `identity audit
    add-witness` and for whoever checks receipts. Exit code 1: the log has forked, or is not the one
    that it was.
    """
    from identity.audit.checkpoint import NoteRefusedError  # noqa: PLC0415 - see the docstring
    from identity.audit.head_memory import HeadMemory  # noqa: PLC0415 - as above
    from identity.rpc.client_calls import ImportRefusedError  # noqa: PLC0415 - as above
    from identity.rpc.witness_client import open_remote_log  # noqa: PLC0415 - as above
    from identity.services.witness import witness_head  # noqa: PLC0415 - as above

    trusted = _verifier_key(log_key)
    with refusals_in_one_line():
        signer = _witness_signer(directory, name)
    way = Way(
        role=Role.WITNESS,
        name=caller,
        address=address,
        files=(certificate, key, authority),
        state=state,
    )
    settings, keys = settings_and_keys(way)
    memory = HeadMemory(directory / "seen.head")
    try:
        with refusals_in_one_line(), open_remote_log(settings.listen, keys) as log:
            at = datetime.now(UTC)
            head = witness_head(log, memory, signer, trusted=trusted, at=at)
    except NoteRefusedError as error:
        typer.echo(f"refused: {error}")
        raise typer.Exit(EXIT_NOT_PROVED) from None
    except ImportRefusedError as error:
        fail(str(error))
    typer.echo(f"co-signed {head.size} entries of {head.origin}, signed {_instant(head)}")


def _witness_signer(directory: Path, name: str) -> "NoteSigner":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - as above
        Ed25519PrivateKey,
    )

    from identity.audit.checkpoint import NoteSigner  # noqa: PLC0415 - as above
    from identity.audit.key_chain import read_key_file, write_key_file  # noqa: PLC0415 - as above

    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "witness.key.pem"
    is_new = not path.exists()
    with suppress(FileExistsError):
        if is_new:
            write_key_file(path, Ed25519PrivateKey.generate())
    signer = NoteSigner(name, read_key_file(path))
    if is_new:
        typer.echo(str(signer.verifier(is_witness=True)))
    return signer


def _seen_heads(uow: "UnitOfWork", paths: list[Path]) -> "list[TreeHead]":
    from identity.audit.checkpoint import NoteRefusedError, parse_note  # noqa: PLC0415 - as above
    from identity.audit.receipt import check_signed_head  # noqa: PLC0415 - as above
    from identity.audit.tree import read_keys  # noqa: PLC0415 - as above
    from identity.services.seal_audit import verifier_keys  # noqa: PLC0415 - as above

    if not paths:
        return []
    keys = read_keys(uow.connection)
    try:
        first = verifier_keys(keys)[0]
        return [check_signed_head(parse_note(_text(path)), keys, first) for path in paths]
    except (NoteRefusedError, IndexError) as error:
        fail(f"a head that was kept elsewhere is none of this log: {error}")
    return []


def _verifier_key(given: str) -> "VerifierKey":
    from identity.audit.checkpoint import NoteRefusedError, VerifierKey  # noqa: PLC0415 - as above

    if not given:
        fail("an empty key is none")
    text = given if _KEY_TEXT.fullmatch(given.strip()) else _text(Path(given))
    try:
        return VerifierKey.parse(text)
    except NoteRefusedError as error:
        return fail(f"{given}: {error}")  # type: ignore[no-any-return] # it never returns


def _receipt(path: Path) -> str:
    """What is in a file, if it is text of a size that a receipt can have.

    Raises:
        NoteRefusedError: It is not.
    """
    from identity.audit.checkpoint import NoteRefusedError  # noqa: PLC0415 - as above

    try:
        with refusals_in_one_line():
            return _decoded(path)
    except ValueError as error:
        raise NoteRefusedError("not a receipt of this form") from error


def _text(path: Path) -> str:
    try:
        with refusals_in_one_line():
            return _decoded(path)
    except ValueError as error:
        return fail(f"{path}: {error}")  # type: ignore[no-any-return] # as above


def _decoded(path: Path) -> str:
    """The text in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too large, or not UTF-8.
    """
    from identity.state_directory import read_whole  # noqa: PLC0415 - as above

    return read_whole(path, bytes_max=_TEXT_BYTES_MAX).decode()


def _size(head: "TreeHead | None") -> str:
    return "nothing" if head is None else f"{head.size:,} entries, signed {_instant(head)}"


def _instant(head: "TreeHead") -> str:
    return head.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(checked: "Checked") -> None:
    for number in checked.lost_keys:
        typer.echo(f"key {number} was lost: what it signed is covered by the heads after it")
    if checked.fault is None:
        typer.echo(
            f"{checked.leaf_count:,} entries and {checked.head_count:,} heads are as they were"
            f" sealed, {checked.unsealed_count:,} entries are not sealed yet"
        )
        return
    typer.echo(str(checked.fault))
