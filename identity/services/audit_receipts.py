"""Hand out proofs of the audit log: heads, consistency, inclusion, receipts.

Owns who may have the proof of which entry, and that handing one out is on record. Whoever may not
know an entry is told that there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from identity.audit.checkpoint import VerifierKey, format_note
from identity.audit.key_chain import ChainedKey
from identity.audit.leaf import EntryRow, leaf_of
from identity.audit.log import AuditEntry, append
from identity.audit.merkle import (
    Subtree,
    consistency_ranges,
    inclusion_ranges,
    perfect_subtrees,
    proof_from,
)
from identity.audit.receipt import Receipt, format_receipt
from identity.audit.tree import (
    KeptHead,
    find_entry,
    leaf_index_of,
    list_entries,
    newest_head,
    read_cosignatures,
    read_hashes,
    read_keys,
)
from identity.domain.caller import Role
from identity.domain.errors import (
    AuditEntryNotFoundError,
    AuditNotSealedError,
    TreeSizeInvalidError,
)
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.seal_audit import DETAILS_KIND
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork

LOOKED_AT = 20_000
"""Of all entries, for one page of one caller's: some milliseconds."""

_ENTRY_ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedHead:
    """A head as it is handed out.

    Attributes:
        checkpoint: The signed note.
        keys: Every key of the log.
    """

    checkpoint: str
    keys: Sequence[ChainedKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """That an entry is in a tree.

    Attributes:
        leaf_index: The place of its leaf.
        size: Leaves of the tree.
        leaf_hash: 32 bytes.
        proof: Hashes of 32 bytes.
    """

    leaf_index: int
    size: int
    leaf_hash: bytes
    proof: Sequence[bytes]


def get_tree_head(uow: UnitOfWork, *, is_witnessed: bool) -> PublishedHead:
    """The newest head. It tells of nobody, so no entry says that it was read.

    Raises:
        AuditNotSealedError: None was signed yet, or none that a witness has co-signed.
    """
    kept = _head(uow, is_witnessed=is_witnessed)
    keys = read_keys(uow.connection)
    return PublishedHead(checkpoint=_note_of(uow, kept, keys), keys=keys)


def get_consistency_proof(uow: UnitOfWork, *, old_size: int, new_size: int) -> Sequence[bytes]:
    """That the tree of one size is the beginning of the tree of another.

    Raises:
        TreeSizeInvalidError: The sizes are the wrong way round, or above the newest head's.
    """
    signed = newest_head(uow.connection)
    if old_size > new_size or signed is None or new_size > signed.head.size:
        raise TreeSizeInvalidError("not two sizes up to that of the newest head, in order")
    return _proof(uow, consistency_ranges(old_size, new_size))


def get_inclusion_proof(
    uow: UnitOfWork, call: Call, entry_id: int, *, size: int | None, citizen: PersonalID | None
) -> Inclusion:
    """That an entry is in the tree.

    Args:
        uow: The transaction.
        call: The circumstances.
        entry_id: The entry.
        size: Leaves of the tree; None for that of the newest head.
        citizen: For the citizen app: whom the entry is about.

    Raises:
        AuditEntryNotFoundError: There is none, or it is not the caller's to know.
        AuditNotSealedError: It is not in the newest tree yet.
        TreeSizeInvalidError: That tree is too small for it, or was not signed yet.
    """
    row = _permitted(uow, call, entry_id, citizen)
    head = _head(uow).head
    index = _index(uow, entry_id, head.size)
    chosen = head.size if size is None else size
    if not index < chosen <= head.size:
        raise TreeSizeInvalidError("the tree of that size has no such entry, or was not signed yet")
    leaf = Subtree(0, index)
    _note(uow, call, row, "get_inclusion_proof")
    return Inclusion(
        leaf_index=index,
        size=chosen,
        leaf_hash=read_hashes(uow.connection, [leaf])[leaf],
        proof=_proof(uow, inclusion_ranges(index, chosen)),
    )


def get_receipt(
    uow: UnitOfWork, call: Call, entry_id: int, *, citizen: PersonalID | None, is_witnessed: bool
) -> str:
    """An entry with everything that proves it.

    Args:
        uow: The transaction.
        call: The circumstances.
        entry_id: The entry.
        citizen: For the citizen app: whom the entry is about.
        is_witnessed: Whether a witness must have co-signed the head.

    Raises:
        AuditEntryNotFoundError: There is none, or it is not the caller's to know.
        AuditNotSealedError: It is not under such a head yet.
    """
    row = _permitted(uow, call, entry_id, citizen)
    kept = _head(uow, is_witnessed=is_witnessed)
    index = _index(uow, entry_id, kept.head.size)
    keys = read_keys(uow.connection)
    receipt = Receipt(
        leaf=leaf_of(row, uow.sealer.blind_index(DETAILS_KIND, "")),
        leaf_index=index,
        inclusion_proof=_proof(uow, inclusion_ranges(index, kept.head.size)),
        checkpoint=_note_of(uow, kept, keys),
        keys=[key for key in keys if key.number <= kept.key_number],
    )
    _note(uow, call, row, "get_receipt")
    return format_receipt(receipt)


def list_own_entries(
    uow: UnitOfWork, call: Call, *, before: int | None, limit: int
) -> tuple[Sequence[EntryRow], int | None]:
    """Entries of the caller's own calls, of everybody's for the regulator, the newest first.

    Returns:
        They, and before which number the rest lies; None at the end.
    """
    append(uow.connection, [_entry(call, "list_entries")])
    return list_entries(
        uow.connection,
        caller=None if call.caller.role is Role.REGULATOR else str(call.caller),
        before=_ENTRY_ID_MAX if before is None else before,
        limit=limit,
        looked_at=LOOKED_AT,
    )


def _permitted(uow: UnitOfWork, call: Call, entry_id: int, citizen: PersonalID | None) -> EntryRow:
    row = find_entry(uow.connection, entry_id)
    if row is None or not _may_know(uow, call, row, citizen):
        raise AuditEntryNotFoundError("there is no such entry among those that are yours to know")
    return row


def _may_know(uow: UnitOfWork, call: Call, row: EntryRow, citizen: PersonalID | None) -> bool:
    match call.caller.role:
        case Role.REGULATOR:
            return True
        case Role.CITIZEN_APP:
            is_shown = row.shown_from is None or row.shown_from <= call.at
            is_theirs = citizen is not None and row.citizen_key == citizen_key(uow.sealer, citizen)
            return is_shown and is_theirs
        case _:
            return row.caller == str(call.caller)


def _head(uow: UnitOfWork, *, is_witnessed: bool = False) -> KeptHead:
    kept = newest_head(uow.connection, is_witnessed=is_witnessed)
    if kept is None:
        raise AuditNotSealedError("no head of this kind was signed yet")
    return kept


def _index(uow: UnitOfWork, entry_id: int, size: int) -> int:
    index = leaf_index_of(uow.connection, entry_id)
    if index is None or index >= size:
        raise AuditNotSealedError("the entry is not under such a head yet")
    return index


def _note_of(uow: UnitOfWork, kept: KeptHead, keys: Sequence[ChainedKey]) -> str:
    signer = next(key for key in keys if key.number == kept.key_number)
    verifier = VerifierKey(name=kept.head.origin, public_key=signer.public_key)
    cosignatures = read_cosignatures(uow.connection, kept.head)
    return format_note(kept.head, kept.signature, verifier, cosignatures)


def _proof(uow: UnitOfWork, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
    subtrees = [subtree for each in ranges for subtree in perfect_subtrees(*each)]
    return proof_from(ranges, read_hashes(uow.connection, subtrees))


def _note(uow: UnitOfWork, call: Call, row: EntryRow, action: str) -> None:
    append(uow.connection, [_entry(call, action, about=row)])


def _entry(call: Call, action: str, *, about: EntryRow | None = None) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome="read",
        citizen_key=None if about is None else about.citizen_key,
        msisdn_key=None if about is None else about.msisdn_key,
        # That somebody proves an access which a court keeps from being shown would show it.
        shown_from=None if about is None else about.shown_from,
        details={} if about is None else {"entry_id": about.entry_id},
    )
