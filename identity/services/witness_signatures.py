"""Keep what witnesses have signed of heads.

Owns whose co-signatures are taken, and that each is verified first. No entry says that one came: it
is kept for ever itself, and an entry would make a new head, which a witness would sign.
"""

from identity.audit.check_witnesses import REGISTERED
from identity.audit.checkpoint import (
    Cosignature,
    NoteRefusedError,
    TreeHead,
    VerifierKey,
    check_cosignature,
    parse_note,
    verify_cosignature,
)
from identity.audit.log import AuditEntry, append
from identity.audit.tree import (
    append_cosignature,
    find_head,
    read_cosignatures,
    set_witness,
    witness_key,
)
from identity.domain.caller import Caller, Role
from identity.domain.errors import CosignatureRefusedError
from identity.services.call import COMMAND_LINE, Call
from identity.storage.database import UnitOfWork


def add_witness_signature(uow: UnitOfWork, call: Call, checkpoint: str) -> None:
    """Keep the co-signature of the witness who calls.

    Raises:
        CosignatureRefusedError: The witness has no key here, the head is none of this log, the
            signature does not verify, or one that does not verify stands in its place.
    """
    known = witness_key(uow.connection, call.caller.name)
    if known is None:
        raise CosignatureRefusedError("no key of this witness is known: it must be registered")
    try:
        signed, key = parse_note(checkpoint), VerifierKey.parse(known)
        cosignature = check_cosignature(signed, key)
    except NoteRefusedError as error:
        raise CosignatureRefusedError(str(error)) from error
    kept = find_head(uow.connection, signed.head.size, signed.head.signed_at)
    if kept is None or kept.head != signed.head:
        raise CosignatureRefusedError("this log has signed no such head")
    append_cosignature(uow.connection, kept.head, cosignature)
    if not _is_kept(uow, kept.head, cosignature, key):
        raise CosignatureRefusedError("something else stands in the place of this signature")


def _is_kept(uow: UnitOfWork, head: TreeHead, cosignature: Cosignature, key: VerifierKey) -> bool:
    """Whether a head has a signature of the witness: this one, or a true one of before.

    The table takes no changes, so one that somebody planted stays until an administrator looks; the
    witness must not believe that its own was kept.
    """
    kept = [each for each in read_cosignatures(uow.connection, head) if each.witness == key.name]
    if kept == [cosignature]:
        return True
    try:
        for each in kept:
            verify_cosignature(head, each, key)
    except NoteRefusedError:
        return False
    return True


def register_witness(uow: UnitOfWork, call: Call, name: str, key: VerifierKey) -> None:
    """Take the co-signatures of a witness from now on; a key of before is replaced.

    Raises:
        CosignatureRefusedError: The name is no caller's, or the key is no witness's.
    """
    try:
        caller = Caller(Role.WITNESS, name)
    except ValueError as error:
        raise CosignatureRefusedError(str(error)) from error
    if not key.is_witness:
        raise CosignatureRefusedError("the key is a log's, not a witness's")
    set_witness(uow.connection, caller.name, str(key))
    entry = AuditEntry(
        occurred_at=call.at,
        caller=COMMAND_LINE,
        action=REGISTERED,
        outcome="registered",
        details={"witness": caller.name, "key": str(key)},
    )
    append(uow.connection, [entry])
