"""Erase a person: destroy their secret, delete what is about them, and prove that it was done.

Owns the order of it, all in one transaction, and what the proof says. What stands against it is the
domain's (`identity.domain.erasure`), what is deleted the storage's (`personal_tables`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from identity.audit.log import append
from identity.domain.data_request import DataRequest, DataRequestKind, DataRequestOutcome
from identity.domain.erasure import refuse_standing
from identity.domain.errors import DataRequestClosedError
from identity.domain.personal_id import PersonalID
from identity.security.service_signing import SigningPurpose, sign
from identity.services.call import Call
from identity.services.data_requests import entry, hold_request, keep_for
from identity.services.signing_keys import signing_key
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork

PROOF_VERSION = 1
"""Of the form that docs/reference/export.md describes."""

_ANSWERS_AT_ONCE = 10_000


def forget_answers(transactions: Transactions, call: Call) -> int:
    """Delete answers that are older than anything a person who can be erased has left.

    First answers are kept by their request, whoever they speak of. A slice of them at a time.

    Returns:
        How many were deleted.
    """
    before = call.at - keep_for(call)
    forgotten_count = 0
    while count := transactions.run(
        lambda uow: uow.requests.forget(before=before, limit=_ANSWERS_AT_ONCE)
    ):
        forgotten_count += count
    return forgotten_count


def refuse_request(uow: UnitOfWork, call: Call, data_request_id: UUID, reason: str) -> DataRequest:
    """Refuse an erasure that was asked for.

    Raises:
        DataRequestNotFoundError: There is no such request.
        DataRequestClosedError: It is over, or no erasure.
    """
    kept = hold_request(uow, data_request_id)
    _refuse_other_kinds(kept.request)
    closed = replace(kept, request=kept.request.refused(reason, at=call.at))
    uow.data_requests.save(closed)
    append(uow.connection, [entry(call, kept.citizen_key, "erase_person", "refused")])
    return closed.request


def erase_person(uow: UnitOfWork, call: Call, data_request_id: UUID) -> DataRequest:
    """Do an erasure that was asked for. It cannot be undone.

    Raises:
        DataRequestNotFoundError: There is no such request.
        DataRequestClosedError: It is over, or no erasure.
        ErasureNotYetError: Something has come to stand against it since it was asked for.
    """
    kept = hold_request(uow, data_request_id)
    _refuse_other_kinds(kept.request)
    key = kept.citizen_key
    # Nobody registers a number for the person, and no register names them, until this is over.
    uow.citizens.hold_alone([key])
    refuse_standing(uow.erasures.obstacles(key, keep=keep_for(call), at=call.at), at=call.at)
    digest = uow.secrets.destroy(key)
    counts = uow.personal_data.delete(key)
    proof = {
        "secret_digest": None if digest is None else digest.hex(),
        "deleted": {section: count for section, count in counts.items() if count},
    }
    closed = replace(kept, request=kept.request.done(at=call.at, proof=proof))
    uow.data_requests.save(closed)
    append(uow.connection, [entry(call, key, "erase_person", "erased", proof)])
    return closed.request


def statement_of(personal_id: PersonalID, request: DataRequest) -> bytes | None:
    """What a person can keep and show of an erasure: JSON, to be signed; None where none was done.

    The personal ID is the asker's own: it is stored nowhere, and the request was found by it.
    """
    if request.proof is None or request.outcome is not DataRequestOutcome.DONE:
        return None
    statement: Mapping[str, object] = {
        "format": "subid.erasure",
        "version": PROOF_VERSION,
        "personal_id": personal_id.value,
        "data_request_id": str(request.data_request_id),
        "requested_at": request.opened_at.isoformat(),
        "erased_at": _instant(request.closed_at),
        **request.proof,
    }
    return json.dumps(statement, ensure_ascii=False, indent=2).encode()


def signed_proof(uow: UnitOfWork, call: Call, personal_id: PersonalID, request: DataRequest) -> str:
    """`statement_of`, signed; empty where there is none."""
    statement = statement_of(personal_id, request)
    if statement is None:
        return ""
    key = signing_key(uow, at=call.at)
    return sign(key, statement, purpose=SigningPurpose.ERASURE)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _refuse_other_kinds(request: DataRequest) -> None:
    if request.kind is not DataRequestKind.ERASURE:
        raise DataRequestClosedError("nobody decides a request of this kind: it was done at once")
